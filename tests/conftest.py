"""What holds for every test: no state outside the test's own folders, few threads."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.stage.settings import Workspace

# Prefect reads its settings when it is first imported, which may be at the collection of a test.
if "PREFECT_HOME" not in os.environ:  # workers have the first process's
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="aigc-prefect-")
    atexit.register(shutil.rmtree, os.environ["PREFECT_HOME"], ignore_errors=True)
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "AIGC_WORKSPACE", "AIGC_DEBUG"):
    os.environ.pop(name, None)


# A core for each worker and all that it starts, as on a machine of one core: the threads of a stage that share their cores with
# another worker's wait for each other at every step, and a training of 8 s takes two minutes.
if hasattr(os, "sched_setaffinity") and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


# By file, so that no worker is left alone with the longest at the end (`make test` keeps this order).
LONGEST_FIRST = (
    "test_pipeline.py",
    "test_readme.py",
    "test_kill.py",
    "test_deployments.py",
    "test_nightly.py",
    "test_malformed.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def tracked_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with MLflow's empty database, copied from one that is made once for all workers:
    MLflow's migrations take seconds."""
    from tasks.stage.owner import locked
    from tasks.stage.tracking import client

    own = tmp_path_factory.getbasetemp()
    template = Workspace((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "mlflow").create()
    assert client(template)
    workspace = Workspace(Path(tmp_path_factory.mktemp("workspace"))).create()
    with locked(template, "mlflow"):
        shutil.copy(template.state / "mlflow.db", workspace.state)
    return workspace


def _answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(f"{address}/health", timeout=1).status == 200
    except OSError:
        return False


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """The address of an MLflow server with a store of its own, in `tmp_path`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path / "store")]
    command = [sys.executable, "-m", "mlflow", "server", *store, "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 120
    while not _answers(f"http://127.0.0.1:{port}") and time.monotonic() < deadline:
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()


def joined(folder: Path, counts: Path, letters: Path) -> Path:
    """An ensemble of a model that counts and of one that encodes."""
    from aigc_models import bundle
    from aigc_models.ensembles import average

    members = {"ngram": counts, "rnn": letters}
    models = {name: bundle.load(path)[1] for name, path in members.items()}
    settings, weights = average.Settings(), {"ngram": 0.9, "rnn": 0.1}
    card = bundle.read_card(letters).model_copy(
        update={"kind": "ensemble", "name": "mind", "family": "average", "config": settings.model_dump(mode="json"),
                "members": tuple(members), "weights": weights})  # fmt: skip
    bundle.save(folder, average.build(models, weights, settings), card, members=members)
    return folder


@pytest.fixture(scope="session")
def capable(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """More bundles made in no time: `tones` (sounds, low or high), `waves` (a series that knows its newest past),
    `letters` (an untrained network of texts), `jigs` and `films` (counts of tunes and of histories), and `mind` (an
    ensemble of two, one of which encodes)."""
    import numpy as np

    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.corpus import Corpus
    from aigc_models.families import gaussian_mixture, linear, ngram, rnn
    from aigc_models.modalities import audio, events, series, text
    from aigc_models.modalities.events.events import history, notes

    folder, noise = tmp_path_factory.mktemp("capable"), np.random.default_rng(0)

    def kept(name: str, family: Any, form: Any, corpora: Sequence[Corpus], labels: tuple[str, ...] = (), **more: Any) -> Path:
        modality = type(form).__module__.removeprefix("aigc_models.modalities.").split(".")[0]
        config, short = family.SIZES["debug"], family.__name__.split(".")[-1]
        card = Card(name=name, family=short, modality=modality, config=config.model_dump(mode="json"), labels=labels,
                    format=form.model_dump(mode="json"), dataset=name, version="d4ta", micro_batch=4)  # fmt: skip
        model = family.build(config, card.shape)
        if corpora:
            model.fit(*corpora, lambda *arguments, **figures: None)
        bundle.save(folder / name, model, card, **more)
        return folder / name

    time = np.arange(1024) / 8000
    sounds = [
        audio.Sound((0.5 * np.sin(2 * np.pi * pitch * time + phase)).astype(np.float32)[None], 8000)
        for phase in noise.uniform(0, 6, 12)
        for pitch in (250, 1500)
    ]
    form = audio.choose_format(sounds)
    corpus = Corpus("audio", audio.encode(sounds, form), np.arange(24) % 2)
    made = {"tones": kept("tones", gaussian_mixture, form, [corpus, corpus], ("low", "high"))}

    values = 10 + np.sin(np.arange(200) / 4) + 0.01 * noise.standard_normal(200)
    wave = series.Series(values[None], ("height",), 86400.0 * 7000, "1D")
    sizes = {"context": 24, "horizon": 6, "season": 1, "channels": 1, "step": "1D"}
    form = series.Format(**sizes, names=("height",), centre=(10.0,), scale=(0.7,))
    borders = series.borders([wave], 0.2, 0.2)
    windows = [series.windows([wave], form, borders, split)[0] for split in ("train", "validation")]
    corpora = [Corpus("series", each, np.zeros(len(each), int)) for each in windows]
    made["waves"] = kept("waves", linear, form, corpora, latest=[(series.pack(wave.part(150, 200)), 0)])

    scales = [notes(np.arange(9) / 2, range(60, 69) if up else range(69, 60, -1), [0.5] * 9, [0] * 9, None, 90.0, (3, 4))
              for up in (True, False) for _ in range(6)]  # fmt: skip
    seen = [history(range(4), list("abca")) for _ in range(12)]
    for name, contents in {"jigs": scales, "films": seen}.items():
        form = events.choose_format(contents)
        corpus = Corpus("events", events.encode(contents, form), np.zeros(12, np.int64))
        made[name] = kept(name, ngram, form, [corpus, corpus])

    tales = [f"The {first} cat sat on the {last}." for first in ("red", "old") for last in ("mat", "hat", "bed")] * 2
    shouts = [tale.upper() for tale in tales]
    form = text.choose_format(tales)
    corpus = Corpus("text", text.encode(tales + shouts, form), np.repeat([0, 1], len(tales)))
    made["letters"] = kept("letters", rnn, form, [], ("calm", "loud"))
    counts = kept("counts", ngram, form, [corpus, corpus], ("calm", "loud"))
    return {**made, "mind": joined(folder / "mind", counts, made["letters"])}


PUBLISHED = ["the profit rose", "the profit fell", "sales rose in May", "sales fell in May", "orders were as before"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder as it is published: saved by the library, with a tokeniser and a card."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    folder = Path(tmp_path_factory.mktemp("published"))
    tokeniser = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokeniser.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokeniser.train_from_iterator(PUBLISHED, trainers.WordPieceTrainer(vocab_size=90, special_tokens=special))
    framed = [("[CLS]", 2), ("[SEP]", 3)]
    tokeniser.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=framed)
    tokeniser.save(str(folder / "tokenizer.json"))
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=tokeniser.get_vocab_size(), max_position_embeddings=40, **sizes)).save_pretrained(
            folder
        )
    (folder / "README.md").write_text("---\nlicense: apache-2.0\ntags: [x]\n---\n# A small one\n")
    return folder


@pytest.fixture(scope="session")
def replier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BM25 over past questions to a shop: eight answers, to each of which customers ask by one word of several."""
    import numpy as np

    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.corpus import Corpus
    from aigc_models.ensembles import conditional_logit
    from aigc_models.families import bm25
    from aigc_models.heads import match
    from aigc_models.modalities import text

    words = ["cancel", "parcel", "refund", "hours", "invoice", "password", "warranty", "gift"]
    asked = ["how about the {}", "{} please", "my {} is late", "a question of {}", "what of that {} now", "{} again"]
    form = text.Format(length=96)

    def corpus(first: int, last: int) -> Corpus:
        written = [f"{asked[at].format(word)}\nThis is how {word} works." for word in words for at in range(first, last)]
        return Corpus("text", text.encode(written, form), np.zeros(len(written), np.int64))

    corpora = {"train": corpus(0, 3), "validation": corpus(3, 5), "test": corpus(5, 6)}
    about: dict[str, Any] = {"format": form.model_dump(), "task": "match"}
    card = Card(name="words", family="bm25", modality="text", config=bm25.SIZES["debug"].model_dump(mode="json"), **about)
    model = bm25.build(bm25.SIZES["debug"], card.shape)
    model.fit(corpora["train"], corpora["validation"], lambda *arguments, **figures: None)
    folder = Path(tmp_path_factory.mktemp("replying"))
    bundle.save(folder / "words", model, card)
    settings = conditional_logit.Settings()
    pool = conditional_logit.fit({"words": model}, corpora["train"], corpora["validation"], card.shape, settings, 0, print)
    ids = {name: [f"{name}-{row}" for row in range(len(one))] for name, one in corpora.items()}
    whole: dict[str, Any] = {**about, "kind": "ensemble", "config": pool.settings.model_dump(), "weights": pool.weights}
    card = Card(name="shop", family="conditional_logit", modality="text", dataset="shop", version="d4ta", **whole)
    files = match.beside(pool, corpora, ids, card.shape)
    bundle.save(folder / "shop", pool, card, {"words": folder / "words"}, beside=files)
    return folder / "shop"


@pytest.fixture(scope="session")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transitions between twelve films, each of which is followed by the next one."""
    import numpy as np

    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.corpus import Corpus
    from aigc_models.families import transitions
    from aigc_models.modalities import events
    from aigc_models.modalities.events.events import history

    names = [f"{number} Film {number}" for number in range(1, 13)]
    contents = [history(np.arange(6), [names[(start + at) % 12] for at in range(6)]) for start in list(range(12)) * 4]
    form, config = events.choose_format(contents), transitions.SIZES["debug"]
    about = {"config": config.model_dump(mode="json"), "format": form.model_dump(mode="json"), "task": "recommend"}
    card = Card(name="films", family="transitions", modality="events", dataset="films", version="d4ta", micro_batch=4, **about)
    corpus = Corpus("events", events.encode(contents, form), np.zeros(len(contents), np.int64))
    model = transitions.build(config, card.shape)
    model.fit(corpus, corpus, lambda *arguments, **figures: None)
    folder = Path(tmp_path_factory.mktemp("recommending")) / "films"
    bundle.save(folder, model, card)
    return folder


class EndpointServer:
    """An OpenAI-style endpoint on a free port: `reply(body)` gives a status and what is answered, JSON or bytes.

    `requests` are those that came, with their headers.
    """

    def __init__(self) -> None:
        self.requests: list[SimpleNamespace] = []
        self.reply: Callable[[dict[str, Any]], tuple[int, Any]] = lambda body: (200, self.said("no idea"))
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(SimpleNamespace(path=self.path, body=body, headers=dict(self.headers)))
                status, answer = endpoint.reply(body)
                payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                with suppress(OSError):  # who asked may be gone
                    self.send_response(status)
                    if status in (301, 302, 307, 308):
                        self.send_header("Location", payload.decode())
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)

            def log_message(self, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def said(text: str, tokens: dict[str, float] | None = None) -> dict[str, Any]:
        """The answer of both dialects: `text`, and log-probabilities of what the first token could have been."""
        choice: dict[str, Any] = {"text": text, "message": {"role": "assistant", "content": text}}
        if tokens:
            top = [{"token": token, "logprob": value} for token, value in tokens.items()]
            choice["logprobs"] = {"content": [{"token": text, "logprob": 0.0, "top_logprobs": top}]}
        return {"choices": [choice]}

    def answers(self, label: Callable[[str], str]) -> None:
        """From now on each prompt's text gets the label that this function gives it."""
        self.reply = lambda body: (200, self.said(label(body["messages"][0]["content"].partition("Text: ")[2])))

    def stop(self) -> None:
        """From now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    server = EndpointServer()
    yield server
    server.stop()
