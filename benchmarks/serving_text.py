"""Texts a second over HTTP, beside LitServe with a `transformers` Llama of the same shape.

    pip install transformers litserve
    OMP_NUM_THREADS=1 python benchmarks/serving_text.py --out benchmarks/results/serving_text.json

32 clients ask for 64 tokens each, one request after the other, of a transformer of 4 x 128 over the bytes. Ours is
`create_app` on uvicorn with an untrained bundle, asked at `/v1/completions` for texts that do not end before (their seeds are
looked up first); the other is `litserve_texts.py`, which batches up to 32 requests. Both run at the same time and are asked in
turn, several times; the figure is the median of ratios. `--bundle FOLDER` serves a bundle of one's own in place of ours (the
peer stays what it is). Afterwards one client sends prompts of 500 bytes, each another one, and waits for the first piece of the
streamed answer: the median and the ninth decile in milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLIENTS, TOKENS, ROUNDS = 32, 64, 3
PROMPT = 500  # bytes
WIDTH, LAYERS, HEADS, WINDOW = 128, 4, 4, 256
MICRO_BATCH = 32


def saved(folder: Path) -> None:
    """An untrained bundle."""
    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.families import transformer

    config = transformer.Config(width=WIDTH, layers=LAYERS, heads=HEADS, window=WINDOW)
    fields: dict[str, Any] = {"name": "prose", "family": "transformer", "modality": "text", "format": {"length": 512}}
    card = Card(**fields, config=config.model_dump(), micro_batch=MICRO_BATCH, dataset="prose", version="0")
    bundle.save(folder, transformer.build(config, card.shape), card)


def lasting(folder: Path) -> list[int]:
    """Seeds of texts of a bundle that are long enough."""
    from aigc_models.generator import Generator

    generator = Generator.load(folder)
    texts = ((seed, len(generator.generate(1, seed=seed, max_length=TOKENS + 1)[0].encode())) for seed in itertools.count())
    return list(itertools.islice((seed for seed, size in texts if size >= TOKENS), CLIENTS))


def serve_ours(folder: Path, port: int) -> None:
    import uvicorn

    from tasks.serve.app import create_app
    from tasks.serve.worker import Served
    from tasks.use.provenance import Identity

    app = create_app({"prose": Served.bundle(Identity(model="prose", version="1"), folder)})
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextmanager
def running(script: str, *arguments: object) -> Iterator[int]:
    """A script beside this one as a server in a process of its own; gives its port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, Path(__file__).with_name(script), str(port), *map(str, arguments)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.2)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def asked(port: int, path: str, bodies: list[dict[str, Any]], seconds: float) -> float:
    """Requests answered a second, by one client a body."""
    until, answered = time.perf_counter() + seconds, [0] * len(bodies)

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps(bodies[number])
        while time.perf_counter() < until:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            payload = answer.read()
            assert answer.status == 200, payload
            answered[number] += time.perf_counter() < until

    threads = [threading.Thread(target=client, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / seconds


def first_pieces(port: int, count: int) -> list[float]:
    """Milliseconds until the first piece of a text comes, for one client; no two prompts are the same."""
    words, times = " ".join(f"{number} green bottles" for number in range(200)), list[float]()
    for number in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        prompt = words[7 * number : 7 * number + PROMPT]
        body = json.dumps({"prompt": prompt, "max_tokens": 8, "seed": number, "stream": True})
        began = time.perf_counter()
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        line = answer.readline()
        times.append(1000 * (time.perf_counter() - began))
        assert line.startswith(b"data: {"), line
        answer.read()
        connection.close()
    return sorted(times)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--bundle", type=Path, help="a bundle of texts to serve in place of an untrained one")
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("serve", nargs="*", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.serve:
        port, folder = given.serve
        serve_ours(Path(folder), int(port))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.bundle or Path(scratch) / "prose"
        if not given.bundle:
            saved(folder)
        seeds = lasting(folder)
        mine = [{"prompt": "", "max_tokens": TOKENS, "seed": seed} for seed in seeds]
        others = [{"prompt": ""}] * CLIENTS
        with running("serving_text.py", folder) as ours, running("litserve_texts.py") as peer:
            time.sleep(10)  # until both have loaded
            rounds = []
            for turn in range(ROUNDS + 1):
                pair = asked(ours, "/v1/completions", mine, given.seconds), asked(peer, "/predict", others, given.seconds)
                print(f"{pair[0]:.1f} and {pair[1]:.1f} requests a second", flush=True)
                if turn:  # the first warms up
                    rounds.append(pair)
            first_pieces(ours, 3)
            pieces = first_pieces(ours, 30)
    run = {
        "clients": CLIENTS,
        "tokens": TOKENS,
        "requests_a_second": round(statistics.median(one for one, _ in rounds), 1),
        "of_litserve": round(statistics.median(other for _, other in rounds), 1),
        "times_as_many": round(statistics.median(one / other for one, other in rounds), 2),
        "first_piece_ms": {
            "prompt": PROMPT,
            "median": round(statistics.median(pieces), 1),
            "ninth_decile": round(pieces[26], 1),
        },
    }
    print(json.dumps(run))
    if given.out:
        import litserve
        import torch
        import transformers

        versions = {"torch": torch.__version__, "transformers": transformers.__version__, "litserve": litserve.__version__}
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), **versions}
        given.out.write_text(json.dumps({"machine": machine, "run": run}, indent=1) + "\n")


if __name__ == "__main__":
    main()
