import json
from hashlib import sha256

import numpy as np
import pytest

from aigc_models.generator import Generator
from tasks.stage.execution import Stopped
from tasks.use.arrivals.answers import Responder, seed_of
from tasks.use.generate import identity_of


@pytest.fixture
def ask(answering, tmp_path):
    """Answer a file's text with a toy model; what `answer.json` says."""

    def answer(text, name="a.jsonl", model="squares", folder="answer", **options):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        source = answering[model]
        manifest = Responder(Generator.load(source), identity_of(source)).answer(text.encode(), name, place, **options)
        assert json.loads((place / "answer.json").read_bytes()) == manifest
        return manifest, place

    return answer


def test_each_row_is_answered_with_labelled_items(ask):
    manifest, place = ask('{"label": "light", "count": 3, "seed": 5}\n"dark"\n')
    assert (manifest["ok"], manifest["input"], [row["row"] for row in manifest["rows"]]) == (True, "a.jsonl", [1, 2])
    light, dark = manifest["rows"]
    assert [item["label"] for item in light["items"] + dark["items"]] == ["light"] * 3 + ["dark"]
    for item in light["items"] + dark["items"]:
        payload = (place / item["file"]).read_bytes()
        assert sha256(payload).hexdigest() == item["sha256"]
        assert item["ai_generated"] is True
    assert {path.name for path in place.iterdir()} == {item["file"] for row in manifest["rows"] for item in row["items"]} | {
        "answer.json"
    }


def test_items_are_those_that_the_generator_makes_of_the_seed(ask, answering):
    manifest, place = ask('{"label": "dark"}\n{"label": "light", "count": 5, "seed": 9}\n{"seed": 4}')
    from PIL import Image

    generator = Generator.load(answering["squares"])
    for row, content in zip(manifest["rows"][1]["items"], generator.generate(5, label="light", seed=9), strict=True):
        assert (np.asarray(Image.open(place / row["file"])) == content[:, :, 0]).all()
    drawn = manifest["rows"][2]["items"][0]
    assert (np.asarray(Image.open(place / drawn["file"])) == generator.generate(1, seed=4)[0][:, :, 0]).all()


def test_a_prompt_a_line_goes_on_as_text(ask):
    manifest, place = ask("The old\nThe sly\n", "wishes.txt", "tales")
    texts = [(place / row["items"][0]["file"]).read_text() for row in manifest["rows"]]
    assert [text[:7] for text in texts] == ["The old", "The sly"]


def test_the_same_file_gets_the_same_bytes_and_another_name_others(ask):
    first, one = ask('{"count": 9}', folder="one")
    again, two = ask('{"count": 9}', folder="two")
    other, _ = ask('{"count": 9}', name="b.jsonl", folder="three")
    assert first == again
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {path.name: path.read_bytes() for path in two.iterdir()}
    assert first["rows"][0]["items"][0]["seed"] == seed_of("a.jsonl", 1, 0) != other["rows"][0]["items"][0]["seed"]


@pytest.mark.parametrize(
    ("row", "model", "field", "message"),
    [
        ('{"label": "lihgt"}', "squares", "label", "did you mean 'light'"),
        ('{"prompt": "A cat"}', "squares", "prompt", "makes image"),
        ('{"sampling": {"heat": 1}}', "squares", "sampling", "heat"),
        ('{"count": 9999, "label": "dark"}\n{"count": 2}', "squares", "count", "more than 10 items"),
        ('{"sampling": {"temperature": -1}}', "tales", "", "temperature"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why_and_the_others_are(ask, monkeypatch, row, model, field, message):
    monkeypatch.setattr("tasks.use.arrivals.answers.MOST", 10 if field == "count" else 10_000)
    answer, _ = ask(f'{{"seed": 1}}\n{row.replace("9999", "9")}\n', model=model)
    good, bad = answer["rows"][0], answer["rows"][-1]
    assert len(good["items"]) == 1
    assert answer["ok"] is False
    assert bad["error"]["file"] == "a.jsonl"
    assert (bad["error"]["row"], bad["error"]["field"]) == (bad["row"], field)
    assert message in bad["error"]["message"]


def test_a_fault_in_the_model_is_an_answer_too(ask, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(Generator, "encoded", broken)
    manifest, place = ask('"dark"')
    assert manifest["rows"][0]["error"]["message"] == "RuntimeError: out of luck"
    assert [path.name for path in place.iterdir()] == ["answer.json"]


def test_told_to_stop_it_ends_between_two_batches(ask):
    answers = iter([False, True])
    with pytest.raises(Stopped):
        ask('{"count": 12}', stop=lambda: next(answers))
