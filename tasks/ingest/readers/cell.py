"""The rows and cells of a table as its readers give them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
PROBLEM = "\0problem"  # the key of a row that could not be read: it says why


def text(value: Any) -> str | None:
    """A cell as text, None where it is empty; a number that a table holds as 3.0 is 3."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
