"""How much of a body learns beneath a head: all of it, nothing, or low-rank additions to its matrices.

LoRA: W + B A with B (out, rank) and A (rank, in) learnt and W kept (Hu et al. 2021), by the library `peft`, merged into W
before a bundle is written, so that a bundle is the same whichever way it was trained. It is there to save memory: nothing is
dropped on the way to A, which would keep the input of every layer twice, and a body that can (`spares_memory`) makes the
inside of its layers again for the backward pass (Chen et al. 2016) rather than keep it.
"""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from aigc_models.errors import BadInput
from aigc_models.training.randomness import seeded

RANK = 16
SCALE = 2.0  # alpha / rank


def tuned(model: Any, tune: Literal["full", "frozen", "lora"], seed: int) -> Any:
    """`model` with what is not to learn fixed, in place; the additions are drawn by `seed`.

    Raises `BadInput` where it has no head on a body, or the library is not installed.
    """
    if tune == "full":
        return model
    if not isinstance(getattr(model, "body", None), nn.Module):
        raise BadInput(f"tune={tune} keeps a body beneath a head, and {type(model).__name__} is all one; leave it at full")
    model.body.requires_grad_(False)
    if tune == "lora":
        with seeded(seed):
            _add(model.body)
        if hasattr(model.body, "spares_memory"):
            model.body.spares_memory(True)
    return model


def merged(model: Any) -> Any:
    """`model` with its additions in its matrices, in place; unchanged where it has none."""
    if not isinstance(getattr(model, "body", None), nn.Module):
        return model
    model.body.requires_grad_(True)
    if hasattr(model.body, "spares_memory"):
        model.body.spares_memory(False)
    if any(hasattr(module, "lora_A") for module in model.body.modules()):
        from peft.tuners.tuners_utils import BaseTunerLayer

        for name, module in list(model.body.named_modules()):
            if isinstance(module, BaseTunerLayer):
                module.merge()
                parent = model.body.get_submodule(name.rpartition(".")[0])
                setattr(parent, name.rpartition(".")[2], module.get_base_layer())
    return model


def _add(body: nn.Module) -> None:
    """Additions to every linear layer."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise BadInput("tune=lora needs the package peft: pip install 'aigc-foundry[hub]'") from error
    config = LoraConfig(r=RANK, lora_alpha=round(SCALE * RANK), target_modules="all-linear")
    inject_adapter_in_model(config, body)
