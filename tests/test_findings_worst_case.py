"""The worst case over attacks."""

from __future__ import annotations

from audit.findings import derive
from tests.tables import attack, one, table

TARGETS = [1] * 20 + [0] * 30
CALLED = [1] * 15 + [0] * 5 + [0] * 24 + [1] * 6
SMALL, LARGE = 2 / 255, 8 / 255


def found_for(*runs):  # type: ignore[no-untyped-def]
    views = [{"view": "ab"[i % 2]} for i in range(50)]
    return [
        f
        for f in derive(table(TARGETS, CALLED, *runs, attributes=views), None, 0)
        if f.stress == "worst_case" and f.contrast is None
    ]


def test_a_case_is_kept_only_when_no_attack_of_that_radius_fooled_it() -> None:
    found = found_for(
        attack(TARGETS, CALLED, {0, 1, 2}, "fgsm", SMALL),
        attack(TARGETS, CALLED, {2, 3, 40}, "pgd", SMALL, eight={2}),
        attack(TARGETS, CALLED, set(range(12)), "pgd", LARGE),
    )
    at = {"norm": "linf", "epsilon": SMALL, "attacks": "fgsm, pgd"}
    assert one(found, "robust_sensitivity", params=at, group={}).events == 15 - 4
    assert one(found, "robust_specificity", params=at, group={}).events == 24 - 1
    assert one(found, "attack_success", params=at, group={}).events == 5
    assert one(found, "attack_success_8bit", params=at, group={}).events == 3
    far = {"norm": "linf", "epsilon": LARGE, "attacks": "pgd"}
    assert one(found, "robust_sensitivity", params=far, group={}).events == 3
    every = {"norm": "any", "attacks": "fgsm, pgd"}
    assert one(found, "robust_accuracy", params=every, group={}).events == 39 - 13
    by_view = [f for f in found if f.metric == "robust_accuracy" and f.params == every and f.group]
    assert sum(f.events for f in by_view) == 39 - 13


def test_attacks_of_other_norms_count_only_towards_any() -> None:
    found = found_for(
        attack(TARGETS, CALLED, {0}, "fgsm", SMALL),
        attack(
            TARGETS,
            CALLED,
            {1},
            "one_pixel",
            None,
            norm="l0",
            search_variants=True,
            level_variants=False,
        ),
        attack(TARGETS, CALLED, {2}, "deepfool", SMALL, norm="l2"),
    )
    linf = {"norm": "linf", "epsilon": SMALL, "attacks": "fgsm"}
    every = {"norm": "any", "attacks": "deepfool, fgsm, one_pixel"}
    assert one(found, "attack_success", params=linf, group={}).events == 1
    assert one(found, "attack_success", params=every, group={}).events == 3


def test_only_cases_that_every_attack_examined_are_counted_and_the_wider_view_says_who() -> None:
    half = list(range(5, 45))
    found = found_for(
        attack(TARGETS, CALLED, {0, 6}, "fgsm", SMALL),
        attack(TARGETS, CALLED, {6, 7}, "pgd", SMALL, sample=half),
    )
    both = {"norm": "linf", "epsilon": SMALL, "attacks": "fgsm, pgd"}
    hit = one(found, "robust_accuracy", params=both, group={}, variant="")
    assert (hit.events, hit.n) == (10 + 24 - 2, 40)
    alone = {"norm": "linf", "epsilon": SMALL, "attacks": "fgsm"}
    wide = one(found, "robust_accuracy", params=alone, group={}, variant="every case")
    assert (wide.events, wide.n) == (37, 50)


def test_attacks_without_a_common_case_give_a_reason() -> None:
    found = found_for(
        attack(TARGETS, CALLED, {0}, "fgsm", SMALL, sample=range(10)),
        attack(TARGETS, CALLED, {40}, "pgd", SMALL, sample=range(20, 50)),
    )
    both = {"norm": "linf", "epsilon": SMALL, "attacks": "fgsm, pgd"}
    hit = one(found, "robust_accuracy", params=both, variant="", group={})
    assert (hit.value, hit.n) == (None, 0)
    assert hit.reason == "no case was examined by every attack"


def test_defences_are_kept_apart() -> None:
    from dataclasses import replace

    clean = table(TARGETS, CALLED).runs[0]
    defended = replace(clean, run=clean.run.model_copy(update={"defence": "tta"}))
    found = found_for(
        attack(TARGETS, CALLED, {0, 1, 2}, "fgsm", SMALL),
        defended,
        attack(TARGETS, CALLED, {0}, "fgsm", SMALL, defence="tta"),
    )
    at = {"norm": "any", "attacks": "fgsm"}
    assert one(found, "attack_success", params=at, group={}, defence="none").events == 3
    assert one(found, "attack_success", params=at, group={}, defence="tta").events == 1


def test_four_attacks_at_one_radius_and_one_carried_over_count_each_case_once() -> None:
    fooled = {
        "fgsm": {0, 1},
        "pgd": {1, 2, 20},
        "apgd": {2, 3, 20, 21},
        "square": {4, 21},
    }
    runs = [attack(TARGETS, CALLED, cases, name, SMALL) for name, cases in fooled.items()]
    runs.append(attack(TARGETS, CALLED, {1, 5, 22}, "pgd", SMALL, surrogate="other"))
    found = found_for(*runs)
    union = set.union(*fooled.values()) | {5, 22}
    names = "apgd, fgsm, pgd, pgd~other, square"
    at = {"norm": "linf", "epsilon": SMALL, "attacks": names}
    hit = one(found, "attack_success", params=at, group={})
    assert (hit.events, hit.n) == (len(union), 39)
    kept = one(found, "robust_accuracy", params=at, group={})
    assert (kept.events, kept.n) == (39 - len(union), 50)


def test_with_three_classes_any_other_class_counts_as_fooled() -> None:
    """10 cases of each class; case 29 is wrong without attack; the third class is not positive."""
    import numpy as np

    from audit.decision import Decision
    from audit.evidence import Predictions, Subject
    from tests.tables import evidence, rows

    targets = np.repeat([0, 1, 2], 10)
    subjects = tuple(Subject(f"c{i:04d}", int(t), None, {}) for i, t in enumerate(targets))

    def said(called):  # type: ignore[no-untyped-def]
        return np.eye(3)[called] * 4 - 2

    clean = targets.copy()
    clean[29] = 0
    attacked = [i for i in range(30) if i != 29]

    def run(name: str, turned: dict[int, int]):  # type: ignore[no-untyped-def]
        called = [turned.get(i, int(targets[i])) for i in attacked]
        hit = [int(i in turned) for i in attacked]
        table = rows(attacked, said(called), ({"epsilon": SMALL},), None, hit, hit)
        return evidence(table, range(30), name, norm="linf", params={"epsilons": [SMALL]})

    runs = (
        evidence(rows(range(30), said(clean)), range(30)),
        run("fgsm", {0: 2, 10: 2}),
        run("pgd", {0: 1, 11: 0, 20: 0}),
        run("apgd", {20: 1, 21: 0}),
        run("square", {1: 2}),
    )
    predictions = Predictions(subjects, ("normal", "fracture", "metal"), Decision(1), runs)
    found = [f for f in derive(predictions, None, 0) if f.stress == "worst_case"]
    at = {"norm": "linf", "epsilon": SMALL, "attacks": "apgd, fgsm, pgd, square"}
    assert one(found, "attack_success", params=at, contrast=None).events == 6  # 0 1 10 11 20 21
    assert one(found, "robust_accuracy", params=at, contrast=None).events == 30 - 1 - 6
    assert one(found, "robust_sensitivity", params=at, contrast=None).events == 10 - 2
    # negatives are the other two classes together: 29 wrong, 0 1 20 21 turned
    assert one(found, "robust_specificity", params=at, contrast=None).events == 20 - 1 - 4
