"""Realistic Results for tests of what reads audit.json: the report, the gate, the exports.

The numbers are made up but consistent: k/n, value and Clopper-Pearson limits agree.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

from scipy.stats import beta

from audit.results import (
    Artefact,
    DataDescription,
    Finding,
    GateFile,
    ModelDescription,
    Note,
    Plan,
    PlannedRun,
    Preparation,
    ProbeReport,
    Provenance,
    Results,
    Scalar,
    Skipped,
)

EPSILONS = (0.5 / 255, 1 / 255, 2 / 255, 4 / 255, 8 / 255)
VIEWS = {"": (61, 339), "frontal": (36, 201), "lateral": (21, 112), "oblique": (4, 26)}
CLEAN = {"": (46, 312), "frontal": (31, 188), "lateral": (12, 101), "oblique": (3, 23)}
ANGLES = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
SHIFTS = (-0.1, 0.0, 0.1)


def proportion(metric: str, k: int, n: int, **rest: object) -> Finding:
    """A finding of k out of n with its Clopper-Pearson limits (scipy)."""
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return Finding(
        metric=metric,
        value=k / n,
        low=low,
        high=high,
        n=n,
        events=k,
        method="Clopper-Pearson",
        imprecise=(high - low) / 2 > 0.1,
        **rest,  # type: ignore[arg-type]
    )


def trio(prefix: str, tp: int, tn: int, group: dict[str, str], **rest: object) -> list[Finding]:
    """Accuracy, sensitivity and specificity of one group from its true positives and negatives."""
    positives, negatives = VIEWS[group.get("view", "")]
    counts = {
        "accuracy": (tp + tn, positives + negatives),
        "sensitivity": (tp, positives),
        "specificity": (tn, negatives),
    }
    found = []
    for metric, (k, n) in counts.items():
        if n < 10:
            found.append(
                Finding(
                    metric=prefix + metric,
                    n=n,
                    group=group,
                    reason=f"fewer than 10 cases ({n})",
                    **rest,  # type: ignore[arg-type]
                )
            )
        else:
            found.append(proportion(prefix + metric, k, n, group=group, **rest))
    return found


def groups() -> list[dict[str, str]]:
    return [{"view": name} if name else {} for name in VIEWS]


def clean_findings(defence: str = "none", extra: int = 0) -> list[Finding]:
    found: list[Finding] = []
    for group in groups():
        tp, tn = CLEAN[group.get("view", "")]
        found += trio("", tp - extra, tn + extra, group, defence=defence)
    tp, tn = CLEAN[""]
    found.append(proportion("precision", tp, tp + 339 - tn, defence=defence))
    found.append(
        Finding(
            metric="f1",
            value=2 * tp / (2 * tp + 27 + 15),
            n=400,
            defence=defence,
            reason="interval not computed",
        )
    )
    found.append(
        Finding(
            metric="auroc",
            value=0.894,
            low=0.842,
            high=0.946,
            n=400,
            events=61,
            method="DeLong",
            defence=defence,
        )
    )
    return found


def swept(stress: str, keep: float, defence: str = "none") -> list[Finding]:
    """An ε sweep of an attack; `keep` is the share that survives a doubling of ε."""
    found: list[Finding] = []
    for group in groups():
        tp, tn = CLEAN[group.get("view", "")]
        for step, epsilon in enumerate(EPSILONS, start=1):
            extra = {"steps": 20} if stress == "pgd" else {}
            where = {"stress": stress, "params": {**extra, "epsilon": epsilon}, "defence": defence}
            share = keep**step
            found += trio("robust_", int(tp * share**1.4), int(tn * share**0.6), group, **where)
            if not group:
                fooled = tp + tn - int(tp * share**1.4) - int(tn * share**0.6)
                found.append(proportion("attack_success", fooled, tp + tn, **where))
    return found


def map_cells(stress: str = "rotation_translation_map") -> list[Finding]:
    found = []
    for angle in ANGLES:
        for dx in SHIFTS:
            for dy in SHIFTS:
                k = int(55 - abs(angle) * 0.7 - abs(dx) * 40 - abs(dy) * 60)
                params: dict[str, Scalar] = {"angle": angle, "dx": dx, "dy": dy}
                found.append(proportion("accuracy", k, 64, stress=stress, params=params))
    found.append(proportion("robust_accuracy", 21, 64, stress=stress, variant="worst cell"))
    found.append(
        Finding(
            metric="accuracy",
            stress=stress,
            variant="average",
            value=0.62,
            low=0.53,
            high=0.71,
            n=64,
            method="bootstrap",
        )
    )
    return found


def worst_cases() -> list[Finding]:
    found: list[Finding] = []
    for group in groups():
        tp, tn = CLEAN[group.get("view", "")]
        spatial = {"mode": "worst_of_k", "k": 10}
        where = {"stress": "rotation_translation", "params": spatial, "variant": "worst"}
        found += trio("robust_", tp // 3, tn // 2, group, **where)
        for epsilon in (1 / 255, 2 / 255):
            params = {"norm": "linf", "epsilon": epsilon, "attacks": "fgsm, pgd"}
            found += trio("robust_", tp // 5, tn // 2, group, stress="worst_case", params=params)
        params = {"norm": "any", "attacks": "fgsm, pgd, rotation_translation"}
        found += trio("robust_", tp // 8, tn // 3, group, stress="worst_case", params=params)
        for dose in (0.5, 0.25, 0.1):
            where = {"stress": "quantum_noise", "params": {"dose": dose}}
            kept = int(tp * (0.8 + dose / 5)), int(tn * 0.97)
            found += trio("", *kept, group, **where)
            found += trio("robust_", *kept, group, **where)
    one = {"stress": "one_pixel", "params": {"queries": 2000}}
    found.append(proportion("robust_accuracy", 27, 32, **one))
    found.append(proportion("attack_success", 3, 30, **one))
    found.append(
        Finding(metric="robust_sensitivity", n=6, reason="fewer than 10 positives (6)", **one)  # type: ignore[arg-type]
    )
    return found


def differences() -> list[Finding]:
    """Group against reference, and defence against none."""
    common = {"metric": "sensitivity", "method": "Newcombe"}
    paired = {"defence": "tta", "contrast": "defence=none", "method": "Bonett-Price", "n": 61}
    level = {"stress": "fgsm", "params": {"epsilon": 2 / 255}}
    return [
        Finding(
            group={"view": "lateral"},
            contrast="view=frontal",
            value=12 / 21 - 31 / 36,
            low=-0.51,
            high=-0.05,
            n=21,
            **common,  # type: ignore[arg-type]
        ),
        Finding(
            group={"view": "oblique"},
            contrast="view=frontal",
            n=4,
            reason="fewer than 10 positives",
            **common,  # type: ignore[arg-type]
        ),
        Finding(metric="sensitivity", value=-2 / 61, low=-0.1, high=0.03, **paired),  # type: ignore[arg-type]
        Finding(
            metric="robust_sensitivity",
            value=6 / 61,
            low=0.01,
            high=0.19,
            **level,  # type: ignore[arg-type]
            **paired,  # type: ignore[arg-type]
        ),
    ]


def planned_runs() -> tuple[PlannedRun, ...]:
    common = {"state": "done", "of": 400}
    return (
        PlannedRun(
            id="clean", stress="clean", kind="clean", sample=400, rule="every case", **common
        ),  # type: ignore[arg-type]
        PlannedRun(
            id="fgsm",
            stress="fgsm",
            kind="attack",
            norm="linf",
            sample=400,
            rule="every case",
            forwards=2800,
            params={"epsilons": list(EPSILONS)},
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="pgd",
            stress="pgd",
            kind="attack",
            norm="linf",
            sample=400,
            rule="every case",
            forwards=16000,
            params={"epsilons": list(EPSILONS), "steps": 20},
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="rotation_translation_map",
            stress="rotation_translation_map",
            kind="corruption",
            sample=64,
            rule="64 cases, proportional to the labels, in seeded order",
            forwards=4032,
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="quantum_noise",
            stress="quantum_noise",
            kind="corruption",
            sample=400,
            rule="every case",
            forwards=1200,
            params={"doses": [0.5, 0.25, 0.1]},
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="rotation_translation",
            stress="rotation_translation",
            kind="attack",
            sample=400,
            rule="every case",
            forwards=4000,
            params={"mode": "worst_of_k", "k": 10},
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="one_pixel",
            stress="one_pixel",
            kind="attack",
            norm="l0",
            sample=32,
            rule="32 cases, proportional to the labels, in seeded order",
            forwards=61234,
            params={"queries": 2000},
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="fgsm@tta",
            stress="fgsm",
            kind="attack",
            norm="linf",
            defence="tta",
            sample=400,
            rule="every case",
            forwards=11200,
            **common,  # type: ignore[arg-type]
        ),
        PlannedRun(
            id="square",
            stress="square",
            kind="attack",
            norm="linf",
            sample=400,
            of=400,
            state="failed",
            reason="stopped at the time limit",
        ),
    )


def png(width: int, height: int, seed: int) -> bytes:
    """A small grey PNG with a gradient and a ring; no library needed."""
    rows = []
    for y in range(height):
        row = bytearray([0])
        for x in range(width):
            ring = (x - width / 2 - seed % 9) ** 2 + (y - height / 2 + seed % 7) ** 2
            base = 40 + 140 * y // height
            row.append(min(255, base + (70 if 150 < ring < 420 else 0)))
        rows.append(bytes(row))

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gallery(folder: Path | None) -> tuple[Artefact, ...]:
    """Sixteen Grad-CAM pictures, four per outcome; written under `folder` when given."""
    pictures = []
    outcomes = {"TP": "fractured", "FP": "normal", "FN": "fractured", "TN": "normal"}
    for index in range(16):
        outcome = list(outcomes)[index // 4]
        view = ("frontal", "lateral")[index % 2]
        data = png(96, 72, index)
        case = hashlib.sha256(data).hexdigest()[:12]
        path = f"figures/gradcam-{outcome}-{index}.png"
        if folder is not None:
            (folder / "figures").mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        pictures.append(
            Artefact(
                path=path,
                kind="gradcam",
                sha256=hashlib.sha256(data).hexdigest(),
                title=f"{outcome}, {view}, case {case}",
                alt=f"Radiograph, {view} view, labelled {outcomes[outcome]}, with the regions "
                "associated with the score for fractured in colour.",
                caption="P(fractured) = 0.91",
                meta={"case": case, "outcome": outcome, "view": view, "seed": 20261122},
            )
        )
    return tuple(pictures)


def sample_results(folder: Path | None = None, *, synthetic: bool = False) -> Results:
    """One audit of a SqueezeNet on 400 radiographs without patient ids."""
    findings = clean_findings() + swept("fgsm", 0.78) + swept("pgd", 0.6)
    findings += clean_findings("tta", extra=2) + swept("fgsm", 0.84, "tta")
    findings += map_cells() + worst_cases() + differences()
    return Results(
        tool_version="0.1.0",
        run_id="20261122-4f1c9a",
        model=ModelDescription(
            name="SqueezeNet 1.1, FracAtlas",
            architecture="squeezenet1_1",
            sha256=("5c9e5b7f8b2f0c1a77d5e0f1d0a4b9c8e7f6a5b4c3d2e1f00112233445566778",),
            container="hipaudit checkpoint",
            parameters=723522,
            classes=("fractured", "normal"),
            positive_class="fractured",
            threshold=0.31,
            threshold_origin="checkpoint",
            preparation=Preparation(),
            preparation_origin="checkpoint",
            cam_layer="features.12",
            training={
                "recipe": "fine-tune from ImageNet",
                "epochs": 12,
                "optimiser": "AdamW",
                "learning_rate": 0.0003,
                "seed": 7,
                "selected_by": "validation AUROC",
            },
            notes=(),
        ),
        data=DataDescription(
            name="FracAtlas val",
            layout="manifest.csv",
            cases=400,
            labels={"fractured": 61, "normal": 339},
            attributes={
                "view": {"frontal": 237, "lateral": 133, "oblique": 30},
                "hardware": {"no": 392, "yes": 8},
            },
            sha256="0f" * 32,
            synthetic=synthetic,
            skipped=(Skipped(case="17", reason="12-bit JPEG Extended is not decoded"),),
            notes=(
                Note(
                    code="no_patient_ids",
                    level="assumed",
                    text="No patient ids: images are treated as independent.",
                ),
            ),
        ),
        plan=Plan(
            preset="standard",
            seed=20261122,
            runs=planned_runs(),
            not_tested={"apgd": "not in the chosen preset or options"},
        ),
        findings=tuple(findings),
        probes=(
            ProbeReport(
                probe="gradcam",
                details={
                    "layer": "features.12",
                    "target": "predicted class",
                    "rule": "first four of each outcome in seeded order",
                    "seed": 20261122,
                },
            ),
            ProbeReport(probe="leakage", state="skipped", reason="no training data was given"),
        ),
        artefacts=gallery(folder),
        notes=(Note(code="positive_class", level="info", text="Positive class: fractured."),),
        provenance=Provenance(
            date="2026-11-22",
            command="hipaudit run squeezenet.pt --data val --subgroup view",
            python="3.11.2",
            platform="Linux x86_64",
            packages={"torch": "2.15.0", "adversarial-robustness-toolbox": "1.20.1"},
            device="cpu",
            batch_size=32,
            gate_file=GateFile(sha256="ab" * 32, recorded="2026-11-22"),
        ),
    )


def sample_verdict() -> dict[str, object]:
    """What audit.gate writes to verdict.json, one rule of every outcome."""

    def rule(name: str, outcome: str, metric: str, **rest: object) -> dict[str, object]:
        return {"id": name, "metric": metric, "outcome": outcome, "level": "error", **rest}

    return {
        "schema_version": 1,
        "outcome": "fail",
        "exit_code": 1,
        "gate_file_sha256": "ab" * 32,
        "rules": [
            rule(
                "HA101",
                "pass",
                "sensitivity",
                observed=0.754,
                bound="lower",
                threshold="min 0.60",
                n=61,
                text="sensitivity 0.754, lower limit 0.627, at least 0.60",
            ),
            rule(
                "HA201",
                "fail",
                "robust_sensitivity",
                observed=0.377,
                bound="lower",
                threshold="min 0.30",
                where={"stress": "fgsm", "epsilon": "2/255"},
                n=61,
                text="robust sensitivity 0.377, lower limit 0.256, at least 0.30",
            ),
            rule(
                "HA301",
                "inconclusive",
                "sensitivity",
                threshold="max gap 0.10",
                reason="n = 21 is below min_n = 50",
            ),
            rule("HA302", "waived", "specificity", reason="RISK-14, until 2027-03-31"),
            rule("HA901", "off", "auroc", reason="no baseline"),
        ],
    }
