"""Drawing side by side: the same text whatever rides along, prompts in chunks, joining, leaving, going on later."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.families import transformer
from aigc_models.language import decoding, grammar, slots
from aigc_models.language.decoding import sampling
from aigc_models.language.slots import Draft, Slots
from aigc_models.modalities import text
from aigc_models.sequences import PAD


@pytest.fixture(scope="module")
def model() -> transformer.Transformer:
    torch.manual_seed(0)
    made = transformer.build(transformer.SIZES["debug"], Shape("text", ("a", "b"), text.Format(length=64))).eval()
    with torch.no_grad():
        made.embedding.symbols.weight.mul_(20)  # so that what was read matters
    return made


def draft(seed: int, prompt: bytes = b"", length: int = 40, **options: Any) -> Draft:
    shown = {name: options.pop(name) for name in ("likeliest", "echo") if name in options}
    start = grammar.grammar(text.pieces(text.Format(length=64)), options.get("regex"), options.get("json_schema"))
    return Draft(seed % 3, seed, prompt, sampling(max_length=length, **options), start=start, **shown)


PROMPTS = [b"", b"a", b"Once upon", b"x" * 300]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"top_p": 0.8},
    {"frequency_penalty": 0.5, "no_repeat_ngram": 2},
    {"temperature": 0.5},
    {"regex": "([a-c]{2,9} ){3,9}[.!]", "logit_bias": {97: 2.0}},
    {"json_schema": {"type": "array", "items": {"enum": ["a", "bc"]}, "maxItems": 30}, "top_p": 0.9},
]


def company(count: int) -> list[Draft]:
    return [draft(seed, PROMPTS[seed % 4], 330 + 7 * seed % 40, **OPTIONS[seed // 4 % 6]) for seed in range(count)]


@torch.inference_mode()
def test_texts_are_the_same_alone_and_in_company(model: transformer.Transformer) -> None:
    together = company(24)
    slots.finish(Slots(model, 4), together)
    for one, again in zip(together, company(24), strict=True):
        slots.finish(Slots(model, 4), [again])
        assert one.symbols == again.symbols
        assert len(one.prompt) + len(one.symbols) <= one.how.max_length


@torch.inference_mode()
def test_texts_are_those_of_a_batch(model: transformer.Transformer) -> None:
    for one in company(24)[::3]:
        slots.finish(Slots(model, 4), [one])
        conditions, seeds = torch.tensor([one.condition]), torch.tensor([one.seed])
        start = grammar.grammar(text.pieces(text.Format(length=64)), one.how.regex, one.how.json_schema)
        whole = decoding.generate(model, conditions, seeds, [one.prompt], start=start, **one.how.model_dump())[0]
        assert [*one.prompt, *one.symbols] == whole[whole != PAD].tolist()


@torch.inference_mode()
def test_a_draft_that_was_parked_goes_on_as_if_it_had_not_been(model: transformer.Transformer) -> None:
    whole, parked, other = draft(3, b"ab", 90), draft(3, b"ab", 90), draft(4, b"", 300)
    slots.finish(Slots(model, 2), [whole])
    two = Slots(model, 2)
    two.join(other)
    two.join(parked)
    for at in range(2000):
        if parked.ended:
            break
        two.step()
        if at % 5 == 0 and not parked.ended:
            two.park(parked)
            two.step()
            two.join(parked)
    assert parked.symbols == whole.symbols


@torch.inference_mode()
def test_a_long_prompt_takes_turns(model: transformer.Transformer) -> None:
    two, long, short = Slots(model, 2), draft(1, b"x" * 5 * slots.CHUNK, 2000), draft(2)
    two.join(long)
    assert two.step() == []
    assert long.read == 2 * slots.CHUNK, "nobody else is there"
    two.join(short)
    for _ in range(2):
        assert two.step() == [short]
    assert long.read == 4 * slots.CHUNK
    assert two.step() == [long, short]
    two.leave(long)
    assert two.room == 1


@torch.inference_mode()
def test_what_is_said_of_symbols_and_of_the_prompt(model: transformer.Transformer) -> None:
    one = draft(5, b"abc", 20, likeliest=2, echo=True, temperature=0.5)
    slots.finish(Slots(model, 2), [one])
    symbols = [*one.prompt, *one.symbols]
    assert [said.symbol for said in one.said] == symbols
    fed = torch.tensor([[model.vocabulary.end, *symbols[:-1]]])
    expected = model.extend(model.begin(torch.tensor([one.condition])), fed)[0][0]
    for said, row in zip(one.said, expected, strict=True):
        assert said.log_probability == pytest.approx(float(row[said.symbol]), abs=1e-4)
        assert list(said.likeliest.values()) == pytest.approx(row.topk(2).values.tolist(), abs=1e-4)


@torch.inference_mode()
def test_a_symbol_that_can_be_seen_has_what_is_said_of_it(model: transformer.Transformer) -> None:
    """A server looks at a draft from another thread, at any moment."""
    one = draft(5, b"abc", 20, likeliest=2)

    class Seen(list[int]):
        def append(self, symbol: int) -> None:
            super().append(symbol)
            counts.append((len(self), len(one.said)))

    counts = list[tuple[int, int]]()
    one.symbols = Seen()
    slots.finish(Slots(model, 2), [one])
    assert len(counts) == 17
    assert all(said >= symbols for symbols, said in counts)


@torch.inference_mode()
def test_a_stream_that_nobody_reads_on_leaves(model: transformer.Transformer) -> None:
    two, one = Slots(model, 2), draft(7, b"ab")
    stream = slots.stream(two, one)
    assert [next(stream) for _ in range(4)][:2] == [*b"ab"]
    assert two.room == 1
    stream.close()
    assert two.room == 2


@torch.inference_mode()
def test_what_is_drawn_is_held_and_the_prompt_is_not(model: transformer.Transformer) -> None:
    held = [draft(seed, b"Once", 60, regex="(cat|dog){2}") for seed in range(6)]
    slots.finish(Slots(model, 4), held)
    texts = [bytes(one.symbols[:-1]).decode() for one in held]
    assert all(re.fullmatch("(cat|dog){2}", text) for text in texts)
    assert [one.symbols[-1] for one in held] == [model.vocabulary.end] * 6
    short = draft(0, b"Once", 8, regex="(cat|dog){2}")
    slots.finish(Slots(model, 4), [short])
    assert len(short.symbols) == 4


@torch.inference_mode()
def test_a_grammar_that_grows_beyond_all_bounds_ends_its_own_draft_alone(model: transformer.Transformer) -> None:
    four, wild, other = Slots(model, 4), draft(1, b"", 400, regex="((a{1,100}){1,100}){1,100}"), draft(2, b"", 90)
    with pytest.raises(BadInput, match="regex: cannot be followed any further"):
        slots.finish(four, [wild, other])
    assert other.ended
    assert other.failure is None
    assert four.room == 4
    with pytest.raises(BadInput, match="regex: cannot"):
        list(slots.stream(four, draft(1, b"", 400, regex="((a{1,100}){1,100}){1,100}")))
    assert four.room == 4


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(BadInput, match="prompt of 40 symbols leaves no room in max_length=40"):
        draft(0, b"x" * 40)


@torch.inference_mode()
def test_items_come_in_turn_and_whoever_stops_early_leaves_the_slots_free(model: transformer.Transformer) -> None:
    place, lengths = Slots(model, 4), [30 if seed % 5 == 0 else 3 for seed in range(19)]
    given = list(slots.in_turn(place, (draft(seed, length=length) for seed, length in enumerate(lengths))))
    assert [one.seed for one in given] == list(range(19))
    assert all(one.ended for one in given)
    some = slots.in_turn(place, (draft(seed) for seed in range(50)))
    next(some)
    assert place.drafts
    some.close()
    assert place.room == 4
