"""The Python API: one call from a model and labelled cases to Results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError, did_you_mean

if TYPE_CHECKING:
    from audit.engine import Progress
    from audit.results import Results


def run(
    model: Any,
    cases: Any,
    *,
    preset: str = "standard",
    out: str | Path | None = None,
    config: str | Path | None = None,
    card: str | Path | None = None,
    baseline: str | Path | None = None,
    report: bool = True,
    progress: Progress | None = None,
    **options: Any,
) -> Results:
    """Audit a model on labelled radiographs; the same audit as `hipaudit run`.

    `model`: path of a checkpoint, an `nn.Module` that maps a normalised (N, C, H, W) batch to
    logits (N, K), or a Classifier. `cases`: path of a manifest or folder, or Cases
    (`hipaudit.from_arrays`). `out`: folder for audit.json, verdict.json, predictions.csv and
    the report; unless given, hipaudit-out/<model>. `report=False` leaves PDF and HTML out.
    `options`: any flag of `hipaudit run` by its Python name, such as `positive_class`,
    `classes`, `epsilons` (in [0, 1]), `stresses`, `skip`, `defences`, `subgroups`,
    `prevalences`, `max_samples`, `max_time` (seconds), `seed`, `batch_size`, `device`, `overwrite`.
    `train_data`: a path or Cases the model was trained on, sought among `cases` (leakage); with
    `defences=["adversarial-training"]` it is hardened on them.
    With `defences=["temperature-scaling"]`, `calibration_data` is one to fit the temperature on.
    `params`: settings of stresses and defences, such as {"pgd": {"steps": 40}}.
    `surrogates`: a list of other models (paths, modules or Classifiers) of the same classes; what
    gradient attacks make on them is also shown to this one.

    Rules and card are read from the working directory, as by the command line. Raises
    HipauditError in one line for anything that cannot be used. The same call again
    resumes what was interrupted.

    On Linux `audit.speed.pages.keep_freed_memory()`, called once before, takes up to a fifth off
    the time on a CPU. The command line does it; here it is yours to say, as it is for the process.

    >>> import hipaudit, numpy, tempfile, torch
    >>> images = numpy.random.default_rng(0).random((24, 16, 16))
    >>> cases = hipaudit.from_arrays(images, ["normal", "fracture"] * 12)
    >>> net = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten())
    >>> _ = net.append(torch.nn.Linear(48, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = hipaudit.run(
    ...         net, cases, classes=["normal", "fracture"], positive_class="fracture",
    ...         preset="ci", stresses=["fgsm"], out=folder, report=False,
    ...     )
    >>> [finding.n for finding in results.find("accuracy", stress="clean", group={})]
    [24]
    """
    from audit.conduct import conduct
    from hipaudit.calibrating import calibrated, calibrating
    from hipaudit.hardening import given_to_train, hardened, trained, trained_on
    from hipaudit.outputs import write_verdict
    from hipaudit.papers import read_papers
    from hipaudit.parameters import edition_of
    from hipaudit.request import (
        as_path,
        audit_options,
        data_options,
        defaults,
        model_options,
        settings_of,
    )
    from hipaudit.surrogates import check_surrogates, surrogates
    from hipaudit.workflow import check_places, conclude, default_folder, understand, verdict_of

    flags = {**defaults(), **_renamed(options), "preset": preset}
    papers = read_papers(as_path(config), as_path(card), as_path(baseline))
    settings = settings_of(papers)
    asked = audit_options(flags, settings, papers)
    folder = as_path(out) or default_folder(model)
    check_places(folder, ())
    check_surrogates(flags)
    reading, defences = data_options(flags, settings), trained(flags)
    understood = understand(
        model,
        cases,
        model_options(flags, settings),
        reading,
        options=asked,
        trained=(*defences, *calibrating(flags)),
    )
    given = given_to_train(flags, reading)
    results = conduct(
        understood.classifier,
        understood.cases,
        folder,
        asked,
        progress,
        understood.notes,
        {
            **calibrated(understood, flags, reading),
            **hardened(understood, flags, given, asked, folder, progress),
        },
        surrogates(understood, flags, settings),
        trained_on(given),
    )
    verdict = verdict_of(results, papers, folder)
    if report:
        conclude(results, folder, verdict, papers, (), edition_of(flags))
    else:
        write_verdict(folder, verdict)
    return results


ALSO = {"epsilons": "eps"}


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    """Options under the names of the flags, lists as tuples. Raises on an unknown name."""
    from hipaudit.request import defaults

    known = defaults()
    flags = {}
    for name, value in options.items():
        flag = ALSO.get(name, name)
        if flag not in known:
            raise HipauditError(
                "an option of hipaudit.run", f'"{name}"', did_you_mean(name, [*known, *ALSO])
            )
        flags[flag] = tuple(value) if isinstance(value, list) else value
    return flags
