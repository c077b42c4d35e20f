"""Generators that learnt nothing, with the interface of the real one: quick, and their calls are seen."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import uvicorn

from aigc_models.language.slots import Said
from aigc_models.modalities import image, text
from aigc_models.sequences import Vocabulary
from tasks.serve.app import create_app
from tasks.serve.doors.limits import Limits
from tasks.serve.run import configured
from tasks.serve.worker import Served
from tasks.use.provenance import Identity


class Pictures:
    """Noise whose level is the label's place; a picture is a function of its seed and condition."""

    capabilities, goes_on = ("generates",), False

    def __init__(self, seconds: float = 0.0) -> None:
        self.card = SimpleNamespace(
            name="digits",
            modality="image",
            task="generate",
            labels=("zero", "one"),
            micro_batch=4,
            licence="BSD-3-Clause",
            dataset="digits",
            version="d4ta",
        )
        self.modality, self.format = image, image.Format(height=8, width=8, channels=1)
        self.card.format = self.format.model_dump()
        self.batches: list[int] = []
        self.seconds = seconds

    def conditions(self, count: int, label: str | None = None, seed: int = 0, first: int = 0) -> torch.Tensor:
        """A label's place; without a label even items are zeros and odd ones are ones."""
        places = [self.card.labels.index(label) if label else item % 2 for item in range(first, first + count)]
        return torch.tensor(places)

    def encoded(self, conditions: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(seeds))
        time.sleep(self.seconds)
        noise = [torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
        return torch.stack(noise) * 0.2 + torch.where(conditions == 1, 0.7, -0.9)[:, None, None, None]


class Script:
    """A draft whose symbols are known: those of `text`, then END."""

    failure, watch, redraws, cut = None, None, 0, False

    def __init__(self, text: str, prompt: str, likeliest: int | None, echo: bool, most: int) -> None:
        self.prompt, self.echo, self.likeliest = list(prompt.encode()), echo, likeliest
        self.symbols, self.said, self.ended = list[int](), list[Said](), False
        self.how = SimpleNamespace(max_length=most)
        self._to_come = iter([*text.encode(), 256])
        if echo and likeliest is not None:
            self.said += [Said(symbol, -1.0, {}) for symbol in self.prompt]

    @property
    def safe(self) -> int:
        return len(self.symbols)

    def grow(self) -> None:
        self.symbols.append(next(self._to_come))
        if self.likeliest is not None:
            self.said.append(Said(self.symbols[-1], -0.5 - 0.1 * (self.symbols[0] % 7), {}))
        full = len(self.prompt) + len(self.symbols) >= self.how.max_length
        self.ended = full or self.symbols[-1] == 256


class Words:
    """`SEED.ITEM LABEL; é` over and over, one byte at a time, `length` characters in all; also its own slots."""

    capabilities, goes_on = ("streams",), False

    def __init__(self, length: int = 60, seconds: float = 0.0, width: int = 4) -> None:
        self.card = SimpleNamespace(
            name="prose",
            modality="text",
            task="generate",
            labels=("prose",),
            micro_batch=4,
            licence="MIT",
            dataset="prose",
            version="d4ta",
        )
        self.card.format = {"length": length}
        self.modality, self.format = text, text.Format(length=length)
        self.model = SimpleNamespace(vocabulary=Vocabulary(256))
        self.length, self.seconds, self.drawn, self.sampling = length, seconds, 0, {}
        self.width, self.drafts, self.orders = width, list[Script](), list[list[Script]]()

    def conditions(self, count: int, label: str | None = None, seed: int = 0, first: int = 0) -> torch.Tensor:
        return torch.tensor([0 if label else 1] * count)

    def draft(
        self,
        prompt: str,
        sampling: dict[str, Any],
        label: str | None = None,
        seed: int = 0,
        first: int = 0,
        likeliest: int | None = None,
        echo: bool = False,
        suffix: str | None = None,
    ) -> Script:
        self.sampling, self.suffix = sampling, suffix
        piece = f"{seed}.{first} {label}; é"
        whole = (piece * (self.length // len(piece) + 1))[: self.length]
        return Script(whole, prompt, likeliest, echo, sampling["max_length"])

    def slots(self) -> Words:
        return self

    @property
    def room(self) -> int:
        return self.width - len(self.drafts)

    def join(self, draft: Script) -> None:
        self.drafts.append(draft)

    def leave(self, draft: Script) -> None:
        self.drafts.remove(draft)

    park = leave

    def step(self) -> list[Script]:
        time.sleep(self.seconds)
        self.drawn += 1
        for draft in self.drafts:
            draft.grow()
        self.orders.append(list(self.drafts))
        return list(self.drafts)


def served(name: str, generator: Any) -> Served:
    return Served(Identity(model=name, version="3", dataset=name, data_version="d4ta"), lambda: generator)


@contextmanager
def running(app: Any) -> Iterator[str]:
    """A real uvicorn on a free port; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(configured(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def pictures() -> type[Pictures]:
    return Pictures


@pytest.fixture(scope="module")
def words() -> type[Words]:
    return Words


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., str]]:
    """Starts servers for generators by name, ready when it returns, and ends them."""
    with ExitStack() as stack:

        def begin(limits: Limits | None = None, feedback: Path | None = None, **generators: Any) -> str:
            ready = threading.Event()
            models = {name: served(name, generator) for name, generator in generators.items()}
            address = stack.enter_context(
                running(create_app(models, limits, loaded=lambda engine: ready.set(), feedback=feedback))
            )
            assert ready.wait(60)
            return address

        yield begin


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """`with serving(app) as address`: a real uvicorn."""
    return running
