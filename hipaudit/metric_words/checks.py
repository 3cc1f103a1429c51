"""Words for what the probes of labels, leakage, spot checks and quality find."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

NORTHCUTT = "Northcutt et al. 2021, arXiv:1911.00068"
METRICS = {
    "error_by_quality": Words(
        "whether errors go with a measure of quality",
        "chance that a wrong decision measures higher than a right one of the same label; p of a "
        "rank score test within labels, patients as the unit; Holm over the measures",
        "0.5 is no link. What the picture shows may go with its quality.",
        "Boos 1992, doi:10.1080/00031305.1992.10475921",
    ),
    "accuracy_by_quality": Words(
        "share decided correctly in a quartile of a measure of quality",
        "correct and in the quartile / in the quartile; 1 is the lowest",
        "Quartiles of these images; another set has others.",
    ),
    "sensitivity_by_quality": Words(
        "sensitivity in a quartile of a measure of quality",
        "positives called positive / positives in the quartile",
        "Read it beside accuracy_by_quality.",
    ),
    "specificity_by_quality": Words(
        "specificity in a quartile of a measure of quality",
        "negatives called as labelled / negatives in the quartile",
        "Read it beside accuracy_by_quality.",
    ),
    "label_errors_suspected": Words(
        "share of the labels worth reading again",
        "off the diagonal of the confident joint (surer of another class than the model usually is "
        "of that class) / cases",
        "A list for re-reading: errors of the model are on it as well as errors of the labels.",
        NORTHCUTT,
    ),
    "label_errors_unexplained": Words(
        "share of the labels that are against the model however sure it is",
        "lapse rate e of P(labelled positive) = e + (1 - 2e) sigmoid(a + b log-odds); one image "
        "per patient",
        "What no recalibration of its confidence explains: wrong labels, or a kind of case it is "
        "blind to; the number cannot tell which.",
        "Wichmann & Hill 2001, doi:10.3758/BF03194544",
    ),
    "spot_check_size": Words(
        "cases to re-read at random so that at most so many misses bound the miss rate",
        "smallest n with P(at most misses_allowed | rate = level) ≤ 1 − confidence; binomial, or "
        "hypergeometric among the n cases above a cut-off",
        "An exact number, no estimate. Holds for a simple random sample of independent cases.",
        "Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404",
    ),
    "spot_check_detection": Words(
        "chance that such a spot check finds too many misses when the rate is twice the level",
        "P(more than misses_allowed | rate = 2 level)",
        "The other side of the plan: one that passes too easily is not worth the reading.",
    ),
    "shared_patients": Words(
        "share of the audited patients that were also trained on",
        "patients of both / audited patients that compare",
        "Compares only within one reading, or through images that lie in both.",
    ),
    "shared_images": Words(
        "share of the audited images with identical pixels in the training data, or among them",
        "with a twin / audited images; where: across (training data) or within",
        "Decoded pixels: the same exposure saved anew counts in near_duplicates.",
    ),
    "near_duplicates": Words(
        "share of the audited images that show the same exposure as another, pixels aside",
        "with a near-duplicate / audited images; where: across (training data) or within",
        "Perceptual hashes propose, aligned edges confirm; crops beyond about 5% are missed.",
        "Zauner 2010 (phash); Evangelidis & Psarakis 2008, doi:10.1109/TPAMI.2008.113",
    ),
    "accuracy_leaked": Words(
        "share decided correctly of the audited cases that were met in training",
        "correct and met / met: the image, a near-duplicate or the patient",
        "Read it beside accuracy_unleaked; higher here is what leakage looks like.",
    ),
    "accuracy_unleaked": Words(
        "share decided correctly of the audited cases that were not met in training",
        "correct and not met / not met",
        "Not met as far as pixels and patients tell.",
    ),
}
