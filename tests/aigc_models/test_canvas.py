from types import SimpleNamespace

import numpy as np
import pytest
import torch

from aigc_models import canvas
from aigc_models.canvas import Picture, Sketch, canvas_of, drawn, painted, side_by_side, stored
from aigc_models.capabilities import Shape
from aigc_models.families import flow_matching, vae
from aigc_models.find import find, names
from aigc_models.modalities.image import Format


class Upside:
    """A made-up modality's canvas: its items are lines of 64 numbers, its pictures 8x8 and turned around."""

    item, absolute, touched = (1, 8, 8), True, 1

    def places(self, pictures):
        return pictures.flatten(1)

    def paint(self, values):
        return values.flip(-1).reshape(-1, 1, 8, 8)

    def unpaint(self, pictures):
        return pictures.reshape(-1, 1, 64).flip(-1)

    def noisy(self, values, noise):
        return self.paint(values), noise


@pytest.fixture
def lines(monkeypatch):
    """A modality that no family has heard of."""
    module = SimpleNamespace(canvas=lambda format: Upside())
    monkeypatch.setattr(canvas, "find", lambda package, name: module)
    return Shape("lines", ("a", "b"), None)


def test_a_modality_is_painted_where_its_file_says_how():
    package = "aigc_models.modalities"
    assert painted() == {name for name in names(package) if hasattr(find(package, name), "canvas")} >= {"image", "audio"}
    assert "text" not in painted()


@pytest.mark.parametrize("family", [flow_matching, vae])
def test_a_new_modality_with_a_canvas_is_learnt_by_the_families_as_they_are(family, lines):
    model = family.build(family.SIZES["debug"], lines)
    values = model.generate(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 3]))
    assert values.shape == (3, 1, 64)


def test_where_a_place_has_a_meaning_no_detail_is_left_out(lines):
    assert Sketch(lines, detail=4).item == (1, 8, 8)
    values = torch.randn(2, 1, 64)
    sketch = Sketch(lines, detail=4)
    assert torch.equal(sketch.back(sketch.of(values)), values)


def test_a_picture_is_its_own_canvas_and_may_lose_detail():
    shape = Shape("image", (), Format(height=16, width=16, channels=3))
    values = torch.randn(2, 3, 16, 16)
    assert canvas_of(shape) == Picture((3, 16, 16))
    assert canvas_of(shape).paint(values) is values
    assert Sketch(shape, detail=8).item == (3, 8, 8)
    pictures, left = Sketch(shape, detail=8).noisy(values, 0.4)
    assert pictures.shape == (2, 3, 8, 8)
    assert left == pytest.approx(0.2)
    assert float(Sketch(shape, detail=8).of(0.4 * torch.randn(50, 3, 16, 16)).std()) == pytest.approx(0.2, rel=0.1)


def test_drawn_items_are_stored_as_read_ones_are(digits, tones):
    class Replay:
        def __init__(self, corpus):
            self.corpus = corpus

        def generate(self, conditions, seeds, **sampling):
            return self.corpus.batch(seeds.numpy()).values

    for data in (digits, tones):
        index = torch.arange(70) % len(data.test)
        stored = drawn(Replay(data.test), torch.from_numpy(data.test.conditions)[index], index, data.shape)
        assert stored.values.dtype == data.test.values.dtype
        assert np.array_equal(stored.values, data.test.values[index.numpy()])
        assert np.array_equal(stored.conditions, data.test.conditions[index.numpy()])


def test_what_lies_outside_is_clipped_when_stored(digits):
    values = torch.full((1, 1, 8, 8), 3.0)
    assert int(stored(values, torch.tensor([0]), digits.shape).values.min()) == 255


def test_a_place_of_a_picture_is_a_pixel_with_its_colours():
    pictures = torch.arange(12.0).reshape(1, 3, 2, 2)
    assert Picture((3, 2, 2)).places(pictures).tolist() == [[12, 15, 18, 21]]


def test_batches_side_by_side_come_in_order_on_a_thread_each():
    threads, seen = torch.get_num_threads(), []

    def work(part: int) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return torch.tensor([part])

    try:
        torch.set_num_threads(2)
        assert torch.cat(side_by_side(work, range(9))).tolist() == list(range(9))
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
