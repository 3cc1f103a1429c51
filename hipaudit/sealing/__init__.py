"""Signing a report and checking what lies inside it."""
