"""What hipaudit says when it cannot go on.

Every message is one line: what was expected, what was found, what to type next.
"""

from __future__ import annotations


class HipauditError(Exception):
    """Usage, configuration, unreadable or refused input. The command line exits with 2.

    The three parts are kept apart so that tests and machine formats can read them.
    """

    exit_code = 2

    def __init__(self, expected: str, found: str, fix: str = "") -> None:
        self.expected = expected
        self.found = found
        self.fix = fix
        super().__init__(self._line())

    def __reduce__(self) -> tuple[type[HipauditError], tuple[str, str, str]]:
        """So that an error of another process arrives with its three parts."""
        return type(self), (self.expected, self.found, self.fix)

    def _line(self) -> str:
        sentence = f"Expected {self.expected}, but found {self.found}."
        return " ".join(f"{sentence} {self.fix}".split())


class UnsafeFile(HipauditError):
    """A model file that would run code when loaded."""


class DamagedFile(HipauditError):
    """A file that is truncated, corrupt or not what it claims to be."""


class StressFailed(Exception):
    """A stress broke its contract (shape, range, budget, finiteness); named in the results."""


def did_you_mean(word: str, known: list[str]) -> str:
    """`Did you mean "fgsm"?` or the list of what is known. Never empty when something is known."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f'Did you mean "{close[0]}"?'
    return "Known: " + ", ".join(sorted(known)) + "." if known else ""
