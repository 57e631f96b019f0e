"""What "auto" resolves to, and which numbers are refused."""

import math
from typing import Any

import pytest

from helpers.local_service.errors import ApiError
from helpers.local_service.hyperparameters import resolve


@pytest.mark.parametrize(
    ("examples", "epochs", "batch"),
    [
        (1, 25, 1),
        (10, 10, 1),
        (33, 3, 1),
        (34, 3, 1),
        (100, 3, 2),
        (300, 3, 4),
        (800, 3, 16),
        (9000, 2, 16),
        (30000, 1, 16),
    ],
)
def test_auto_depends_on_the_number_of_examples(examples: int, epochs: int, batch: int) -> None:
    for asked in ({}, {"n_epochs": "auto", "batch_size": None, "learning_rate_multiplier": "auto"}):
        numbers = resolve(asked, examples, "hyperparameters")
        assert (numbers.n_epochs, numbers.batch_size, numbers.learning_rate_multiplier) == (epochs, batch, 1.0)


def test_numbers_are_taken_as_they_are() -> None:
    asked = {"n_epochs": 4, "batch_size": 256.0, "learning_rate_multiplier": 0.3}
    assert resolve(asked, 10, "h").as_dict() == {"n_epochs": 4, "batch_size": 256, "learning_rate_multiplier": 0.3}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("n_epochs", 0, "integer_below_min_value"),
        ("n_epochs", 51, "integer_above_max_value"),
        ("n_epochs", 1.5, "invalid_type"),
        ("n_epochs", "three", "invalid_type"),
        ("n_epochs", True, "invalid_type"),
        ("batch_size", 257, "integer_above_max_value"),
        ("batch_size", math.inf, "invalid_type"),
        ("batch_size", [8], "invalid_type"),
        ("learning_rate_multiplier", 0, "decimal_below_min_value"),
        ("learning_rate_multiplier", math.nan, "decimal_below_min_value"),
        ("learning_rate_multiplier", {}, "invalid_type"),
    ],
)
def test_other_values_are_refused_by_name(name: str, value: Any, code: str) -> None:
    with pytest.raises(ApiError) as error:
        resolve({name: value}, 100, "method.supervised.hyperparameters")
    assert (error.value.status, error.value.code) == (400, code)
    assert error.value.param == f"method.supervised.hyperparameters.{name}"
