"""Explanations in a terminal: no word is cut, no table torn."""

from __future__ import annotations

from hipaudit.paragraphs import fitted

TEXT = """pgd (attack)

Steps of a signed gradient, projected on the ball around the image. A case is left alone
once it is fooled.

Parameters:
  epsilons    1/255, 2/255    largest change of a pixel; pixels are in [0, 1]
  steps       20              gradient steps
  source: Madry et al. 2018, arXiv:1706.06083, and some more words that do not fit"""


def test_no_line_is_wider_and_no_word_is_lost_or_cut():
    for width in (30, 60, 80, 100):
        out = fitted(TEXT, width)
        assert max(len(line) for line in out.splitlines()) <= width
        assert out.split() == TEXT.split()


def test_prose_is_filled_anew_and_a_table_keeps_its_columns():
    lines = fitted(TEXT, 70).splitlines()
    assert lines[2].startswith(
        "Steps of a signed gradient, projected on the ball around the image."
    )
    assert "  steps       20              gradient steps" in lines


def test_what_follows_a_label_hangs_below_its_text():
    *_, before, last = fitted(TEXT, 60).splitlines()
    assert before.startswith("  source: Madry")
    assert last.startswith(" " * len("  source: "))
