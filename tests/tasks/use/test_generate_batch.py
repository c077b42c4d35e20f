import json
import shutil

import pytest
import torch

from aigc_models.errors import BadInput
from tasks.stage.stage import StageContext
from tasks.use.generate_batch import BatchSettings, generate_batch


@pytest.fixture(scope="module")
def workspace(registrar, answering):
    """Where a model that generates is registered as `answers`."""
    folder = shutil.copytree(next(iter(answering.values())), registrar.workspace.outputs / "answers-bundle")
    registrar.register("answers", 1, bundle=folder, loss=0.5)
    return registrar.workspace


def batch(workspace, **settings):
    context = StageContext(workspace.outputs, workspace)
    return generate_batch.plain(BatchSettings.model_validate(settings), context=context), context


def test_a_batch_lies_in_the_workspace_and_says_who_made_it(workspace):
    wanted = {"model": "answers/1", "out": "batch", "generation": {"count": 3, "seed": 4}}
    made, context = batch(workspace, **wanted)
    lines = [json.loads(line) for line in (workspace.root / made.manifest).read_text().splitlines()]
    assert [(line["model"], line["version"], line["seed"]) for line in lines] == [("answers", "1", 4)] * 3
    assert all((workspace.root / "batch" / line["file"]).exists() for line in lines)
    assert context.figures["items"] == 3
    again, context = batch(workspace, **wanted)
    assert (again, context.figures["items"]) == (made, 0), "the second time there is nothing left to do"


def test_an_absolute_folder_is_taken_as_it_is(workspace, tmp_path):
    made, _ = batch(workspace, model="answers@challenger", out=str(tmp_path / "far"), generation={"count": 1})
    assert made.count == 1
    assert (tmp_path / "far" / "manifest.jsonl").exists()


def test_a_model_that_is_not_there_is_named(workspace):
    with pytest.raises(BadInput, match="answers"):
        batch(workspace, model="answer", out="nowhere")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that is asked for")
def test_a_device_that_is_not_there_is_refused_and_another_one_makes_the_same_batch(workspace):
    wanted = {"model": "answers/1", "out": "placed", "generation": {"count": 2, "device": "cpu"}}
    assert batch(workspace, **wanted)[0].count == 2
    with pytest.raises(BadInput, match="device 'cuda' is not on this machine; choose cpu"):
        batch(workspace, **wanted | {"generation": {"count": 2, "device": "cuda"}})
    _, context = batch(workspace, **wanted | {"generation": {"count": 2, "device": "auto"}})
    assert context.figures["items"] == 0
