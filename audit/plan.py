"""From options to Runs: what will be done, to which cases, at what cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.defences.registry import check_trained, get_defence, looks
from audit.draws import stratified
from audit.options import AuditOptions
from audit.presets import Entry, get_preset
from audit.results import UNDEFENDED, PlannedRun
from audit.stresses.radii import radii
from audit.stresses.registry import Stress, get_stress, load_stresses

SMALLEST_SAMPLE = 8
# Attacks whose images another model made are worth showing to this one; a search follows answers.
TRANSFERRED = ("fgsm", "pgd", "apgd")


@dataclass(frozen=True)
class Run:
    """One (stress, parameters, defence) over a stated sample of case ids, with its cost.

    `cost`: forwards per case, a backward counted as two; `looks`: those of one answer under the
    defence.
    """

    planned: PlannedRun
    cases: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    cost: float = 1.0
    looks: float = 1.0

    @property
    def id(self) -> str:
        return self.planned.id

    @property
    def forwards(self) -> float:
        return self.cost * len(self.cases)


def make_plan(
    classifier: Classifier,
    cases: Cases,
    options: AuditOptions,
    trained: Collection[str] = (),
    surrogates: Collection[str] = (),
) -> list[Run]:
    """Clean runs first (one per defence), then every stress. Raises HipauditError on names.

    A stress that cannot run (no gradients) stays in the plan as "not applicable".
    `trained`: defences whose trained classifier the caller has. `surrogates`: names of models
    on which the FGSM and PGD images of the plan are made once more, to be shown to this one.
    """
    entries = _chosen(options)
    entries += [
        _carried(entry, name)
        for name in surrogates
        for entry in entries
        if entry.stress in TRANSFERRED and entry.defence == "none"
    ]
    check_trained((entry.defence for entry in entries), trained)
    defences = list(dict.fromkeys(["none", *(entry.defence for entry in entries)]))
    everyone = [case.id for case in cases]
    if options.max_samples:
        everyone = _drawn(cases, options.max_samples, options.seed)
    runs = [_clean(name, everyone, cases, options) for name in defences]
    taken: dict[str, int] = defaultdict(int)
    for entry in entries:
        run = _stressed(entry, classifier, cases, everyone, options)
        taken[run.id] += 1
        runs.append(run if taken[run.id] == 1 else _renamed(run, taken[run.id]))
    return runs


def check_names(options: AuditOptions, trained: Collection[str] = ()) -> None:
    """HipauditError for a stress, defence or parameter nobody knows, before any work.

    `trained`: defences that will have been trained when the plan is made.
    """
    check_trained((entry.defence for entry in _chosen(options)), trained)


def _chosen(options: AuditOptions) -> list[Entry]:
    """The preset's entries, narrowed and overlaid by the options."""
    entries = list(get_preset(options.preset))
    for name in (*(options.stresses or ()), *options.skip):
        get_stress(name)
    if options.stresses is not None:
        present = {entry.stress for entry in entries}
        entries = [entry for entry in entries if entry.stress in options.stresses]
        entries += [Entry(name) for name in options.stresses if name not in present]
    entries = [entry for entry in entries if entry.stress not in options.skip]
    if options.defences is not None:
        wanted = {name: get_defence(name) for name in options.defences if name != "none"}
        plain = [entry for entry in entries if entry.defence == "none"]
        defended = [entry for entry in entries if entry.defence in wanted]
        missing = set(wanted) - {entry.defence for entry in defended}
        defended += [replace(e, defence=name) for name in sorted(missing) for e in plain]
        defended += [
            _carried(replace(e, defence=name), UNDEFENDED)
            for name in sorted(missing)
            for e in plain
            if e.stress in TRANSFERRED
        ]
        entries = plain + defended
    return [_overlaid(entry, options) for entry in entries]


def _overlaid(entry: Entry, options: AuditOptions) -> Entry:
    stress = get_stress(entry.stress)
    params = {**entry.params, **options.params.get(entry.stress, {})}
    if entry.surrogate:
        params = {**_walks_on(stress), **params}
    if options.epsilons and "epsilons" in stress.defaults:
        params["epsilons"] = options.epsilons
    if "epsilons" in params:
        params["epsilons"] = tuple(radii(params["epsilons"]))
    return replace(entry, params=stress.check(params))


def _carried(entry: Entry, surrogate: str) -> Entry:
    """The same attack, made on another model; it walks all its steps."""
    whole = _walks_on(get_stress(entry.stress))
    return replace(entry, surrogate=surrogate, params={**entry.params, **whole})


def _walks_on(stress: Stress) -> dict[str, Any]:
    """An image that stops when it just fools its maker hardly fools anybody else."""
    return {"stop_early": False} if "stop_early" in stress.defaults else {}


def _clean(defence: str, everyone: Sequence[str], cases: Cases, options: AuditOptions) -> Run:
    planned = PlannedRun(
        id=_run_id("clean", defence),
        stress="clean",
        kind="clean",
        defence=defence,
        sample=len(everyone),
        of=len(cases),
        rule="every case" if len(everyone) == len(cases) else _rule(len(everyone)),
    )
    each = looks(defence, options.params.get(defence))
    return Run(planned, tuple(everyone), {}, each, each)


def _stressed(
    entry: Entry,
    classifier: Classifier,
    cases: Cases,
    everyone: Sequence[str],
    options: AuditOptions,
) -> Run:
    stress = get_stress(entry.stress)
    stress.fits(entry.params, len(classifier.classes))
    size = min(entry.sample or len(everyone), len(everyone))
    sample = everyone if size == len(everyone) else _drawn(cases, size, options.seed, everyone)
    each = looks(entry.defence, options.params.get(entry.defence))
    cost = stress.cost(entry.params) * (1.0 if entry.surrogate else each)
    reason = _why_not(stress, entry, classifier)
    planned = PlannedRun(
        id=_run_id(entry.stress, entry.defence, entry.surrogate),
        stress=entry.stress,
        kind=stress.kind,
        norm=stress.norm,
        params=_plain(entry.params),
        defence=entry.defence,
        surrogate=entry.surrogate,
        sample=len(sample),
        of=len(cases),
        rule="every case" if len(sample) == len(cases) else _rule(len(sample)),
        state="not applicable" if reason else "planned",
        reason=reason,
    )
    return Run(planned, tuple(sample), entry.params, cost, each)


def _why_not(stress: Stress, entry: Entry, classifier: Classifier) -> str | None:
    """Why a stress means nothing here; None where it is to be carried out."""
    own = entry.surrogate in ("", UNDEFENDED)  # a model that lends its gradients has some
    if stress.needs_gradients and own and not classifier.has_gradients:
        return "the classifier gives no gradients"
    cut = classifier.decision.threshold
    if stress.kind == "attack" and cut in (0.0, 1.0):
        return f"a threshold of {cut:g} decides every image alike"
    return None


def _run_id(stress: str, defence: str, surrogate: str = "") -> str:
    under = "" if defence == "none" else f"@{defence}"
    return stress + under + (f"~{surrogate}" if surrogate else "")


def _renamed(run: Run, ordinal: int) -> Run:
    return replace(run, planned=run.planned.model_copy(update={"id": f"{run.id}-{ordinal}"}))


def _rule(size: int) -> str:
    return f"{size} cases, proportional to the labels, in seeded order"


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in params.items()}


def _drawn(cases: Cases, size: int, seed: int, among: Sequence[str] | None = None) -> list[str]:
    """`size` of the cases (of those in `among`), as `audit.draws.stratified` draws them."""
    allowed = None if among is None else set(among)
    labels = {case.id: case.label for case in cases if allowed is None or case.id in allowed}
    return stratified(labels, size, seed)


def not_tested(runs: Sequence[Run]) -> dict[str, str]:
    """Registered stresses that the plan leaves out, and why."""
    present = {run.planned.stress for run in runs}
    return {
        name: "not in the chosen preset or options"
        for name in sorted(load_stresses())
        if name not in present
    }


def within(runs: Sequence[Run], cases: Cases, seconds: float, limit: float, seed: int) -> list[Run]:
    """Shrink samples until the estimate fits `limit` seconds; the clean runs are never cut.

    Rule: every stressed run may cost at most the same number of forwards, as many as fit, so
    dear runs are cut and cheap ones stay whole; never below 8 cases (or the planned size, if
    smaller). The rule is written into the run.
    """
    total = sum(run.forwards for run in runs)
    if total == 0 or seconds <= limit:
        return list(runs)
    clean = sum(run.forwards for run in runs if run.planned.kind == "clean")
    costs = [run.forwards for run in runs if run.planned.kind != "clean"]
    share = equal_share(costs, max(0.0, limit * total / seconds - clean))
    return [run if run.planned.kind == "clean" else _cut(run, cases, share, seed) for run in runs]


def equal_share(costs: Sequence[float], budget: float) -> float:
    """The largest cap for which the sum of min(cost, cap) stays within `budget`.

    >>> equal_share([1, 10, 100], 31)
    20.0
    """
    left = budget
    for place, cost in enumerate(sorted(costs)):
        share = left / (len(costs) - place)
        if cost >= share:
            return share
        left -= cost
    return max(costs, default=0.0)


def _cut(run: Run, cases: Cases, share: float, seed: int) -> Run:
    if run.forwards <= share:
        return run
    size = min(len(run.cases), max(SMALLEST_SAMPLE, int(share / run.cost)))
    if size == len(run.cases):
        return run
    sample = _drawn(cases, size, seed, run.cases)
    rule = f"{_rule(size)}; cut from {len(run.cases)} to keep to the time limit"
    planned = run.planned.model_copy(update={"sample": size, "rule": rule})
    return replace(run, planned=planned, cases=tuple(sample))
