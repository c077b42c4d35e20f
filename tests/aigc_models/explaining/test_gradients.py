import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch
from aigc_models.explaining import gradients
from aigc_models.explaining.words import WORD
from aigc_models.families import checkpoint
from aigc_models.find import find
from aigc_models.heads import headed
from aigc_models.reading.published import read
from aigc_models.training.fit import seeded
from tasks.train.checkpoint import filled

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=64)


@pytest.fixture(scope="module")
def model(published):
    source, shape = read(published), Shape("text", ("down", "up"), FORMAT, "classify")
    config = checkpoint.Config(architecture=source.architecture, tokeniser_bytes=len(source.tokeniser))
    with seeded(0):
        made = headed(filled(checkpoint.build(config, shape), source), shape)
        torch.nn.init.normal_(made.output.weight, std=1.0)
    return made.eval()


def log_probability(model, tokens):
    return float(model.output(model.body.pooled(tokens, torch.ones_like(tokens))).log_softmax(1)[0, 1])


def test_what_the_words_share_is_the_difference_between_the_text_and_all_of_it_hidden(model):
    """Completeness (Sundararajan et al. 2017, proposition 1), but for the points of the path."""
    said = "sales rose in May"
    values = gradients.by_words(model, said, [match.span() for match in WORD.finditer(said)], 1)
    tokens, hidden, _ = model.body.cut(said)
    with torch.inference_mode():
        difference = log_probability(model, tokens) - log_probability(model, hidden)
    assert values.shape == (4,)
    assert values.sum() == pytest.approx(difference, abs=0.02 * max(0.1, abs(difference)))
    assert len(set(values.round(6).tolist())) == 4


def test_tokens_know_where_in_the_text_they_stand(model):
    said = "the profit, as before"
    tokens, hidden, places = model.body.cut(said)
    assert tokens.shape == hidden.shape == (1, len(places))
    assert [said[start:end] for start, end in places][1:3] == ["the", "profit"]
    assert tokens[0, 0] == hidden[0, 0], "what frames a text is not hidden"
    assert (tokens != hidden).sum() == len(places) - 2
    batch = Batch(text.encode([said], FORMAT).tensor(), torch.zeros(1, dtype=torch.int64))
    with torch.inference_mode():
        assert torch.allclose(model.body.pooled(tokens, torch.ones_like(tokens)), model.body.embed(batch), atol=1e-6)
