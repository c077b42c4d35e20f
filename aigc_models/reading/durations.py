"""Lengths of time in units for people."""

from __future__ import annotations

import numpy as np

_UNITS = (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0), ("millisecond", 1e-3), ("microsecond", 1e-6))


def spoken(seconds: float) -> str:
    """In the largest unit of which it is one or more, to three digits.

    >>> spoken(7200), spoken(86400), spoken(2_674_800), spoken(0.25), spoken(0)
    ('2 hours', '1 day', '31 days', '250 milliseconds', '0 seconds')
    """
    name, size = next((unit for unit in _UNITS if abs(seconds) >= 0.9995 * unit[1]), ("second", 1.0))
    count = plain(seconds / size, 3)
    return f"{count} {name}{'' if count == '1' else 's'}"


def plain(value: float, digits: int = 4) -> str:
    """A number without an exponent, to so many digits and all before the point.

    >>> plain(7200.0), plain(0.000012345), plain(1234567.8)
    ('7200', '0.00001234', '1234568')
    """
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")
