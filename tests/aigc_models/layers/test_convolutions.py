import pytest
import torch

from aigc_models.layers.convolutions import Decoder, Encoder, TimeEmbedding, halvings, level_widths, patch_size


@pytest.mark.parametrize(
    ("height", "width", "patch", "widths"),
    [(8, 8, 1, [8, 16]), (28, 28, 2, [8, 16]), (32, 32, 2, [8, 16, 24]), (64, 64, 4, [8, 16, 24]), (12, 20, 1, [8, 16])],
)
def test_a_unet_keeps_the_shape_at_every_size(height, width, patch, widths):
    assert patch_size(height, width) == patch
    assert level_widths(height, width, patch, 8, (1, 2, 3)) == widths
    encoder, decoder = (kind(3, patch, widths, 1, 16) for kind in (Encoder, Decoder))
    embedding = torch.randn(2, 16)
    seen = encoder(torch.randn(2, 3, height, width), embedding)
    assert len(seen) == len(widths)
    assert decoder(seen, embedding).shape == (2, 3, height, width)


def test_a_narrower_grid_takes_larger_patches_but_keeps_some_places():
    assert [patch_size(16, 16, grid=8), patch_size(28, 28, grid=8), patch_size(12, 12, grid=8)] == [2, 2, 1]


def test_a_grid_is_halved_only_while_it_stays_at_four():
    assert halvings(8, 8, 5) == 1
    assert halvings(16, 16, 5) == 2
    assert halvings(14, 14, 5) == 1
    assert halvings(16, 16, 1) == 1
    assert halvings(8, 8, 5, least=2) == 2


def test_patches_go_down_to_a_level_that_sees_all():
    assert level_widths(16, 16, 2, 8, (1, 2, 3)) == [8, 16, 24]
    assert level_widths(8, 8, 1, 8, (1, 2, 3)) == [8, 16]


def test_times_are_told_apart():
    vectors = TimeEmbedding(16)(torch.tensor([0.0, 0.01, 0.5, 1.0])).detach()
    assert float(torch.pdist(vectors).min()) > 1e-3
