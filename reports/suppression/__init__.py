"""Small cells: a copy of the results in which no count of persons below a number can be read.

A pure function of the results, applied before anything is rendered or exported. Three layers: what
is small by itself, what would tell a small count by subtraction, and texts that name one.
"""

from reports.suppression.mark import suppressed_below
from reports.suppression.verdict import suppressed_verdict
from reports.suppression.whole import suppressed

__all__ = ["suppressed", "suppressed_below", "suppressed_verdict"]
