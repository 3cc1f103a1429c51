"""The gate: thresholds as data, judged so that what is missing never passes."""
