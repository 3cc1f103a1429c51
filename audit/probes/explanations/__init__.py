"""The probe `explanations`: `probe.py` is the probe, the rest is what it looks with."""

from __future__ import annotations

from audit.probes.explanations.probe import explanations as explanations
