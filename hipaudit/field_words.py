"""Words for what else stands in an audit.json: values of its fields, and names of parameters that
belong to a finding and to no stress."""

from __future__ import annotations

FIELDS = {
    # stress, defence, kinds
    "clean": "stress: none; the images as they are",
    "worst_case": "stress: several attacks joined, an image counts as lost when any fooled it; on "
    "the cases that every joined attack examined",
    "none": "defence: the model as it was given; surrogate: the audited model itself",
    "undefended": "surrogate: images were made on the same model without its defence",
    "attack": "kind of stress: one that sees something of the model",
    "corruption": "kind of stress: one that sees nothing of the model",
    # variant
    "worst": "variant: a search; a case is lost when any of its candidates fooled it",
    "worst cell": "variant: a map; the worst cell for each image",
    "average": "variant: the mean over draws or cells, per image",
    "every case": "variant of worst_case: only attacks that examined every case any attack did",
    # contrast
    "defence=none": "contrast: with the defence minus without it, over the same cases",
    "stress=clean": "contrast: under the stress minus without it, over the same cases",
    "surrogate=none": "contrast: images made on another model minus those made on this one",
    "rest": "contrast: a slice minus all other cases",
    # flags
    "independent": "images were treated as independent, as not every patient is known",
    "imprecise": "the 95% limits lie more than 20 points apart",
    "p": "two-sided p of the difference, not adjusted",
    "p_holm": "p adjusted by Holm for all tests of the family (of a weak slice: for the search)",
    "family": "the tests that were adjusted together: one kind of difference",
    "events": "numerator",
    "n": "denominator",
    # states of a run or probe
    "planned": "state: in the plan, not begun",
    "done": "state: carried out to the end",
    "failed": "state: begun and broken off; the reason is named",
    "not applicable": "state: cannot be asked of this model or these data; the reason is named",
    "skipped": "state: left out, because it was asked for or for want of time",
    # levels of notes
    "info": "level of a note: how something was read",
    "assumed": "level of a note: nobody said so; say it in model.yaml, hipaudit.toml or the data",
    "warning": "level of a note: a sign of trouble that rests on an interval or a test",
    "fault": "level of a note: every rule of the gate is inconclusive because of it",
    # curves
    "roc": "curve: sensitivity against 1 − specificity",
    "precision-recall": "curve: precision against sensitivity, at this set's prevalence",
    "success by queries": "curve: share of attacked images fooled by so many queries",
    # parameters of findings
    "epsilon": "parameter: largest change of a pixel, pixels in [0, 1]; 2/255 is two grey levels",
    "norm": "parameter of worst_case: which attacks are joined, linf at one ε or any",
    "attacks": "parameter of worst_case: the attacks joined",
    "surrogate": "parameter: the model the images were made on, unless the audited one",
    "cutoff": "parameter: confidence below which a case would go to a human",
    "coverage": "parameter: share of the cases, the surest first, that would be handled alone",
    "prevalence": "parameter: declared share of patients with the disease",
    "threshold": "parameter: probability from which one acts",
    "max_fpr": "parameter: false-positive rate up to which the area is taken",
    "of": "parameter of weak_slice: the rate that is lower or higher",
    "bin": "parameter: number of the bin of scores, from the lowest",
    "bins": "parameter: how many bins of equal mass",
    "mean_score": "parameter: mean probability of the bin",
    "measure": "parameter: the measure of quality",
    "quartile": "parameter: quarter of the images by the measure, 1 the lowest",
    "region": "parameter: the part of the image",
    "attribute": "parameter: the column of the data",
    "level": "parameter: the rate to be ruled out",
    "misses_allowed": "parameter: so many misses still pass the spot check",
    "confidence": "parameter: of the statement, such as 0.95",
    "where": "parameter: across (training data) or within (the audited images)",
    "first": "parameter: the first reader",
    "second": "parameter: the second reader",
}
