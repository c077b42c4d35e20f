"""What a model is asked: one task a file, found by its name. A task's file holds

    PROTOCOL: type                                     the capability that a model of the task has
    MODALITIES: frozenset[str]                         of what content the task can be asked
    def suits(card) -> str                             why a data card suits the task, for `--task auto`; optional
    def check(shape, train: Corpus) -> None            raises `BadInput` where these data cannot teach it
    def answers(generator, contents) -> list[dict]     what a trained model says of each content, as JSON

and, where a family that only `Encodes` can be asked it through a head on top,

    class Settings(BaseModel)                          how the head is made, frozen
    def build(body, shape, settings) -> nn.Module      `body` and the head; `players`, `validation_loss` and PROTOCOL's method

A task whose answers are no single label has `Targets`, frozen, how the labels of the data set become numbers, with the methods

    names(labels: Sequence[str | None]) -> tuple[str, ...]    what models call labels, from those of the train items
    of(label: str | None, names) -> float32 (target,)         NaN where an item has none; `BadInput` for what cannot be one

They stand in `Corpus.targets`; `conditions` are 'no label' then. A model with `standardise(train)` is shown the train items
before its first step.

A task whose models need more than weights has `beside(ensemble, corpora, ids, shape) -> dict[str, bytes]`: files that stand in
the bundle beside them, made once the weights are learned; `corpora` and `ids` by split. A task that divides items inside,
rather than among themselves, also has `divided(values, split) -> (values, rows)`: what a split holds of all items of a data
set, encoded, and which of them each of its rows is of. Metrics and ensembles name the tasks
that they are of (`TASKS`); those that name none are of `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput, fault
from aigc_models.find import find, names

if TYPE_CHECKING:
    from aigc_models.capabilities import Shape

GENERATE = "generate"


def of(plugin: ModuleType) -> frozenset[str]:
    """The tasks that a metric or an ensemble is of."""
    return frozenset(getattr(plugin, "TASKS", {GENERATE}))


def headed(model: Any, shape: Shape, settings: Mapping[str, Any] | None = None) -> Any:
    """`model`, if it can do the shape's task by itself, or a head on top of it; raises `BadInput` where neither can be.

    `settings`: fields of the head's Settings that differ from its defaults.
    """
    from torch import nn

    from aigc_models.capabilities import Encodes

    head = find("aigc_models.heads", shape.task)
    if shape.task == GENERATE or isinstance(model, head.PROTOCOL):
        return model
    if not hasattr(head, "build") or not isinstance(model, Encodes) or not isinstance(model, nn.Module):
        raise BadInput(f"{type(model).__name__} cannot {shape.task}: it {_abilities(model)}; choose another family")
    return head.build(model, shape, options(shape.task, settings or {}))


def options(task: str, settings: Mapping[str, Any]) -> Any:
    """A head's Settings; raises `BadInput` naming an unknown field or a wrong value."""
    from pydantic import ValidationError

    head = find("aigc_models.heads", task)
    if not hasattr(head, "Settings"):
        if settings:
            raise BadInput(f"task {task} has no settings; leave {', '.join(settings)} out")
        return None
    try:
        return head.Settings.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"head of {task}: {'.'.join(map(str, first['loc']))}: {fault(first)}") from error


def has_targets(task: str) -> bool:
    """Whether its answers are numbers that stand in `Corpus.targets`, and no single label."""
    return hasattr(find("aigc_models.heads", task), "Targets")


def settings_of(model: Any) -> dict[str, Any]:
    """The settings of a model's head, as a card keeps them; empty where it has none."""
    has_head = hasattr(model, "body") and hasattr(model, "settings")
    return model.settings.model_dump(mode="json") if has_head else {}


def tasks() -> tuple[str, ...]:
    """The names of all tasks."""
    return names("aigc_models.heads")


def _abilities(model: object) -> str:
    from aigc_models.capabilities import capabilities

    return ", ".join(capabilities(model)) or "has no capability"
