"""A network as a list of operations, each with the shape of its output."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from audit.speed.local_boxes import Window

EACH = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Mish),
    *(nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Softplus),
    *(nn.Identity, nn.Dropout, nn.Dropout2d),
)
ADDED = (operator.add, operator.iadd, torch.add)


@dataclass(frozen=True)
class Op:
    """One operation that keeps places: what it does to a patch is known.

    `kind`: "input", "each" (elementwise), "norm", "conv", "max", "mean", "add", "cat".
    `windows`: rows, columns, for "conv", "max" and "mean". `sources`: names of its inputs.
    """

    kind: str
    sources: tuple[str, ...] = ()
    module: nn.Module | None = None
    windows: tuple[Window, Window] | None = None


@dataclass(frozen=True)
class Network:
    """`graph` computes what the module does, in evaluation mode and never in place.

    `shapes`, `flops`: of each node for one image, where its output is a tensor. `ops`: the
    leading nodes in order, up to the first that is not understood.
    """

    graph: fx.GraphModule
    shapes: dict[str, tuple[int, ...]]
    flops: dict[str, int]
    ops: dict[str, Op]


def traced(module: nn.Module, shape: tuple[int, ...]) -> Network | None:
    """The network for normalised images of `shape` (C, H, W); None where it cannot be traced."""
    try:
        graph = fx.symbolic_trace(module)
        _never_in_place(graph)
        shapes, flops = _measured(graph, shape)
    except Exception:  # noqa: BLE001 tracing runs somebody's forward, which may raise anything
        return None
    ops: dict[str, Op] = {}
    if sum(node.op == "placeholder" for node in graph.graph.nodes) != 1:
        return None
    for node in graph.graph.nodes:
        op = _op(node, graph, shapes)
        if op is None or not all(source in ops for source in op.sources):
            break
        ops[node.name] = op
    return Network(graph, shapes, flops, ops)


def _never_in_place(graph: fx.GraphModule) -> None:
    """Cached activations outlive the operation that follows them."""
    for name, part in list(graph.named_modules()):
        if getattr(part, "inplace", False):
            other = copy.copy(part)  # shares its parameters
            other.inplace = False
            graph.set_submodule(name, other)
    for node in graph.graph.nodes:
        if node.op == "call_function":
            if node.kwargs.get("inplace"):
                node.kwargs = {**node.kwargs, "inplace": False}
            if node.target is operator.iadd:
                node.target = operator.add
    graph.recompile()


class _Recorder(fx.Interpreter):
    def run_node(self, n: fx.Node) -> Any:
        with FlopCounterMode(display=False) as counted:
            out = super().run_node(n)
        if isinstance(out, Tensor):
            n.meta["shape"] = tuple(out.shape)
            n.meta["flops"] = counted.get_total_flops()
        return out


def _measured(
    graph: fx.GraphModule, shape: tuple[int, ...]
) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    like = next(graph.parameters(), torch.zeros(0))
    with torch.no_grad():
        _Recorder(graph).run(torch.zeros(1, *shape, device=like.device, dtype=like.dtype))
    nodes = [node for node in graph.graph.nodes if "shape" in node.meta]
    shapes = {node.name: node.meta["shape"] for node in nodes}
    return shapes, {node.name: node.meta["flops"] for node in nodes}


def _op(node: fx.Node, graph: fx.GraphModule, shapes: dict[str, tuple[int, ...]]) -> Op | None:
    if len(shapes.get(node.name, ())) != 4:
        return None
    if node.op == "placeholder":
        return Op("input")
    if node.op == "call_module":
        source = node.args[0] if len(node.args) == 1 and not node.kwargs else None
        found = _of_module(graph.get_submodule(str(node.target)))
        if found is None or not isinstance(source, fx.Node):
            return None
        kind, module, windows = found
        return Op(kind, (source.name,), module, windows)
    if node.op == "call_function":
        return _of_function(node, shapes)
    return None


def _of_module(part: nn.Module) -> tuple[str, nn.Module, tuple[Window, Window] | None] | None:
    """Exact types only: a subclass may do anything."""
    kind = type(part)
    if kind in EACH:
        return "each", part, None
    if isinstance(part, nn.BatchNorm2d) and kind is nn.BatchNorm2d:
        return ("norm", part, None) if part.track_running_stats else None
    if isinstance(part, nn.Conv2d) and kind is nn.Conv2d:
        if part.padding_mode != "zeros" or isinstance(part.padding, str):
            return None
        return "conv", part, _windows(part, part.dilation)
    if isinstance(part, nn.MaxPool2d) and kind is nn.MaxPool2d:
        return None if part.return_indices else ("max", part, _windows(part, part.dilation))
    if isinstance(part, nn.AvgPool2d) and kind is nn.AvgPool2d:
        plain = part.count_include_pad or part.padding in (0, (0, 0))
        if part.ceil_mode or part.divisor_override is not None or not plain:
            return None  # the divisor depends on the place
        return "mean", part, _windows(part, 1)
    return None


def _windows(part: Any, dilation: Any) -> tuple[Window, Window]:
    def pair(value: Any) -> tuple[int, int]:
        return (value[0], value[1]) if isinstance(value, tuple) else (value, value)

    sizes = (part.kernel_size, part.stride, part.padding, dilation)
    rows, cols = zip(*map(pair, sizes), strict=True)
    return Window(*rows), Window(*cols)


def _of_function(node: fx.Node, shapes: dict[str, tuple[int, ...]]) -> Op | None:
    target: Callable[..., Any] | str = node.target
    if not node.args:
        return None
    if target in (torch.relu, F.relu) and isinstance(node.args[0], fx.Node):
        return Op("each", (node.args[0].name,), nn.ReLU())
    if target in ADDED and not node.kwargs and len(node.args) == 2:
        parts = node.args
    elif target is torch.cat and isinstance(node.args[0], list | tuple):
        dim = node.args[1] if len(node.args) == 2 else node.kwargs.get("dim", 0)
        if dim not in (1, -3):
            return None
        parts = tuple(node.args[0])
    else:
        return None
    names = tuple(part.name for part in parts if isinstance(part, fx.Node))
    if len(names) < len(parts):
        return None
    if target is torch.cat:
        return Op("cat", names)
    same = all(shapes.get(name) == shapes[node.name] for name in names)
    return Op("add", names) if same else None  # no broadcasting
