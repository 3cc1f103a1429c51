"""Two audits of the same cases held against each other, case by case."""
