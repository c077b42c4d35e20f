"""Which of several plain methods is the one that every figure stands beside."""

from __future__ import annotations

from aigc_models.errors import BadInput
from tasks.stage.references import ModelRef
from tasks.stage.stage import StageContext, stage


@stage
def strongest(plain: list[ModelRef], context: StageContext) -> ModelRef:
    """The one with the lowest validation loss; the test split has no say in it. `BadInput` where one has no such loss."""
    losses = {model.name: model.validation_loss for model in plain}
    unknown = sorted(name for name, loss in losses.items() if loss is None)
    if unknown:
        raise BadInput(
            f"plain methods that state no validation loss cannot be compared: {', '.join(unknown)}; name one baseline"
        )
    best = min(plain, key=lambda model: model.validation_loss or 0.0)
    context.log(**{f"validation_loss.{name}": loss for name, loss in losses.items()}, strongest=best.name)
    return best
