import errno
import fcntl
import json
import re
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.families import gaussian_mixture, ngram
from aigc_models.generator import Generator
from aigc_models.modalities import audio, events, image, series, text
from tasks.stage.execution import Stopped
from tasks.stage.references import ModelRef, RegisteredRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.use.generate import GenerationSettings, generate, generate_into, identity_of, write

ASKED = GenerationSettings(count=10, seed=7)
COMMAND = """
import sys, time
from pathlib import Path
from aigc_models.generator import Generator
from tasks.use.generate import GenerationSettings, generate_into, identity_of
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
def progress(done, total):
    print(done, flush=True)
    time.sleep(0.05)
generate_into(Generator.load(source), folder, GenerationSettings(count=40, seed=3), identity_of(source), progress)
"""


def built(folder, family, modality, name, contents, labels):
    """A bundle of `family` that learnt `contents`, whose labels alternate."""
    kind = image if modality == "image" else text
    form = kind.choose_format(contents)
    config = family.SIZES["debug"]
    card = Card(name=name, family=family.__name__.split(".")[-1], modality=modality, config=config.model_dump(mode="json"),
                format=form.model_dump(), labels=labels, dataset=name, version="d4ta", micro_batch=4)  # fmt: skip
    conditions = np.arange(len(contents)) % len(labels)
    corpus = Corpus(modality, kind.encode(contents, form), conditions)
    model = family.build(config, card.shape)
    model.fit(corpus, corpus, lambda *arguments, **figures: None)
    bundle.save(folder / name, model, card)
    return folder / name


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def squares(root):
    noise = np.random.default_rng(0)
    contents = [(noise.integers(0, 60, (4, 4, 1)) + 150 * (item % 2)).astype(np.uint8) for item in range(60)]
    return built(root, gaussian_mixture, "image", "squares", contents, ("dark", "light"))


@pytest.fixture(scope="module")
def tales(root):
    contents = [f"The {first} cat sat on the {last}.\n" for first in ("red", "old", "sly") for last in ("mat", "hat", "bed")]
    return built(root, ngram, "text", "tales", contents, ("calm", "wild"))


def made(source, folder, settings=ASKED, **options):
    return generate_into(Generator.load(source), folder, settings, identity_of(source), **options)


def lines_of(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_of_images(squares, tmp_path):
    assert made(squares, tmp_path / "out") == 10
    lines = lines_of(tmp_path / "out")
    assert [line["item"] for line in lines] == list(range(10))
    for line in lines:
        payload = (tmp_path / "out" / line["file"]).read_bytes()
        assert sha256(payload).hexdigest() == line["sha256"]
        assert line["ai_generated"] is True
        assert (line["model"], line["data_version"], line["seed"]) == ("squares", "d4ta", 7)
        picture = Image.open(tmp_path / "out" / line["file"])
        assert json.loads(picture.text["aigc"])["item"] == line["item"]
        assert (np.asarray(picture).mean() > 105) == (line["label"] == "light")
    assert {line["label"] for line in lines} == {"dark", "light"}


def test_items_are_those_of_the_generator(squares, tmp_path):
    made(squares, tmp_path / "out")
    expected = Generator.load(squares).generate(10, seed=7)
    for line, content in zip(lines_of(tmp_path / "out"), expected, strict=True):
        assert (np.asarray(Image.open(tmp_path / "out" / line["file"])) == content[:, :, 0]).all()


def test_texts_with_prompt_and_sampling(tales, tmp_path):
    settings = GenerationSettings(count=5, seed=1, prompt="The old", label="wild", sampling={"max_length": 40})
    made(tales, tmp_path / "out", settings)
    for line in lines_of(tmp_path / "out"):
        assert (tmp_path / "out" / line["file"]).read_text().startswith("The old")
        assert (line["prompt"], line["label"]) == ("The old", "wild")


def test_texts_that_are_held(tales, tmp_path):
    asked = {"regex": "[a-c]{3} [a-z]*", "logit_bias": {"97": 2}, "max_length": 20}
    made(tales, tmp_path / "out", GenerationSettings(count=5, seed=1, sampling=asked))
    texts = [(tmp_path / "out" / line["file"]).read_text() for line in lines_of(tmp_path / "out")]
    assert all(re.fullmatch("[a-c]{3} [a-z]*", text) for text in texts)
    with pytest.raises(BadInput, match="regex: unclosed group"):
        made(tales, tmp_path / "other", GenerationSettings(count=1, sampling={"regex": "("}))


def test_sounds_carry_their_label(capable, tmp_path):
    made(capable["tones"], tmp_path / "out", GenerationSettings(count=3, seed=2, label="high"))
    expected = Generator.load(capable["tones"]).generate(3, seed=2, label="high")
    for line, content in zip(lines_of(tmp_path / "out"), expected, strict=True):
        payload = (tmp_path / "out" / line["file"]).read_bytes()
        assert line["file"].endswith(".wav")
        assert np.array_equal(audio.read(payload, line["file"]).values, content.values)
        assert f'"item": {line["item"]}'.encode() in payload


def test_tunes_come_as_midi_abc_and_sound_too_and_what_is_damaged_is_made_again(capable, tmp_path):
    settings = GenerationSettings(count=5, seed=2)
    made(capable["jigs"], tmp_path / "out", settings)
    expected = Generator.load(capable["jigs"]).generate(5, seed=2)
    for line, content in zip(lines_of(tmp_path / "out"), expected, strict=True):
        stem = line["file"].removesuffix(".events")
        assert line["renderings"].keys() == {f"{stem}.mid", f"{stem}.abc", f"{stem}.wav"}
        for file, digest in line["renderings"].items():
            payload = (tmp_path / "out" / file).read_bytes()
            assert sha256(payload).hexdigest() == digest
            assert f'"item": {line["item"]}'.encode() in payload  # the label
        for kind in (".mid", ".abc"):
            back = events.read((tmp_path / "out" / f"{stem}{kind}").read_bytes(), f"x{kind}")
            assert (len(back), back.tempo, back.meter) == (len(events.read(events.pack(content), "x")), 90, (3, 4))
    before = files_of(tmp_path / "out")
    (tmp_path / "out" / "000003.abc").unlink()
    (tmp_path / "out" / "000004.wav").write_bytes(b"")
    assert made(capable["jigs"], tmp_path / "out", settings) == 2
    assert files_of(tmp_path / "out") == before


def test_histories_have_no_other_files(capable, tmp_path):
    made(capable["films"], tmp_path / "out", GenerationSettings(count=2))
    assert all("renderings" not in line for line in lines_of(tmp_path / "out"))
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".events", ".jsonl", ".json"}


def test_series_are_paths_after_the_newest_past(capable, tmp_path):
    answers = iter([False, True])
    with pytest.raises(Stopped):
        made(capable["waves"], tmp_path / "out", GenerationSettings(count=6, seed=2), stop=lambda: next(answers))
    made(capable["waves"], tmp_path / "out", GenerationSettings(count=6, seed=2))
    expected = Generator.load(capable["waves"]).generate(6, seed=2)
    paths = [series.read((tmp_path / "out" / line["file"]).read_bytes(), "x.csv") for line in lines_of(tmp_path / "out")]
    assert all(np.array_equal(path.values, one.values) for path, one in zip(paths, expected, strict=True))
    assert {path.stamps()[0] for path in paths} == {"1989-09-18"}


def test_again_makes_nothing(squares, tmp_path):
    made(squares, tmp_path / "out")
    before = files_of(tmp_path / "out")
    assert made(squares, tmp_path / "out") == 0
    assert files_of(tmp_path / "out") == before


def test_stopped_run_goes_on(squares, tmp_path):
    made(squares, tmp_path / "whole")
    answers = iter([False, True])
    with pytest.raises(Stopped, match="after 4 of 10"):
        made(squares, tmp_path / "out", stop=lambda: next(answers))
    assert made(squares, tmp_path / "out") == 6
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def cut_line(folder):
    manifest = folder / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-30])


def lose_file(folder):
    (folder / "000005.png").unlink()


def alter_file(folder):
    (folder / "000003.png").write_bytes(b"")


def leave_behind(folder):
    (folder / "000010.png.tmp").write_bytes(b"half")


def lose_manifest(folder):
    (folder / "manifest.jsonl").unlink()


@pytest.mark.parametrize("damage", [cut_line, lose_file, alter_file, leave_behind, lose_manifest])
def test_damage_is_mended(squares, tmp_path, damage):
    made(squares, tmp_path / "out")
    before = files_of(tmp_path / "out")
    damage(tmp_path / "out")
    made(squares, tmp_path / "out")
    assert files_of(tmp_path / "out") == before


@pytest.mark.slow
def test_killed_command_goes_on(squares, tmp_path):
    made(squares, tmp_path / "whole", GenerationSettings(count=40, seed=3))
    command = [sys.executable, "-c", COMMAND, str(squares), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) >= 12:
            break
    time.sleep(0.04)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(lines_of(tmp_path / "out")) < 40
    made(squares, tmp_path / "out", GenerationSettings(count=40, seed=3))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_other_settings_in_the_same_folder(squares, tmp_path):
    made(squares, tmp_path / "out")
    before = files_of(tmp_path / "out")
    with pytest.raises(BadInput, match=r"count 10 there, 12 now; seed 7 there, 8 now\); choose another --out"):
        made(squares, tmp_path / "out", GenerationSettings(count=12, seed=8))
    assert files_of(tmp_path / "out") == before


def test_folder_that_holds_something_else(squares, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty"):
        made(squares, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_commands_in_one_folder(squares, tmp_path):
    made(squares, tmp_path / "out")
    with (tmp_path / "out" / "manifest.jsonl").open("rb") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="another command is writing"):
            made(squares, tmp_path / "out")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_place_that_cannot_be_written(squares, tmp_path, monkeypatch, number):
    def fail(path, target):
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadInput, match=r"cannot write to .*choose another --out"):
        made(squares, tmp_path / "out")


def test_file_in_the_place_of_the_folder(squares, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BadInput, match="cannot write"):
        made(squares, tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"label": "lihgt"}, "did you mean 'light'"), ({"prompt": "A cat"}, "makes image"), ({"sampling": {"heat": 1}}, "heat")],
)
def test_what_the_model_cannot_do(squares, tmp_path, settings, message):
    with pytest.raises(BadInput, match=message):
        made(squares, tmp_path / "out", GenerationSettings(**settings))
    assert not list(tmp_path.iterdir())


def test_stage(squares, root):
    workspace = Workspace(root)
    reference = ModelRef.to(workspace, squares, name="squares", family="gaussian_mixture", modality="image", params=1)
    registered = RegisteredRef(model="shapes", version=3, run_id="r", bundle_sha256="s")
    context = StageContext(root / "stage", workspace)
    result = generate.plain(reference, ASKED, registered, context=context)
    assert result.count == 10
    assert result.intact(workspace)
    line = lines_of(result.path(workspace))[0]
    assert (line["model"], line["version"], line["bundle_sha256"]) == ("shapes", "3", "s")


@pytest.mark.parametrize("name", ["000000.png", "manifest.jsonl", "generation.json", "000001.png.tmp"])
def test_nothing_is_written_through_a_link(name, squares, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out" / name).symlink_to(tmp_path / "precious")
    with pytest.raises(BadInput, match=f"{name} is a link, and nothing is written through one"):
        generate_into(Generator.load(squares), tmp_path / "out", ASKED, identity_of(squares))
    assert (tmp_path / "precious").read_text() == "precious"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_a_link_that_is_put_there_meanwhile_is_replaced(tmp_path):
    (tmp_path / "precious").write_text("precious")
    for name in ("a", "a.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    write(tmp_path / "a", b"made")
    assert (tmp_path / "precious").read_text() == "precious"
    assert [(path.name, path.read_bytes(), path.is_symlink()) for path in tmp_path.glob("a*")] == [("a", b"made", False)]
