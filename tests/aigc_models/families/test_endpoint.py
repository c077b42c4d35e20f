import json
import threading

import numpy as np
import pytest
import torch
from jaxtyping import Float
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Fits, Outside, Stateful, capabilities
from aigc_models.errors import BadInput, Unreachable
from aigc_models.families import endpoint as family
from aigc_models.generator import Generator

BAD, GOOD = ("awful", "broken", "fails"), ("lovely", "splendid", "works")


def quiet(*args, **figures):
    return None


def mood(text):
    """What a person would say: of three texts in four, as figures are not understood."""
    return "bad" if any(word in text for word in BAD) else "good" if any(word in text for word in GOOD) else "neither"


def config(endpoint, **settings):
    return family.Config(url=endpoint.url, model="mind", **{"retries": 0, "shown": 60, "checked": 20, **settings})


def fitted(endpoint, moods, **settings):
    model = family.build(config(endpoint, **settings), moods.shape)
    return model, model.fit(moods.corpus(300, 0), moods.corpus(100, 1), quiet)


def test_what_its_answers_are_worth_is_counted_on_train_items(moods, endpoint):
    endpoint.answers(mood)
    model, loss = fitted(endpoint, moods)
    assert 1 < len(endpoint.requests) <= 80, "60 train and 20 validation items, the same text once"
    shares = np.exp(model.table)
    assert np.allclose(shares.sum(1), 1, atol=1e-5)
    assert shares[0, 0] > 0.8, "who is called bad is bad"
    assert shares[0, 0] > shares[2, 2], "figures, which it takes for neither, are none of the kind"
    assert 0.05 < loss < 0.7
    test = moods.corpus(200, 2, labelled=1.0)
    scores = model.classify(test.batch(np.arange(200)))
    assert isinstance(scores, Float[Tensor, "item label"])
    assert float((scores.argmax(1).numpy() == test.conditions).mean()) > 0.7  # figures aside


def test_log_probabilities_are_taken_where_they_come_along_and_made_as_sure_as_they_should_be(moods, endpoint):
    """It is right in three of four texts and says 0.999 each time."""

    def reply(body):
        text = body["messages"][0]["content"].partition("Text: ")[2]
        label, others = mood(text), [name for name in moods.shape.labels if name != mood(text)]
        return 200, endpoint.said(label, {label: np.log(0.999), **{other: np.log(0.0005) for other in others}})

    endpoint.reply = reply
    model, loss = fitted(endpoint, moods, shown=200)
    assert model.temperature > 1.5
    test = moods.corpus(200, 2, labelled=1.0)
    said = model.classify(test.batch(np.arange(200))).double().log_softmax(1).numpy()
    right = float((said.argmax(1) == test.conditions).mean())
    assert abs(np.exp(said.max(1)).mean() - right) < 0.1
    assert loss < 0.9


def test_prompts_say_the_labels_and_a_text_with_braces_stays_as_it_is(moods, endpoint):
    model = family.build(config(endpoint, prompt="{labels}: {text}"), moods.shape)
    model.client.ask([model._prompt("a {labels} {0} b")])
    assert endpoint.requests[0].body["messages"][0]["content"] == "bad, good, neither: a {labels} {0} b"


def test_who_is_silent_says_nothing_of_the_item_and_counts_it(moods, endpoint):
    endpoint.answers(mood)
    model, _ = fitted(endpoint, moods)
    endpoint.answers(lambda text: "who knows" if "awful" in text else mood(text))
    corpus = moods.corpus(100, 2, labelled=1.0)
    texts, _ = moods.written(100, 2)
    awful = np.array(["awful" in text for text in texts])
    scores = model.classify(corpus.batch(np.arange(100))).numpy()
    assert np.isnan(scores[awful]).all()
    assert np.isfinite(scores[~awful]).all()
    count, reason = model.unanswered()
    assert count == len({text for text in texts if "awful" in text})
    assert reason == "its answer names none of the labels, or several"
    assert model.unanswered()[0] == 0


@pytest.mark.parametrize("trouble", ["down", "slow", "nonsense", "wrong dialect"])
def test_who_is_of_no_use_at_training_is_no_member(moods, endpoint, trouble):
    release = threading.Event()
    if trouble == "down":
        endpoint.stop()
    elif trouble == "slow":
        endpoint.reply = lambda body: ((release.wait(30) and 200) or 200, endpoint.said("good"))
    elif trouble == "wrong dialect":
        endpoint.reply = lambda body: (200, {"answer": "good"})
    with pytest.raises(Unreachable, match=r"gave no label for 60 of 60 train texts: "):
        fitted(endpoint, moods, timeout=0.2)
    release.set()


def test_who_refuses_the_key_or_the_model_is_a_matter_of_the_settings(moods, endpoint):
    endpoint.reply = lambda body: (404, {"error": {"message": "no such model"}})
    with pytest.raises(BadInput, match=rf"{endpoint.url} model mind: it answers 404 Not Found: check the address"):
        fitted(endpoint, moods)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": "file:///etc/passwd"}, "http:// or https://"),
        ({"url": "http://me:s3cret@host/v1"}, "where secrets stand"),
        ({"url": "https://host/v1?api_key=s3cret"}, "where secrets stand"),
        ({"url": "http://host:99999/v1"}, "no address"),
        ({"url": "http://host/v1", "key_variable": "MOOD_API_KEY"}, "https:// alone"),
        ({"key_variable": "s3cret"}, "NAME of an environment variable"),
        ({"key_variable": "AWS_SECRET_ACCESS_KEY"}, "ends in API_KEY"),
        ({"prompt": "what is it?"}, "where the text stands"),
    ],
)
def test_settings_that_are_unsafe_are_refused_without_repeating_them(settings, reason):
    from tasks.train.members import MemberSettings, model_config

    with pytest.raises(ValidationError, match=reason):
        family.Config(**settings)
    with pytest.raises(BadInput, match=reason) as error:
        model_config(MemberSettings(family="endpoint", settings=settings))
    assert "s3cret" not in str(error.value)


def test_an_address_is_needed_and_it_classifies_alone(moods):
    with pytest.raises(BadInput, match="needs the settings url and model"):
        family.build(family.Config(), moods.shape)


def test_capabilities_and_a_bundle_without_a_secret(moods, endpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("MOOD_API_KEY", "s3cret-key")
    endpoint.answers(mood)
    settings = config(endpoint, key_variable="MOOD_API_KEY", shown=20)
    model = family.build(settings, moods.shape)
    model.fit(moods.corpus(100, 0), moods.corpus(50, 1), quiet)
    assert capabilities(model) == ("classifies",)
    assert all(isinstance(model, protocol) for protocol in (Fits, Stateful, Outside))
    other = family.build(settings, moods.shape)
    other.load_state_dict(load(save(dict(model.state_dict()))))
    batch = moods.corpus(10, 3).batch(np.arange(10))
    assert torch.equal(model.classify(batch), other.classify(batch))
    with pytest.raises(ValueError, match="of 3 labels"):
        other.load_state_dict({"table": torch.zeros(2, 2), "temperature": torch.tensor(1.0)})
    card = Card(name="mind", family="endpoint", modality="text", config=settings.model_dump(mode="json"), task="classify",
                format=moods.format.model_dump(mode="json"), labels=moods.shape.labels)  # fmt: skip
    card = bundle.save(tmp_path / "mind", model, card)
    assert card.outside == (f"{endpoint.url} model mind",)
    assert "s3cret-key" not in "".join(path.read_bytes().decode("latin1") for path in (tmp_path / "mind").rglob("*.*"))
    assert json.loads((tmp_path / "mind/bundle.json").read_text())["config"]["key_variable"] == "MOOD_API_KEY"
    loaded = Generator.load(tmp_path / "mind")
    endpoint.requests.clear()
    assert loaded.classify(["the tap is awful"]).argmax(1).tolist() == [0]
    assert len(endpoint.requests) == 1, "a batch is filled up with the same text, which is asked about once"
    assert endpoint.requests[0].headers["Authorization"] == "Bearer s3cret-key"
    endpoint.stop()
    with pytest.raises(Unreachable, match=r"mind gives no answer for 1 of 1 texts \(mind: it cannot be reached"):
        loaded.classify(["the tap is awful"])
