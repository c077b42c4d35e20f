from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from aigc_models.capabilities import Player
from aigc_models.training.optimisers import AdamW, Average, Muon, Optimiser, factor, orthogonal


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))


def loss(net: nn.Module, step: int) -> Tensor:
    return (net(torch.randn(4, 5, generator=torch.Generator().manual_seed(step))) - 1).square().mean()


def player(net: nn.Module) -> Player:
    return Player("one", list(net.parameters()), lambda batch: torch.zeros(()), betas=(0.8, 0.95), weight_decay=0.3)


def advance(net: nn.Module, optimiser: AdamW, steps: range) -> None:
    for step in steps:
        net.zero_grad()
        loss(net, step).backward()
        optimiser.step(0.01)


def test_it_is_torchs_adamw() -> None:
    net, reference = network(), network()
    advance(net, AdamW(player(net)), range(20))
    groups = [
        {"params": [p for p in reference.parameters() if p.ndim >= 2], "weight_decay": 0.3},
        {"params": [p for p in reference.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    expected = torch.optim.AdamW(groups, lr=0.01, betas=(0.8, 0.95))
    for step in range(20):
        expected.zero_grad()
        loss(reference, step).backward()
        expected.step()
    for parameter, other in zip(net.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(parameter, other, atol=1e-6)


def test_its_state_can_be_kept_and_put_back() -> None:
    whole, first = network(), network()
    advance(whole, AdamW(player(whole)), range(8))
    before = AdamW(player(first))
    advance(first, before, range(5))
    second = network()
    second.load_state_dict(first.state_dict())
    after = AdamW(player(second))
    after.load({name: tensor.clone() for name, tensor in before.tensors().items()})
    advance(second, after, range(5, 8))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_parameters_without_a_gradient_stay() -> None:
    net = network()
    before = net[2].weight.clone()
    optimiser = AdamW(player(net))
    net[0](torch.ones(1, 5)).sum().backward()
    optimiser.step(0.1)
    assert torch.equal(net[2].weight, before)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.1, 1, 1, 1]),
        ("cosine", [0.1, 1, 0.5, 0]),
        ("trapezoid", [0.1, 1, 1, 0]),
        ("linear", [0.1, 1, 0.5, 0]),
    ],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    rates = [factor(schedule, step, 110, warmup=10 / 110) for step in (0, 10, 60, 109)]
    assert rates == pytest.approx(expected, abs=0.04)
    assert all(0 < factor(schedule, step, total, 0.05) <= 1 for total in (1, 2, 30) for step in range(total))


def test_an_average_follows_slowly_and_is_applied_without_copies() -> None:
    weight = nn.Parameter(torch.zeros(2))
    average = Average([("weight", weight)], decay=0.5)
    with torch.no_grad():
        weight.fill_(1.0)
    average.update(100)
    assert average.weights["weight"].tolist() == [0.5, 0.5]
    with average.applied():
        assert weight.tolist() == [0.5, 0.5]
    assert weight.tolist() == [1.0, 1.0]


def test_without_a_decay_there_is_no_average() -> None:
    weight = nn.Parameter(torch.zeros(2))
    average = Average([("weight", weight)], decay=0)
    average.update(1)
    with average.applied():
        assert weight.tolist() == [0.0, 0.0]
    assert not average.weights


def test_rows_of_a_table_move_as_adams_do_where_they_have_a_gradient_and_the_others_stay() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(6, 3, sparse=True)
    before, dense = table.weight.detach().clone(), nn.Parameter(table.weight.detach()[2].clone())
    optimiser = AdamW(Player("one", list(table.parameters()), lambda batch: torch.zeros(()), betas=(0.8, 0.95)))
    expected = torch.optim.Adam([dense], lr=0.01, betas=(0.8, 0.95))
    for step in range(5):
        table.weight.grad = None
        (table(torch.tensor([2, 4, 2]))[[0, 2]].sum(0) * (step - 1)).square().sum().backward()
        optimiser.step(0.01)
        expected.zero_grad()
        (2 * dense * (step - 1)).square().sum().backward()
        expected.step()
    assert torch.allclose(table.weight[2], dense, atol=1e-6)
    assert torch.equal(table.weight[[0, 1, 3, 5]], before[[0, 1, 3, 5]])
    again = AdamW(Player("one", list(table.parameters()), lambda batch: torch.zeros(()), betas=(0.8, 0.95)))
    again.load(optimiser.tensors())
    assert torch.equal(again.steps[0], optimiser.steps[0])


@pytest.mark.parametrize("shape", [(8, 8), (24, 6), (5, 20)])
def test_orthogonal_keeps_the_directions_and_evens_their_sizes(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    even = orthogonal(matrix[None], Muon.ITERATIONS, Muon.WEIGHTS)[0]
    sizes = torch.linalg.svdvals(even)
    assert ((sizes > 0.5) & (sizes < 1.3)).all()
    assert float((even * (left @ right)).sum()) > 0.8 * min(shape)


def test_matrices_are_muons_and_the_rest_is_adams() -> None:
    net = network()
    one = Player("one", list(net.parameters()), lambda batch: torch.zeros(()), matrices=[net[0].weight])
    optimiser, before = Optimiser(one), [parameter.detach().clone() for parameter in net.parameters()]
    assert [len(optimiser.muon.learnt), len(optimiser.adamw.learnt)] == [1, 3]
    loss(net, 0).backward()
    optimiser.step(0.0, 0.1)
    moved = [not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True)]
    assert moved == [True, False, False, False]
    step = net[0].weight - before[0]
    assert torch.linalg.svdvals(step.detach())[0] == pytest.approx(0.1 * (7 / 5) ** 0.5, rel=0.4)


def test_the_clip_is_over_all_gradients_sparse_ones_too() -> None:
    table, weight = nn.Embedding(4, 2, sparse=True), nn.Parameter(torch.ones(2))
    optimiser = Optimiser(Player("one", [*table.parameters(), weight], lambda batch: torch.zeros(())))
    (table(torch.tensor([1, 1])).sum() * 3 + weight.sum() * 4).backward()
    norm = optimiser.clip(1.0)
    assert float(norm) == pytest.approx((2 * 6**2 + 2 * 4**2) ** 0.5)
    assert table.weight.grad is not None
    assert weight.grad is not None
    assert float(table.weight.grad.to_dense().square().sum() + weight.grad.square().sum()) == pytest.approx(1.0, rel=1e-4)
