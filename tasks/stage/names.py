"""What a data set, a registered model and a member may be called.

Names become folders, parts of addresses, headers of HTTP, arguments of commands and keys of MLflow, each of which refuses
something else; all of them take these. What is called otherwise since an earlier rule allowed it stays usable.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aigc_models.errors import BadInput, shortened

LONGEST = 100  # characters
ALLOWED = (
    f"begin with a letter from A to Z or a digit, go on with these, '_', '.' and '-', at most {LONGEST} characters, no '/', "
    "no '..' and no '.' at the end"
)
DEVICES = {"con", "prn", "aux", "nul", *(f"{device}{number}" for device in ("com", "lpt") for number in range(10))}
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST - 1}}}")


def check_name(kind: str, name: str, there: Callable[[], bool] = lambda: False) -> str:
    """`name`, if `kind` may be called so; raises `BadInput` that says what is allowed.

    `there`: whether one is called so already, which is asked only of names that the rule refuses.
    """
    device = name.partition(".")[0].lower() in DEVICES
    fits = _NAME.fullmatch(name) and ".." not in name and not name.endswith(".") and not device
    if fits or there():
        return name
    why = "Windows keeps it for a device" if device else ALLOWED
    raise BadInput(f"{shortened(name)} cannot name {kind}: {why}")
