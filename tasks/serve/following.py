"""A server follows the registry: where an alias is moved, the version that it names now takes over.

A thread for each model asks every few seconds what the name means. Another version is loaded beside
the one that answers, tried once, and takes its place; one that cannot be loaded or tried is refused,
the old one goes on, and `/readyz` and `/metrics` say so.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from tasks.serve.engine import Engine
from tasks.serve.metering import Meters
from tasks.serve.worker import Served

if TYPE_CHECKING:
    from aigc_models.training.devices import Device
    from tasks.stage.settings import Workspace
    from tasks.use.provenance import Identity

EVERY = 5.0  # seconds between two looks at the registry
AGAIN = 60.0  # seconds until a version that was refused is tried again: the fault may have been the machine's
PATIENCE = 300.0  # seconds that a new version gets to load and to make its first item
log = logging.getLogger("aigc.serve")


def registered(workspace: Workspace, reference: str, device: Device = "auto", copy_guard: bool = True) -> Served:
    """The version that `reference` means now; `NAME` and `NAME@alias` are followed, `NAME/version` never moves.

    `copy_guard`: see `Generator.load`. Raises `BadInput` where there is none.
    """
    from tasks.registry.registry import located

    folder, identity = located(workspace, reference)
    fixed = "/" in reference.removeprefix("models:/")
    newest = None if fixed else partial(registered, workspace, reference, device, copy_guard)
    return Served.bundle(identity, folder, newest, device, copy_guard)


class Follower:
    """Keeps an engine at what the registry says."""

    def __init__(self, engine: Engine, meters: Meters, every: float = EVERY, again: float = AGAIN) -> None:
        """`every`, `again`: seconds between two looks, and until a refused version is tried again."""
        self._engine, self._meters = engine, meters
        self._every, self._again = every, again
        self._refused: dict[str, tuple[Identity, float]] = {}  # by model: which version, and when
        self._stop = threading.Event()
        self.notes: dict[str, str] = {}  # by model: why what is served is not what the registry says

    def start(self) -> None:
        """Follow from now on, in daemon threads: one that waits for a registry keeps no process from ending."""
        loop = asyncio.get_running_loop()
        for name in self._engine.names:
            if self._engine.current(name).served.newest is not None:
                threading.Thread(target=self._follow, args=(name, loop), name=f"follow {name}", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _follow(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.wait(self._every):
            try:
                self._look(name, loop)
            except Exception as error:  # whatever the registry or its network raises: the next look may succeed
                if self._stop.is_set():
                    return  # the loop ended under it
                served = self._engine.current(name).identity.version
                self._note(name, "failed", f"version {served} goes on; the registry cannot say what {name} is now: {error}")

    def _look(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        worker = self._engine.current(name)
        assert worker.served.newest is not None
        newest = worker.served.newest()
        if newest.identity == worker.identity:
            self.notes.pop(name, None)
            self._refused.pop(name, None)
            return
        refused, when = self._refused.get(name, (None, 0.0))
        if refused == newest.identity and time.monotonic() - when < self._again:
            return
        replacing = asyncio.run_coroutine_threadsafe(self._replace(name, newest), loop)
        replacing.result()

    async def _replace(self, name: str, newest: Served) -> None:
        old, new = self._engine.current(name).identity.version, newest.identity.version
        try:
            await self._engine.replace(name, newest, PATIENCE)
        except Exception as error:  # whatever a damaged version raises: the old one goes on
            self._refused[name] = newest.identity, time.monotonic()
            reason = str(error) or type(error).__name__
            self._note(name, "refused", f"version {new} is refused and version {old} goes on: {reason}")
            return
        self.notes.pop(name, None)
        self._meters.reloads.labels(name, "served").inc()
        log.info("%s: version %s answers in place of version %s", name, new, old)

    def _note(self, name: str, outcome: str, note: str) -> None:
        self._meters.reloads.labels(name, outcome).inc()
        if self.notes.get(name) != note:
            log.warning("%s: %s", name, note)
        self.notes[name] = note
