"""Words for what probes find in pictures and heat maps."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

METRICS = {
    "poor_quality": Words(
        "share of the images beyond the limits of quality",
        "beyond a limit of blur, contrast, uniformity, noise, exposure or border / all",
        "What the picture shows is not looked at; the limits are told in the notes.",
        "Crete et al. 2007, doi:10.1117/12.702790",
    ),
    "accuracy_sound": Words(
        "share of the images within the limits of quality that are decided correctly",
        "correct and within / within",
        "Read it beside accuracy and poor_quality.",
    ),
    "accuracy_poor": Words(
        "share of the images beyond the limits of quality that are decided correctly",
        "correct and beyond / beyond",
        "Read it beside accuracy_sound; few images as a rule.",
    ),
    "cam_energy_in_box": Words(
        "share of a Grad-CAM map that lies inside the lesion boxes, mean over true positives",
        "sum of the map inside the boxes / sum of the map; maps of zero left out",
        "Association, not proof of what the model uses. Compare with box_area: what a map "
        "without aim would reach.",
        "Wang et al. 2020, arXiv:1910.01279 (energy-based pointing game)",
    ),
    "box_area": Words(
        "share of the image inside the lesion boxes, mean over the same cases",
        "pixels inside the boxes / pixels of the prepared input",
        "Describes the data, not the model; the chance level of cam_energy_in_box.",
    ),
}
