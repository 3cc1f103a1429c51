"""The probe `shortcuts`: `probe.py` is the probe, the rest is what it looks with."""

from __future__ import annotations

from audit.probes.shortcuts.probe import shortcuts as shortcuts
