"""Learns words and how figures compare; an item depends on itself alone; labels are not looked at, nor what has none."""

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Learns, Validates, capabilities
from aigc_models.corpus import Batch
from aigc_models.families import word_cnn
from aigc_models.training.optimisers import Optimiser


@pytest.fixture(scope="module")
def learnt(moods):
    torch.manual_seed(0)
    model = word_cnn.build(word_cnn.SIZES["debug"], moods.shape).train()
    (player,) = model.players()
    optimiser, batches = Optimiser(player), model.batches(moods.corpus(400, 0), 64, 0)
    for step in range(150):
        optimiser.clear()
        player.loss(batches(step)).value.backward()
        optimiser.step(1e-2, 1e-2)
    return model.eval()


def test_tells_labels_apart_by_words_and_by_figures(moods, learnt):
    test = moods.corpus(300, 2, labelled=1.0)
    batch = test.batch(np.arange(300))
    with torch.no_grad():
        assert float((learnt.classify(batch).argmax(1).numpy() == test.conditions).mean()) > 0.95
        assert float(learnt.validation_loss(batch)) < 0.3


def test_an_item_depends_on_itself_alone_and_no_label_is_looked_at(moods, learnt):
    batch = moods.corpus(20, 3).batch(np.arange(20))
    with torch.no_grad():
        together = learnt.classify(batch)
        assert torch.allclose(learnt.classify(batch.part(slice(7, 8))), together[7:8], atol=1e-5)
        other = Batch(batch.values, torch.zeros_like(batch.conditions))
        assert torch.equal(learnt.classify(other), together)


def test_items_without_a_label_teach_nothing(moods, learnt):
    corpus = moods.corpus(60, 3)
    labelled = corpus.take(np.flatnonzero(corpus.conditions < 3))
    with torch.no_grad():
        some, all_of_them = (learnt.validation_loss(each.batch(np.arange(len(each)))) for each in (labelled, corpus))
        assert torch.isclose(some, all_of_them, atol=1e-5)
        words = learnt.batches(corpus, 60, 0)(0)
        assert int(learnt.loss(words).weight) == len(labelled)


def test_a_step_is_the_same_each_time_and_parts_of_it_fit(moods, learnt):
    corpus = moods.corpus(50, 3)
    first, again = (learnt.batches(corpus, 16, 5)(9) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(vars(first).values(), vars(again).values(), strict=True))
    with torch.no_grad():
        whole, part = learnt.seen(first), learnt.seen(first.part(slice(4, 8)))
    assert torch.allclose(whole[4:8], part, atol=1e-5)
    assert len(first.part(slice(4, 8))) == 4


def test_figures_are_marked_by_how_they_compare():
    assert word_cnn.sequence("up to 7 from 5, then 5") == [
        *("up", "to", "<number>", "from", "<number>", "<greater>", ",", "then", "<number>", "<equal>")
    ]


def test_capabilities(learnt):
    assert isinstance(learnt, Learns)
    assert isinstance(learnt, Validates)
    assert capabilities(learnt) == ("encodes", "classifies")
