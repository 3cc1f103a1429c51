"""Adversarial training: the defence that is another set of weights."""

from __future__ import annotations

from audit.classifier import Classifier
from audit.defences.registry import defence, untrained

NAME = "adversarial-training"


@defence(NAME, trained=True)
def adversarial_training(classifier: Classifier) -> Classifier:  # noqa: ARG001 the table gives it
    """Fine-tunes a copy of the network on clean and adversarial images mixed.

    The images come from --train-data, of which a part, chosen by patient, is kept to choose the
    epoch on; none of them may be among the audited ones. Preparation and classes are those of
    the given model. Every attack of the audit then goes through the hardened weights, so what
    is shown is not only that examples made for the old weights no longer fit. It raises
    accuracy under the kind of perturbation it was trained on, usually at a cost in accuracy
    without attack; under other attacks or larger radii it may do nothing. Both weights decide
    the same images, so clean cost and gain are differences per image, with intervals.

    Methods: fbf, a random start and one step (Wong et al. 2020, arXiv:2001.03994); pgd, several
    projected steps (Madry et al. 2018, arXiv:1706.06083). The hardened weights are kept as
    hardened.pt beside the results.
    """
    raise untrained(NAME)  # one that was trained is looked up among `hardened`
