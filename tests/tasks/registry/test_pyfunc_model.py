from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from aigc_models.bundle import Card, save
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import Damaged
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.modalities import image, series, text
from tasks.registry.bundles import resolve

LETTERS = ["anna and otto", "abba, anna, aha", "otto, abba and anna", "level noon radar"] * 4
SERVED = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/letters@challenger")
print(json.dumps(model.predict(pandas.DataFrame({"label": ["a"], "seed": [3]}))))
"""


def made(folder: Path, modality: str, family: str, contents: list, labels: tuple[str, ...]) -> Path:
    """A trained bundle of a plain family in its debug size."""
    plugin, plain = find("aigc_models.modalities", modality), find("aigc_models.families", family)
    layout, config = plugin.choose_format(contents), plain.SIZES["debug"]
    corpus = Corpus(modality, plugin.encode(contents, layout), np.arange(len(contents)) % len(labels))
    model = plain.build(config, Shape(modality, labels, layout))
    model.fit(corpus, corpus, lambda *args, **figures: None)
    card = Card(
        name=family, family=family, modality=modality, config=config.model_dump(), format=layout.model_dump(), labels=labels
    )
    save(folder, model, card.model_copy(update={"dataset": "made", "version": "v1"}))
    return folder


@pytest.fixture(scope="module")
def letters(registrar) -> Path:
    bundle = made(registrar.workspace.outputs / "ngram", "text", "ngram", LETTERS, ("a", "b"))
    registrar.register("letters", 1, bundle)
    return bundle


def load(registrar, name: str):
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(resolve(registrar.workspace, f"{name}@challenger").parents[1]))


def test_texts_are_those_of_the_generator(registrar, letters: Path) -> None:
    import pandas as pd

    rows = pd.DataFrame({"label": ["a", None, "b", "a"], "prompt": [None, "an", "an", ""], "seed": [3, 4, 5, 3]})
    texts = load(registrar, "letters").predict(rows)
    generator = Generator.load(letters)
    assert texts[0] == texts[3] == generator.generate(1, label="a", seed=3)[0]
    assert texts[1] == generator.generate(1, prompt="an", seed=4)[0]
    assert texts[2] == generator.generate(1, label="b", prompt="an", seed=5)[0]
    assert text.validate(texts[2]) is None


def test_only_the_seed_must_be_given(registrar, letters: Path) -> None:
    import pandas as pd

    assert len(load(registrar, "letters").predict(pd.DataFrame({"seed": [1, 2, 3]}))) == 3
    with pytest.raises(Exception, match="seed"):
        load(registrar, "letters").predict(pd.DataFrame({"label": ["a"]}))


def test_pictures_are_png_in_base64(registrar) -> None:
    import pandas as pd

    pictures = [np.random.default_rng(i).integers(0, 255, (8, 8, 1), dtype=np.uint8) for i in range(40)]
    bundle = made(registrar.workspace.outputs / "gaussian", "image", "gaussian_mixture", pictures, ("0", "1"))
    registrar.register("pictures", 1, bundle)
    (answer,) = load(registrar, "pictures").predict(pd.DataFrame({"label": ["1"], "seed": [7]}))
    assert np.array_equal(image.unpack(b64decode(answer)), Generator.load(bundle).generate(1, label="1", seed=7)[0])


def test_series_are_csv_after_the_newest_past(registrar, capable) -> None:
    import pandas as pd

    bundle = Path(shutil.copytree(capable["waves"], registrar.workspace.outputs / "waves"))
    registrar.register("waves", 1, bundle)
    answers = load(registrar, "waves").predict(pd.DataFrame({"seed": [7, 8, 7]}))
    assert answers[0] == answers[2] != answers[1]
    assert answers[0] == series.pack(Generator.load(bundle).generate(1, seed=7)[0]).decode()
    assert answers[0].startswith("time,height\n1989-09-18,")


def test_a_card_that_was_edited_is_not_loaded(registrar, letters: Path) -> None:
    registrar.register("edited", 1, letters)
    model = Path(
        shutil.copytree(resolve(registrar.workspace, "edited@challenger").parents[1], registrar.workspace.root / "copy")
    )
    card = next(model.rglob("bundle.json"))
    card.write_text(card.read_text().replace('"seed": 0', '"seed": 1'))
    import mlflow.pyfunc

    with pytest.raises(Damaged, match="is not what was registered"):
        mlflow.pyfunc.load_model(str(model))


@pytest.mark.slow
def test_the_registered_name_loads_in_an_interpreter_that_knows_no_project(registrar, letters: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": registrar.workspace.tracking_uri,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PYTHONPATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVED], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout) == [Generator.load(letters).generate(1, label="a", seed=3)[0]]
