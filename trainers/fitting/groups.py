"""Layer groups: which parameters learn at which rate, and which rest while the body is frozen.

Source: fastai 1.0.52 (`Learner.freeze_to`, `Learner.lr_range`, `even_mults`).
"""

from __future__ import annotations

from torch import nn

from audit.checkpoints.heads import AdaptiveConcatPool2d
from audit.checkpoints.layout import HEAD_NAMES
from trainers.architectures import ROWS
from trainers.recipe import Recipe

Group = dict[str, nn.Parameter]


def layer_groups(module: nn.Module, architecture: str) -> list[Group]:
    """Every parameter once, by name, in groups from the input to the head, which is the last.

    By the row of the architecture; a network that has none gives two groups, body and head.
    """
    groups: list[Group] = [{}]
    left = list(_starts(module, architecture))
    for name, parameter in module.named_parameters():
        if left and _within(name, left[0]):
            groups.append({})
            left.pop(0)
        groups[-1][name] = parameter
    return [group for group in groups if group]


def is_pooled(module: nn.Module) -> bool:
    """Whether this is a cut body with fastai's head on it: `0.*` and `1.*`."""
    parts = list(module.children())
    return (
        len(parts) == 2
        and isinstance(parts[1], nn.Sequential)
        and isinstance(next(parts[1].children(), None), AdaptiveConcatPool2d)
    )


def _starts(module: nn.Module, architecture: str) -> tuple[str, ...]:
    pooled = is_pooled(module)
    names = [name for name, _ in module.named_parameters()]
    row = ROWS.get(architecture)
    if row is not None:
        starts = row.pooled_starts if pooled else row.starts
        if all(any(_within(name, start) for name in names) for start in starts):
            return starts
    if pooled:
        return ("1",)
    heads = [head for head in HEAD_NAMES if any(_within(name, head) for name in names)]
    # A network of somebody's own: its last part with weights answers.
    return tuple(heads[-1:]) or (names[-1].rpartition(".")[0],)


def _within(name: str, start: str) -> bool:
    return name == start or name.startswith(f"{start}.")


def freeze(module: nn.Module, groups: list[Group], frozen: bool) -> None:
    """Let all learn, or the head and the body's BatchNorm only (fastai's train_bn=True).

    The running statistics of a frozen body move too: its mode stays the training mode.
    """
    norms = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm)
        for parameter in part.parameters(recurse=False)
    }
    for group in groups[:-1]:
        for parameter in group.values():
            parameter.requires_grad_(not frozen or id(parameter) in norms)
    for parameter in groups[-1].values():
        parameter.requires_grad_(True)


def peaks(recipe: Recipe, lr: float, groups: int) -> list[float]:
    """The peak learning rate of each of `groups` groups, `lr` for the last."""
    slow = lr / recipe.body_divisor
    if recipe.spread == "even" or groups == 1:
        return [lr] * groups
    if recipe.spread == "slice":
        return [slow] * (groups - 1) + [lr]
    ratio = recipe.body_divisor ** (1 / (groups - 1))
    return [slow * ratio**index for index in range(groups - 1)] + [lr]
