from __future__ import annotations

from pathlib import Path

from audit.checkpoints.sidecar import Sidecar, read_sidecar
from audit.gate.rule_file import load_rules
from reports.card import Card, load_card

ROOT = Path(__file__).parents[2]


def test_init_writes_files_that_are_valid_and_decide_nothing(hipaudit, tmp_path):
    code, out, _ = hipaudit("init")
    assert code == 0
    assert out.split() == ["hipaudit.toml", "card.yaml", "model.yaml"]
    assert load_rules(tmp_path / "hipaudit.toml").rules == ()
    assert load_card(tmp_path / "card.yaml") == Card()
    assert read_sidecar(tmp_path / "model.yaml") == Sidecar()


def uncommented(text: str) -> str:
    """The rule file with every commented table and key brought to life."""
    lines = [
        line.removeprefix("# ")
        for line in text.splitlines()
        if line.startswith(("# [[", "# id", "# metric", "# m", "# where", "# gap", "# betw",
                            "# level", "# rule", "# reason", "# owner", "# expires"))
        or not line.startswith("#")
    ]  # fmt: skip
    return "\n".join(lines)


def test_every_commented_rule_is_valid_once_the_comment_signs_are_taken_away(hipaudit, tmp_path):
    hipaudit("init")
    path = tmp_path / "hipaudit.toml"
    path.write_text(uncommented(path.read_text()))
    rules = load_rules(path)
    assert [rule.id for rule in rules.rules] == ["HA101", "HA102", "HA201", "HA301", "HA901"]
    assert rules.gate.waiver[0].rule == "HA301"


def test_init_replaces_nothing_unless_told_to(hipaudit, tmp_path):
    (tmp_path / "card.yaml").write_text("mine")
    code, _, err = hipaudit("init")
    assert code == 2
    assert "card.yaml" in err
    assert not (tmp_path / "hipaudit.toml").exists()
    assert (tmp_path / "card.yaml").read_text() == "mine"
    assert hipaudit("init", "--overwrite")[0] == 0


def test_the_example_rules_are_valid():
    rules = load_rules(ROOT / "examples" / "hipaudit.toml")
    assert [rule.id for rule in rules.rules] == ["HA101", "HA201", "HA202", "HA301", "HA901"]
