"""The probe `quality`: `probe.py` is the probe, the rest is what it looks with."""

from __future__ import annotations

from audit.probes.quality.probe import quality as quality
