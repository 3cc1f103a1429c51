"""Words for calibration: whether a score may be read as a probability."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

_COX = (
    "Cox 1958, doi:10.1093/biomet/45.3-4.562; "
    "Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7"
)
_ATTACK = (
    "Under attack the scores are those of the worst image found for each case: how far an "
    "attacker can move them, not how well they are calibrated in use."
)
METRICS = {
    "calibration_intercept": Words(
        "calibration in the large: how far, in log-odds, outcomes lie above the scores",
        "a of logit P(positive) = a + score, by maximum likelihood; 0 is right on average",
        f"Moves with the share of positives, so an enriched set shifts it. {_ATTACK}",
        _COX,
    ),
    "calibration_slope": Words(
        "calibration slope: 1 is right, below 1 the scores are too extreme (overconfident)",
        "b of logit P(positive) = a + b · score, by maximum likelihood; 1 / T for a model whose "
        "scores are T times too large",
        f"A straight line: a curve may hide behind a slope of 1. {_ATTACK}",
        _COX,
    ),
    "observed_expected": Words(
        "O:E: positives found per positive that the scores promise",
        "positives / sum of their probabilities; above 1 the scores promise too few",
        f"Moves with the share of positives; errors of high and low scores cancel. {_ATTACK}",
        "Debray et al. 2017, doi:10.1136/bmj.i6460",
    ),
    "brier": Words(
        "Brier score: mean square of the probability minus the outcome; lower is better",
        "mean of (p - y)²; an output that is not finite counts as 1",
        "Mixes calibration with discrimination and depends on the share of positives. " + _ATTACK,
        "Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    ),
    "ece": Words(
        "expected calibration error: how far shares of positives lie from the probabilities",
        "mean over up to 15 bins of equal mass of |share of positives - mean probability|, less "
        "what noise alone adds; it is lower than figures that leave the noise in",
        "Sees only what differs between bins; 0 in the interval means a calibrated model could "
        "have given these outcomes. " + _ATTACK,
        "Guo et al. 2017, arXiv:1706.04599; Kumar et al. 2019, arXiv:1909.10155",
    ),
    "reliability": Words(
        "share of positives among the cases of one bin of scores",
        "positives / cases of the bin; params bin, bins and mean_score (its mean probability)",
        "Bins of equal mass, so those of rare scores are wide. " + _ATTACK,
        "Bröcker & Smith 2007, doi:10.1175/WAF993.1",
    ),
}
