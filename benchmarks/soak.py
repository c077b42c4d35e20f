"""Ten minutes of a server's life: honest requests, and beside them clients that leave, that are slow, that ask for too much.

    AIGC_WORKSPACE=... OMP_NUM_THREADS=1 python benchmarks/soak.py docstrings digits --out benchmarks/results/soak.json

Starts `aigc serve` for registered models of the workspace. Windows of mixed load take turns with quiet ones, in which the
honest clients are alone; the figure is the ratio of their 95th percentiles. Memory is the server's resident size, at the end of
each window. Mixed load is, each second, about: two clients that leave a stream, one that leaves while its prompt of 16 KB is
read, six that ask for too much (300 million symbols, 100,000 steps, a body of 2 MB, JSON nested 100,000 times, no JSON, a key
that is none), and all the time ten connections that send half a body or half a header.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOADED, QUIET = 40.0, 20.0  # seconds of a window
SLOW = 10  # connections
TOKENS = 32
HONEST = 2  # clients


class Server:
    """`aigc serve`, watched from outside."""

    def __init__(self, models: list[str], log: Path) -> None:
        self.log = log.open("w")
        command = [
            str(Path(sys.executable).with_name("aigc")),
            "serve",
            *models,
            "--port",
            "0",
            "--access-log",
            str(log) + ".access",
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.port = int(re.search(r":(\d+) ", self.process.stderr.readline())[1])  # type: ignore[index]
        while "ready" not in self.process.stderr.readline():
            assert self.process.poll() is None, "the server ended"
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        for line in self.process.stderr or ():
            self.log.write(line)
            self.log.flush()

    @property
    def resident(self) -> float:
        """Megabytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))

    def ask(self, path: str, body: Any, timeout: float = 60.0) -> tuple[int, bytes]:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", path, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, path: str, body: Any, part: float = 1.0) -> socket.socket:
        """A request, or its first part, whose answer nobody has read yet."""
        payload = json.dumps(body).encode()
        fields = ["Host: localhost", "Content-Type: application/json", f"Content-Length: {len(payload)}"]
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        whole = "\r\n".join([f"POST {path} HTTP/1.1", *fields, "", ""]).encode() + payload
        connection.sendall(whole[: int(len(whole) * part)])
        return connection


class Load:
    """All clients; `statuses` by kind, `seconds` of honest answers by window."""

    def __init__(self, server: Server, text: str, picture: str) -> None:
        self.server, self.text, self.picture = server, text, picture
        self.statuses: dict[str, Counter[int]] = {}
        self.seconds: list[float] = []
        self.loaded, self.over = threading.Event(), threading.Event()
        kinds: list[Callable[[random.Random], None]] = [self.leave_stream, self.leave_stream, self.leave_prompt, self.slow]
        kinds += [self.too_much] * 2
        self.threads = [threading.Thread(target=self._honest, args=(at,)) for at in range(HONEST)]
        self.threads += [threading.Thread(target=self._hostile, args=(kind, at)) for at, kind in enumerate(kinds)]
        for thread in self.threads:
            thread.start()

    def _count(self, kind: str, status: int) -> None:
        self.statuses.setdefault(kind, Counter())[status] += 1

    def _honest(self, seed: int) -> None:
        draw = random.Random(seed)
        while not self.over.is_set():
            began = time.monotonic()
            if draw.random() < 0.7:
                asked = {"model": self.text, "prompt": "Return the ", "max_tokens": TOKENS, "seed": draw.randrange(1000)}
                status, _ = self.server.ask("/v1/completions", asked)
            else:
                status, _ = self.server.ask(
                    "/v1/images/generations", {"model": self.picture, "n": 1, "seed": draw.randrange(1000)}
                )
            self._count("honest", status)
            self.seconds.append(time.monotonic() - began)
            time.sleep(draw.uniform(0.1, 0.4))

    def _hostile(self, kind: Callable[[random.Random], None], seed: int) -> None:
        draw = random.Random(100 + seed)
        while not self.over.is_set():
            if not self.loaded.wait(0.2):
                continue
            try:
                kind(draw)
            except OSError:
                self._count(kind.__name__, 0)

    def leave_stream(self, draw: random.Random) -> None:
        connection = self.server.send("/v1/completions", {"model": self.text, "max_tokens": 2000, "stream": True})
        connection.recv(1000)
        self._count("leave_stream", 200)
        time.sleep(draw.uniform(0.0, 0.2))
        connection.close()
        time.sleep(draw.uniform(0.8, 1.2))

    def leave_prompt(self, draw: random.Random) -> None:
        connection = self.server.send("/v1/completions", {"model": self.text, "prompt": "a word " * 2300, "max_tokens": 2})
        time.sleep(draw.uniform(0.0, 0.1))
        connection.close()
        self._count("leave_prompt", 0)
        time.sleep(draw.uniform(0.8, 1.2))

    def slow(self, draw: random.Random) -> None:
        """Half requests, closed by the server in the end."""
        connections = [
            self.server.send("/v1/completions", {"prompt": "a" * 10_000}, draw.uniform(0.001, 0.9)) for _ in range(SLOW)
        ]
        for connection in connections:
            with suppress(OSError):
                self._count("slow", int((connection.recv(1000).split() or [b"", b"0"])[1]))
            connection.close()

    def too_much(self, draw: random.Random) -> None:
        path, body = draw.choice(
            [
                ("/v1/generate", {"model": self.text, "sampling": {"max_length": 300_000_000}}),
                ("/v1/generate", {"model": self.picture, "count": 64, "sampling": {"steps": 100_000}}),
                ("/v1/completions", b" " * 2_000_000),
                ("/v1/completions", b"[" * 100_000),
                ("/v1/completions", b"no json"),
                ("/v1/models/digits/champion", {"version": 1}),
            ]
        )
        status, _ = self.server.ask(path, body)
        self._count("too_much", status)
        time.sleep(draw.uniform(0.2, 0.5))

    def window(self, loaded: bool, seconds: float) -> dict[str, Any]:
        """What honest clients met in so many seconds."""
        (self.loaded.set if loaded else self.loaded.clear)()
        time.sleep(1)
        self.seconds = []
        time.sleep(seconds)
        return {"loaded": loaded, "seconds": sorted(self.seconds), "megabytes": self.server.resident}

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


@contextmanager
def loaded(models: list[str], log: Path) -> Iterator[Load]:
    server = Server(models, log)
    load = Load(server, *models)
    try:
        yield load
    finally:
        load.end()
        server.process.terminate()
        server.process.wait(30)


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def measured(models: list[str], minutes: float, log: Path) -> dict[str, Any]:
    with loaded(models, log) as load:
        windows = [load.window(True, LOADED), load.window(False, QUIET)]  # the first of each: caches fill
        first = load.server.resident
        for at in range(max(1, round(minutes * 60 / LOADED))):
            windows += [load.window(True, LOADED), load.window(False, QUIET)]
            print(f"{at}: {windows[-1]['megabytes']:.0f} MB, {dict(load.statuses['honest'])}", file=sys.stderr)
        last = load.server.resident
    times = {name: [each for one in windows[2:] if one["loaded"] is kind for each in one["seconds"]]
             for name, kind in (("loaded", True), ("quiet", False))}  # fmt: skip
    honest = load.statuses["honest"]
    return {
        "errors": sum(honest.values()) - honest[200],
        "faults": sum(count for kind in load.statuses.values() for status, count in kind.items() if status >= 500),
        "growth": last / first - 1,
        "p95_ratio": p95(times["loaded"]) / p95(times["quiet"]),
        "p95_seconds": {name: p95(values) for name, values in times.items()},
        "requests": {name: len(values) for name, values in times.items()},
        "statuses": {kind: dict(sorted(count.items())) for kind, count in load.statuses.items()},
        "megabytes": [round(one["megabytes"], 1) for one in windows],
        "windows_p95": [round(p95(one["seconds"]), 4) for one in windows],
        "minutes": minutes,
        "models": models,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def drawn(result: dict[str, Any], path: Path) -> None:
    """Memory and the 95th percentiles of the windows, one above the other."""
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), sharex=True)
    places = range(len(result["megabytes"]))
    above.plot(places, result["megabytes"], marker=".")
    above.set_ylabel("resident, MB")
    above.set_ylim(0, 1.2 * max(result["megabytes"]))
    colours = ["tab:red" if at % 2 == 0 else "tab:green" for at in places]
    below.bar(places, [1000 * value for value in result["windows_p95"]], color=colours)
    below.set_ylabel("honest p95, ms")
    below.set_xlabel("window: red with mixed load, green quiet; the first two are left out of the figures")
    figure.suptitle(f"{result['minutes']:g} minutes of mixed load: {', '.join(result['models'])}")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs=2, help="a model of texts and one of pictures")
    parser.add_argument("--minutes", type=float, default=10, help="of mixed load")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    result = measured(options.models, options.minutes, Path("soak.log"))
    print(json.dumps({name: value for name, value in result.items() if name not in ("megabytes", "windows_p95")}, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    if options.picture:
        drawn(result, options.picture)


if __name__ == "__main__":
    main()
