"""The probe `gradcam`: `probe.py` is the probe, the rest is what it looks with."""

from __future__ import annotations

from audit.probes.gradcam.probe import gradcam as gradcam
