"""Where models compute. One rule for all of them:

A network lies on a device and works there, what is made of counts works on the CPU; whoever asks need not know which. What is
asked may lie on any device, the answer lies where the question did, and a state stays with the model that it is of
(`Streams`, `Scores`, `Generates`, `Forecasts`: what ensembles and metrics mix). `place_of` says where it is best to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda", "mps"]
AUTO = "auto: the GPU where there is one"  # what every setting of the kind says


def choose_device(name: Device) -> torch.device:
    """The device called `name`; raises `BadInput` where this machine has none."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    available = [kind for kind, here in there.items() if here]
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise BadInput(f"device {name!r} is not on this machine; choose {' or '.join(available)}")
    return torch.device(name)


def place_of(*models: object) -> torch.device:
    """The device of the first network among models and their members that is not on the CPU; else the CPU."""
    import torch

    for model in models:
        if isinstance(model, torch.nn.Module):
            places = [parameter.device for parameter in model.parameters()][:1]
        else:
            places = [place_of(*getattr(model, "members", {}).values())]
        if places and places[0].type != "cpu":
            return places[0]
    return torch.device("cpu")
