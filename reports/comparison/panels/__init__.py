"""The chapters of a comparison: what each prints."""
