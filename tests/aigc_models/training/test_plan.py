from __future__ import annotations

import pytest
from pydantic import ValidationError

from aigc_models.training.plan import Plan


def test_a_plan_is_a_number_of_steps_and_no_time() -> None:
    assert Plan(steps=3).steps == 3
    for wrong in ({}, {"seconds": 1.0}, {"steps": 1, "seconds": 1.0}):
        with pytest.raises(ValidationError, match=r"steps|seconds"):
            Plan(**wrong)


@pytest.mark.parametrize("wrong", [{"rate": 2}, {"ema": 1.0}, {"schedule": "steep"}, {"batch_size": 0}, {"device": "tpu"}])
def test_what_a_plan_does_not_know_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan(steps=1, **wrong)


def test_every_field_is_described() -> None:
    assert all(field.description for field in Plan.model_fields.values())
