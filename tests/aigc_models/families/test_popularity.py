import numpy as np
import torch

from aigc_models.capabilities import capabilities
from aigc_models.corpus import Batch
from aigc_models.families import popularity


def test_it_says_how_often_items_come(fitted, strolls) -> None:
    model = fitted(popularity)
    said = model.recommend(Batch(torch.tensor([[3, 4], [-1, -1]]), torch.zeros(2, dtype=torch.int64))).exp()
    symbols = strolls.train.sequences.symbols
    counts = np.bincount(symbols[symbols < 41], minlength=41) + 0.5
    assert torch.allclose(said, torch.from_numpy(counts / counts.sum()).float().expand(2, -1))
    assert capabilities(model) == ("recommends",)
