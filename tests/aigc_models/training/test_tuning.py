import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.families import masked_lm
from aigc_models.find import find
from aigc_models.heads import headed
from aigc_models.training.fit import Plan, fit, seeded
from aigc_models.training.tuning import merged, tuned

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=32)
SHAPE = Shape("text", ("a", "b"), FORMAT, "classify")


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def built():
    with seeded(0):
        return headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE)


def corpus():
    texts = ["aaab", "bbba"] * 20
    return Corpus("text", text.encode(texts, FORMAT), np.arange(40) % 2)


def learnt(tmp_path, tune):
    model = tuned(built(), tune, seed=1)
    fit(model, corpus(), corpus(), Plan(steps=30, batch_size=8, ema=0.0, device="cpu"), Silent(tmp_path))
    return model


def test_a_frozen_body_stays_as_it_was_bit_for_bit_and_its_head_learns(tmp_path):
    before, model = built(), learnt(tmp_path, "frozen")
    for name, tensor in before.body.state_dict().items():
        assert torch.equal(tensor, model.body.state_dict()[name]), name
    assert not torch.equal(before.output.weight, model.output.weight)


def test_low_rank_additions_change_little_of_few_numbers_and_end_in_the_matrices(tmp_path):
    before, model = built(), learnt(tmp_path, "lora")
    batch = corpus().batch(np.arange(6))
    learnable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert learnable < sum(parameter.numel() for parameter in before.parameters())
    model.eval()
    with torch.inference_mode():
        apart = model.classify(batch)
        whole = merged(model).eval()
        assert torch.allclose(whole.classify(batch), apart, atol=1e-4)
    assert list(whole.state_dict()) == list(before.state_dict()), "a bundle is the same whichever way it was trained"
    changed = [
        name for name, tensor in before.body.state_dict().items() if not torch.equal(tensor, whole.body.state_dict()[name])
    ]
    assert changed
    assert not [name for name in changed if "embedding" in name], "only linear layers have additions"
    difference = whole.body.blocks[0].attention.out.weight - before.body.blocks[0].attention.out.weight
    assert torch.linalg.matrix_rank(difference, atol=1e-5) <= 16


def test_what_has_no_body_beneath_a_head_cannot_be_kept():
    shape = Shape("text", ("a", "b"), FORMAT)
    with pytest.raises(BadInput, match="MaskedLm is all one"):
        tuned(masked_lm.build(masked_lm.SIZES["debug"], shape), "lora", 0)


def test_what_is_made_again_to_save_memory_gives_the_same_gradients():
    from aigc_models.families import checkpoint

    with seeded(0):
        model = headed(checkpoint.build(checkpoint.SIZES["debug"], SHAPE), SHAPE)
    model = tuned(model, "lora", seed=1).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    gradients = []
    for spared in (True, False):
        model.body.spares_memory(spared)
        assert model.body.encoder.is_gradient_checkpointing == spared
        model.zero_grad()
        model.players()[0].loss(corpus().batch(np.arange(6))).value.backward()
        gradients.append([one.grad.clone() for one in model.parameters() if one.requires_grad and one.grad is not None])
    assert len(gradients[0]) > 4
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-7)
    assert not merged(model).body.encoder.is_gradient_checkpointing
