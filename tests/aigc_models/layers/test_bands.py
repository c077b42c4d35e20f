import pytest
import torch

from aigc_models.layers.bands import Bands, cosines


def bands(height, width, detail):
    return Bands(height, width, detail)


@pytest.mark.parametrize(
    ("height", "width", "detail", "coarse"),
    [(32, 32, 16, (16, 16)), (64, 48, 16, (16, 12)), (8, 8, 16, (8, 8)), (30, 30, 16, (15, 15)), (33, 32, 16, (33, 32))],
)
def test_sides_are_halved_while_they_divide(height, width, detail, coarse):
    transform = bands(height, width, detail)
    assert (transform.height, transform.width) == coarse
    values = torch.rand(2, 3, height, width)
    assert transform.down(values).shape == (2, 3, *coarse)
    assert transform.up(transform.down(values)).shape == values.shape


def test_the_way_up_and_down_loses_nothing_and_a_plain_colour_stays():
    transform = bands(32, 24, 16)
    coarse = torch.randn(2, 3, transform.height, transform.width)
    assert torch.allclose(transform.down(transform.up(coarse)), coarse, atol=1e-4)
    assert torch.allclose(transform.down(torch.full((1, 3, 32, 24), 0.3)), torch.tensor(0.3), atol=1e-5)
    assert torch.allclose(transform.up(torch.full((1, 3, 16, 12), 0.3)), torch.tensor(0.3), atol=1e-5)


def test_what_is_smooth_comes_back_and_small_pictures_are_left_alone():
    smooth = torch.cos(torch.pi * 3 * (torch.arange(32) + 0.5) / 32).expand(1, 3, 32, 32)
    transform = bands(32, 32, 16)
    assert torch.allclose(transform.up(transform.down(smooth)), smooth, atol=1e-4)
    values = torch.rand(1, 3, 8, 8)
    assert bands(8, 8, 16).down(values) is values


def test_the_transform_is_orthonormal():
    assert torch.allclose(cosines(12) @ cosines(12).T, torch.eye(12, dtype=torch.float64))
