"""The quality filter: a picture that is blurred, flat or empty goes to a human."""

from __future__ import annotations

from torch import Tensor

from audit.classifier import Classifier
from audit.defences.registry import defence
from audit.quality.limits import KEY, Limits, limits_of
from audit.results import Note


@defence("quality-filter")
def quality_filter(classifier: Classifier, *, limits: Limits | None = None) -> Classifier:
    """Refers pictures beyond limits of sharpness, contrast, uniformity, noise, exposure or border.

    What is asked of each picture as the model sees it: 0 <= measure and measure within its
    limit; one beyond is enough to refer the case. Decisions do not change, so every rate that
    counts all cases stays as it is; what is handled alone has rates of its own.

    The limits are those the model brings (`quality_limits` in its model.yaml or its training
    record, made by `audit.quality.limits.limits_from` on training images), else stated ones
    that were fixed in advance: what sound radiographs measure after degradations of known
    severity. They are told in the notes. The audit's own images never set them.

    It does not see what a picture shows: a sharp picture of the wrong body part passes. Noise
    on a blurred picture hides its blur. An attack is not built to pass it, so its referrals
    under attack are no protection against one that is.

    Sources: Crete et al. 2007, doi:10.1117/12.702790 (blur); Immerkær 1996,
    doi:10.1006/cviu.1996.0060 (noise).
    """
    chosen = limits if limits is not None else limits_of(classifier)

    def refer(x: Tensor, logits: Tensor) -> Tensor:
        return chosen.poor(x).to(logits.device)

    hardened = classifier.derived(refer=refer)
    text = f"The quality filter refers a picture with {chosen}. Limits: {chosen.origin}."
    note = Note(code="quality-filter.limits", level="info", text=text)
    record = {**classifier.description.training, KEY: chosen.as_dict()}
    told = {"notes": (*classifier.description.notes, note), "training": record}
    hardened.description = classifier.description.model_copy(update=told)
    return hardened
