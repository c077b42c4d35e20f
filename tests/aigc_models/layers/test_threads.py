from contextlib import suppress
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from aigc_models.layers import threads
from aigc_models.layers.threads import for_writing, one_thread


@pytest.fixture
def two():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_threads_are_there_again_after_it(two):
    with suppress(ValueError), one_thread():
        assert torch.get_num_threads() == 1
        raise ValueError("broken")
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("most", "expected"), [(110, 1), (109, 2)])
def test_a_small_network_writes_on_one_thread_alone_or_as_a_member(two, monkeypatch, most, expected):
    monkeypatch.setattr(threads, "SMALL", most)
    network = nn.Linear(10, 10)  # 110 parameters
    for model in (network, SimpleNamespace(members={"network": network, "counts": object()})):
        with for_writing(model):
            assert torch.get_num_threads() == expected
