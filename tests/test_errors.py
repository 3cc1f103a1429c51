"""What an error says, and what it must not say."""

from __future__ import annotations

import pickle

from audit.errors import DamagedFile, HipauditError, did_you_mean


def test_an_error_is_one_line_of_expected_found_and_fix():
    error = HipauditError("a number\nfrom 0", '"x"', "Type --eps 2/255.")
    assert str(error) == 'Expected a number from 0, but found "x". Type --eps 2/255.'


def test_a_slip_of_the_keyboard_is_met_with_the_nearest_name_or_all_of_them():
    assert did_you_mean("fsgm", ["fgsm", "pgd"]) == 'Did you mean "fgsm"?'
    assert did_you_mean("zzz", ["fgsm", "pgd"]) == "Known: fgsm, pgd."


def test_an_error_keeps_its_three_parts_on_the_way_from_another_process():
    sent = DamagedFile("a table", "none", "Mend it.")
    arrived = pickle.loads(pickle.dumps(sent))  # noqa: S301  our own bytes
    assert type(arrived) is DamagedFile
    assert (arrived.expected, arrived.found, arrived.fix) == ("a table", "none", "Mend it.")
    assert isinstance(arrived, HipauditError)
