from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_models.bundle import Card
from aigc_models.capabilities import capabilities
from aigc_models.corpus import Batch
from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.generator import Generator, derived, item_seeds
from aigc_models.inference import Latest
from aigc_models.layers.noise import normal
from aigc_models.modalities import series
from aigc_models.sequences import PAD, Vocabulary

BYTES = Vocabulary(256)
END, OUTPUTS = BYTES.end, BYTES.outputs


class Painter(nn.Module):
    """Deep enough for a batch's size to show in the last bits, if it were not always the same."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.label = nn.Embedding(3, 64)
        self.net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.SiLU(), nn.Flatten(), nn.Linear(1024, 64))

    def generate(self, conditions: Tensor, seeds: Tensor, **sampling: Any) -> Tensor:
        self.sizes.append(len(seeds))
        noise = sampling.get("temperature", 1.0) * normal(seeds, (1, 8, 8))
        return torch.tanh(self.net(noise) + self.label(conditions)).reshape(-1, 1, 8, 8)


class Writer(nn.Module):
    """Writes UTF-8: any byte after a condition's own letter, hearing only the last symbol."""

    vocabulary = BYTES

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(OUTPUTS + 2, OUTPUTS)
        nn.init.normal_(self.table.weight, std=2.0)
        self.table.weight.data[:, END] = 0.0
        self.label = nn.Embedding(3, OUTPUTS)

    def begin(self, conditions: Tensor) -> Tensor:
        return conditions

    def advance(self, state: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return torch.log_softmax(self.table(tokens) + self.label(state), 1), state

    def extend(self, state: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return torch.log_softmax(self.table(tokens) + self.label(state)[:, None], 2), state

    def log_likelihood(self, batch: Batch) -> Tensor:
        inputs = torch.cat([torch.full_like(batch.values[:, :1], END), batch.values[:, :-1].clamp(min=0)], 1)
        scores = torch.log_softmax(self.table(inputs) + self.label(batch.conditions)[:, None], 2)
        return scores.gather(2, batch.values.clamp(min=0)[:, :, None])[:, :, 0] * (batch.values != PAD)


class Judge(nn.Module):
    def classify(self, batch: Batch) -> Tensor:
        return batch.values


def generator(model: nn.Module, modality: str, formats: dict[str, Any], labels: tuple[str, ...] = ("cat", "dog")) -> Generator:
    fields = {"name": "tiny", "family": "tiny", "modality": modality, "format": formats, "labels": labels, "micro_batch": 4}
    card = Card(capabilities=capabilities(model), **fields)
    return Generator(card, model.eval(), find("aigc_models.modalities", modality), card.shape.format)


@pytest.fixture
def painter() -> Generator:
    torch.manual_seed(0)
    return generator(Painter(), "image", {"height": 8, "width": 8, "channels": 1})


@pytest.fixture
def writer() -> Generator:
    torch.manual_seed(0)
    return generator(Writer(), "text", {"length": 20})


def test_an_item_depends_on_its_seed_and_condition_alone(painter: Generator) -> None:
    seeds, conditions = item_seeds(3, 11), torch.arange(11) % 3
    together = painter.encoded(conditions, seeds)
    for company in ([5], [5, 0], [2, 9, 5, 1], [10, 9, 8, 7, 6, 5]):
        index = torch.tensor(company)
        some = painter.encoded(conditions[index], seeds[index])
        assert torch.equal(some[company.index(5)], together[5])
    assert set(painter.model.sizes) == {4}


def test_images_are_content(painter: Generator) -> None:
    items = painter.generate(6, label="cat", seed=1)
    assert [(item.shape, item.dtype) for item in items] == [((8, 8, 1), np.dtype(np.uint8))] * 6
    assert not np.array_equal(items[0], items[1])
    assert np.array_equal(items[5], painter.generate(1, label="cat", seed=1, first=5)[0])
    assert not np.array_equal(items[0], painter.generate(1, label="dog", seed=1)[0])
    assert not np.array_equal(items[0], painter.generate(1, label="cat", seed=2)[0])
    still = painter.generate(2, label="cat", temperature=0)
    assert np.array_equal(still[0], still[1])


def test_texts_are_held_and_streamed_alike(writer: Generator) -> None:
    texts = writer.generate(6, prompt="> ", regex="[a-c]{2,4}!", seed=3)
    assert all(re.fullmatch("> [a-c]{2,4}!", text) for text in texts)
    assert "".join(writer.stream("> ", regex="[a-c]{2,4}!", seed=3)) == texts[0]
    assert writer.generate(1, prompt="> ", regex="[a-c]{2,4}!", seed=3, first=4) == texts[4:5]
    schema = {"type": "object", "properties": {"a": {"const": None}, "b": {"enum": [1, 2]}}, "required": ["a", "b"]}
    made = writer.generate(4, json_schema=schema | {"additionalProperties": False}, max_length=80)
    assert all(json.loads(text)["a"] is None and json.loads(text)["b"] in (1, 2) for text in made)
    together = writer.encoded(torch.zeros(9, dtype=torch.int64), item_seeds(0, 9), together=9, regex="x+y?", max_length=5)
    assert all(re.fullmatch("x+y?", text) for text in writer.decode(together))


def test_a_bias_names_symbols_of_the_model(writer: Generator) -> None:
    assert writer.generate(2, logit_bias={ord("z"): 100}, max_length=4, temperature=0.01) == ["zzzz"] * 2
    with pytest.raises(BadInput, match="no symbol 257; they are 0 to 256, the END"):
        writer.generate(1, logit_bias={257: 1})
    with pytest.raises(BadInput, match=r"sampling option json_schema=a mapping: .*not to both"):
        writer.generate(1, regex="a", json_schema={})
    with pytest.raises(BadInput, match="regex: unclosed group"):
        writer.generate(1, regex="(")


def test_a_middle_is_filled_in_where_that_was_learnt(writer: Generator) -> None:
    with pytest.raises(BadInput, match="suffix: tiny did not learn to fill in a middle; leave it out, or train it"):
        writer.draft("a", {}, suffix="z")
    able = generator(Writer(), "text", {"length": 300, "fill_in": 0.3})
    assert bytes(able.draft("a", {}, suffix="z").prompt) == b"\xfez\xffa"
    assert bytes(able.draft("a", {}).prompt) == b"a"
    always = {"logit_bias": {0xFE: 100.0, 0xFF: 100.0}}  # marks are given, and never drawn
    values = able.encoded(torch.zeros(4, dtype=torch.int64), item_seeds(1, 4), **always)
    assert not {0xFE, 0xFF} & set(values.flatten().tolist())


def test_beams_give_the_likeliest_texts_in_order(writer: Generator) -> None:
    asked = {"prompt": "ab", "label": "cat", "max_length": 8}
    best = writer.generate(4, beams=8, **asked)
    assert len(set(best)) == 4
    assert all(text.startswith("ab") for text in best)
    assert writer.generate(2, beams=8, first=2, seed=9, **asked) == best[2:]
    one, other = writer.generate(1, beams=8, max_length=8, label="cat"), writer.generate(1, beams=8, max_length=8, label="dog")
    assert writer.generate(2, beams=8, max_length=8, label=["cat", "dog"])[0] == one[0]
    assert one != other
    held = writer.generate(3, beams=4, regex="x[ab]y|z", max_length=8, length_penalty=1.0)
    assert sorted(held) == ["xay", "xby", "z"]
    with pytest.raises(BadInput, match="beams=4 found 3 texts"):
        writer.generate(4, beams=4, regex="x[ab]y|z", max_length=8)
    with pytest.raises(BadInput, match="cannot be streamed"):
        writer.stream(beams=4)
    with pytest.raises(BadInput, match="for which top_k says nothing"):
        writer.generate(1, beams=4, top_k=3)


def test_labels(painter: Generator) -> None:
    assert painter.conditions(3, "dog").tolist() == [1, 1, 1]
    assert painter.conditions(3, ["dog", "cat"], first=1).tolist() == [0, 1, 0]
    drawn = painter.conditions(400, seed=5)
    assert 140 < int(drawn.sum()) < 260
    assert torch.equal(painter.conditions(3, seed=5, first=10), drawn[10:13])
    plain = generator(Painter(), "image", {"height": 8, "width": 8, "channels": 1}, labels=())
    assert plain.conditions(2).tolist() == [0, 0]


def test_seeds_are_stable() -> None:
    assert derived(7, 3) == 2530781778362038830
    assert item_seeds(7, 2, first=3)[0] == derived(7, 3)
    assert len({derived(seed, item) for seed in range(30) for item in range(30)}) == 900
    with pytest.raises(BadInput, match="negative"):
        derived(-1, 0)


def test_texts(writer: Generator) -> None:
    texts = writer.generate(9, seed=2, prompt="Über ")
    assert all(isinstance(text, str) for text in texts)
    assert len(set(texts)) > 1
    assert texts[8] == writer.generate(1, seed=2, prompt="Über ", first=8)[0]
    assert writer.generate(9, seed=2, prompt="Über ") == texts
    assert all(text.startswith("Über ") and len(text.encode(errors="replace")) < 60 for text in texts)
    assert max(len(text) for text in writer.generate(9, max_length=300)) > 60
    with pytest.raises(BadInput, match="leaves no room"):
        writer.generate(prompt="x" * 50)
    with pytest.raises(BadInput, match=r"did you mean 'top_p'"):
        writer.stream(topp=0.5)
    with pytest.raises(BadInput, match="top_p=3"):
        writer.stream(top_p=3)


def test_a_stream_is_the_text_that_generate_gives(writer: Generator) -> None:
    for seed in range(5):
        pieces = list(writer.stream("a", label="cat", seed=seed))
        assert "".join(pieces) == writer.generate(1, prompt="a", label="cat", seed=seed)[0]


def test_log_likelihood_is_of_whole_items(writer: Generator) -> None:
    contents = ["hello", "a", "bye", "and", "more"]
    scores = writer.log_likelihood(contents, label="dog")
    alone = torch.cat([writer.log_likelihood([content], label="dog") for content in contents])
    assert torch.allclose(scores, alone, atol=1e-4)
    assert (scores < 0).all()
    assert not torch.allclose(scores, writer.log_likelihood(contents))
    assert len(writer.log_likelihood([])) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": "dgo"}, "unknown label 'dgo'; did you mean 'dog'"),
        ({"temprature": 1}, "unknown sampling option 'temprature'; did you mean 'temperature'"),
        ({"steps": 0}, "steps=0"),
        ({"temperature": "hot"}, "temperature='hot'"),
        ({"prompt": "a cat"}, "cannot go on from a prompt"),
        ({"count": 0}, "count is 0"),
        ({"seed": -1}, "negative"),
    ],
)
def test_bad_requests_are_refused(painter: Generator, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        painter.generate(**wrong)


def test_a_model_is_asked_for_what_it_can_do_only(painter: Generator) -> None:
    judge = generator(Judge(), "image", {"height": 8, "width": 8, "channels": 1})
    with pytest.raises(BadInput, match="cannot generate; what it does: classifies"):
        judge.generate()
    with pytest.raises(BadInput, match="cannot score"):
        painter.log_likelihood([])
    with pytest.raises(BadInput, match="cannot stream"):
        painter.stream()


class Walker(nn.Module):
    """A random walk from the last step of the past."""

    def generate(self, conditions: Tensor, seeds: Tensor, past: Tensor, **sampling: Any) -> Tensor:
        return past[..., -1:] + normal(seeds, (1, 4)).cumsum(-1) + conditions[:, None, None]


def wave(steps: int, start: float = 0.0) -> Any:
    return series.Series(np.arange(steps, dtype=np.float64)[None], ("level",), start, "1D")


@pytest.fixture
def walker() -> Generator:
    sizes = {"context": 3, "horizon": 4, "channels": 1, "names": ("level",), "step": "1D", "centre": (0.0,), "scale": (2.0,)}
    base = generator(Walker(), "series", sizes)
    return replace(base, latest=Latest((wave(3), wave(5, 86400.0)), (0, 1)))


def test_series_go_on_from_their_newest_past_in_turn(walker: Generator) -> None:
    items = walker.generate(6, seed=3)
    assert [one.stamps()[0] for one in items[:4]] == ["1970-01-04", "1970-01-07"] * 2
    assert np.array_equal(items[5].values, walker.generate(1, seed=3, first=5)[0].values)
    assert walker.conditions(3).tolist() == [0, 1, 0]
    assert walker.conditions(3, "dog").tolist() == [1, 1, 1]
    mine = walker.generate(2, seed=3, past=[wave(9)])
    assert [one.stamps()[0] for one in mine] == ["1970-01-10"] * 2
    assert walker.conditions(2, past=[wave(9)]).tolist() == [2, 2]
    assert not np.array_equal(mine[0].values, mine[1].values)


def test_a_past_must_fit(walker: Generator, painter: Generator) -> None:
    with pytest.raises(BadInput, match="2 steps; 3 are needed"):
        walker.generate(past=[wave(2)])
    with pytest.raises(BadInput, match="keeps none; give one"):
        replace(walker, latest=Latest()).generate()
    with pytest.raises(BadInput, match="goes on from no past"):
        painter.generate(past=[wave(3)])


def test_texts_are_written_on_one_thread_whichever_way_they_are_asked_for(capable, monkeypatch):
    generator = Generator.load(capable["letters"], "cpu")
    seen, extend = [], type(generator.model).advance

    def advance(self, *arguments):
        seen.append(torch.get_num_threads())
        return extend(self, *arguments)

    monkeypatch.setattr(type(generator.model), "advance", advance)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert len(list(generator.each(2, max_length=4))) == 2
        generator.generate(1, max_length=4)
        generator.encoded(torch.zeros(2, dtype=torch.int64), torch.arange(2), together=2, max_length=4)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}
