import numpy as np
import torch

from aigc_models.corpus import Batch
from aigc_models.families import ease
from aigc_models.sequences import Sequences


def test_weights_solve_the_papers_problem(strolls) -> None:
    """Least squares with a ridge and no item from itself, column by column."""
    model = ease.build(ease.Config(strengths=(5.0,), decays=(1.0,)), strolls.shape)
    histories = Sequences.of([[1, 2, 3], [2, 3, 4, 0], [1, 4, 4], [3, 5]])
    weights = next(model.trials(histories))["weights"].numpy()
    held = np.zeros((4, 41))
    for row, symbols in enumerate(histories.rows()):
        held[row, symbols[symbols > 0]] = 1
    for item in (1, 4):
        others = [other for other in range(41) if other != item]
        inputs = held[:, others]
        expected = np.linalg.solve(inputs.T @ inputs + 5 * np.eye(40), inputs.T @ held[:, item])
        assert np.allclose(weights[others, item], expected, atol=1e-5)
        assert weights[item, item] == 0


def test_near_items_are_said_and_rare_ones_may_lie_beyond_the_table(fitted) -> None:
    model = fitted(ease, items=30)
    said = model.recommend(Batch(torch.tensor([[5, 6, 7], [35, 36, 38]]), torch.zeros(2).long()))
    assert {4, 8, 9} & set(said[0].argsort(descending=True)[:6].tolist())
    assert bool(said.isfinite().all())
