from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from aigc_models.errors import AigcError, BadInput, fault, unknown


def test_the_nearest_name_is_offered_and_all_are_listed():
    assert str(unknown("family", "gna", ["vae", "gan"])) == "unknown family 'gna'; did you mean 'gan'? known: gan, vae"


def test_without_any_known_name_it_says_so():
    assert str(unknown("label", "x", [])) == "unknown label 'x'; known: none"


def test_bad_input_is_an_error_of_ours():
    assert issubclass(BadInput, AigcError)


class Wish(BaseModel):
    count: int = Field(1, ge=1)
    names: tuple[str, ...] = Field(("a",), min_length=1)
    kind: Literal["small", "large"] = "small"
    much: float | None = None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"count": "many"}, "needs a whole number (given: 'many')"),
        ({"count": 1.5}, "needs a whole number (given: 1.5)"),
        ({"count": 0}, "has to be greater than or equal to 1 (given: 0)"),
        ({"names": 3}, "needs a list (given: 3)"),
        ({"names": []}, "is too short: it needs 1 or more (given: 0)"),
        ({"names": [{"a": 1}]}, "needs a text (given: a mapping)"),
        ({"kind": "smal"}, "has to be 'small' or 'large' (given: 'smal'; did you mean 'small'?)"),
        ({"much": "x" * 100}, f"needs a number (given: 'x{'x' * 58}...)"),
    ],
)
def test_what_is_wrong_is_put_in_a_few_words(values, expected):
    with pytest.raises(ValidationError) as caught:
        Wish.model_validate(values)
    assert fault(caught.value.errors()[0]) == expected
