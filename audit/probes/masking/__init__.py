"""The probe `masking`: `probe.py` is the probe, the rest is what it looks with."""

from __future__ import annotations

from audit.probes.masking.probe import masking as masking
