"""Self-supervised pretraining: a body learns from the items alone, without their labels."""

from __future__ import annotations

from tasks.stage.references import CorpusRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.train.finetune import learn
from tasks.train.members import MemberSettings


@stage(process=True)
def pretrain(data: CorpusRef, body: MemberSettings, context: StageContext) -> ModelRef:
    """Masked language modelling for text, denoising for images: whatever `body.family` does."""
    return learn(data.model_copy(update={"task": "generate"}), None, body, "body", context)
