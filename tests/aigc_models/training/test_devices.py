"""Every model answers where it was asked, wherever its weights lie; what puts several together mixes no places up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_models import canvas
from aigc_models.bundle import Card
from aigc_models.capabilities import Fits, Forecasts, Generates, Shape, Streams
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import average, logistic, mixture, quantile_average
from aigc_models.errors import BadInput
from aigc_models.evidence import Evidence
from aigc_models.find import find, names
from aigc_models.generator import Generator
from aigc_models.language import decoding
from aigc_models.metrics import _likelihood, crps
from aigc_models.modalities import text
from aigc_models.outside import FAMILIES as OUTSIDE
from aigc_models.sequences import Sequences
from aigc_models.training.devices import choose_device, place_of
from aigc_models.training.randomness import seeded

LABELS = ("a", "b")
TEXTS = Shape("text", LABELS, text.Format(length=24))


def test_devices_of_this_machine() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in {"cpu", "cuda", "mps"}
    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match=r"device 'cuda' is not on this machine; choose .*cpu"):
            choose_device("cuda")


def test_the_place_of_several_is_that_of_the_first_network_away_from_the_cpu(elsewhere: torch.device) -> None:
    here, there = nn.Linear(1, 1), nn.Linear(1, 1).to(elsewhere)
    members = {"plain": object(), "here": here, "there": there}
    pair = average.build(members, dict.fromkeys(members, 1.0), average.Settings())
    assert [place_of(*each).type for each in ((), (object(),), (here,), (there,), (here, there), (object(), pair))] == [
        "cpu", "cpu", "cpu", "lazy", "lazy", "lazy",
    ]  # fmt: skip


def lines() -> Corpus:
    noise = np.random.default_rng(0)
    items = [[*noise.integers(97, 103, noise.integers(1, 24)), 256] for _ in range(12)]
    return Corpus("text", Sequences.of(items), np.arange(12) % 3)


def built(name: str, shape: Shape, train: Corpus, place: torch.device | str = "cpu") -> Any:
    """A debug model; a network's weights lie at `place`."""
    family = find("aigc_models.families", name)
    with seeded(1):
        model = family.build(family.SIZES["debug"], shape)
        if isinstance(model, Fits):
            model.fit(train, train, lambda *arguments, **figures: None)
            return model
        for parameter in model.parameters():  # some begin at zero, and say nothing
            parameter.data.add_(0.3 * torch.randn_like(parameter))
    return model.eval().to(place)


def of(modality: str, capability: type) -> list[str]:
    families = [name for name in names("aigc_models.families") if modality in find("aigc_models.families", name).MODALITIES]
    families = [name for name in families if name not in {"constant", *OUTSIDE}]  # asked other tasks, and somebody else
    shapes = {"text": TEXTS}
    return [name for name in families if modality not in shapes or isinstance(_debug(name, shapes[modality]), capability)]


def _debug(name: str, shape: Shape) -> Any:
    family = find("aigc_models.families", name)
    return family.build(family.SIZES["debug"], shape)


def near(one: Tensor, other: Tensor) -> bool:
    """Whether they lie at one place and are the same to rounding."""
    return one.device == other.device and torch.allclose(one.cpu().float(), other.cpu().float(), rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", of("text", Streams))
def test_symbols_are_asked_from_anywhere(name: str, elsewhere: torch.device) -> None:
    here, there, batch = built(name, TEXTS, lines()), built(name, TEXTS, lines(), elsewhere), lines().batch(np.arange(6))
    tokens = batch.values.clamp(min=0)
    expected, _ = here.extend(here.begin(batch.conditions), tokens)
    for place in ("cpu", elsewhere):
        state = there.begin(batch.conditions.to(place))
        said, state = there.extend(state, tokens[:, :5].to(place))
        assert near(said, expected[:, :5].to(place))
        said, state = there.advance(decoding.rows(state, torch.arange(6, device=place)), tokens[:, 5].to(place))
        assert near(said, expected[:, 5].to(place))
        assert near(there.log_likelihood(batch.to(place)), here.log_likelihood(batch).to(place))


def mixed(method: Any, place: torch.device | str) -> Any:
    members = {name: built(name, TEXTS, lines(), place) for name in ("ngram", "cache", "rnn", "transformer")}
    shares = dict.fromkeys(members, 0.25)
    quick = method.Settings(**{"steps": 2, "least": 0.0} if method is logistic else {"rounds": 3, "least": 0.0})
    fitted = method.fit(members, lines(), lines(), TEXTS, quick, 0, lambda *arguments, **figures: None)
    return fitted, method.build(members, shares, quick)


@torch.no_grad()
@pytest.mark.parametrize("method", [average, logistic])
def test_counts_and_networks_are_mixed(method: Any, elsewhere: torch.device) -> None:
    """Weights are learnt, items scored, drawn in a batch and in slots: as where all members are in one place."""
    (learnt_here, here), (learnt, there) = mixed(method, "cpu"), mixed(method, elsewhere)
    assert learnt.weights == pytest.approx(learnt_here.weights, abs=1e-3)
    batch = lines().batch(np.arange(9))
    for place in ("cpu", elsewhere):
        assert near(there.log_likelihood(batch.to(place)), here.log_likelihood(batch).to(place))
    card = Card(name="m", family="average", modality="text", format=TEXTS.format.model_dump(mode="json"), labels=LABELS,
                kind="ensemble", micro_batch=4)  # fmt: skip
    makers = [Generator(card, model, find("aigc_models.modalities", "text"), TEXTS.format) for model in (here, there)]
    drawn, again = (maker.generate(5, seed=5, prompt="ab", max_length=9) for maker in makers)
    assert drawn == again
    together = [maker.encoded(torch.zeros(3, dtype=torch.int64), torch.arange(3), together=3, max_length=5) for maker in makers]
    assert torch.equal(*together)
    scored = [maker.log_likelihood(["abc", "fed"]) for maker in makers]
    assert near(*scored)


def test_likelihoods_of_an_evaluation(elsewhere: torch.device) -> None:
    figures = []
    for place in ("cpu", elsewhere):
        _, ensemble = mixed(average, place)
        models = {"ensemble": ensemble, **ensemble.members, "baseline": ensemble.members["ngram"]}
        evidence = Evidence(lines(), lines(), lines(), TEXTS, models, {})
        figures.append(_likelihood.bits_of_all(_likelihood.scorers(evidence), evidence))
    assert set(figures[0]) == set(figures[1])
    for name, bits in figures[0].items():
        assert figures[1][name] == pytest.approx(bits, rel=1e-4), name
    assert _likelihood.item_bits(ensemble, lines()) == pytest.approx(figures[0]["ensemble"], rel=1e-4)


@pytest.mark.parametrize("name", of("image", Generates))
def test_pictures_are_asked_for_from_anywhere(name: str, digits: Any, elsewhere: torch.device) -> None:
    shape = replace(digits.shape, labels=("0", "1"))
    train = digits.train.take(np.flatnonzero(digits.train.conditions < 2)[:100])
    asked, seeds = torch.arange(4) % 3, torch.arange(4) + 7
    here, there = built(name, shape, train), built(name, shape, train, elsewhere)
    if isinstance(here, Generates):
        for place in ("cpu", elsewhere):
            assert near(there.generate(asked.to(place), seeds.to(place)), here.generate(asked, seeds).to(place))
    card = Card(name="p", family=name, modality="image", format=shape.format.model_dump(mode="json"),
                labels=shape.labels, micro_batch=4)  # fmt: skip
    modality = find("aigc_models.modalities", "image")
    makers = [Generator(card, model, modality, digits.shape.format) for model in (here, there)]
    contents = modality.decode(digits.test.batch(np.arange(3)).values, digits.shape.format)
    questions = {"classifies": "classify", "reconstructs": "reconstruct", "encodes": "embed"}
    for capability in set(makers[0].capabilities) & set(questions):
        one, other = (getattr(maker, questions[capability])(contents) for maker in makers)
        assert np.allclose(np.stack([*one]), np.stack([*other]), atol=1e-3 if capability != "reconstructs" else 1)
    if "denoises" in makers[0].capabilities:
        assert near(*(maker.denoised(maker.encode(contents), 0.3) for maker in makers))


def test_a_mixture_of_pictures(digits: Any, elsewhere: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "side_by_side", lambda work, parts: [work(part) for part in parts])  # it is of one thread
    train = digits.train.take(np.arange(200))
    made, learnt = [], []
    for place in ("cpu", elsewhere):
        members = {name: built(name, digits.shape, train, place) for name in ("gaussian_mixture", "vae", "gan")}
        ensemble = mixture.build(members, {"gaussian_mixture": 0.4, "vae": 0.3, "gan": 0.3}, mixture.Settings())
        made.append(ensemble.generate(torch.arange(10), torch.arange(10)))
        held = digits.validation.take(np.arange(32))
        quick = mixture.Settings(steps=2, most=32)
        learnt.append(mixture.fit(members, train, held, digits.shape, quick, 0, lambda *a, **k: None).weights)
    assert near(*made)
    assert learnt[0] == pytest.approx(learnt[1], abs=1e-3)


@pytest.mark.parametrize("name", of("series", Forecasts))
def test_futures_are_asked_for_from_anywhere(name: str, waves: Any, elsewhere: torch.device) -> None:
    here, there = built(name, waves.shape, waves.train), built(name, waves.shape, waves.train, elsewhere)
    batch, context = waves.test.batch(np.arange(4)), waves.shape.format.context
    past, levels, seeds = batch.values[..., :context], torch.tensor([0.1, 0.5]), torch.arange(4)
    for place in ("cpu", elsewhere):
        given = past.to(place), batch.conditions.to(place)
        if isinstance(here, Forecasts):
            assert near(there.forecast(*given, levels.to(place)), here.forecast(past, batch.conditions, levels).to(place))
            drawn = there.generate(given[1], seeds.to(place), past=given[0])
            assert near(drawn, here.generate(batch.conditions, seeds, past=past).to(place))
    card = Card(name="s", family=name, modality="series", format=waves.shape.format.model_dump(mode="json"), micro_batch=4)
    modality = find("aigc_models.modalities", "series")
    makers = [Generator(card, model, modality, waves.shape.format) for model in (here, there)]
    if "denoises" in makers[0].capabilities:
        assert near(*(maker.denoised(batch.values, 0.3) for maker in makers))


def test_futures_of_several(waves: Any, elsewhere: torch.device) -> None:
    made, scored = [], []
    batch, context = waves.test.batch(np.arange(6)), waves.shape.format.context
    for place in ("cpu", elsewhere):
        members = {name: built(name, waves.shape, waves.train, place) for name in ("linear", "forecaster", "series_vae")}
        held = waves.validation.take(np.arange(30))
        quantile_average.fit(members, waves.train, held, waves.shape, quantile_average.Settings(), 0, lambda *a, **k: None)
        ensemble = quantile_average.build(members, dict.fromkeys(members, 1.0), quantile_average.Settings())
        made.append(ensemble.generate(batch.conditions, torch.arange(6), past=batch.values[..., :context]))
        evidence = Evidence(waves.train, held, waves.test, waves.shape, {"ensemble": ensemble, **members}, {})
        scored.append({name: one.value for name, one in crps.measure(evidence).items()})
    assert near(*made)
    assert scored[1] == pytest.approx(scored[0], rel=1e-4)


def test_what_the_cpu_and_a_device_hold_is_not_mixed_in_silence(elsewhere: torch.device) -> None:
    """The simulated device refuses what a GPU would: else nothing here could fail."""
    away = torch.ones(2, device=elsewhere)
    assert (away + 1).device == elsewhere
    assert away.cpu().tolist() == [1, 1] == (away * torch.tensor(1.0)).tolist()
    with pytest.raises(RuntimeError, match="on the CPU"):
        away + torch.ones(2)
    with pytest.raises(RuntimeError, match="on the CPU"):
        torch.ones(2)[away.long()]
    with pytest.raises((RuntimeError, TypeError)):
        away.numpy()
    with pytest.raises(RuntimeError):
        nn.Linear(2, 2).to(elsewhere)(torch.ones(2))
    assert Batch(away, away).to("cpu").values.device.type == "cpu"
