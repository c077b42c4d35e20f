"""Products are what torch says, however the matrix is cut."""

import pytest
import torch

from aigc_models.language import product


@pytest.mark.parametrize("rows", [1, 2, 16])
@pytest.mark.parametrize(("inner", "outer"), [(8, 257), (384, 1152), (1024, 30), (2100, 64)])
def test_a_product_is_that_of_torch_from_and_into_parts_of_buffers(rows: int, inner: int, outer: int) -> None:
    torch.manual_seed(0)
    x, matrix, buffer = (
        torch.randn(rows, 2 * inner)[:, :inner],
        torch.randn(inner, outer) / inner**0.5,
        torch.zeros(rows, outer),
    )
    multiply = product.Product(matrix, x, buffer)
    for _ in range(2):
        x.normal_()
        multiply()
        assert torch.allclose(buffer, x @ matrix, atol=1e-4)


@pytest.mark.parametrize("rows", [2, 3, 6, 16, 17])
@pytest.mark.parametrize(("inner", "outer"), [(16, 257), (128, 384), (352, 128), (384, 1152)])
def test_a_row_gives_the_same_to_the_bit_wherever_it_stands(rows: int, inner: int, outer: int) -> None:
    torch.manual_seed(0)
    x, matrix, row = torch.zeros(rows, inner), torch.randn(inner, outer), torch.randn(inner)
    out = torch.zeros(rows, outer)
    multiply, given = product.Product(matrix, x, out), []
    for place in range(rows):
        x.normal_()
        x[place] = row
        multiply()
        given.append(out[place].clone())
    assert all(torch.equal(given[0], other) for other in given)


def test_where_no_way_of_several_rows_is_steady_rows_are_multiplied_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsteady(matrix: torch.Tensor, x: torch.Tensor, out: torch.Tensor) -> product.Multiply:
        return lambda: out.copy_((x @ matrix) * (1 + 1e-6 * torch.arange(len(x)))[:, None])

    for way in ("_pieces", "_standing", "_lying"):
        monkeypatch.setattr(product, way, unsteady)
    product._steady.cache_clear()
    matrix, x, out = torch.randn(24, 40), torch.randn(5, 24), torch.zeros(5, 40)
    product.Product(matrix, x, out)()
    product._steady.cache_clear()
    assert all(torch.equal(out[row], (x[row : row + 1] @ matrix.T.contiguous().T)[0]) for row in range(5))
