"""card.yaml: read strictly, with the line of every fault; blank where nobody wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from audit.errors import HipauditError
from reports.card import TEMPLATE, Card, load_card
from reports.modes import MODES
from reports.outline import outline

EXAMPLE = Path(__file__).parents[2] / "examples" / "card.yaml"
# Printed elsewhere than in a field of the outline: page one, tables of sections 4 and 11.
ELSEWHERE = {
    "performance.prevalences",
    "performance.planned_half_width",
    "risks",
    "board.name",
    "board.decision",
    "board.conditions",
    "board.signatories",
}


def card_from(tmp_path: Path, text: str) -> Card:
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return load_card(path)


def fields(model: type[BaseModel], place: str = "") -> Iterator[str]:
    for name, found in model.model_fields.items():
        inner = found.annotation
        here = f"{place}.{name}" if place else name
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, here)
        else:
            yield here


def test_every_field_of_the_card_has_its_place_in_the_report_and_back() -> None:
    rows = {row.value for section in outline() for row in section.rows if row.source == "H"}
    assert rows == set(fields(Card)) - ELSEWHERE


def test_an_empty_file_is_a_card_in_which_nothing_is_stated(tmp_path: Path) -> None:
    assert card_from(tmp_path, "") == Card()


def test_the_template_is_valid_and_states_nothing(tmp_path: Path) -> None:
    assert card_from(tmp_path, TEMPLATE) == Card()
    assert set(yaml.safe_load(TEMPLATE)) <= set(Card.model_fields)


def test_the_example_fills_every_field_but_the_decision() -> None:
    card = load_card(EXAMPLE)
    blank = {place for place in fields(Card) if card.get(place) is None}
    assert blank == {"board.decision", "board.conditions"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("purpose:\n  intended_purpos: x\n", ['"intended_purpos" on line 2', '"intended_purpose"']),
        ("pupose:\n  users: x\n", ['"pupose" on line 1', 'Did you mean "purpose"?']),
        ("risks:\n  - failure_mode: a\n    severty: b\n", ['"severty" on line 3', '"severity"']),
        ("\n\npurpose:\n  role: decides\n", ["purpose.role", "line 4", "informs"]),
        ("performance:\n  prevalences: [0.1, 2]\n", ["performance.prevalences.1", "line 2"]),
        ("limitations:\n  known: None\n", ["limitations.known", "line 2", "not accepted"]),
        ("subgroups: {bias: n/a}\n", ["subgroups.bias", "not accepted"]),
        ("identity:\n  version: a\n  version: b\n", ["once", '"version" again on line 3']),
        ("a: &x [1]\nb: *x\n", ["aliases"]),
        ("identity: [1, 2]\n", ["identity", "line 1"]),
        ("- a\n- b\n", ["named fields", "list"]),
        ("identity: {\n", ["YAML", "line"]),
        ("identity: !!python/object/apply:os.system ['true']\n", ["tags", "line 1"]),
        ("identity:\n  version: [1]\n", ["identity.version", "line 2"]),
        ("? [a, b]\n: 1\n", ["card.yaml"]),
        ("purpose:\n  role: inform\n", ["purpose.role", "line 2", 'Did you mean "informs"?']),
        ("risks:\n  - mode: missed\n", ["line 2", 'Did you mean "missed_positive"?']),
        ("risks:\n  - severity: x\n", ["risks.0", "line 2", "mode or a failure_mode"]),
        ("risks: x\n", ["risks", "line 1", "a list is wanted"]),
        ("regulation:\n  research_only: perhaps\n", ["line 2", "yes or no"]),
        ("subgroups:\n  bias: Geen\n", ["subgroups.bias", "not accepted"]),
        ("purpose:\n  role: x\n  userz: y\n", ["line 2", "1 more after it"]),
        ('identity:\n  version: "a\\0b"\n', ["hidden", "U+0000 on line 2"]),
        ('identity:\n  version: "a\\u202eb"\n', ["hidden", "U+202E on line 2"]),
        ('"\\e[31m": x\n', ["hidden", "U+001B on line 1"]),
        ("# a\nidentity:\n  version: a\0b\n", ["hidden", "U+0000 on line 3"]),
        ("identity:\n  version: a\u0085b\n", ["hidden", "U+0085 on line 2"]),
        ("identity:\n\tversion: 1\n", ["line 2", "a tab", "Indent with spaces"]),
        ("identity:\n  version: a: b\n", ["line 2", 'second ": "', "between quotes"]),
        ("identity:\n  contact: @desk\n", ["line 2", "cannot begin", "between quotes"]),
        ("identity:\n  contact: *desk\n", ["aliases", "line 2"]),
        ("identity:\n  verson:\n", ['"verson" on line 2', 'Did you mean "version"?']),
        ("risks:\n  -\n  - severity: x\n", ["risks.0", "line 3", "mode or a failure_mode"]),
        ("subgroups:\n  bias: '\"None.\"'\n", ["subgroups.bias", "not accepted"]),
        ("limitations:\n  known: Niet van toepassing.\n", ["limitations.known", "not accepted"]),
        ("limitations:\n  known: ---\n", ["limitations.known", "line 2", "not accepted"]),
        ("performance:\n  prevalences: [5%]\n", ["line 2", "such as 0.05 for 5%"]),
        ("performance:\n  planned_half_width: 5\n", ["line 2", "a number below 0.5"]),
        ("board:\n  signatories: [a, b, c, d, e]\n", ["line 2", "at most 4 entries", "not 5"]),
        (f"identity:\n  version: {'a' * 8001}\n", ["line 2", "at most 8000 characters"]),
        ("monitoring:\n  expiry: 2027-02-29\n", ["line 2", "no such day"]),
    ],
)
def test_each_fault_is_one_line_that_names_place_and_line(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(HipauditError) as caught:
        card_from(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
    assert str(tmp_path) not in message


def test_the_template_is_valid_with_every_comment_taken_away(tmp_path: Path) -> None:
    lists = TEMPLATE[TEMPLATE.index("# risks:") :]
    live = lists.replace("# §0 printed on page one\n", "").replace("# ", "")
    body = TEMPLATE[: TEMPLATE.index("\n# §11")].replace("  # prevalences", "  prevalences")
    card = card_from(tmp_path, body + live)
    assert [risk.mode for risk in card.risks] == ["missed_positive"]
    assert card.performance.prevalences == [0.02, 0.05, 0.1]


def test_the_template_says_what_a_field_takes_and_names_every_mode() -> None:
    assert "role:  # §2 Role: informs, augments or replaces (" in TEMPLATE
    assert TEMPLATE.count("yes or no") == 2
    assert all(mode in TEMPLATE for mode in MODES)
    assert max(map(len, TEMPLATE.splitlines())) <= 160


def test_letters_of_every_script_and_line_breaks_are_text(tmp_path: Path) -> None:
    card = card_from(tmp_path, "identity:\n  developer: |\n    שלום, 你好\n    ZGT–Enschede ½\n")
    assert card.identity.developer == "שלום, 你好\nZGT–Enschede ½\n"


def test_dates_and_numbers_are_kept_as_written(tmp_path: Path) -> None:
    card = card_from(tmp_path, "monitoring: {expiry: 2027-03-31}\nidentity: {version: 1.10}\n")
    assert card.monitoring.expiry == "2027-03-31"
    assert card.identity.version == "1.10"


def test_a_file_that_is_too_large_not_text_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    with pytest.raises(HipauditError, match="hipaudit init"):
        load_card(path)
    path.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(HipauditError, match="UTF-8"):
        load_card(path)
    path.write_text("#" * (257 * 1024))
    with pytest.raises(HipauditError, match="256 KiB"):
        load_card(path)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_before_it_costs_time(tmp_path: Path, opening: str) -> None:
    # To read a quarter of a megabyte of "[" to its end takes the parser many minutes.
    began = time.process_time()
    with pytest.raises(HipauditError, match="nesting too deep on line 1"):
        card_from(tmp_path, opening * (250_000 // len(opening)))
    assert time.process_time() - began < 10


def test_what_merely_begins_with_none_is_a_statement(tmp_path: Path) -> None:
    text = "None of the readers saw lateral views; sex and age were looked at"
    assert card_from(tmp_path, f"subgroups:\n  bias: {text}\n").subgroups.bias == text


def test_the_lines_of_another_system_count_the_same(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    for end in (b"\r\n", b"\r"):
        path.write_bytes(end.join([b"identity:", b"  version: 1", b"  verson: 2"]))
        with pytest.raises(HipauditError, match="on line 3"):
            load_card(path)
        path.write_bytes(end.join([b"data:", b"  source: x", b"  dates: \xff"]))
        with pytest.raises(HipauditError, match="UTF-8"):
            load_card(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from([*Card.model_fields, "x"]), inner, max_size=3)
            ),
            max_leaves=8,
        ).map(lambda value: yaml.safe_dump(value)),
    )
)
def test_any_text_is_a_card_or_one_line_of_error(tmp_path: Path, text: Any) -> None:
    try:
        outcome: Card | str = card_from(tmp_path, text)
    except HipauditError as error:
        outcome = str(error)
    assert isinstance(outcome, Card) or "\n" not in outcome
