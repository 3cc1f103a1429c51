"""Referral by a cut-off: what the model is not sure enough of goes to a human."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.decision import log_odds
from audit.defences.registry import defence
from audit.errors import HipauditError
from audit.results import Note


@defence("referral")
def referral(classifier: Classifier, *, confidence: float = 0.995) -> Classifier:
    """Refers cases whose decided class has a softmax probability below `confidence`.

    With p the probability of the class that was decided (under argmax the largest of all), a
    case is handled alone when log(p / (1 - p)) >= log(confidence / (1 - confidence)). Log-odds
    are compared because a float32 probability near 1 says nothing any more; an output that is
    not a number is referred. Decisions do not change, so every rate that counts all cases
    stays as it is; what is handled alone has rates of its own.

    A score of 99.5% is not a chance of 99.5% unless calibration was checked. Missed fractures
    above the cut-off are what counts: none in 598 cases are needed before their rate may be
    called below 0.5% at 95%. Attacks do not try to raise the confidence of what they turn, so
    errors referred under attack are no protection against one that does.

    Source: the cut-off of 99.5% "reviewed by a radiologist" of the study reproduced here;
    selective classification: El-Yaniv & Wiener 2010, JMLR 11:1605. GDPR 22 applies to what no
    human sees.
    """
    if not 0 < confidence < 1:
        raise HipauditError(
            "a confidence between 0 and 1", f"{confidence:g}", "Use 0.995 for 99.5%."
        )
    limit = log_odds(confidence)

    def refer(x: Tensor, logits: Tensor) -> Tensor:  # noqa: ARG001 the signature of Refer
        decided = torch.from_numpy(classifier.decide(logits)).to(logits.device)
        # Asked this way round, NaN is referred.
        return ~(log_odds_of(logits, decided) >= limit) | (decided < 0)

    hardened = classifier.derived(refer=refer)
    text = f"Cases decided with a probability below {confidence:g} are referred to a human."
    note = Note(code="referral.cut-off", level="info", text=text)
    told = {"notes": (*classifier.description.notes, note)}
    hardened.description = classifier.description.model_copy(update=told)
    return hardened


def log_odds_of(logits: Tensor, decided: Tensor) -> Tensor:
    """(N, K) logits, (N,) classes -> (N,) float64 log-odds of each class against all others."""
    z = logits.double()
    chosen = decided.clamp_min(0)[:, None]
    others = z.scatter(1, chosen, -torch.inf)
    return z.gather(1, chosen)[:, 0] - torch.logsumexp(others, dim=1)
