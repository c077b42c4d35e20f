"""A flow of toy stages that a worker's process imports by name."""

from toy_stages import Toy, make, work

from flows.entry import entry
from flows.flow import flow, tracked


@flow
@entry
@tracked
def toying(toy: Toy) -> str:
    """Make one and work on it."""
    return work(make(toy), toy).sha256
