"""Bad numbers, bad models: an error that says what to type, or a named finding; never a zero."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import hipaudit
from audit.conduct import conduct
from audit.errors import HipauditError
from audit.options import AuditOptions
from audit.preflight import preflight
from audit.results import Results
from audit.stresses.registry import get_stress, load_stresses
from tests.doubles import Brightness, cases_of, classifier_of
from tests.stresses.promises import batch_of, run, small_classifier
from tests.stresses.test_contract import SMALL

LEVELS = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
WRONG = ["normal" if level > 0.5 else "fracture" for level in LEVELS]
EVERY = sorted(load_stresses())
ATTACKS = [name for name in EVERY if get_stress(name).kind == "attack"]
WHITE_BOX = {name for name in ATTACKS if get_stress(name).needs_gradients}
WITH_EPSILONS = [name for name in EVERY if "epsilons" in get_stress(name).defaults]


def audit(
    folder: Path,
    module: nn.Module | None = None,
    *,
    stresses: tuple[str, ...] = ("fgsm",),
    defences: tuple[str, ...] = ("none",),
    params: dict[str, dict[str, Any]] | None = None,
    labels: list[str] | None = None,
    judged: bool = False,
    **changes: object,
) -> Results:
    options = AuditOptions(
        preset="ci",
        stresses=stresses,
        defences=defences,
        params=params or {name: SMALL[name] for name in stresses if name in SMALL},
        probes=(),
        batch_size=8,
    )
    classifier = classifier_of(module or Brightness(), **changes)
    notes = None if judged else ()
    return conduct(classifier, cases_of(LEVELS, labels), folder, options, notes=notes)


def states(results: Results) -> dict[str, str]:
    return {run.stress: run.state for run in results.plan.runs if run.stress != "clean"}


@pytest.mark.parametrize("name", WITH_EPSILONS)
@pytest.mark.parametrize(
    "epsilons", [(0.0,), (-0.1,), (1.5,), (float("nan"),), (float("inf"),), (), ("2/255",), (True,)]
)
def test_a_radius_that_makes_no_sense_is_refused_before_any_work(name, epsilons, tmp_path) -> None:
    with pytest.raises(HipauditError, match="epsilons in") as refused:
        audit(tmp_path / "out", stresses=(name,), params={name: {"epsilons": epsilons}})
    assert "2/255" in refused.value.fix
    assert not (tmp_path / "out" / "audit.json").exists()


NUMBERS = [
    ("pgd", {"steps": "ten"}, "`steps` of pgd"),
    ("pgd", {"steps": None}, "`steps` of pgd"),
    ("pgd", {"travel": float("nan")}, "`travel` of pgd"),
    ("one_pixel", {"queries": [400, "all"]}, "`queries` of one_pixel"),
    ("one_pixel", {"mode": 3}, "`mode` of one_pixel"),
    ("pgd", {"steps": 0}, "`steps`"),
    ("pgd", {"steps": 2.5}, "`steps`"),
    ("pgd", {"restarts": 0}, "`restarts`"),
    ("pgd", {"travel": 0.0}, "`travel`"),
    ("square", {"queries": 0}, "`queries`"),
    ("one_pixel", {"population": 3}, "population"),
    ("one_pixel", {"pixels": 0}, "pixels"),
    ("one_pixel", {"mode": "su2018"}, 'Did you mean "su2019"?'),
    ("rotation_translation", {"mode": "grid", "angles": 0}, "angles"),
    ("rotation_translation", {"mode": "grid", "shifts": 0}, "shifts"),
    ("rotation_translation", {"k": 0}, "k"),
    ("rotation_translation", {"mode": "gird"}, 'Did you mean "grid"?'),
    ("rotation_translation_map", {"angles": 0}, "angles"),
    ("rotation_translation_map", {"shifts": 0}, "shifts"),
    ("apgd", {"steps": 0}, "steps"),
    ("sparse_rs", {"queries": 0}, "queries"),
    ("sparse_rs", {"pixels": (0,)}, "pixels"),
    ("one_pixel_seeded", {"population": 3}, "population"),
    ("smallest_epsilon", {"max_epsilon": 0.0}, "epsilon"),
    ("smallest_epsilon", {"max_epsilon": (0.1, 0.2)}, "`max_epsilon`"),
    ("smallest_epsilon", {"resolution": 1e-20}, "`resolution` from 1e-06"),  # would never end
    ("smallest_epsilon", {"attack": "pdg"}, 'Did you mean "pgd"?'),
    ("rotation_translation", {"angles": 7.5}, "whole number of angles"),
    ("apgd", {"loss": "cd"}, '`loss` "ce" or "dlr"'),
    ("apgd", {"loss": "dlr"}, "three classes for the DLR loss"),
    ("square", {"area": 1.5}, "`area`"),
    ("metal", {"shape": "screws"}, 'Did you mean "screw"?'),
    ("exposure", {"towards": "dark"}, 'Did you mean "darker"?'),
    ("jpeg_quality", {"chroma": "4:1:1"}, "`chroma`"),
    ("dead_rows", {"axis": "row"}, "`axis`"),
    ("quantum_noise", {"photons": -1.0}, "`photons`"),
    ("window_level", {"jitter": 2.0}, "`jitter`"),
]


class Watched(Brightness):
    """Counts the images it is shown."""

    seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return super().forward(x)


@pytest.mark.parametrize(
    ("name", "params", "said"), [n for n in NUMBERS if n[0] in load_stresses()],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_number_that_makes_no_sense_is_refused_by_its_name_before_any_image_is_looked_at(
    name, params, said, tmp_path
) -> None:
    model = Watched()
    with pytest.raises(HipauditError) as refused:
        audit(tmp_path / "out", model, stresses=("fgsm", name), params={name: params})
    assert said in str(refused.value)
    assert refused.value.fix
    assert model.seen == 0
    assert not (tmp_path / "out" / "audit.json").exists()


ODD = (0, -1, 1, 2.5, 1e-20, 1e9, "x", None, True, (), (0,), (0.5,), (1, 2), (2, 1), ("a",))


@pytest.mark.parametrize("name", EVERY)
def test_whatever_planning_lets_through_can_be_carried_out(name) -> None:
    """Every parameter in turn, with every kind of value: refused at once, or run to the end."""
    chosen = get_stress(name)
    usual = chosen.check(SMALL.get(name, {}))
    classifier, x, y = small_classifier()
    refused = 0
    for parameter in usual:
        for value in ODD:
            try:
                params = chosen.check({**usual, parameter: value})
            except HipauditError:
                refused += 1
                continue
            if chosen.cost(params) <= 40:
                run(chosen, params, classifier, batch_of(x[:2], y[:2], range(2), name))
    assert refused > 0 or not usual


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"stresses": ("fgms",)}, "fgsm"),
        ({"stresses": ("one-pixel",)}, "one_pixel"),
        ({"defences": ("none", "tat")}, "tta"),
        ({"params": {"fgsm": {"epsilon": (0.1,)}}}, "epsilons"),
        ({"stresses": ("pgd",), "params": {"pgd": {"step": 3}}}, "steps"),
    ],
)
def test_a_name_nobody_knows_is_answered_with_what_was_meant(asked, meant, tmp_path) -> None:
    with pytest.raises(HipauditError) as refused:
        audit(tmp_path / "out", **asked)
    assert f'Did you mean "{meant}"?' in str(refused.value)


class NoWayBack(Brightness):
    """Answers, but cannot be differentiated."""

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


def test_without_gradients_white_box_attacks_do_not_apply_and_every_other_one_runs(
    tmp_path,
) -> None:
    images = np.repeat(np.array(LEVELS, dtype=np.float32), 64).reshape(-1, 8, 8)
    labels = ["fracture" if level > 0.5 else "normal" for level in LEVELS]
    way = tmp_path / "model.yaml"
    way.write_text("input: {size: 8, channels: 1, mean: [0.0], std: [1.0]}\n")
    results = hipaudit.run(
        NoWayBack(), hipaudit.from_arrays(images, labels), classes=["fracture", "normal"],
        positive_class="fracture", preset="ci", out=tmp_path / "out", report=False,
        preprocess=way, stresses=["fgsm", "pgd", "square", "rotation_translation"],
    )  # fmt: skip
    found = states(results)
    assert {name for name, state in found.items() if state == "not applicable"} == {"fgsm", "pgd"}
    assert {name for name, state in found.items() if state == "done"} == {
        "square", "rotation_translation",
    }  # fmt: skip
    for finding in results.find("robust_accuracy", stress="pgd", group={}):
        assert (finding.value, finding.reason) == (None, "the classifier gives no gradients")
    assert "no-gradients" in {note.code for note in results.model.notes}
    (probe,) = [report for report in results.probes if report.probe == "masking"]
    assert "masking-no-gradients" in {note.code for note in probe.notes}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_runs_without_gradients_or_says_it_does_not_apply(name, tmp_path) -> None:
    results = audit(tmp_path / "out", NoWayBack(), stresses=(name,), gradients=False)
    assert states(results) == {name: "not applicable" if name in WHITE_BOX else "done"}


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_that_decides_every_image_alike_is_not_attacked_and_blames_no_logit(
    threshold, tmp_path
) -> None:
    names = ("fgsm", "square", "rotation_translation")
    results = audit(tmp_path / "out", stresses=names, threshold=threshold)
    assert states(results) == dict.fromkeys(names, "not applicable")
    found = results.find("robust_accuracy", stress="square", group={})
    assert {(one.value, one.reason) for one in found} == {
        (None, f"a threshold of {threshold:g} decides every image alike")
    }


class NanWhenAltered(Brightness):
    """Right on flat images; NaN as soon as a picture is not flat."""

    def forward(self, x: Tensor) -> Tensor:
        uneven = x.flatten(1).std(dim=1) > 1e-4
        return torch.where(uneven[:, None], torch.nan, super().forward(x))


@pytest.mark.parametrize("name", ["pgd", "square", "one_pixel"])
def test_nan_inside_an_attack_ends_the_run_by_name_and_gives_no_number(name, tmp_path) -> None:
    results = audit(tmp_path / "out", NanWhenAltered(), stresses=(name,))
    (run,) = [run for run in results.plan.runs if run.stress == name]
    assert run.state == "failed"
    assert "finite" in str(run.reason)
    found = results.find("robust_accuracy", stress=name, group={}, contrast=None)
    assert found
    assert {(f.value, f.reason) for f in found} == {(None, run.reason)}


class NanAlways(Brightness):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.nan


def test_a_model_that_answers_nan_is_a_fault_and_never_right(tmp_path) -> None:
    results = audit(tmp_path / "out", NanAlways(), stresses=("fgsm", "square"), judged=True)
    assert ("nan-logits", "fault") in {(note.code, note.level) for note in results.notes}
    (accuracy,) = results.find("accuracy", stress="clean", group={}, contrast=None)
    assert (accuracy.events, accuracy.n) == (0, 8)
    nobody_was_attacked(results)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_model_that_is_always_wrong_leaves_nobody_to_attack_and_that_is_said(
    name, tmp_path
) -> None:
    results = audit(tmp_path / "out", stresses=(name,), labels=WRONG)
    assert states(results) == {name: "done"}
    nobody_was_attacked(results)


def nobody_was_attacked(results: Results) -> None:
    """Robust accuracy is 0 of all; success has no number, and says why."""
    robust = results.find("robust_accuracy", group={}, contrast=None)
    assert robust
    assert {finding.events for finding in robust} == {0}
    success = results.find("attack_success", group={}, contrast=None)
    assert success
    assert {(finding.value, finding.n) for finding in success} == {(None, 0)}
    assert all(finding.reason for finding in success)


class OneClass(Brightness):
    """Says "fracture" whatever it sees."""

    def forward(self, x: Tensor) -> Tensor:
        return 0 * super().forward(x) + torch.tensor([1.0, 0.0])


@pytest.mark.parametrize("name", ATTACKS)
def test_a_model_with_one_answer_is_attacked_to_the_end_and_named(name, tmp_path) -> None:
    results = audit(tmp_path / "out", OneClass(), stresses=(name,), judged=True)
    assert states(results) == {name: "done"}
    assert "constant-output" in {note.code for note in results.notes}
    found = results.find("attack_success", stress=name, group={}, contrast=None)
    assert {(finding.events, finding.n) for finding in found if finding.n} <= {(0, 4)}


Make = Callable[[], nn.Module]


@pytest.mark.parametrize(
    ("make", "code"), [(NanAlways, "nan-logits"), (OneClass, "constant-output")]
)
def test_preflight_names_a_model_that_is_not_worth_an_attack(make: Make, code: str) -> None:
    notes = preflight(classifier_of(make()), list(cases_of(LEVELS)))
    assert (code, "fault") in {(note.code, note.level) for note in notes}
