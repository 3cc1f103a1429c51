"""The audit: cases and a classifier in, evidence and findings out."""
