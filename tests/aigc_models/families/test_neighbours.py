import numpy as np
import torch

from aigc_models.corpus import Batch
from aigc_models.families import neighbours


def test_places_see_what_lies_before_and_behind_them(strolls) -> None:
    model = neighbours.build(neighbours.Config(window=2, ahead=2), strolls.shape)
    model.state = {"symbols": torch.tensor([1, 2, 3, 4, 5]), "starts": torch.tensor([0, 3, 5])}
    model.state |= {name: torch.tensor([0.5]) for name in ("decay", "onward")}
    behind, ahead = (table.toarray() for table in model.places())
    assert np.allclose(behind[[2, 1], 2], np.array([1, 0.5]) / np.hypot(1, 0.5))  # before the third event: 2, and 1 before it
    assert behind[:, 3].sum() == 0  # nothing lies before the first one of the second history
    assert ahead[1, [2, 3]].tolist() == [1, 0.5]
    assert ahead[2].nonzero()[0].tolist() == [3]  # nor does it speak of another history's


def test_two_items_say_more_than_one(fitted, strolls) -> None:
    model = fitted(neighbours)
    batch = Batch(torch.tensor([[5, 6, 7], [10, 11, 12]]), torch.zeros(2).long())
    said = model.recommend(batch)
    assert said.argmax(1).tolist() == [8, 13]
    other = neighbours.build(neighbours.SIZES["debug"], strolls.shape)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.recommend(batch), said)
    other.load_state_dict(model.state_dict() | {"symbols": model.state["symbols"].flip(0)})
    assert not torch.equal(other.recommend(batch), said)  # tables are those of the state
