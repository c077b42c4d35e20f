"""Encoding with a tokeniser: learned from train texts alone, chosen on validation texts, and kept in the format."""

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.modalities import text
from tasks.dataset.tables import payloads, read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split
from tasks.stage.references import VersionRef
from tasks.train import tokenising
from tasks.train.encode import EncodeSettings, encoded_version


def versioned(data) -> VersionRef:
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    ref = split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    return VersionRef(**ref.model_dump(), version="abc")


def run(data, **settings):
    return encoded_version(data.clean.parent, versioned(data), EncodeSettings(**settings), data.context("encode"))


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_tokeniser_is_learned_from_train_texts_alone(kind: str, handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(120))
    ref = run(data, format={"tokeniser": kind, "pieces": 400})
    form = text.Format.model_validate(ref.format)
    places = read([data.clean.parent / "splits.parquet"], ["id", "split"])
    train = {key for key, place in zip(places["id"], places["split"], strict=True) if place == "train"}
    texts = [text.unpack(payload) for _, payload in payloads(data.clean, train)]
    assert form.learned == text.learned(form.model_copy(update={"learned": ""}), texts).learned
    kept = Corpus.load(data.context("encode").folder / "train", "text")
    assert text.decode(kept.values, form) == texts
    assert int(kept.values.symbols.max()) > 256


def test_on_auto_the_one_with_the_fewest_bits_a_byte_is_taken(handmade, monkeypatch) -> None:
    """A third of the steps and two candidates; the texts are words of a small lexicon, three bytes a character."""
    random = np.random.default_rng(0)
    words = ["".join(chr(0x4E00 + int(code)) for code in random.integers(0, 2000, 4)) for _ in range(40)]
    monkeypatch.setattr(tokenising, "STEPS", 50)
    monkeypatch.setattr(tokenising, "CANDIDATES", ({"tokeniser": "bytes"}, {"tokeniser": "bpe", "pieces": 400}))
    logged: dict[str, float] = {}
    data = handmade()
    data.add(["".join(random.choice(words, 12)) for _ in range(150)])
    context = data.context("encode")
    monkeypatch.setattr(type(context), "log", lambda self, **figures: logged.update(figures))
    ref = encoded_version(data.clean.parent, versioned(data), EncodeSettings(format={"tokeniser": "auto"}), context)
    logged = {name: value for name, value in logged.items() if name.startswith("bits_per_byte")}
    assert set(logged) == {"bits_per_byte.bytes", "bits_per_byte.bpe-400"}
    best = min(logged, key=lambda name: logged[name])
    assert ref.format["tokeniser"] == best.removeprefix("bits_per_byte.").partition("-")[0] == "bpe"
    assert logged["bits_per_byte.bpe-400"] < logged["bits_per_byte.bytes"] < 8
