"""On a truth that is simulated: calibrated, no worse than the best member, and for a single member the best temperature."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from aigc_models import bundle
from aigc_models.capabilities import Shape, capabilities
from aigc_models.card import Card
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import opinion_pool
from aigc_models.ensembles.opinion_pool import Settings
from aigc_models.errors import Unreachable
from aigc_models.families import tfidf, word_cnn
from aigc_models.generator import Generator
from aigc_models.metrics.expected_calibration_error import calibration_error
from aigc_models.modalities import image, text

ITEMS, LABELS = 4000, 3
SHAPE = Shape("image", ("a", "b", "c"), image.Format(height=1, width=2, channels=1), "classify")


class Says:
    """Gives each item the scores in its row; an item is a picture of two pixels, which are its number."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = torch.from_numpy(table).float()

    def classify(self, batch: Batch) -> torch.Tensor:
        low, high = ((batch.values[:, 0, 0, at] + 1) * 127.5 for at in (0, 1))
        return self.table[(low + 256 * high).round().long()]


class Network(torch.nn.Module):
    """The same as a network with a weight."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.says, self.weight = Says(table), torch.nn.Parameter(torch.ones(1))

    def classify(self, batch: Batch) -> torch.Tensor:
        return self.weight * self.says.classify(batch)


@pytest.fixture(scope="module")
def world() -> tuple[dict[str, object], Corpus, Corpus]:
    """Two members that each see a part of what decides, one three times too sure; validation and test."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, ITEMS, LABELS))
    truth = (softmax(1.5 * first + 1.5 * second, axis=1).cumsum(1) < random.random((ITEMS, 1))).sum(1)
    numbers = np.arange(ITEMS)
    pictures = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8).reshape(ITEMS, 1, 1, 2)
    whole = Corpus("image", pictures, truth)
    members = {"first": Says(3 * first), "second": Network(second), "noise": Says(random.normal(size=(ITEMS, LABELS)))}
    return members, whole.take(np.arange(400)), whole.take(np.arange(400, ITEMS))


def fitted(members: dict[str, object], held: Corpus, settings: Settings | None = None) -> opinion_pool.OpinionPool:
    return opinion_pool.fit(members, held, held, SHAPE, settings or Settings(), 0, lambda *args: None)


def said(model: object, test: Corpus) -> np.ndarray:
    return log_softmax(model.classify(test.batch(np.arange(len(test)))).detach().double().numpy(), axis=1)


def nats(logs: np.ndarray, truth: np.ndarray) -> float:
    return float(-logs[np.arange(len(truth)), truth].mean())


def test_better_than_each_member_and_calibrated(world) -> None:
    members, held, test = world
    pool = fitted(members, held)
    logs = said(pool, test)
    loss = nats(logs, test.conditions)
    assert loss < min(nats(said(member, test), test.conditions) for member in members.values()) - 0.1
    equal = opinion_pool.build(members, dict.fromkeys(members, 1.0), Settings())
    assert loss < nats(said(equal, test), test.conditions) - 0.05
    right = (logs.argmax(1) == test.conditions).astype(float)
    assert calibration_error(np.exp(logs.max(1)), right) < 0.03
    assert abs(sum(pool.weights.values()) - 1) < 1e-9
    assert pool.weights["noise"] < 0.1


def test_never_worse_than_the_best_member_where_the_others_know_nothing(world) -> None:
    members, held, test = world
    random = np.random.default_rng(1)
    useless = {f"noise {at}": Says(random.normal(size=(ITEMS, LABELS))) for at in range(4)}
    pool = fitted({"first": members["first"], **useless}, held.take(np.arange(100)))
    alone = fitted({"first": members["first"]}, held.take(np.arange(100)))
    assert nats(said(pool, test), test.conditions) < nats(said(alone, test), test.conditions) + 0.02


def test_a_single_member_is_scaled_by_the_best_temperature(world) -> None:
    members, held, _ = world
    pool = fitted({"first": members["first"]}, held, Settings(biases=(False,)))
    logs = said(members["first"], held)
    best = minimize_scalar(lambda scale: nats(log_softmax(scale * logs, axis=1), held.conditions), (0.1, 1.0)).x
    assert abs(pool.settings.scale - best) < 1e-3
    assert pool.weights == {"first": 1.0}
    assert pool.settings.bias == ()


def test_labels_that_a_member_holds_for_too_rare_get_a_bias(world) -> None:
    members, held, test = world
    tilted = {"first": Says(members["first"].table.numpy() / 3 + [3.0, 0.0, 0.0])}
    pool, plain = fitted(tilted, held), fitted(tilted, held, Settings(biases=(False,)))
    assert pool.settings.bias[0] < min(pool.settings.bias[1:])
    assert nats(said(pool, test), test.conditions) < nats(said(plain, test), test.conditions) - 0.1


def test_is_built_again_from_weights_and_settings(world) -> None:
    members, held, test = world
    pool = fitted(members, held)
    again = opinion_pool.build(members, pool.weights, Settings.model_validate_json(pool.settings.model_dump_json()))
    batch = test.batch(np.arange(50))
    assert torch.allclose(again.classify(batch), pool.classify(batch))
    assert capabilities(pool) == ("classifies",)


def test_an_impossible_label_is_no_veto_and_items_without_label_teach_nothing(world) -> None:
    members, held, test = world
    table = members["first"].table.numpy() / 3
    table[:, 2] = -np.inf
    extra = Corpus("image", held.values, np.where(np.arange(len(held)) % 2, held.conditions, LABELS))
    pool = fitted({"deaf": Says(table), "second": members["second"]}, extra)
    logs = said(pool, test)
    assert np.isfinite(logs).all()
    half = extra.take(np.flatnonzero(extra.conditions < LABELS))
    assert fitted({"deaf": Says(table), "second": members["second"]}, half).weights == pool.weights


def test_too_few_validation_items_leave_equal_weights(world) -> None:
    members, held, _ = world
    pool = fitted(members, held.take(np.arange(3)))
    assert set(pool.weights.values()) == {1 / 3}
    assert pool.settings == Settings()


def test_a_pool_of_counts_and_a_network_is_a_bundle_that_classifies_texts(tmp_path) -> None:
    texts = [f"{word} thing number {at}" for at in range(20) for word in ("good", "bad")]
    form = text.Format(length=64)
    corpus = Corpus("text", text.encode(texts, form), np.arange(40) % 2)
    shape = Shape("text", ("good", "bad"), form, "classify")
    card = {"modality": "text", "format": form.model_dump(), "labels": shape.labels, "task": "classify"}
    members, folders = {}, {}
    for name, family in {"tfidf": tfidf, "word_cnn": word_cnn}.items():
        torch.manual_seed(0)
        members[name] = family.build(family.SIZES["debug"], shape)
        folders[name] = tmp_path / name
    members["tfidf"].fit(corpus, corpus, lambda *args, **figures: None)
    members["word_cnn"].eval()
    for name, family in {"tfidf": tfidf, "word_cnn": word_cnn}.items():
        own = Card(name=name, family=name, config=family.SIZES["debug"].model_dump(mode="json"), **card)
        bundle.save(folders[name], members[name], own)
    pool = opinion_pool.fit(members, corpus, corpus, shape, Settings(), 0, lambda *args: None)
    config = pool.settings.model_dump(mode="json")
    whole = Card(kind="ensemble", name="all", family="opinion_pool", config=config, weights=pool.weights, **card)
    bundle.save(tmp_path / "all", pool, whole, members=folders)
    loaded = Generator.load(tmp_path / "all", "cpu")
    assert "classifies" in loaded.capabilities
    expected = torch.from_numpy(np.exp(said(pool, corpus))).float()
    assert torch.allclose(loaded.classify(texts), expected, atol=1e-5)
    assert (loaded.classify(texts).argmax(1).numpy() == corpus.conditions).all()


def test_where_a_member_says_nothing_the_others_have_its_weight_too(world):
    members, _, test = world
    batch = test.batch(np.arange(6))
    scores = {name: member.classify(batch).detach() for name, member in members.items()}
    pool = opinion_pool.build(members, {"first": 0.5, "second": 0.3, "noise": 0.2}, Settings(scale=1.7, bias=(0.1, 0.0, -0.1)))
    whole = pool.combined(scores)
    scores["first"][2], scores["noise"][4] = torch.nan, torch.nan
    for name in scores:
        scores[name][5] = torch.nan
    said = pool.combined(scores)
    assert torch.equal(said[[0, 1, 3]], whole[[0, 1, 3]])
    rest = opinion_pool.build(
        {name: members[name] for name in ("second", "noise")}, {"second": 0.3, "noise": 0.2}, pool.settings
    )
    assert torch.allclose(said[2], rest.combined(scores)[2])
    assert said[5].isnan().all(), "nobody says anything"
    assert said[4].exp().sum().item() == pytest.approx(1)


def test_weights_are_learned_where_everybody_speaks_and_not_of_who_is_silent_of_most(world):
    members, held, _ = world
    table = members["first"].table.clone()
    table[:100] = torch.nan  # of 400
    pool = fitted({**members, "first": Says(table.numpy())}, held)
    expected = fitted(members, held.take(np.arange(100, 400)))
    assert pool.weights == pytest.approx(expected.weights)
    table[:300] = torch.nan
    with pytest.raises(Unreachable, match="member first did not answer for 300 of 400 validation items"):
        fitted({**members, "first": Says(table.numpy())}, held)
