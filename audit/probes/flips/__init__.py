"""Pictures of attacks that changed a decision."""

from audit.probes.flips.probe import flips

__all__ = ["flips"]
