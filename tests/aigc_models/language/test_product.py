"""Products are what torch says, however the matrix is cut."""

import pytest
import torch

from aigc_models.language.product import Product


@pytest.mark.parametrize("rows", [1, 2, 16])
@pytest.mark.parametrize(("inner", "outer"), [(8, 257), (384, 1152), (1024, 30), (2100, 64)])
def test_a_product_is_that_of_torch_from_and_into_parts_of_buffers(rows: int, inner: int, outer: int) -> None:
    torch.manual_seed(0)
    x, matrix, buffer = (
        torch.randn(rows, 2 * inner)[:, :inner],
        torch.randn(inner, outer) / inner**0.5,
        torch.zeros(rows, outer),
    )
    product = Product(matrix, x, buffer)
    for _ in range(2):
        x.normal_()
        product()
        assert torch.allclose(buffer, x @ matrix, atol=1e-4)
