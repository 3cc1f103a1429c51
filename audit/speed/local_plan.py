"""How far to follow a pixel locally, and what that saves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import fx, nn

from audit.speed.local_boxes import POINT, Axis, pixel, span, step, through, union
from audit.speed.local_graph import Network, Op, traced

# Writing one number costs about as much time as this many operations of a convolution.
TOUCH = 50
Box = tuple[Axis, Axis]


@dataclass(frozen=True)
class Plan:
    """`local`: operations done on patches, in order; `boxes`: where each patch lies; `live`: maps
    the rest of the network reads; `gain`: operations of the whole network over those needed."""

    network: Network
    local: dict[str, Op]
    boxes: dict[str, Box]
    live: tuple[str, ...]
    gain: float


def ideal_gain(module: nn.Module, shape: tuple[int, int, int]) -> float:
    """Floating-point operations of one forward pass over those of one local update, 1 or more.

    `shape` (C, H, W) of the module's input. 1 where the module cannot be followed.
    """
    network = traced(module, shape)
    return 1.0 if network is None else plan(network).gain


def plan(network: Network) -> Plan:
    """The cut with the least estimated time."""
    boxes = _boxes(network)
    names = list(network.ops)
    best, least = 0, math.inf
    for cut in range(len(names) + 1):
        cost = _cost(network, boxes, names[:cut], TOUCH)
        if cost < least:
            best, least = cut, cost
    local = names[:best]
    gain = sum(network.flops.values()) / max(1.0, _cost(network, boxes, local, 0))
    ops = {name: network.ops[name] for name in local}
    return Plan(network, ops, boxes, live(network, local), gain)


def live(network: Network, local: list[str]) -> tuple[str, ...]:
    """The local nodes that something after the cut reads."""
    done = set(local)
    nodes = [node for node in network.graph.graph.nodes if node.name in done]
    return tuple(node.name for node in nodes if any(u.name not in done for u in node.users))


def _boxes(network: Network) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for name, op in network.ops.items():
        height, width = network.shapes[name][-2:]
        if op.kind == "input":
            boxes[name] = (pixel(height), pixel(width))
            continue
        sources = [boxes[source] for source in op.sources]
        rows, cols = (union([box[axis] for box in sources]) for axis in (0, 1))
        if op.windows is not None:
            rows = through(rows, op.windows[0], height)
            cols = through(cols, op.windows[1], width)
        boxes[name] = (rows, cols)
    return boxes


def _cost(network: Network, boxes: dict[str, Box], local: list[str], touch: int) -> float:
    """Operations per candidate: patches for `local`, whole maps for the rest."""
    total = 0.0
    for name, shape in network.shapes.items():
        total += network.flops[name] + touch * math.prod(shape)
    for name in local:
        shape = network.shapes[name]
        part = _area(boxes[name]) / math.prod(shape[-2:])
        total -= (network.flops[name] + touch * math.prod(shape)) * (1 - part)
        sources = network.ops[name].sources
        total += touch * sum(_read(network, boxes, name, source) for source in sources)
    for name in live(network, local):
        total += 2 * touch * _area(boxes[name]) * network.shapes[name][1]
    return total


def _read(network: Network, boxes: dict[str, Box], name: str, source: str) -> float:
    """Numbers gathered from `source` for the patch of `name`."""
    windows = network.ops[name].windows or (POINT, POINT)
    spans = [
        -(-span(axis, window) // step(window))
        for axis, window in zip(boxes[name], windows, strict=True)
    ]
    return float(math.prod(spans) * network.shapes[source][1])


def _area(box: Box) -> int:
    return box[0].width * box[1].width


def head_and_tail(plan: Plan, kept: list[str]) -> tuple[fx.GraphModule, fx.GraphModule]:
    """The network up to the cut, giving the maps of `kept`; and from the live maps on."""
    source = plan.network.graph
    head, tail = fx.Graph(), fx.Graph()
    ahead: dict[fx.Node, fx.Node] = {}
    behind: dict[fx.Node, fx.Node] = {}
    for node in source.graph.nodes:
        if node.name in plan.local:
            ahead[node] = head.node_copy(node, lambda n: ahead[n])
            if node.name in plan.live:
                behind[node] = tail.placeholder(node.name)
        else:
            behind[node] = tail.node_copy(node, lambda n: behind[n])
    head.output(tuple(new for old, new in ahead.items() if old.name in kept))
    return fx.GraphModule(source, head), fx.GraphModule(source, tail)
