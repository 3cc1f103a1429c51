"""The failure modes this report can count, by the name a card may give them."""

from __future__ import annotations

from reports.language import N_

MODES = {
    "missed_positive": N_("A positive case is missed"),
    "false_alarm": N_("A negative case is called positive"),
    "missed_in_group": N_("Positive cases of one group are missed more often"),
    "weak_slice": N_("Errors gather in one kind of case"),
    "natural_change": N_("An ordinary change of the image hides a positive case"),
    "attack": N_("An adversary changes a correct decision"),
    "confident_miss": N_("A positive case is missed above the cut-off, where nobody would look"),
    "unseen_error": N_("A wrong decision is handled alone and seen by nobody"),
    "uncalibrated": N_("A score is read as a probability and is none"),
    "shortcut": N_("The decision leans on something beside the finding"),
    "misleading_map": N_("A heat map points beside the finding"),
    "poor_image": N_("A poor picture is decided like any other"),
    "leakage": N_("Cases met in training flatter these numbers"),
    "label_error": N_("A label of the reference standard is wrong"),
    "drift": N_("Images or scores change after this audit"),
}
