"""Words for what a call is worth, and for what errors mean per thousand patients."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

_RATIO = "score limits (Koopman), the patient bootstrap where patients repeat"
_BAYES = "the limits are those of the likelihood ratio, carried over by Bayes' rule"
_READ = (
    "read off the ROC curve; limits allow for the threshold being estimated, and there are none "
    "where fewer than five patients lie beyond the fixed rate"
)
_HARM = "the limits are those of the rate, scaled"
_ELSEWHERE = (
    "Holds if the model errs there as on this set: other patients, other devices and milder or "
    "graver disease change it."
)
_WEIGH = "Says nothing of a threshold that the site would not use; hits are taken as worth alike."

METRICS = {
    "likelihood_ratio_positive": Words(
        "how many times as often a positive case is called positive as a negative one",
        f"sensitivity / (1 - specificity), at the deployed decision rule; {_RATIO}",
        "No value where no negative is called positive; the reason then gives the lower limit.",
        "Altman & Bland 1994, BMJ 309:188; Koopman 1984, Biometrics 40:513",
    ),
    "likelihood_ratio_negative": Words(
        "how many times as often a positive case is not called as a negative one",
        f"(1 - sensitivity) / specificity, at the deployed decision rule; {_RATIO}",
        "Near 0 a call of normal rules the disease out, but only as far as its limits say.",
        "Altman & Bland 1994, BMJ 309:188; Koopman 1984, Biometrics 40:513",
    ),
    "ppv": Words(
        "chance that a case called positive is positive, at a declared prevalence",
        f"from LR+ and the prevalence, never from the share in this set; {_BAYES}",
        _ELSEWHERE,
        "Mercaldo, Lau & Zhou 2007, Stat Med 26:2170",
    ),
    "npv": Words(
        "chance that a case not called positive is not, at a declared prevalence",
        f"from LR- and the prevalence, never from the share in this set; {_BAYES}",
        _ELSEWHERE,
        "Mercaldo, Lau & Zhou 2007, Stat Med 26:2170",
    ),
    "sensitivity_at_specificity": Words(
        "sensitivity if the threshold were set for a specificity of .90 or .95",
        _READ,
        "Not what is deployed: it compares models, and shows what another threshold would cost.",
        "Zhou & Qin 2005, Stat Med 24:465",
    ),
    "specificity_at_sensitivity": Words(
        "specificity if the threshold were set for a sensitivity of .90 or .95",
        _READ,
        "Not what is deployed: it compares models, and shows what another threshold would cost.",
        "Zhou & Qin 2005, Stat Med 24:465",
    ),
    "partial_auroc": Words(
        "area under the ROC curve where at most a tenth of the negatives are called",
        "from .5 (chance) to 1 by McClish; limits from the patient bootstrap, on the logit scale",
        "Rests on the few negatives that score highest.",
        "McClish 1989, Med Decis Making 9:190",
    ),
    "net_benefit": Words(
        "hits less false alarms per patient, weighed by the threshold someone would act at",
        "hits - false alarms * t / (1 - t), at the prevalence of the set or a declared one",
        _WEIGH,
        "Vickers & Elkin 2006, Med Decis Making 26:565",
    ),
    "net_benefit_of_all": Words(
        "net benefit of acting on every patient, whatever the model says",
        "prevalence - (1 - prevalence) * t / (1 - t)",
        "A model is of use at a threshold where it is above this and above 0.",
        "Vickers & Elkin 2006, Med Decis Making 26:565",
    ),
    "missed_per_1000": Words(
        "positive cases not called, per 1,000 patients at a declared prevalence",
        f"1000 * prevalence * (1 - sensitivity), at the deployed decision rule; {_HARM}",
        "Of the model alone, not of the team it works in. For worst_case: lost to any attack.",
    ),
    "false_alarms_per_1000": Words(
        "negative cases called positive, per 1,000 patients at a declared prevalence",
        f"1000 * (1 - prevalence) * (1 - specificity), at the deployed decision rule; {_HARM}",
        "Of the model alone, not of the team it works in. For worst_case: lost to any attack.",
    ),
}
