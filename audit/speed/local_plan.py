"""How far to follow a pixel locally, and what that saves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
    return cut_at(network, int(np.argmin(_costs(network, _boxes(network), TOUCH))))


def cut_at(network: Network, cut: int) -> Plan:
    """The first `cut` operations on patches, the rest on whole maps."""
    boxes = _boxes(network)
    local = list(network.ops)[:cut]
    gain = sum(network.flops.values()) / max(1.0, float(_costs(network, boxes, 0)[cut]))
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


def _costs(network: Network, boxes: dict[str, Box], touch: int) -> npt.NDArray[np.float64]:
    """Operations per candidate when the first 0, 1, 2, ... operations are done on patches."""
    whole = {n: network.flops[n] + touch * math.prod(s) for n, s in network.shapes.items()}
    total = np.full(len(network.ops) + 1, float(sum(whole.values())))
    order = {node.name: i for i, node in enumerate(network.graph.graph.nodes)}
    users = {node.name: [order[u.name] for u in node.users] for node in network.graph.graph.nodes}
    for i, (name, op) in enumerate(network.ops.items()):
        shape = network.shapes[name]
        area = boxes[name][0].width * boxes[name][1].width
        read = touch * sum(_read(network, boxes, name, source) for source in op.sources)
        total[i + 1 :] += read - whole[name] * (1 - area / math.prod(shape[-2:]))
        # pasted into its map, and taken back, at any cut between it and its last reader
        total[i + 1 : max(users[name], default=0) + 1] += 2 * touch * area * shape[1]
    return total


def _read(network: Network, boxes: dict[str, Box], name: str, source: str) -> float:
    """Numbers gathered from `source` for the patch of `name`."""
    windows = network.ops[name].windows or (POINT, POINT)
    spans = [
        -(-span(axis, window) // step(window))
        for axis, window in zip(boxes[name], windows, strict=True)
    ]
    return float(math.prod(spans) * network.shapes[source][1])


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
