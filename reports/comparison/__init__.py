"""The report on two audits of the same cases, made from compare.json alone."""
