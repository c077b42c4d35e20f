import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.encode import LATEST
from tasks.train.ensemble import EnsembleSettings, newest, options


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
