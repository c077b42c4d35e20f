"""Self-supervised pretraining: a body learns from the items alone, without their labels."""

from __future__ import annotations

from tasks.stage.references import CorpusRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.train.finetune import learn
from tasks.train.members import PretrainingSettings


@stage(process=True)
def pretrain(
    data: CorpusRef,
    body: PretrainingSettings,
    published: ModelRef | None = None,
    held: CorpusRef | None = None,
    *,
    context: StageContext,
) -> ModelRef:
    """Masked language modelling for text, denoising for images: whatever `body.family` does.

    `published`: a checkpoint that it begins with. `held`: the corpus that members are measured on; what of its validation
    and test items `data`, where it is another, holds too, is left out.
    """
    apart = held if held is not None and held.sha256 != data.sha256 else None
    return learn(data.model_copy(update={"task": "generate"}), published, body, "body", context, apart)
