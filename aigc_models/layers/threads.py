"""Work that is faster on one thread: so little at a time that others cost more than they bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

SMALL = 20_000_000  # parameters of a network whose steps of writing are so little


@contextmanager
def one_thread() -> Iterator[None]:
    """The body on one thread of torch's."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def for_writing(model: object) -> AbstractContextManager[None]:
    """`one_thread` for a network, or members, of few parameters: two of six million each, with counts, wrote 64 texts in 4 s,
    on two threads in 27."""
    members = getattr(model, "members", None)
    parts = members.values() if isinstance(members, dict) else [model]
    sizes = [sum(one.numel() for one in part.parameters()) for part in parts if isinstance(part, nn.Module)]
    return one_thread() if max(sizes, default=0) <= SMALL else nullcontext()
