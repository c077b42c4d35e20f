"""What an attack is: a request, and the answer that it must get."""

from typing import Any, NamedTuple


class Attack(NamedTuple):
    name: str
    path: str
    body: Any  # as JSON; bytes are sent as they are; None: no body
    status: int
    says: str = ""  # stands in the error's message
    method: str = "POST"
    headers: dict[str, str] = {}  # noqa: RUF012
    megabytes: float = 60.0  # of memory that it may take at its peak
