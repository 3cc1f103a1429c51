"""Numbers that are known beforehand, by hand or from a library that knows nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta, norm

from audit.cases.case import Cases
from tests.planted.models import Reader, classifier_of
from tests.planted.planting import Check, Flaw, Outcome, audited, measured, together
from tests.planted.scenes import GAIN, cases_of, pictures, sound_cases
from trainers.progress import Quiet
from trainers.study.options import StudyOptions
from trainers.study.readers import readers_study

# The sound cases: sensitivity and specificity are (32 + 36 + 38) / 120.
HITS, OF = 106, 120
MISS = 1 - HITS / OF
DISTANCE = 1.2  # between the two normal distributions of the binormal model
EPSILON = 0.025
PREVALENCE, THRESHOLD = 0.2, 0.15


def binormal() -> Cases:
    """300 and 300 scores at the quantiles of N(0, 1) and N(1.2, 1)."""
    ranks = (np.arange(300) + 0.5) / 300
    scores = np.concatenate([norm.ppf(ranks), norm.ppf(ranks) + DISTANCE])
    return cases_of(pictures(scores, seed=6), np.arange(600) >= 300)


def two_readers(_folder: Path) -> Any:
    """Both say fracture for 40, neither for 30, only one of them for 20 and for 10."""
    first = ["fracture"] * 60 + ["normal"] * 40
    second = ["fracture"] * 40 + ["normal"] * 20 + ["fracture"] * 10 + ["normal"] * 30
    truth = np.arange(100) < 50
    cases = cases_of(pictures(np.zeros(100), seed=7), truth, readings={"one": first, "two": second})
    options = StudyOptions(positive_class="fracture")
    return readers_study(cases, ("one", "two"), None, options, Quiet())


# Agreement .7; by chance .6·.5 + .4·.5 = .5; so kappa is .2 / .5.
KAPPA = 0.4


def read_by(theory: float) -> Check:
    def check(results: Any, _folder: Path) -> Outcome:
        (found,) = (f for f in results.findings if f.metric == "kappa" and not f.group)
        return Outcome(abs(found.value - theory) < 0.01 * theory, f"{found.value:.4g}", f"{theory}")

    return check


def clean(metric: str, theory: float, **more: Any) -> Check:
    return measured(metric, theory, stress="clean", **more)


def sound(*stresses: str, **options: Any) -> Any:
    return audited(lambda: classifier_of(Reader()), sound_cases, *stresses, **options)


def standing(epsilon: float) -> float:
    """Share of the sound cases right by more log-odds than ε takes away: ε · 2 · GAIN."""
    right = {0.8: 32, 0.9: 36, 0.95: 38}  # per side and level, of 40
    kept = sum(n for p, n in right.items() if np.log(p / (1 - p)) > epsilon * 2 * GAIN)
    return 2 * kept / 240


def benefit(threshold: float) -> float:
    """Of the 240: positives and negatives called at `threshold`, by hand: all at 0.2 and above."""
    called = {0.2: 8, 0.8: 32, 0.9: 36, 0.95: 38}
    true = sum(n for p, n in called.items() if p >= threshold)
    false = sum(40 - n for p, n in called.items() if p >= threshold)
    return (true - false * threshold / (1 - threshold)) / 240


FLAWS = (
    Flaw(
        "binormal scores",
        f"two normal distributions {DISTANCE} apart",
        "`auroc`",
        audited(lambda: classifier_of(Reader()), binormal),
        clean("auroc", float(norm.cdf(DISTANCE / np.sqrt(2)))),
    ),
    Flaw(
        "exact interval",
        f"{HITS} of {OF} fractures found",
        "limits of `sensitivity` (scipy: beta quantiles)",
        sound(),
        together(
            clean("sensitivity", float(beta.ppf(0.025, HITS, OF - HITS + 1)), of="low"),
            clean("sensitivity", float(beta.ppf(0.975, HITS + 1, OF - HITS)), of="high"),
        ),
    ),
    Flaw(
        "two readers",
        "60 and 50 of 100 called fractured, 40 by both",
        "`kappa` of the readers' study",
        two_readers,
        read_by(KAPPA),
    ),
    Flaw(
        "referral",
        "160 of 240 scores beyond 85% on either side",
        "`referral_rate` under referral at .85",
        sound(
            "jpeg_quality",
            defences=("none", "referral"),
            params={"referral": {"confidence": 0.85}, "jpeg_quality": {"qualities": (90,)}},
        ),
        measured("referral_rate", 80 / 240, defence="referral", stress="clean"),
    ),
    Flaw(
        "robust accuracy of a linear model",
        f"margins of which a known share exceeds ε = {EPSILON}",
        "`robust_accuracy` under FGSM and under PGD",
        sound(
            "fgsm",
            "pgd",
            params={
                "fgsm": {"epsilons": (EPSILON,)},
                "pgd": {"epsilons": (EPSILON,), "steps": 10, "restarts": 1},
            },
        ),
        together(
            measured("robust_accuracy", standing(EPSILON), stress="fgsm"),
            measured("robust_accuracy", standing(EPSILON), stress="pgd"),
        ),
    ),
    Flaw(
        "harm per 1,000",
        f"sensitivity and specificity {HITS}/{OF}; prevalence {PREVALENCE:.0%}",
        "`missed_per_1000`, `false_alarms_per_1000`",
        sound(prevalences=(PREVALENCE,)),
        together(
            clean("missed_per_1000", 1000 * PREVALENCE * MISS, params={"prevalence": PREVALENCE}),
            clean(
                "false_alarms_per_1000",
                1000 * (1 - PREVALENCE) * MISS,
                params={"prevalence": PREVALENCE},
            ),
        ),
    ),
    Flaw(
        "harm per 1,000 under attack",
        f"FGSM at ε = {EPSILON} leaves a known share of fractures found",
        "`missed_per_1000` under FGSM",
        sound("fgsm", params={"fgsm": {"epsilons": (EPSILON,)}}, prevalences=(PREVALENCE,)),
        measured(
            "missed_per_1000",
            1000 * PREVALENCE * (1 - standing(EPSILON)),
            stress="fgsm",
            params={"prevalence": PREVALENCE},
        ),
    ),
    Flaw(
        "predictive value",
        f"sensitivity and specificity {HITS}/{OF}; prevalence {PREVALENCE:.0%}",
        "`ppv`, by Bayes",
        sound(prevalences=(PREVALENCE,)),
        clean(
            "ppv",
            PREVALENCE * (1 - MISS) / (PREVALENCE * (1 - MISS) + (1 - PREVALENCE) * MISS),
            params={"prevalence": PREVALENCE},
        ),
    ),
    Flaw(
        "likelihood ratio",
        f"sensitivity and specificity {HITS}/{OF}",
        "`likelihood_ratio_positive`",
        sound(),
        clean("likelihood_ratio_positive", (1 - MISS) / MISS),
    ),
    Flaw(
        "net benefit",
        f"of 240 scores, those beyond a chance of {THRESHOLD:.0%} are known",
        f"`net_benefit` at {THRESHOLD}",
        sound(),
        clean("net_benefit", benefit(THRESHOLD), params={"threshold": THRESHOLD}),
    ),
)
