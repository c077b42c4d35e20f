import math

import pytest
import torch

from aigc_models.errors import BadInput
from aigc_models.explaining.tokens import read
from aigc_models.generator import Generator


@pytest.fixture(scope="module")
def mind(capable):
    return Generator.load(capable["mind"], "cpu")


def test_the_tokens_are_the_text_and_their_probabilities_its_likelihood(mind):
    text = "The red cat sat on the mat."
    said = read(mind, text, "calm")
    assert "".join(token.text for token in said.tokens) == text
    assert [(token.start, token.end) for token in said.tokens] == [(at, at + 1) for at in range(len(text))]
    nats = sum(math.log(token.wanted.probability) for token in said.tokens) + math.log(said.ends)
    assert said.nats == pytest.approx(nats, abs=1e-6)
    assert said.nats == pytest.approx(float(mind.log_likelihood([text], "calm")[0]), abs=1e-2)


def test_each_member_says_what_it_would_have_written_and_how_sure_it_was(mind):
    tokens = read(mind, "The red cat", "calm").tokens
    assert set(tokens[0].members) == {"ngram", "rnn"}
    untrained, counted = tokens[2].members["rnn"], tokens[2].members["ngram"]
    assert (counted.likeliest, tokens[2].text) == ("e", "e")
    assert counted.probability == counted.likeliest_probability > untrained.probability
    assert 0 <= min(token.entropy for token in tokens) <= max(token.entropy for token in tokens) <= math.log(257)
    other = read(mind, "The red cat", "loud").tokens
    assert other[2].wanted.probability < tokens[2].wanted.probability, "who is loud writes in capitals"


def test_a_character_of_several_bytes_is_one_token(mind):
    said = read(mind, "aé😀")
    assert [(token.text, token.start, token.end) for token in said.tokens] == [("a", 0, 1), ("é", 1, 2), ("😀", 2, 3)]
    assert all(0 < token.wanted.probability < 1 for token in said.tokens)


def test_what_is_no_text_of_a_generator_is_refused(mind, capable, replier):
    with pytest.raises(BadInput, match="has 0 tokens"):
        read(mind, "")
    with pytest.raises(BadInput, match="has 5,000 tokens; 1 to 4,096"):
        read(mind, "a" * 5000)
    with pytest.raises(BadInput, match="unknown label"):
        read(mind, "a", "hoarse")
    for other in (capable["tones"], replier):
        with pytest.raises(BadInput, match="makes no texts symbol by symbol"):
            read(Generator.load(other, "cpu"), "a")
    assert torch.is_grad_enabled()
