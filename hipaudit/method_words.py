"""Where 95% limits come from: what `hipaudit explain` says of a finding's `method`."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

_EXACT = "Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404"
_NEWCOMBE = "Newcombe 1998 (method 10), Stat Med 17:873"
_DELONG = "DeLong et al. 1988, Biometrics 44:837; Qin & Hotilovac 2008 (logit scale)"
_KOOPMAN = "Koopman 1984, Biometrics 40:513"
_BONETT = "Bonett & Price 2012, Br J Math Stat Psychol 65:479"
_ADD = "Zou & Donner 2008, Stat Med 27:1693"
_WIDE = "Errs on the wide side."
_ON_PATIENTS = (
    "Used where patients repeat and so few differ that a bootstrap would see no spread; counts "
    "all images of a patient as if they agreed, so it errs on the wide side."
)

METHODS = {
    "Clopper-Pearson": Words(
        "exact limits of a proportion",
        "quantiles of the beta distribution: the shares under which so many or so few are just "
        "2.5% likely",
        f"Holds for independent cases. {_WIDE}",
        _EXACT,
    ),
    "Clopper-Pearson, one-sided": Words(
        "exact upper limit of how large a share may be",
        "the share under which so few are just 5% likely; the lower limit is 0",
        "0 of n still leaves about 3/n.",
        _EXACT,
    ),
    "Clopper-Pearson on patients": Words(
        "exact limits of a proportion, with as many trials as there are patients",
        "k/n of the images as a share of that many patients",
        _ON_PATIENTS,
        f"{_EXACT}; Korn & Graubard 1998",
    ),
    "Clopper-Pearson on patients, one-sided": Words(
        "exact upper limit with as many trials as there are patients",
        "as Clopper-Pearson, one-sided, for k/n of that many patients",
        _ON_PATIENTS,
        f"{_EXACT}; Korn & Graubard 1998",
    ),
    "Clopper-Pearson on the rarer class": Words(
        "limits of an area or rate that is 0 or 1 in the sample",
        "exact limits for as many trials as the rarer class has patients",
        f"A sample without spread has no standard error. {_WIDE}",
        _EXACT,
    ),
    "Clopper-Pearson on agreement": Words(
        "limits of kappa where two readers agree on every case",
        "exact lower limit of the agreement, carried to kappa",
        _WIDE,
        _EXACT,
    ),
    "patient bootstrap": Words(
        "percentile limits over resampled patients",
        "2,000 samples of patients with replacement, seeded, stratified by outcome where the "
        "rate is among positives or negatives; 2.5% and 97.5% quantiles",
        "Needs ten patients with and ten without the event; else an exact method is used.",
        "Davison & Hinkley 1997",
    ),
    "patient bootstrap, one-sided": Words(
        "upper limit of how large a share may be, over resampled patients",
        "95% quantile over 2,000 samples of patients with replacement, seeded; the lower is 0",
        "Needs ten patients with and ten without the event; else an exact method is used.",
        "Davison & Hinkley 1997",
    ),
    "bootstrap, logit scale": Words(
        "limits of a partial area",
        "the bootstrap's standard error on the logit scale, Student's quantile",
        "Rests on the few negatives the area is about.",
        "Davison & Hinkley 1997",
    ),
    "order statistics": Words(
        "exact limits of a quantile",
        "the ranks between which the quantile lies with 95% by the binomial distribution",
        "Of independent values of any shape.",
        "David & Nagaraja 2003, §7.1",
    ),
    "DeLong": Words(
        "limits of an AUROC",
        "DeLong's variance, on the logit scale",
        "Holds for independent cases.",
        _DELONG,
    ),
    "clustered DeLong": Words(
        "limits of an AUROC where patients have several images",
        "Obuchowski's variance over patients, on the logit scale",
        "Of a random sample of patients.",
        f"{_DELONG}; Obuchowski 1997, Biometrics 53:567",
    ),
    "DeLong, square-and-add": Words(
        "limits of a difference of AUROCs",
        "the two intervals joined, with DeLong's (or Obuchowski's) correlation",
        "Of the same cases, or of two groups; says nothing of why they differ.",
        f"{_DELONG}; {_ADD}",
    ),
    "DeLong, matched": Words(
        "limits of an AUROC among positives and negatives alike in an attribute",
        "DeLong's variance over the pairs within a value",
        "Pairs across values are left out.",
        _DELONG,
    ),
    "Newcombe": Words(
        "limits of a difference of two groups' rates",
        "square-and-add of Wilson's limits of both",
        "Of independent groups.",
        _NEWCOMBE,
    ),
    "Newcombe on patients": Words(
        "limits of a difference of two groups' rates, with patients as trials",
        "square-and-add of Wilson's limits of both",
        _ON_PATIENTS,
        _NEWCOMBE,
    ),
    "Wilson, square-and-add": Words(
        "limits of a net benefit",
        "Wilson's limits of hits and of false alarms, joined",
        "Of independent cases.",
        f"Wilson 1927; {_ADD}",
    ),
    "Wilson on patients, square-and-add": Words(
        "limits of a net benefit, with patients as trials",
        "Wilson's limits of hits and of false alarms, joined",
        _ON_PATIENTS,
        f"Wilson 1927; {_ADD}",
    ),
    "Koopman": Words(
        "limits of a likelihood ratio, and through Bayes' rule of PPV and NPV",
        "score limits of a ratio of two proportions",
        "Of independent cases.",
        _KOOPMAN,
    ),
    "Koopman on patients": Words(
        "limits of a likelihood ratio, with patients as trials",
        "score limits of a ratio of two proportions",
        _ON_PATIENTS,
        _KOOPMAN,
    ),
    "patient bootstrap, log scale": Words(
        "limits of a likelihood ratio where patients repeat",
        "the bootstrap's standard error on the logarithmic scale",
        "Needs enough patients of both outcomes.",
        "Davison & Hinkley 1997",
    ),
    "Bonett-Price": Words(
        "limits of a difference over the same cases",
        "of the cases that changed one way and the other way, with a Laplace correction",
        "Of independent cases.",
        _BONETT,
    ),
    "Bonett-Price on patients": Words(
        "limits of a difference over the same cases, with patients as trials",
        "of what changed one way and the other way, with a Laplace correction",
        _ON_PATIENTS,
        _BONETT,
    ),
    "Jeffreys on the bootstrap's variance": Words(
        "limits of a rate at a threshold that the sample itself chose",
        "Jeffreys' limits for as many trials as would vary as the bootstrap does",
        "Allows for the choice of the threshold; needs five patients beyond the fixed rate.",
        "Brown, Cai & DasGupta 2001; Zhou & Qin 2005",
    ),
    "sandwich": Words(
        "limits of calibration intercept and slope",
        "the likelihood's curvature with the spread of the cases' (or patients') scores",
        "Of a random sample of cases or patients.",
        "White 1982, Econometrica 50:1",
    ),
    "linearisation, log scale": Words(
        "limits of O:E and of the Brier score",
        "standard error by linearisation over cases or patients, on the logarithmic scale",
        "Of a number above 0.",
        "Davison & Hinkley 1997, §2.7",
    ),
    "noise of the bins taken out": Words(
        "limits of the expected calibration error",
        "normal theory of its bins; the part that chance alone adds is taken out",
        "A small ECE may be noise: read the lower limit.",
        "docs/calibration.md",
    ),
    "profile likelihood": Words(
        "limits of a lapse rate",
        "the values the likelihood-ratio test at 5% does not refuse",
        "Of the model that was fitted.",
        "Wichmann & Hill 2001, doi:10.3758/BF03194544",
    ),
    "t": Words(
        "limits of a mean over images",
        "Student's distribution",
        "Of independent images.",
        "Student 1908",
    ),
    "t, clustered by patient": Words(
        "limits of a mean over images of patients that repeat",
        "Student's distribution, with the variance between patients",
        "Of a random sample of patients.",
        "Liang & Zeger 1986",
    ),
    "Fleiss-Cohen-Everitt": Words(
        "limits of Cohen's kappa",
        "large-sample variance",
        "Of independent cases.",
        "Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323",
    ),
    "none: the prevalence is declared": Words(
        "a number without a sample behind it",
        "it follows from the declared prevalence alone",
        "No interval, as nothing was measured.",
    ),
    "none": Words(
        "no interval could be given",
        "too few cases vary; the limits are the whole range",
        "Says that nothing is known.",
    ),
}
