import json
from contextlib import nullcontext

import pytest
from typer.testing import CliRunner

from aigc_models.generator import Generator
from tasks.dataset import tables
from tasks.judge.heat_map import heat_map
from tasks.use.explain import nearest
from tasks.use.generate import identity_of


@pytest.fixture
def aigc(monkeypatch, tmp_path):
    from flows.command_line.app import app

    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))

    def run(bundle, *arguments):
        monkeypatch.setattr("tasks.registry.registry.located", lambda workspace, name: (bundle, identity_of(bundle)))
        return CliRunner().invoke(app, ["explain", "tales", *arguments])

    return run


def test_a_generated_text_is_explained_token_by_token(aigc, capable, tmp_path):
    (tmp_path / "tale.txt").write_text("The red zat")
    given = ("--input", str(tmp_path / "tale.txt"), "--label", "calm")
    (row,) = json.loads(aigc(capable["mind"], *given, "--json").stdout)["explained"]
    assert "".join(token["text"] for token in row["tokens"]) == "The red zat"
    least = min(row["tokens"], key=lambda token: token["probability"])
    assert (least["text"], least["start"], least["likeliest"]) == ("z", 8, "c")
    assert set(least["members"]) == {"ngram", "rnn"}
    assert row["nearest_training_text"] is None, "the data are not here"
    lines = aigc(capable["mind"], *given).stdout
    assert "at    8 'z': " in lines
    assert "rather 'c'" in lines


def test_who_makes_no_texts_and_no_decisions_is_not_explained(aigc, capable, tmp_path):
    (tmp_path / "tale.txt").write_text("The red cat")
    refused = aigc(capable["waves"], "--input", str(tmp_path / "tale.txt"))
    assert refused.exit_code == 2
    assert "cannot explain" in refused.stderr


def test_the_nearest_training_text_is_one_of_the_train_split(handmade, monkeypatch, capable):
    data = handmade("text", name="tales")
    texts = ["The old dog lay under a tree.", "A red cat sat on the mat.", "The red cat sat on a mat."]
    ids = data.add(texts)
    table = {"id": ids, "split": ["train", "train", "test"]}
    tables.write(data.clean.parent / "splits.parquet", dict.fromkeys(table, "string"), table)
    monkeypatch.setattr("tasks.version.reading.reading", lambda *arguments: nullcontext(data.clean.parent))
    (row,) = nearest(data.workspace, identity_of(capable["mind"]), ["The red cat sat on the mat."])
    assert (row["id"], row["text"]) == (ids[1], texts[1]), "that of the test split, which is nearer, was not learnt"
    assert 0 < row["distance"] < 1


def test_a_heat_map_marks_what_surprised(capable):
    mind = Generator.load(capable["mind"], "cpu")
    html = heat_map(mind, "The red <cat", "calm")
    assert html.count("<mark") == 12
    assert "&lt;</mark>" in html
    assert "ngram: " in html
    assert heat_map(Generator.load(capable["waves"], "cpu"), "a", None) == ""
