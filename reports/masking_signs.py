"""Signs of masked gradients by the code that the probe gives them, in words."""

from __future__ import annotations

from reports.language import N_

# Code of the sign -> what was looked for. The first group asks the classifier itself.
OWN = {
    "masking-random": N_("The same images twice get other answers"),
    "masking-probabilities": N_("Probabilities taken for logits"),
}
BY_GRADIENT = {
    "masking-zero-gradient": N_("The gradient is zero or not finite"),
    "masking-saturated": N_("Saturation: answers at 0% or 100% to the last digit"),
    "masking-half": N_("At ε = 0.5 a plain picture fools what PGD did not"),
}
COMPARED = {
    "masking-single-step": N_("One step fools what many steps do not"),
    "masking-black-box": N_("Scores alone fool what gradients do not"),
    "masking-transfer": N_("Images made on another model fool what its own do not"),
}
RISING = {"masking-not-monotone": N_("A larger ε fools fewer")}
CHECKS = {**OWN, **BY_GRADIENT, **COMPARED, **RISING}
