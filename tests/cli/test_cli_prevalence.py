"""hipaudit run --prevalence: how it is written, what is refused, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest

import hipaudit as package
from audit.errors import HipauditError
from audit.gate.rule_file import load_rules
from hipaudit.request import command_line, defaults
from hipaudit.shares import read_shares
from tests.doubles import Brightness, cases_of, classifier_of

LEVELS = [0.3 + 0.4 * i / 39 for i in range(40)]
QUICK = ("run", "model.pt", "--data", "val")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("18%", (0.18,)),
        ("0.18", (0.18,)),
        ("10%, 0.02,5 %", (0.02, 0.05, 0.1)),
        ([0.2, "1%"], (0.01, 0.2)),
        (0.3, (0.3,)),
        ("0.02,2%", (0.02,)),
    ],
)
def test_shares_are_read_as_decimals_or_per_cent_and_sorted(written, meant):
    assert read_shares(written) == pytest.approx(meant)


BAD = ["0", "1", "1.5", "abc", "", "0.1,", "150%", "-2%", "nan", "inf", "18", "0%", "%"]


@pytest.mark.parametrize("value", BAD)
def test_a_share_that_makes_no_sense_is_one_line_that_says_what_to_type(value, hipaudit):
    code, out, err = hipaudit(*QUICK, "--prevalence", value)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--prevalence" in err
    assert "2%" in err


@pytest.mark.parametrize("value", [1.5, 0, True, [], [0.1, 2], None, [0.1] * 2 + [1 / 3] + ["x"]])
def test_the_same_values_are_refused_in_python(value):
    with pytest.raises(HipauditError, match="shares above 0 and below 1"):
        read_shares(value)


def test_more_than_a_dozen_prevalences_are_refused():
    with pytest.raises(HipauditError, match="at most 12"):
        read_shares([i / 100 for i in range(1, 14)])


@pytest.mark.parametrize("line", ["prevalences = [0, 0.1]", "prevalences = [1.5]",
                                  "prevalences = []", 'prevalences = ["2%"]',
                                  "prevalences = 0.1"])  # fmt: skip
def test_a_rule_file_with_a_senseless_prevalence_is_refused(line, write_rules):
    with pytest.raises(HipauditError, match="prevalences"):
        load_rules(write_rules("[data]", line))


def test_the_command_to_repeat_names_the_prevalences():
    flags = {**defaults(), "prevalences": (0.02, 0.1)}
    assert "--prevalence 0.02,0.1" in command_line(flags)


def audited(folder, **options):
    return package.run(
        classifier_of(Brightness()), cases_of(LEVELS), preset="ci", stresses=["fgsm"],
        epsilons=[8 / 255], out=folder, report=False, **options,
    )  # fmt: skip


def test_python_and_rule_file_reach_the_findings_and_the_flag_goes_first(tmp_path, write_rules):
    rules = write_rules("[data]", "prevalences = [0.05]")
    kept = audited(tmp_path / "a", config=rules)
    assert {f.params["prevalence"] for f in kept.find("missed_per_1000")} == {0.05}
    flagged = audited(tmp_path / "b", config=rules, prevalences=["1%"])
    assert {f.params["prevalence"] for f in flagged.find("missed_per_1000")} == {0.01}
    assert "--prevalence 0.01" in flagged.provenance.command
    rules.unlink()
    none = audited(tmp_path / "c")
    assert not none.find("missed_per_1000")
    assert not none.find("ppv")
    clean = [f for f in flagged.find("missed_per_1000", stress="clean") if f.value is not None]
    (sens,) = flagged.find("sensitivity", stress="clean", group={}, contrast=None, defence="none")
    for found in clean:
        assert found.value == pytest.approx(10 * (1 - sens.value))
    assert np.isfinite([f.value for f in clean]).all()
