"""Charts of a study, in the style of the audit's."""
