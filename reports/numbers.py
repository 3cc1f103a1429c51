"""Numbers and names as a reader meets them. One place, so that they look alike everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import UNDEFENDED, Finding, PlannedRun, Scalar, as_levels

METRICS = {
    "auroc": "AUROC",
    "metadata_auroc": "AUROC of the label from metadata",
    "model_explained_by_metadata": "score explained by metadata (R² of ranks)",
    "attribute_from_features": "AUROC of an attribute from the features",
    "matched_auroc": "AUROC matched on attributes",
    "decision_change_occluded": "decisions changed by filling a region",
    "score_shift_occluded": "change of the log-odds by filling a region",
    "cam_mass": "share of Grad-CAM's map in a region",
    "map_similarity_randomised": "like the map of randomised weights (rank correlation)",
    "map_stability": "like itself (rank correlation)",
    "faithfulness": "faithfulness beyond the control",
    "pointing_chance": "pointing game by chance",
    "f1": "F1",
    "first_loss": "first detectable loss of accuracy",
    "change_per_step": "change of accuracy per step",
    "kappa": "Cohen's kappa",
    "cohen_kappa": "Cohen's kappa",
    "precision": "precision (PPV in this set)",
    "referral_rate": "referred to a human",
    "accuracy_handled": "accuracy of what is handled alone",
    "sensitivity_handled": "sensitivity of what is handled alone",
    "specificity_handled": "specificity of what is handled alone",
    "missed_handled": "missed positives of what is handled alone",
    "missed_of_positives": "positives missed while handled alone",
    "unseen_error_rate": "wrong and seen by nobody",
    "handled_above": "handled alone above the cut-off",
    "accuracy_above": "accuracy above the cut-off",
    "sensitivity_above": "sensitivity above the cut-off",
    "specificity_above": "specificity above the cut-off",
    "missed_above": "missed positives above the cut-off",
    "missed_of_positives_above": "positives missed above the cut-off",
    "unseen_error_above": "wrong above the cut-off",
    "poor_quality": "beyond the limits of quality",
    "error_by_quality": "link of errors with quality (AUROC)",
    "label_errors_suspected": "labels worth reading again",
    "label_errors_unexplained": "labels against the model at any confidence",
    "spot_check_size": "cases to re-read",
    "spot_check_detection": "chance to notice twice the level",
    "shared_patients": "patients also trained on",
    "shared_images": "images with identical pixels elsewhere",
    "accuracy_leaked": "accuracy of cases met in training",
    "accuracy_unleaked": "accuracy of cases not met in training",
    "accuracy_sound": "accuracy within the limits of quality",
    "accuracy_poor": "accuracy beyond the limits of quality",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
    "observed_expected": "observed to expected (O:E)",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "reliability": "positive in a bin of scores",
    "selective_risk": "wrong among the surest",
    "aurc": "area under the risk–coverage curve",
    "smallest_epsilon": "smallest ε found (median)",
    "smallest_epsilon_lower_quartile": "smallest ε found (lower quartile)",
    "smallest_epsilon_upper_quartile": "smallest ε found (upper quartile)",
    "queries_to_success": "queries to success (median)",
    "likelihood_ratio_positive": "LR+",
    "likelihood_ratio_negative": "LR−",
    "ppv": "PPV at a declared prevalence",
    "npv": "NPV at a declared prevalence",
    "sensitivity_at_specificity": "sensitivity at a fixed specificity",
    "specificity_at_sensitivity": "specificity at a fixed sensitivity",
    "partial_auroc": "partial AUROC",
    "net_benefit": "net benefit",
    "net_benefit_of_all": "net benefit of acting on everyone",
    "missed_per_1000": "missed per 1,000",
    "false_alarms_per_1000": "false alarms per 1,000",
    "attack_success": "attack success",
    "attack_success_8bit": "attack success after 8-bit rounding",
}
STRESSES = {
    "clean": "no stress",
    "fgsm": "FGSM",
    "pgd": "PGD",
    "apgd": "APGD",
    "square": "Square",
    "smallest_epsilon": "smallest ε",
    "one_pixel": "one pixel",
    "one_pixel_seeded": "one pixel, gradient-seeded",
    "sparse_rs": "Sparse-RS",
    "jpeg_quality": "JPEG quality",
    "rotation_translation": "rotation–translation",
    "rotation_translation_map": "rotation–translation map",
    "worst_case": "worst case over attacks",
}
DEFENCES = {
    "none": "none",
    "tta": "TTA (test-time augmentation)",
    "temperature-scaling": "temperature scaling",
    "quality-filter": "quality filter",
    "referral": "referral by cut-off",
    "adversarial-training": "adversarial training",
    "randomised-smoothing": "randomised smoothing",
    "jpeg": "JPEG compression",
    "bit-depth": "fewer grey levels (bit depth)",
    "blur": "Gaussian blur",
}
SCORES = {
    "map_similarity_randomised",
    "map_stability",
    "faithfulness",
    "auroc",
    "error_by_quality",
    "metadata_auroc",
    "model_explained_by_metadata",
    "attribute_from_features",
    "matched_auroc",
    "score_shift_occluded",
    "f1",
    "brier",
    "ece",
    "calibration_slope",
    "calibration_intercept",
    "observed_expected",
    "kappa",
    "cohen_kappa",
    "aurc",
    "partial_auroc",
    "net_benefit",
    "net_benefit_of_all",
}
RATIOS = {"likelihood_ratio_positive", "likelihood_ratio_negative"}
PER_1000 = {"missed_per_1000", "false_alarms_per_1000"}
COUNTS = {"queries_to_success", "spot_check_size"}
MODES = {"worst_of_k": "worst of {k} draws", "grid": "worst of the grid"}
# What the severity of a corruption is measured in.
LEVELS = {
    "dose": "part of the dose",
    "length": "path, part of the height",
    "sigma": "σ, part of the height",
    "stops": "stops",
    "gamma": "exponent γ",
    "width": "window, part of the scale",
    "kept": "part of the contrast kept",
    "side": "pixels of the short side",
    "closed": "part of the area closed",
    "per_thousand": "lines per thousand",
    "bits": "bits",
    "quality": "JPEG quality",
    "height": "part of the height",
    "area": "part of the area",
}
# Parameters that tell two findings of one stress apart; all of them stand in the table of runs.
TOLD = (
    *LEVELS,
    "steps",
    "queries",
    "pixels",
    "severity",
    "level",
    "factor",
    "cutoff",
    "coverage",
    "prevalence",
    "threshold",
    "specificity",
    "sensitivity",
    "max_fpr",
)


def metric_name(metric: str) -> str:
    return METRICS.get(metric, metric.replace("_", " "))


def stress_name(stress: str) -> str:
    return STRESSES.get(stress, stress.replace("_", " "))


def defence_name(defence: str) -> str:
    return DEFENCES.get(defence, defence.replace("_", " "))


def amount(metric: str, value: float) -> str:
    """A share as per cent, a score with three decimals.

    >>> amount("sensitivity", 46 / 61), amount("auroc", 0.8941)
    ('75.4%', '.894')
    """
    if metric.startswith("smallest_epsilon"):
        return as_levels(value)
    if metric in COUNTS or (metric in RATIOS and value >= 1000):
        return f"{value:.0f}"
    if metric in RATIOS:
        return f"{value:.3g}"
    if metric in PER_1000:
        return f"{value:.1f}"
    if metric in SCORES:
        text = f"{value:.3f}".replace("-", "−")
        return text.replace("0.", ".", 1) if text.startswith(("0.", "−0.")) else text
    return f"{100 * value:.1f}%"


def interval(finding: Finding) -> str:
    """ "62.7–84.9%", or why there is none."""
    if finding.low is None or finding.high is None:
        return "no interval"
    if finding.low < 0:  # a dash would be read as a sign
        ends = (amount(finding.metric, limit) for limit in (finding.low, finding.high))
        return " to ".join(ends).replace("-", "−")
    low = amount(finding.metric, finding.low).removesuffix("%")
    return f"{low}–{amount(finding.metric, finding.high)}"


def ratio(finding: Finding) -> str:
    """The counts behind a number: "46/61", or "n = 400" where there is no numerator."""
    if finding.events is not None and finding.n:
        return f"{finding.events}/{finding.n}"
    return f"n = {finding.n}"


def full(finding: Finding) -> str:
    """ "75.4% (95% CI 62.7–85.5%; 46/61)", or the reason there is no value."""
    if finding.value is None:
        return f"Not computed: {finding.reason or 'no reason recorded'} (n = {finding.n})."
    words = (
        f"{amount(finding.metric, finding.value)} (95% CI {interval(finding)}; {ratio(finding)})"
    )
    return words + (", imprecise" if finding.imprecise else "")


def difference(finding: Finding) -> str:
    """ "−18.3 points (95% CI −34.2 to −1.0; n = 21)"; scores keep their own unit."""
    if finding.value is None:
        return f"Not computed: {finding.reason or 'no reason recorded'} (n = {finding.n})."
    unit = "" if finding.metric in SCORES else " points"
    limits = "no interval"
    if finding.low is not None and finding.high is not None:
        limits = (
            f"{_signed(finding.metric, finding.low)} to {_signed(finding.metric, finding.high)}"
        )
    value = _signed(finding.metric, finding.value)
    return f"{value}{unit} (95% CI {limits}; n = {finding.n})"


def _signed(metric: str, value: float) -> str:
    text = f"{value:+.3f}" if metric in SCORES else f"{100 * value:+.1f}"
    return text.replace("-", "−")


def short(finding: Finding | None) -> str:
    """ "75.4% (62.7–85.5%)" for tables that carry k/n in a column of their own."""
    if finding is None:
        return "not computed"
    if finding.value is None:
        return f"– {finding.reason or ''}".strip()
    mark = " †" if finding.imprecise else ""
    return f"{amount(finding.metric, finding.value)} ({interval(finding)}){mark}"


def group_name(group: Mapping[str, str]) -> str:
    if not group:
        return "all"
    return ", ".join(f"{name} {value}" for name, value in group.items())


def setting(finding: Finding) -> str:
    """What was done: "FGSM, ε = 2/255", "rotation–translation, worst of 10 draws"."""
    return ", ".join([stress_name(finding.stress), *_details(finding.params, finding.variant)])


def _details(params: Mapping[str, Scalar], variant: str) -> list[str]:
    words = []
    attacks = params.get("attacks")
    if isinstance(attacks, str) and attacks:
        words.append(listed([stress_name(name) for name in attacks.split(", ")]))
    epsilon = params.get("epsilon")
    if isinstance(epsilon, int | float):
        words.append(f"ε = {as_levels(float(epsilon))}")
    mode = params.get("mode")
    if isinstance(mode, str) and mode in MODES:
        words.append(MODES[mode].format(k=params.get("k", "k")))
    elif variant in {"worst", "worst cell", "average", "every case"}:
        words.append(variant)
    told = [name for name in TOLD if name in params]
    others = [name for name in params if name != "surrogate"]
    known = told if told or words else others[:3]
    words += [f"{name.replace('_', ' ')} {_scalar(params[name])}" for name in known]
    return words + origin(str(params.get("surrogate", "")))


def origin(surrogate: str) -> list[str]:
    """Where an attack's images were made, unless on the audited model itself.

    >>> origin("resnet18"), origin("")
    (['made on resnet18, shown to the audited model'], [])
    """
    if surrogate == UNDEFENDED:
        return ["made on the model without its defence"]
    return [f"made on {surrogate}, shown to the audited model"] if surrogate else []


def run_name(run: PlannedRun) -> str:
    """ "FGSM, under TTA (test-time augmentation), made on the model without its defence"."""
    under = [] if run.defence == "none" else [f"under {defence_name(run.defence)}"]
    return ", ".join([stress_name(run.stress), *under, *origin(run.surrogate)])


def level(value: Scalar) -> str:
    """A severity below an axis, short.

    >>> level(0.008), level(192), level(1.5)
    ('.008', '192', '1.5')
    """
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def _scalar(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def listed(words: Sequence[str]) -> str:
    """ "a, b and c".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def blocks_of(text: str, size: int = 8) -> str:
    """A long hash in groups, so that it can wrap and be read aloud.

    >>> blocks_of("0123456789abcdef", 8)
    '01234567 89abcdef'
    """
    return " ".join(text[i : i + size] for i in range(0, len(text), size))
