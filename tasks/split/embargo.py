"""A time between two splits from which no item is taken, so that what is trained on ends well before what is judged.

After the purging and embargo of Lopez de Prado, Advances in Financial Machine Learning (2018), section 7.4; as splits
follow each other in time here, one gap before each border is enough.
"""

from __future__ import annotations

import math

from aigc_models.errors import BadInput


def parsed(text: str) -> tuple[float, bool]:
    """The length in seconds, or as a plain number, and whether it has a unit; raises ValueError for anything else.

    >>> parsed("2 days"), parsed("3")
    ((172800.0, True), (3.0, False))
    """
    try:
        length, unit = float(text), False
    except ValueError:
        import pandas

        try:
            length, unit = pandas.Timedelta(text).total_seconds(), True
        except ValueError:
            raise ValueError(f"{text!r} is neither a duration, such as 7 days or 12h, nor a number") from None
    if not (math.isfinite(length) and length >= 0):
        raise ValueError(f"{text!r} is no length of time")
    return length, unit


def length(text: str, dated: bool) -> float:
    """Seconds where times are dates, else in the unit of the times; 0 where there is none.

    Raises `BadInput` for a number without a unit beside dates, and for a duration beside plain numbers.
    """
    if not text:
        return 0.0
    number, unit = parsed(text)
    if number and unit != dated:
        expected = ("dates: write a duration, such as 7 days", "plain numbers: write a number in their unit")[not dated]
        raise BadInput(f"the embargo is {text!r}, and the times of the data set are {expected}")
    return number
