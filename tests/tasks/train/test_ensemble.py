import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.fingerprints.winnowing import hashes
from aigc_models.generator import Generator
from aigc_models.modalities import series, text
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.encode import LATEST
from tasks.train.ensemble import EnsembleSettings, build_ensemble, newest, options
from tasks.train.finetune import finetune
from tasks.train.members import MemberSettings


def test_unknown_method_is_named():
    with pytest.raises(BadInput, match="did you mean 'average'"):
        EnsembleSettings(method="averge")


def reference(workspace, *folders):
    return CorpusRef.to(
        workspace, *folders, dataset="d", modality="series", version="1", labels=("a", "b"), format={}, splits={"train": 1}
    )


def test_the_newest_past_of_each_series_comes_with_its_condition(tmp_path):
    workspace = Workspace(tmp_path)
    folders = [tmp_path / name for name in ("train", LATEST)]
    pasts = [series.Series(np.arange(3.0)[None] + at, ("x",), 86400.0 * at, "1D") for at in range(2)]
    for folder in folders:
        Corpus("series", np.zeros((2, 1, 3), np.float32), np.array([1, 0])).save(folder)
    for at, past in enumerate(pasts):
        (folders[1] / f"{at:05}.csv").write_bytes(series.pack(past))
    context = StageContext(tmp_path, workspace)
    latest = newest(reference(workspace, *folders), context)
    assert latest == [(series.pack(pasts[0]), 1), (series.pack(pasts[1]), 0)]
    assert newest(reference(workspace, folders[0]), context) == []


def test_drawn_items_bound_what_a_mixture_learns_from_and_nothing_else():
    assert options(EnsembleSettings(method="mixture", drawn=128)).most == 128
    assert options(EnsembleSettings(method="mixture", settings={"most": 64}, drawn=128)).most == 64
    assert options(EnsembleSettings(method="quantile_average", drawn=128)).most == 2000


def test_what_makes_texts_is_kept_from_repeating_its_train_split(tmp_path):
    workspace, format = Workspace(tmp_path), text.Format(length=64)
    lines = [f"the {number} swallows of spring are {number * 7919} miles away from the sea, they say" for number in range(12)]
    folders = [tmp_path / name for name in ("train", "validation", "test")]
    for folder, items in zip(folders, (lines, lines[:1], lines[1:2]), strict=True):
        Corpus("text", text.encode(items, format), np.zeros(len(items), np.int64)).save(folder)
    data = CorpusRef.to(workspace, *folders, dataset="d", modality="text", version="1", labels=(), format=format.model_dump(),
                        splits={"train": 12, "validation": 1, "test": 1})  # fmt: skip

    def here(name: str) -> StageContext:
        (tmp_path / name).mkdir()
        return StageContext(tmp_path / name, workspace)

    member = finetune.plain(data, None, MemberSettings(family="ngram", size="debug"), context=here("member"))
    ensemble = build_ensemble.plain(data, [member], EnsembleSettings(), context=here("ensemble"))
    folder = ensemble.path(workspace)
    runs = Generator.load(folder).runs
    assert runs is not None
    assert all(runs.hold(hashes(line)).any() for line in lines)
    assert Generator.load(folder, copy_guard=False).runs is None
    assert Generator.load(member.path(workspace)).runs is None, "only what is registered holds it"
