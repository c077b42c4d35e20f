import torch

from aigc_models.layers.patches import PatchEncoder


def test_patches_are_cut_and_joined_again_where_the_first_is_not_whole():
    encoder = PatchEncoder(31, 12, 8, 1, 0.0)
    past = torch.randn(3, 31)
    patches = encoder.cut(past)
    assert patches.shape == (3, 3, 12)
    assert torch.equal(patches[:, 0, :6], past[:, :1].expand(-1, 6))
    assert torch.equal(encoder.joined(patches), past)
    assert encoder(past).shape == (3, 3, 8)


def test_each_patch_hears_of_the_others():
    encoder = PatchEncoder(36, 12, 8, 1, 0.0)
    past = torch.randn(1, 36)
    other = past.clone()
    other[:, :12] += 1
    assert not torch.allclose(encoder(past)[:, 2], encoder(other)[:, 2])
