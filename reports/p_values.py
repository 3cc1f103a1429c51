"""A p-value as a reader meets it."""

from __future__ import annotations

from reports.language import decimal


def p_text(p: float | None) -> str:
    """Three decimals, two digits above .1; never 0.

    >>> p_text(0.0421), p_text(0.00004), p_text(1.0), p_text(0.31), p_text(None)
    ('.042', '< .001', '1', '.31', '–')
    """
    if p is None:
        return "–"
    if p < 0.001:
        return decimal("< .001")
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return "1" if text == "1.00" else decimal(text.replace("0.", ".", 1))
