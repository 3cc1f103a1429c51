"""Whether the thresholds stood fixed before anything was measured (EU AI Act Art. 9(8))."""

from __future__ import annotations

from reports.language import _
from reports.material import Material
from reports.numbers import blocks_of


def threshold_file(material: Material) -> str:
    """The hash of the file that judged, and whether it is the one recorded before the run."""
    judgement, before = material.judgement, material.results.provenance.gate_file
    judged = judgement.gate_file_sha256
    if not judged:
        return _("no hash of it was recorded")
    same = before is not None and before.sha256 == judged
    if before is None or (same and judgement.recorded_before is False):
        return _("sha256 {hash}, not recorded before the run").format(hash=blocks_of(judged))
    if same:
        return _("sha256 {hash}, recorded before the run ({day})").format(
            hash=blocks_of(judged), day=before.recorded
        )
    return _(
        "sha256 {hash}, changed since: another was recorded before the run ({day}): {old}"
    ).format(hash=blocks_of(judged), day=before.recorded, old=blocks_of(before.sha256[:16]))
