"""Words for what the shortcut probe measures."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

BADGELEY = "Badgeley et al. 2019, doi:10.1038/s41746-019-0105-1"
DEGRAVE = "DeGrave et al. 2021, doi:10.1038/s42256-021-00338-7"
OCCLUSION = "Zeiler & Fergus 2014, arXiv:1311.2901 (occlusion); " + DEGRAVE

METRICS = {
    "metadata_auroc": Words(
        "how well the label is predicted from the attributes alone, without the image",
        "AUROC of out-of-fold scores of an L2 logistic regression, compared within folds, which "
        "keep patients whole; p: labels moved between patients",
        "Of the data, not of the model: it says what a model could exploit. The interval "
        "conditions on the fits. .5 is chance.",
        BADGELEY,
    ),
    "model_explained_by_metadata": Words(
        "share of the variance of the rank of the model's score that the attributes explain",
        "out-of-fold R² of a ridge regression; below 0: worse than the mean",
        "Attributes that truly go with the finding explain a sound score as well.",
        BADGELEY,
    ),
    "attribute_from_features": Words(
        "how well an attribute's value is read from the model's last features",
        "out-of-fold AUROC of a logistic regression, of pairs with and without the value that "
        "share their label and fold; .5 is chance",
        "Encoded is not used: networks encode much that their decision leaves aside.",
        BADGELEY,
    ),
    "matched_auroc": Words(
        "AUROC of the model where positives and negatives are alike in the attribute",
        "AUROC with each case weighted by the share of the other label among cases of its value; "
        "events: pairs within values; contrast matched=no: minus the AUROC of all cases",
        "An attribute that is part of the disease is matched away too. Values that only one "
        "label has leave no pairs.",
        BADGELEY,
    ),
    "decision_change_occluded": Words(
        "share of the decisions that change when a region is filled by its surround",
        "changed / images that have the region; contrast region=control: minus the share when "
        "an equal area inside is filled; p: exact, by patient",
        "Filling is itself a change of the image: read it beside the control.",
        OCCLUSION,
    ),
    "score_shift_occluded": Words(
        "mean absolute change of the log-odds of the positive class when a region is filled",
        "mean of |log-odds filled − log-odds as it is|; contrast region=control as above",
        "On the scale of the model's own log-odds: compare it within one model only.",
        OCCLUSION,
    ),
    "cam_mass": Words(
        "share of a Grad-CAM map that lies on the border or on a side marker",
        "sum of the map inside / sum of the map, mean; contrast share=area: minus the area; "
        "region=mirrored: minus the mean of the three mirrored places",
        "Association at the resolution of one layer, no proof of what the model uses.",
        "Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74",
    ),
}
