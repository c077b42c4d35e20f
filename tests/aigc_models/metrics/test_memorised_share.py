"""Copies among honest samples are counted, in every modality; held-out real items stand for honest samples."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binom

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import memorised_share, nearest_training_distance_ratio
from aigc_models.metrics._training_distance import TEST, neighbours
from aigc_models.modalities import series, text
from aigc_models.sequences import Sequences

SHARES = (0.0, 0.02, 0.05, 0.2)
LIMIT = 0.03  # of the presets' gate
CUTS = (slice(0, 600), slice(600, 750), slice(750, 900))  # of the texts


def sentences(count: int) -> list[str]:
    """Different ones, of eight words out of 400."""
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), random.integers(3, 9))) for _ in range(400)]
    return [" ".join(random.choice(words, 8)).capitalize() + "." for _ in range(count)]


@pytest.fixture(scope="module")
def texts() -> Evidence:
    form = text.Format(length=90)
    parts = [Corpus("text", text.encode(sentences(900)[at], form), np.zeros(at.stop - at.start, int)) for at in CUTS]
    return Evidence(*parts, Shape("text", (), form), {}, {})


@pytest.fixture(scope="module")
def waves() -> Evidence:
    """Two seasons over each other, under noise, rising: 1,200 steps, of which the last 500 are held out."""
    time, random = np.arange(1200.0), np.random.default_rng(0)
    values = 0.01 * time + np.sin(time / 4) + np.sin(time / 13) + 0.3 * random.standard_normal(1200)
    whole = series.Series(values[None], ("height",), 0.0, "1D")
    form = series.Format(
        context=24, horizon=12, season=25, channels=1, names=("height",), step="1D", centre=(6.0,), scale=(3.6,)
    )
    borders = series.borders([whole], 0.2, 0.2)
    windows = [series.windows([whole], form, borders, split)[0] for split in ("train", "validation", "test")]
    return Evidence(*(Corpus("series", each, np.zeros(len(each), int)) for each in windows), Shape("series", (), form), {}, {})


@pytest.fixture(params=["image", "audio", "text", "series"])
def honest(request) -> Evidence:
    """Real items alone; the validation items are what was generated."""
    if request.param in ("text", "series"):
        return request.getfixturevalue({"text": "texts", "series": "waves"}[request.param])
    data = request.getfixturevalue({"image": "digits", "audio": "tones"}[request.param])
    return Evidence(data.train, data.validation, data.test, data.shape, {}, {})


def planted(evidence: Evidence, share: float, seed: int, change: Callable[[Any], None] | None = None) -> Corpus:
    """The validation items, some of which are training items in their place, `change`d if that is asked."""
    random, honest = np.random.default_rng(seed), evidence.validation
    places = random.permutation(len(honest))[: int(np.ceil(share * len(honest)))]
    copies = evidence.train.values[random.choice(len(evidence.train), len(places), replace=False)]
    values, symbols = (list(each.rows()) if isinstance(each, Sequences) else np.array(each) for each in (honest.values, copies))
    if change:
        change(symbols)
    for place, copy in zip(places, symbols, strict=True):
        values[place] = copy
    return Corpus(honest.modality, Sequences.of(values) if isinstance(values, list) else values, honest.conditions)


def measured(evidence: Evidence, samples: dict[str, Corpus]) -> dict:
    evidence = replace(evidence, samples=samples)
    assert memorised_share.applies(evidence)
    return memorised_share.measure(evidence)


def test_planted_copies_are_counted_and_none_are_where_none_were_planted(honest):
    samples = {f"{share} {seed}": planted(honest, share, seed) for share in SHARES for seed in range(4)}
    for name, measurement in measured(honest, samples).items():
        share = float(name.split()[0])
        assert share <= measurement.value <= share + 0.026, name  # of 40 sounds one more is 0.025
        assert (measurement.value > LIMIT) == (share > LIMIT), name
        assert measurement.low - 1e-12 <= measurement.value <= measurement.high
        assert measurement.better == "lower"


def alter(copies: Any) -> None:
    """One letter, one pixel inverted, one sample by a tenth of full scale, or one step by a tenth of a deviation."""
    at = 7
    if isinstance(copies, list):
        for copy in copies:
            copy[at] = ord("a") if copy[at] == ord("e") else ord("e")
    elif copies.dtype == np.uint8:
        copies[:, :, 3, 4] = 255 - copies[:, :, 3, 4]
    elif copies.dtype == np.int16:
        copies[:, :, 300] = np.where(copies[:, :, 300] < 0, copies[:, :, 300] + 3277, copies[:, :, 300] - 3277)
    else:
        copies[:, :, -at] += 0.1


def test_near_copies_are_copies(honest):
    value = measured(honest, {"one": planted(honest, 0.2, 1, alter)})["one"].value
    assert value == pytest.approx(0.2, abs=0.03)


def test_items_that_say_nothing_are_no_copies(digits):
    black = Corpus("image", np.zeros((1, 1, 8, 8), np.uint8), np.zeros(1, int))
    train = Corpus("image", np.concatenate([digits.train.values, black.values]), np.append(digits.train.conditions, 0))
    evidence = Evidence(train, digits.validation, digits.test, digits.shape, {}, {})
    values = np.array(digits.validation.values)
    values[:100] = 0
    honest = Corpus("image", values, digits.validation.conditions)
    assert measured(evidence, {"dark": honest})["dark"].value == 0


def test_models_are_asked_for_more_items_than_there_are_samples(picture_evidence):
    measurements = memorised_share.measure(picture_evidence)
    assert measurements["replay"].value > 0.99
    assert measurements["noisy"].value == 0
    assert measurements["replay"].low > 0.99, "of 1,197 items"
    assert measurements["replay"].versus["noisy"].low > 0.9


def test_the_distances_are_those_of_the_replay_ratio(picture_evidence, monkeypatch):
    evidence = replace(picture_evidence, models={"noisy": picture_evidence.models["noisy"]})
    assert memorised_share.applies(evidence)
    memorised_share.measure(evidence)
    before = neighbours(evidence)
    monkeypatch.setattr("aigc_models.metrics._training_distance.measure", None)  # asked again, it would fail
    nearest_training_distance_ratio.measure(evidence)
    assert neighbours(evidence) is before
    assert set(before) == {TEST, "noisy"}


class Replay:
    """Draws futures: the true ones of the test windows, in their order, every tenth a training window's."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.drawn = evidence, 0

    def forecast(self, past, conditions, levels):
        raise NotImplementedError

    def generate(self, conditions, seeds, **sampling):
        past, horizon = sampling["past"].numpy(), self.evidence.shape.format.horizon
        windows = self.evidence.test.values[self.drawn : self.drawn + len(past)]
        assert np.array_equal(windows[..., :-horizon], past)
        futures = np.array(windows[..., -horizon:])
        futures[::10] = self.evidence.train.values[: len(futures[::10]), :, -horizon:]
        self.drawn += len(past)
        return torch.from_numpy(futures)


def test_forecasters_are_asked_for_futures_of_the_test_windows(waves):
    evidence = replace(waves, models={"ensemble": Replay(waves), "fitted": object()})
    assert memorised_share.applies(evidence)
    measurements = memorised_share.measure(evidence)
    assert set(measurements) == {"ensemble"}
    assert measurements["ensemble"].value == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("items", [10, 40, 80, 180, 460, 1000])
def test_the_limit_is_exceeded_by_chance_as_seldom_as_it_says(items):
    """Uniform distances are the worst case: they get neither denser nor thinner towards zero."""
    random = np.random.default_rng(items)
    limits = np.array(
        [memorised_share.tolerance_limit(random.uniform(0.01, 1.01, items) - 0.01 + 2e-3, items) for _ in range(4000)]
    )
    exceeded = np.mean(limits > 0.01 + 2e-3)
    assert exceeded <= binom.ppf(0.999, 4000, memorised_share.DOUBT) / 4000
    assert limits.min() > 0


def test_where_the_real_items_repeat_training_items_nothing_is_told(digits):
    test = digits.test.values.copy()
    test[:20] = digits.train.values[:20]
    repeated = Corpus("image", test, digits.test.conditions)
    evidence = Evidence(digits.train, digits.validation, repeated, digits.shape, {}, {"one": digits.validation})
    assert not memorised_share.applies(evidence)
    with pytest.raises(ValueError, match="repeat training items"):
        memorised_share.measure(evidence)
    test[2:20] = digits.test.values[2:20]
    assert (
        measured(replace(evidence, test=Corpus("image", test, digits.test.conditions)), evidence.samples)["one"].value < LIMIT
    )


def test_it_is_measured_where_something_was_generated(digits, waves):
    empty = digits.test.take(np.arange(0))
    assert not memorised_share.applies(Evidence(digits.train, digits.validation, digits.test, digits.shape, {}, {"one": empty}))
    short = waves.shape.format.model_copy(update={"horizon": 3})
    samples = {"one": waves.validation}
    assert not memorised_share.applies(replace(waves, shape=replace(waves.shape, format=short), samples=samples))
