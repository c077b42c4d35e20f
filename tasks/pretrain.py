"""Self-supervised pretraining: a body learns from the items alone, without their labels."""

from __future__ import annotations

from tasks.finetune import learn
from tasks.members import MemberSettings
from tasks.references import CorpusRef, ModelRef
from tasks.stage import StageContext, stage


@stage(process=True)
def pretrain(data: CorpusRef, body: MemberSettings, context: StageContext) -> ModelRef:
    """Masked language modelling for text, denoising for images: whatever `body.family` does."""
    return learn(data, None, body, "body", context)
