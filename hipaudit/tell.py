"""The end of a command: tables for people, JSON for programs, annotations for GitHub."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.gate.verdict import Verdict
    from audit.results import Results
    from hipaudit.workflow import Conclusion

MOST_ANNOTATIONS = 10  # of each kind; GitHub drops the rest without a word


def tell(
    results: Results,
    done: Conclusion,
    *,
    form: str,
    quiet: bool = False,
    everything: bool = False,
) -> None:
    """Say what came out, in the form asked for, on stdout; `everything`: the tables as well."""
    if form == "json":
        tell_json(results, done)
        return
    if form == "github":
        _lines(github_annotations(done.verdict, done.rules_at))
        _step_summary(results, done.verdict)
    from hipaudit.screen import console, show_closing, show_numbers

    people = console(machine=form != "text")
    if quiet:
        from hipaudit.summary import headline

        people.print(headline(done.verdict))
        for problem in done.problems:
            sys.stderr.write(f"warning: {problem}\n")
        return
    if everything:
        show_numbers(people, results)
    show_closing(people, results, done.verdict, done.written, done.problems, everything=everything)


def tell_json(results: Results, done: Conclusion) -> None:
    """One JSON object: the verdict, and where the files are."""
    found = {
        "run_id": results.run_id,
        "verdict": done.verdict.model_dump(mode="json"),
        "written": [str(path) for path in done.written],
        "problems": list(done.problems),
    }
    _lines([json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)])


def github_annotations(verdict: Verdict, rules_at: str = "") -> list[str]:
    """GitHub workflow commands, at most ten of a kind, on the rule's line in the rule file.

    `rules_at`: that file as seen from the top of the repository.
    """
    kinds: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    gate_file = rules_at or verdict.gate_file
    for rule in verdict.rules:
        kind = verdict.weight(rule)
        if kind:
            place = f"file={_property(gate_file)}," if gate_file else ""
            place += f"line={rule.line}," if rule.line else ""
            title = _property(f"{rule.id} {rule.outcome}")
            kinds[kind].append(f"::{kind} {place}title={title}::{_data(rule.reason)}")
    if verdict.outcome == "no gate set":
        kinds["notice"].append("::notice title=hipaudit::no gate set")
    return [line for lines in kinds.values() for line in lines[:MOST_ANNOTATIONS]]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _step_summary(results: Results, verdict: Verdict) -> None:
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        from hipaudit.summary import as_markdown

        try:
            with Path(place).open("a", encoding="utf-8") as stream:
                stream.write(as_markdown(results, verdict))
        except OSError as error:  # the verdict stands whether or not it can be shown there
            sys.stderr.write(f"warning: no step summary: {error.strerror}\n")


def _lines(lines: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
