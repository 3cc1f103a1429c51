"""The results as a page: a table per network and case, then every target."""

from __future__ import annotations

from typing import Any

HEAD = (
    "arm", "images", "s/image (range)", "s/candidate", "forwards/image", "of the floor", "fooled",
    "ours fast is × faster: per image (range)", "per candidate (range)", "paired p", "note",
)  # fmt: skip


def as_markdown(found: dict[str, Any]) -> str:
    place = found["machine"]
    lines = [
        "# Speed beside peers",
        "",
        f"{found['day']}; {', '.join(f'{k} {v}' for k, v in place.items())}.",
        "",
        *(f"* {text}" for text in NOTES),
        *(f"* {text}" for text in found["absent"]),
        "",
    ]
    for network, one in found["networks"].items():
        lines += _network(network, one)
    lines += ["## Targets", "", _line(TARGET_HEAD), _line("---" for _ in TARGET_HEAD)]
    lines += [_line(row) for row in _targets(found)]
    if found.get("study models"):
        lines += ["", "## Images per second of the study's networks", ""]
        lines += [_line(RATE_HEAD), _line("---" for _ in RATE_HEAD)]
        lines += [_line(_rate(row)) for row in found["study models"]]
    return "\n".join([*lines, ""])


NOTES = (
    "One process; arms take turns; the first round warms up and is not timed; median (minimum to "
    "maximum) of the rounds. Ratios are taken round by round.",
    "Ours fast searches with what --search auto takes after a quick trial on this machine, ours "
    "default with what an audit takes unless told otherwise, ours exact with the untouched "
    "network.",
    "Ours are whole attempts by the engine: reading, the stress, the contract, the decision on "
    "the untouched float32 network, and after rounding to 8 bits. Peers: their attack, and the "
    "decisions on what it gives.",
    "Forwards are images through the network's own module, for everybody; a gradient counts one "
    "more. A local update of ours passes by that door: its candidates count as candidates.",
    "Of the floor: the least number of bare forwards (untouched network, same process) as a part "
    "of the time. FGSM: 2 + radii. Grid: every cell for what stands, one for what falls. One "
    "pixel: the arm's own candidates.",
    "Peers rotate, shift and interpolate in their own way and draw differently: cells and "
    "candidates are as many, not the same. The paired test looks at what that does to success.",
    "Extrapolated (~): the peer was given fewer images; its time per image is taken for all.",
    "Candidates of peers are the images they sent forward, of ours those they scored.",
    "By bare forwards: the ratio if ours took no more than its forwards through the untouched "
    "network; a target above it cannot be met without changing the network (one pixel does, by "
    "recomputing only what a pixel reaches).",
)
TARGET_HEAD = (
    "network", "case", "peer", "per", "target", "ours fast", "", "ours default", "",
    "by bare forwards",
)  # fmt: skip
RATE_HEAD = ("network", "untouched", "search network", "bfloat16 search")


def _network(network: str, one: dict[str, Any]) -> list[str]:
    lines = [
        f"## {network}",
        "",
        f"Clean accuracy {one['clean accuracy']:.2f} on made-up textures; the images are decided "
        f"correctly; those of one pixel, success are nearest to the boundary. Search "
        f"network: {one['search']}, drift {one['drift']:.1g}; after a trial {one['quickest']}, "
        f"drift {one['drift of quickest']:.1g}. Bare forward: "
        f"{one['bare']['untouched'] * 1e3:.1f} ms untouched, "
        f"{one['bare']['search'] * 1e3:.1f} ms search network.",
        "",
    ]
    for case, result in one["cases"].items():
        lines += [f"### {network}: {case}", "", f"{one['sizes'][case]}", ""]
        lines += [_line(HEAD), _line("---" for _ in HEAD)]
        ratios = {**result["ratios"], **result["ours fast against others of ours"]}
        lines += [_line(_arm(name, arm, ratios)) for name, arm in result["arms"].items()]
        lines.append("")
    return lines


def _arm(name: str, arm: dict[str, Any], ratios: dict[str, Any]) -> list[str]:
    low, middle, high = arm["seconds per image"]
    against = ratios.get(name)
    mark = "~" if against and against["extrapolated"] else ""
    rounds = "" if arm["rounds"] > 1 else "1 round"
    return [
        name,
        str(arm["images"]),
        f"{middle:.3g} ({low:.3g}–{high:.3g})",
        f"{arm['seconds per candidate'][1]:.3g}",
        f"{arm['forwards per image']:.1f}",
        f"{arm['fraction of the floor']:.0%}",
        f"{arm['fooled']}/{arm['images']}",
        mark + _ratio(against["per image"]) if against else "",
        _ratio(against["per candidate"]) if against else "",
        f"{against['paired test']['p']:.2g} (n={against['images of both']})" if against else "",
        "; ".join(text for text in (arm["note"], rounds) if text),
    ]


def _ratio(found: list[float]) -> str:
    low, middle, high = found
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def _targets(found: dict[str, Any]) -> list[list[str]]:
    return [
        [network, case, peer, fast["per"], f"{fast['ratio']:g}", *_found(fast), *_found(default),
         f"{_bare(result, peer, fast['per']):.2f}"]
        for network, one in found["networks"].items()
        for case, result in one["cases"].items()
        for peer, against in result["ratios"].items()
        for fast, default in zip(
            against["targets"], result["ratios of ours default"][peer]["targets"], strict=True
        )
    ]  # fmt: skip


def _found(target: dict[str, Any]) -> tuple[str, str]:
    return f"{target['found']:.2f}", "met" if target["met"] else "not met"


def _bare(result: dict[str, Any], peer: str, per: str) -> float:
    """The peer's time over that of the bare forwards of an image, or of one candidate."""
    floor, arm = result["floor"], result["arms"][peer]
    forwards = floor["forwards per image"] if per == "image" else 1
    return float(arm[f"seconds per {per}"][1] / (forwards * floor["seconds per forward"]))


def _rate(row: dict[str, Any]) -> list[str]:
    rates = (row[name] for name in ("untouched", "search", "bf16"))
    return [row["network"], *("" if rate is None else f"{rate:.1f}" for rate in rates)]


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"
