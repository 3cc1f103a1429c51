"""Numbers and names as a reader meets them. One place, so that they look alike everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import UNDEFENDED, Finding, PlannedRun, Scalar, as_levels
from reports.language import _, decimal, recorded
from reports.names import DEFENCES, METRICS, MODES, STRESSES, TOLD, VARIANTS
from reports.names import LEVELS as LEVELS  # beside `level`, for the axes of corruptions

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
AREAS = {"auroc", "matched_auroc", "partial_auroc", "metadata_auroc"}
RATIOS = {"likelihood_ratio_positive", "likelihood_ratio_negative"}
PER_1000 = {"missed_per_1000", "false_alarms_per_1000"}
COUNTS = {"queries_to_success", "spot_check_size"}


def metric_name(metric: str) -> str:
    return _(METRICS.get(metric, metric.replace("_", " ")))


def grey_levels(value: float) -> str:
    """A pixel amount in [0, 1] as 8-bit grey levels, the same in every text.

    >>> grey_levels(0.5 / 255), grey_levels(2 / 255), grey_levels(2.25 / 255)
    ('0.5/255', '2/255', '2.25/255')
    """
    levels, of = as_levels(value).split("/")
    short = levels.rstrip("0").rstrip(".") if "." in levels else levels
    return decimal(f"{short}/{of}")


def stress_name(stress: str) -> str:
    return _(STRESSES.get(stress, stress.replace("_", " ")))


def defence_name(defence: str) -> str:
    return _(DEFENCES.get(defence, defence.replace("_", " ")))


def amount(metric: str, value: float) -> str:
    """A share as per cent, a score with three decimals.

    >>> amount("sensitivity", 46 / 61), amount("auroc", 0.8941)
    ('75.4%', '.894')
    """
    return decimal(_amount(metric, value))


def _amount(metric: str, value: float) -> str:
    if metric.startswith("smallest_epsilon"):
        return grey_levels(value)
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
        return _("no interval")
    low, high = (amount(finding.metric, limit) for limit in (finding.low, finding.high))
    if finding.low < 0:  # a dash would be read as a sign
        return _("{low} to {high}").format(low=low, high=high).replace("-", "−")
    return f"{low.removesuffix('%')}–{high}"


def ratio(finding: Finding) -> str:
    """The counts behind a number: "46/61", or "n = 400" where there is no numerator."""
    if finding.events is not None and finding.n:
        return f"{finding.events}/{finding.n}"
    if left_out(finding) and not finding.n:
        return _("n left out")
    return f"n = {finding.n}"


def _counts(finding: Finding) -> str:
    """The counts in words where k/n would be read as a share, which an area is not."""
    if finding.metric in AREAS and finding.events is not None and finding.n:
        return _("{k} positive of {n}").format(k=finding.events, n=finding.n)
    return ratio(finding)


def left_out(finding: Finding) -> bool:
    """Whether an edition without small counts hides this number (reports.suppression)."""
    return (finding.reason or "").startswith("suppressed:")


def reason(finding: Finding) -> str:
    """Why a finding has no value, in the language spoken."""
    return recorded(finding.reason) if finding.reason else _("no reason recorded")


def full(finding: Finding) -> str:
    """ "75.4% (95% CI 62.7–85.5%; 46/61)", or the reason there is no value."""
    if finding.value is None:
        return _missing(finding)
    words = _("{value} (95% CI {interval}; {counts})").format(
        value=amount(finding.metric, finding.value),
        interval=interval(finding),
        counts=_counts(finding),
    )
    return words + (f", {_('imprecise')}" if finding.imprecise else "")


def _missing(finding: Finding) -> str:
    if left_out(finding):
        return _("Left out: {reason}.").format(reason=reason(finding))
    return _("Not computed: {reason} (n = {n}).").format(reason=reason(finding), n=finding.n)


def difference(finding: Finding) -> str:
    """ "−18.3 points (95% CI −34.2 to −1.0; n = 21)"; scores keep their own unit."""
    if finding.value is None:
        return _missing(finding)
    value = signed(finding.metric, finding.value)
    if finding.metric not in SCORES:
        value = _("{value} points").format(value=value)
    return _("{value} (95% CI {interval}; {counts})").format(
        value=value, interval=signed_interval(finding), counts=f"n = {finding.n}"
    )


def signed_interval(finding: Finding) -> str:
    """ "−34.2 to −1.0", in points or in the unit of the score, or that there is none."""
    if finding.low is None or finding.high is None:
        return _("no interval")
    return _("{low} to {high}").format(
        low=signed(finding.metric, finding.low), high=signed(finding.metric, finding.high)
    )


def signed(metric: str, value: float) -> str:
    """A difference with its sign: points of a share, else the unit of the score.

    >>> signed("sensitivity", -0.0492), signed("auroc", 0.0123)
    ('−4.9', '+0.012')
    """
    text = f"{value:+.3f}" if metric in SCORES else f"{100 * value:+.1f}"
    return decimal(text.replace("-", "−"))


def short(finding: Finding | None) -> str:
    """ "75.4% (62.7–85.5%)" for tables that carry k/n in a column of their own."""
    if finding is None:
        return _("not computed")
    if finding.value is None:
        return f"– {recorded(finding.reason or '')}".strip()
    mark = " †" if finding.imprecise else ""
    return f"{amount(finding.metric, finding.value)} ({interval(finding)}){mark}"


def group_name(group: Mapping[str, str]) -> str:
    if not group:
        return _("all")
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in group.items())


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
        words.append(f"ε = {grey_levels(float(epsilon))}")
    mode = params.get("mode")
    if isinstance(mode, str) and mode in MODES:
        words.append(_(MODES[mode]).format(k=params.get("k", "k")))
    elif variant in VARIANTS:
        words.append(_(VARIANTS[variant]))
    told = [name for name in TOLD if name in params]
    others = [name for name in params if name != "surrogate"]
    known = told if told or words else others[:3]
    words += [f"{parameter_name(name)} {_scalar(params[name])}" for name in known]
    return words + origin(str(params.get("surrogate", "")))


def parameter_name(name: str) -> str:
    return _(TOLD.get(name, name.replace("_", " ")))


def origin(surrogate: str) -> list[str]:
    """Where an attack's images were made, unless on the audited model itself.

    >>> origin("resnet18"), origin("")
    (['made on resnet18, shown to the audited model'], [])
    """
    if surrogate == UNDEFENDED:
        return [_("made on the model without its defence")]
    told = _("made on {model}, shown to the audited model").format(model=surrogate)
    return [told] if surrogate else []


def run_name(run: PlannedRun) -> str:
    """ "FGSM, under TTA (test-time augmentation), made on the model without its defence"."""
    under = [] if run.defence == "none" else [under_defence(run.defence)]
    return ", ".join([stress_name(run.stress), *under, *origin(run.surrogate)])


def under_defence(defence: str) -> str:
    """ "under TTA (test-time augmentation)", "without a defence"."""
    if defence == "none":
        return _("without a defence")
    return _("under {defence}").format(defence=defence_name(defence))


def level(value: Scalar) -> str:
    """A severity below an axis, short.

    >>> level(0.008), level(192), level(1.5)
    ('.008', '192', '1.5')
    """
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return decimal(text.replace("0.", ".", 1) if text.startswith("0.") else text)


def _scalar(value: Scalar) -> str:
    return decimal(f"{value:.4g}") if isinstance(value, float) else str(value)


def listed(words: Sequence[str]) -> str:
    """ "a, b and c".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(words) < 2:
        return "".join(words)
    return _("{first} and {last}").format(first=", ".join(words[:-1]), last=words[-1])


def sentence(text: str) -> str:
    """The text with a capital at its start; abbreviations keep theirs.

    >>> sentence("sensitivity"), sentence("AUROC")
    ('Sensitivity', 'AUROC')
    """
    if text.startswith("één"):  # Dutch writes no accent on a capital
        return "E" + text[1:]
    return text[:1].upper() + text[1:]


def blocks_of(text: str, size: int = 8) -> str:
    """A long hash in groups, so that it can wrap and be read aloud.

    >>> blocks_of("0123456789abcdef", 8)
    '01234567 89abcdef'
    """
    return " ".join(text[i : i + size] for i in range(0, len(text), size))
