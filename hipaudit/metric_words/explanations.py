"""Words for whether heat maps are evidence."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

METRICS = {
    "map_similarity_randomised": Words(
        "how alike a heat map and that of the same network with randomised weights are",
        "mean over cases of |Spearman's rank correlation| of the two maps; two randomised networks",
        "Above 0.7 the map follows the image, whatever was learnt: not evidence. Low is necessary "
        "for evidence, not sufficient.",
        "Adebayo et al. 2018, arXiv:1810.03292",
    ),
    "faithfulness": Words(
        "how much more the score depends on what a map marks than on the same pattern elsewhere",
        "area between P(predicted class) with the least and with the most relevant pixels removed "
        "first, halved, minus that of the same map moved elsewhere; mean over cases",
        "Removed pixels are imputed from their neighbours, which makes images unlike any the model "
        "was trained on. Maps of zero are left out.",
        "Rong et al. 2022, arXiv:2202.00449 (ROAD)",
    ),
    "map_stability": Words(
        "how alike heat maps of an image and of the image slightly changed are",
        "mean over cases of Spearman's rank correlation; under noise of sigma 0.01, or under FGSM "
        "at 2/255 where the decision stays the same",
        "A stable map may still be wrong.",
        "Ghorbani et al. 2019, doi:10.1609/aaai.v33i01.33013681",
    ),
    "pointing_game": Words(
        "share of the true positives whose map is highest at a lesion box",
        "maximum inside a box or within 15/224 of the height from it / true positives with boxes "
        "and a map that is not zero",
        "Read it beside the same of the image's centre and beside pointing_chance.",
        "Zhang et al. 2018, doi:10.1007/s11263-017-1059-x",
    ),
    "pointing_chance": Words(
        "share of the image that would count as a hit of the pointing game",
        "pixels inside a box or within the tolerance of it / pixels, mean over the same cases",
        "Describes the data, not the model.",
    ),
}
