import numpy as np

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.families import tfidf
from aigc_models.generator import Generator
from aigc_models.modalities import text
from tasks.judge.answers import multilabel

FORMAT, LABELS = text.Format(length=64), ("<money>", "north")


def corpus(written, targets):
    values = text.encode(written, FORMAT)
    return Corpus("text", values, np.full(len(written), 2), np.array(targets, np.float32).reshape(-1, 2))


def test_a_report_shows_how_well_each_label_is_told_and_what_is_wrong_of_an_item(tmp_path):
    config = tfidf.SIZES["debug"]
    model = tfidf.build(config, Shape("text", LABELS, FORMAT, "multilabel"))
    taught = corpus(["profit rose", "Oslo", "profit in Oslo", "nothing"] * 10, [[1, 0], [0, 1], [1, 1], [0, 0]] * 10)
    model.fit(taught, taught, lambda *args, **figures: None)
    about = {"task": "multilabel", "labels": LABELS, "format": FORMAT.model_dump(), "config": config.model_dump(mode="json")}
    bundle.save(tmp_path / "bundle", model, Card(name="news", family="tfidf", modality="text", **about))
    generator = Generator.load(tmp_path / "bundle", "cpu")
    test = corpus(["profit rose in Oslo", "profit rose", "Oslo", "a plant"], [[1, 1], [0, 1], [0, 1], [np.nan, np.nan]])
    first, *shown = multilabel.answers(generator, test, 4, tmp_path)
    assert (first["file"], first["html"]) == ("labels.svg", (tmp_path / "labels.svg").read_text())
    assert "&lt;money&gt;: precision 50%, recall 100%" in first["html"]
    assert [one["note"] for one in shown] == ["missing: north; too many: <money>", "right", "right"]
    assert (shown[0]["label"], (tmp_path / shown[0]["file"]).read_text()) == ("<money>", "profit rose")
    assert multilabel.answers(generator, corpus([], []), 4, tmp_path) == []
