"""One audit from a classifier and cases to a folder: plan, evidence, findings, probes, files."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit.cases.case import Cases
from audit.cases.private import private_csv
from audit.classifier import Classifier
from audit.curves import curves_of
from audit.defences.hardened import as_examined, check_alike, notes_of, referring
from audit.defences.registry import under_defence
from audit.engine import Progress, Quiet, execute
from audit.evidence import Predictions
from audit.export import write_predictions
from audit.files import write_whole, writing_whole
from audit.findings import derive
from audit.findings.groups import check_subgroups
from audit.fingerprint import machine, model_digest, versions
from audit.folder import claimed, remember
from audit.options import AuditOptions
from audit.plan import Run, make_plan, not_tested, within
from audit.preflight import preflight
from audit.presets import PROBE_FORWARDS
from audit.probing import Allowance, allowance, chosen_probes, examine, runs_time
from audit.results import Note, Plan, Provenance, Results
from audit.settings import set_defences
from audit.speed.garbage import unsearched
from audit.speed.search import Search, rounded_up
from audit.speed.trial import Trial
from audit.store import Store, unit_key


def conduct(
    classifier: Classifier,
    cases: Cases,
    folder: Path,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
    notes: Sequence[Note] | None = None,
    hardened: Mapping[str, Classifier] | None = None,
    surrogates: Mapping[str, Classifier] | None = None,
    train: Cases | None = None,
) -> Results:
    """Audit `classifier` on `cases` and write audit.json, predictions.csv, figures/, private/.

    `notes`: what the caller's preflight found (nothing is an answer); None runs it here.
    `hardened`: a classifier per defence that was trained beforehand; it decides by the same rule
    over the same classes, and its notes join the audit's. `surrogates`: other classifiers, by
    name, whose FGSM and PGD images are shown to this one. `train`: the cases the model was trained
    on, for the probes that compare with them. Units lie in folder/units; the same call
    again resumes. Raises HipauditError on bad options, when the folder belongs to another audit
    (unless `overwrite`) or is in use.
    """
    options = options or AuditOptions()
    progress = progress or Quiet()
    hardened, surrogates = hardened or {}, surrogates or {}
    check_alike(classifier, hardened)
    made = {**referring(classifier, options.defences or ()), **set_defences(classifier, options)}
    hardened = {**made, **hardened}
    check_subgroups(cases.attributes, options.subgroups or ())
    notes = tuple(preflight(classifier, cases) if notes is None else notes)
    runs = make_plan(classifier, cases, options, tuple(hardened), tuple(surrogates))
    notes = (*notes, *notes_of(classifier, _defended(classifier, runs, hardened, options)))
    trial = Trial.of(classifier, cases, options)
    seconds = trial.seconds(runs)
    if options.max_time is not None:
        most = runs_time(options.max_time, chosen_probes(options))
        runs = within(runs, cases, seconds, most, options.seed)
        seconds = min(seconds, most)
    run_id = _run_id(classifier, cases, runs, options, {**hardened, **surrogates}, train)
    with (
        claimed(
            folder, run_id, overwrite=options.overwrite, gate_file=options.gate_file
        ) as started,
        unsearched(),
    ):
        trial = trial.settled(classifier, cases, seconds, options, folder, started)
        forwards = sum(run.forwards for run in runs if run.planned.state == "planned")
        allowed = _allowed(options, trial, folder, started)
        progress.plan([run.planned for run in runs], seconds, forwards)
        began = time.monotonic()
        predictions = execute(
            runs,
            classifier,
            cases,
            Store(folder / "units", read=options.resume),
            seed=options.seed,
            batch_size=trial.batch_size,
            progress=progress,
            hardened=hardened,
            surrogates=surrogates,
            search=trial.search,
        )
        table = _kept(folder, predictions, cases)
        results = _results(
            classifier,
            cases,
            folder,
            replace(options, batch_size=trial.batch_size),
            trial.search,
            predictions,
            run_id,
            started,
            notes,
            runs,
            progress,
            as_examined(classifier, hardened),
            hardened,
            train,
            allowed,
        )
        results = results.model_copy(update={"predictions_sha256": table})
        _write(folder, results, cases, time.monotonic() - began)
    return results


def _defended(
    classifier: Classifier,
    runs: Sequence[Run],
    hardened: Mapping[str, Classifier],
    options: AuditOptions,
) -> dict[str, Classifier]:
    """The classifier under every defence of the plan; its description tells what it is set to."""
    names = dict.fromkeys([*hardened, *(run.planned.defence for run in runs)])
    return {
        name: under_defence(classifier, name, hardened, options.params.get(name))
        for name in names
        if name != "none"
    }


def _allowed(
    options: AuditOptions, trial: Trial, folder: Path, started: dict[str, Any]
) -> Allowance:
    """What a probe may spend; a timing decides, so it is written down for a resumed audit."""
    most = PROBE_FORWARDS[options.preset]
    allowed = allowance(options.max_time, chosen_probes(options), trial.forward, most)
    if "probe_forwards" not in started:
        remember(folder, started, probe_forwards=allowed.forwards)
    return replace(allowed, forwards=int(started["probe_forwards"]))


def _results(
    classifier: Classifier,
    cases: Cases,
    folder: Path,
    options: AuditOptions,
    search: Search,
    predictions: Predictions,
    run_id: str,
    started: Mapping[str, Any],
    notes: Sequence[Note],
    runs: Sequence[Run],
    progress: Progress,
    examined: Classifier,
    hardened: Mapping[str, Classifier],
    train: Cases | None,
    allowed: Allowance,
) -> Results:
    findings = derive(predictions, options.subgroups, options.seed, prevalences=options.prevalences)
    reports, artefacts = examine(
        examined, cases, predictions, folder, options, progress, hardened, train, allowed
    )
    return Results(
        tool_version=versions()["hipaudit"],
        run_id=run_id,
        model=classifier.description,
        data=cases.description,
        plan=Plan(
            preset=options.preset,
            seed=options.seed,
            runs=tuple(evidence.run for evidence in predictions.runs),
            not_tested=not_tested(runs),
        ),
        findings=tuple(findings),
        curves=tuple(curves_of(predictions, options.subgroups)),
        probes=tuple(reports),
        artefacts=tuple(artefacts),
        notes=tuple(notes),
        provenance=Provenance(
            date=str(started["date"]),
            command=options.command,
            python=platform.python_version(),
            platform=machine(),
            packages=versions(),
            device=str(classifier.device),
            batch_size=options.batch_size or 0,
            search=search.how,
            search_drift=rounded_up(search.drift),
            gate_file=started.get("gate_file"),
        ),
    )


def _kept(folder: Path, predictions: Predictions, cases: Cases) -> str:
    """Writes predictions.csv; its sha256."""
    place = folder / "predictions.csv"
    with writing_whole(place) as stream:
        write_predictions(stream, predictions, synthetic=cases.description.synthetic)
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(folder: Path, results: Results, cases: Cases, seconds: float) -> None:
    write_whole(folder / "private" / "cases.csv", private_csv(cases), mode=0o600)
    (folder / "private").chmod(0o700)
    timings = {"seconds": round(seconds, 1), "forwards": sum(r.forwards for r in results.plan.runs)}
    write_whole(folder / "timings.json", json.dumps(timings) + "\n")
    write_whole(folder / "audit.json", results.to_json())


def _run_id(
    classifier: Classifier,
    cases: Cases,
    runs: Sequence[Run],
    options: AuditOptions,
    hardened: Mapping[str, Classifier],
    train: Cases | None,
) -> str:
    """Twelve hex digits that name this audit: weights, cases, plan, seed, versions."""
    return unit_key(
        {
            "model": model_digest(classifier),
            "hardened": {name: model_digest(other) for name, other in hardened.items()},
            "cases": [(c.id, c.label, c.patient, sorted(c.attributes.items())) for c in cases],
            "runs": [(run.id, dict(run.params), run.cases) for run in runs],
            "seed": options.seed,
            "subgroups": options.subgroups,
            "probes": options.probes,
            "prevalences": options.prevalences,
            "train": None if train is None else train.description.sha256,
            "search": options.search,
            "versions": versions(),
        }
    )[:12]
