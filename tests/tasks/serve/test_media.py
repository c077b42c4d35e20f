import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import openai
import pytest
import soundfile
import torch
from PIL import Image

from aigc_models.bundle import Card
from aigc_models.families import transformer
from aigc_models.generator import Generator
from aigc_models.modalities import audio, events, series
from tasks.use.provenance import SOURCE_TYPE


def tunes():
    """An untrained network of tunes."""
    torch.manual_seed(0)
    about = {"name": "tunes", "family": "transformer", "modality": "events", "labels": ("jig", "reel"), "micro_batch": 4}
    config, form = transformer.SIZES["debug"], events.Format(kind="notes", length=24, grid=2)
    card = Card(**about, format=form.model_dump(mode="json"), config=config.model_dump(), dataset="tunes", version="d4ta")
    card = card.model_copy(update={"capabilities": ("streams", "scores")})
    return Generator(card, transformer.build(config, card.shape).eval(), events, form)


@pytest.fixture(scope="module")
def address(start, answering, capable):
    bundles = {
        "squares": answering["squares"],
        "tales": answering["tales"],
        "tones": capable["tones"],
        "waves": capable["waves"],
        "jigs": capable["jigs"],
        "films": capable["films"],
    }
    return start(tunes=tunes(), **{name: Generator.load(folder) for name, folder in bundles.items()})


@pytest.fixture
def client(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def post(address, path, **body):
    return httpx.post(f"{address}{path}", json=body, timeout=30)


def pitch(sound):
    """The loudest frequency in Hz."""
    return np.abs(np.fft.rfft(sound.values[0])).argmax() * sound.rate / sound.values.shape[1]


def test_client_speaks(client, capable):
    answer = client.audio.speech.create(
        model="tones", input="high", voice="alloy", response_format="wav", extra_body={"seed": 4}
    )
    sound = audio.read(answer.content, "x.wav")
    assert sound.rate == 8000
    assert pitch(sound) == pytest.approx(1500, abs=100)
    (same,) = Generator.load(capable["tones"]).generate(1, label="high", seed=4)
    assert np.array_equal(sound.values, same.values)
    with soundfile.SoundFile(io.BytesIO(answer.content)) as file:
        label = json.loads(file.copy_metadata()["comment"])
    assert (label["model"], label["seed"], label["digital_source_type"]) == ("tones", 4, SOURCE_TYPE)
    heads = answer.response.headers
    assert heads["content-type"] == "audio/wav"
    assert [heads[f"x-{name}"] for name in ("aigc-model", "aigc-seed", "aigc-label", "ai-generated")] == [
        "tones",
        "4",
        "high",
        "true",
    ]
    low = client.audio.speech.create(model="tones", input="", voice="low")  # wav, where no format is asked for
    assert pitch(audio.read(low.content, "x.wav")) == pytest.approx(250, abs=100)


@pytest.mark.parametrize(
    ("form", "media", "rate"),
    [("flac", "audio/flac", 8000), ("mp3", "audio/mpeg", 8000), ("opus", "audio/ogg", None), ("ogg", "audio/ogg", 8000)],
)
def test_client_chooses_the_format(client, form, media, rate):
    answer = client.audio.speech.create(model="tones", input="high", voice="", response_format=form)
    assert answer.response.headers["content-type"] == media
    with soundfile.SoundFile(io.BytesIO(answer.content)) as file:
        assert rate in (None, file.samplerate)
        assert json.loads(file.copy_metadata()["comment"])["ai_generated"] is True
    assert pitch(audio.read(answer.content, f"x.{form}")) == pytest.approx(1500, abs=100)


def test_raw_samples_are_at_the_rate_that_clients_expect(client):
    raw = client.audio.speech.create(model="tones", input="high", voice="", response_format="pcm").content
    values = np.frombuffer(raw, "<i2").astype(np.float32)[None] / 32768
    assert pitch(audio.Sound(values, 24_000)) == pytest.approx(1500, abs=100)
    assert values.shape[1] == 1024 * 3


def test_items_of_every_modality(address, answering, capable):
    tale = post(address, "/v1/generate", model="tales", label="calm", prompt="The red", seed=3, n=2).json()
    assert [item["text"] for item in tale["data"]] == Generator.load(answering["tales"]).generate(
        2, label="calm", prompt="The red", seed=3
    )
    square = post(address, "/v1/generate", model="squares", seed=3, first=1).json()["data"][0]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(square["b64_json"]))))[:, :, None]
    (same,) = Generator.load(answering["squares"]).generate(1, seed=3, first=1)
    assert np.array_equal(picture, same)
    tone = post(address, "/v1/generate", model="tones", count=2, sampling={"temperature": 0}).json()
    sounds = [audio.read(base64.b64decode(item["b64_json"]), "x.wav") for item in tone["data"]]
    assert tone["data"][0]["suffix"] == ".wav"
    assert len(sounds) == 2
    assert tone["aigc"]["ai_generated"] is True


def test_tunes_are_drawn_in_slots_too(address):
    answer = post(
        address, "/v1/generate", model="tunes", label="jig", seed=3, n=6, sampling={"temperature": 0.8, "top_k": 40}
    ).json()
    expected = tunes().generate(6, label="jig", seed=3, temperature=0.8, top_k=40)
    assert [base64.b64decode(item["b64_json"]) for item in answer["data"]] == [events.pack(tune) for tune in expected]
    refused = post(address, "/v1/generate", model="tunes", prompt="la")
    assert refused.status_code == 400
    assert "cannot go on from a prompt" in refused.json()["error"]["message"]


def test_texts_are_the_same_over_every_path_and_whatever_rides_along(address, client, answering):
    """From Python, whole, as a stream and in a conversation, beside others with prompts and options of their own."""
    generator = Generator.load(answering["tales"])
    expected = [generator.generate(1, label="calm", prompt="The ", seed=seed)[0] for seed in range(6)]
    asked = {"model": "tales", "seed": 0, "extra_body": {"label": "calm"}}

    def whole(seed):
        return client.completions.create(**{**asked, "seed": seed}, prompt="The ", echo=True).choices[0].text

    def streamed(seed):
        parts = client.completions.create(**{**asked, "seed": seed}, prompt="The ", stream=True)
        return "The " + "".join(choice.text for part in parts for choice in part.choices)

    def chat(seed):
        messages = [{"role": "user", "content": "The "}]
        return "The " + client.chat.completions.create(**{**asked, "seed": seed}, messages=messages).choices[0].message.content

    def other(seed):
        asked = {"model": "tales", "prompt": "x" * 200 * (seed % 2), "n": 3, "temperature": 0.5, "frequency_penalty": 0.3}
        return httpx.post(f"{address}/v1/completions", json=asked, timeout=30).status_code

    with ThreadPoolExecutor(8) as threads:
        others = [threads.submit(other, seed) for seed in range(6)]
        for way in (whole, streamed, chat):
            assert list(threads.map(way, range(6))) == expected
        assert {each.result() for each in others} == {200}


def test_tunes_come_in_the_form_that_is_asked_for(address, capable):
    def items(**asked):
        return post(address, "/v1/generate", model="jigs", seed=3, n=2, **asked).json()["data"]

    expected = Generator.load(capable["jigs"]).generate(2, seed=3)
    plain = items()
    assert plain == items(format="events")
    assert [base64.b64decode(item["b64_json"]) for item in plain] == list(map(events.pack, expected))
    for name, field in (("mid", "format"), ("abc", "response_format")):
        for item, content in zip(items(**{field: name}), expected, strict=True):
            payload = item["text"].encode() if name == "abc" else base64.b64decode(item["b64_json"])
            back = events.read(payload, f"x.{name}")
            assert (item["suffix"], back.tempo, back.meter) == (f".{name}", 90, (3, 4))
            assert sorted(back.values.tolist()) == sorted(content.values.tolist())
            assert b'"ai_generated": true' in payload
    for item in items(format="wav"):
        with soundfile.SoundFile(io.BytesIO(base64.b64decode(item["b64_json"]))) as file:
            assert (file.samplerate, file.channels) == (24_000, 1)
            assert json.loads(file.copy_metadata()["comment"])["item"] == item["item"]
    assert post(address, "/v1/generate", model="squares", format="png").status_code == 200


def test_series_go_on_from_what_is_known_or_given(address, capable):
    waves = Generator.load(capable["waves"])
    answer = post(address, "/v1/generate", model="waves", seed=5, n=3)
    items = answer.json()["data"]
    assert answer.headers["x-aigc-seed"] == "5"
    same = waves.generate(3, seed=5)
    assert [item["points"]["values"]["height"] for item in items] == [one.values[0].tolist() for one in same]
    assert items[0]["points"]["times"][0] == "1989-09-18"
    assert series.read(items[1]["text"].encode(), "x.csv").channels == ("height",)
    days = [f"2020-01-{day:02}" for day in range(1, 31)]
    past = {"times": days, "values": {"height": [10 + at % 3 for at in range(30)]}}
    mine = post(address, "/v1/generate", model="waves", seed=5, past=past).json()["data"][0]
    table = "time,height\n" + "".join(f"{day},{10 + at % 3}\n" for at, day in enumerate(days))
    assert post(address, "/v1/generate", model="waves", seed=5, past=table).json()["data"][0] == mine
    assert mine["points"]["times"][0] == "2020-01-31"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/audio/speech", {"input": "hihg"}, "did you mean 'high'"),
        ("/v1/audio/speech", {"model": "squares", "input": ""}, "makes image; those that make audio: tones"),
        ("/v1/audio/speech", {"input": "low", "response_format": "aac"}, "'aac' is not supported here; supported: wav, flac"),
        ("/v1/audio/speech", {"input": "low", "speed": 2}, "speed"),
        ("/v1/generate", {"n": 2}, "say which model; those that can do that (generates or streams)"),
        ("/v1/generate", {"model": "tones", "prompt": "la"}, "prompt: tones makes audio"),
        ("/v1/generate", {"model": "tones", "n": 65}, "n: "),
        ("/v1/generate", {"model": "tones", "sampling": {"warmth": 1}}, "unknown sampling option 'warmth'"),
        ("/v1/generate", {"model": "tones", "past": "time,a\n1,2\n"}, "past: tones makes audio, which has none"),
        ("/v1/generate", {"model": "waves", "past": "time,a\n1,2\n2,3\n"}, "24 are needed"),
        ("/v1/generate", {"model": "waves", "past": {"values": {"a": [1], "b": []}}}, "one length; here: a 1, b 0"),
        ("/v1/generate", {"model": "waves", "past": "no table"}, "past[0]: "),
        ("/v1/generate", {"model": "tales", "prompt": "x" * 800}, "leaves no room"),
        ("/v1/generate", {"model": "squares", "format": "wav"}, "format: squares makes png, not 'wav'; leave it out"),
        ("/v1/generate", {"model": "jigs", "format": "mp3"}, "cannot be 'mp3'; it can be: events, mid, abc, wav"),
        ("/v1/generate", {"model": "films", "format": "wav"}, "item 0 cannot be 'wav'; it can be: events"),
    ],
)
def test_refusals(address, path, body, message):
    answer = post(address, path, **body)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]["message"]
