"""A data set as ingesting and cleaning leave it, made by hand."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from aigc_models.modalities import events, image, text
from tasks.stage.references import CleanRef, EnsembleRef, EvaluationRef, RegisteredRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

MODALITIES = {"text": text, "image": image, "events": events}
TEXTS = ("id", "label", "group", "split", "time", "source", "exact")


def clean_row(modality: str, content: Any, fields: Mapping[str, str]) -> dict[str, Any]:
    plugin = MODALITIES[modality]
    found, packed = plugin.fingerprint(content), plugin.pack(content)
    source = fields.get("source", f"made/{hashlib.sha256(packed).hexdigest()[:8]}")
    key = hashlib.sha256(source.encode() + packed).hexdigest()[:24]
    return (
        dict.fromkeys(TEXTS)
        | {"changed": [], "noticed": []}
        | {
            "id": key,
            "content": packed,
            "source": source,
            "exact": found.exact,
            "near": found.near,
            **fields,
        }
    )


@dataclass
class Handmade:
    """`add` writes one clean shard; `ref` is what the cleaning stage would hand on."""

    workspace: Workspace
    modality: str = "text"
    name: str = "notes"
    shards: int = 0
    rows: int = 0
    rejected: int = 0

    @property
    def clean(self) -> Path:
        return self.workspace.data / self.name / "clean"

    def add(self, contents: Iterable[Any], fields: Iterable[Mapping[str, str]] | None = None, rejected: int = 0) -> list[str]:
        """Give the ids of the new items, in order."""
        contents = list(contents)
        rows = [clean_row(self.modality, *pair) for pair in zip(contents, fields or [{}] * len(contents), strict=True)]
        stem = f"{self.shards:05d}-{self.shards:012x}"
        self.clean.mkdir(parents=True, exist_ok=True)
        kinds = [(name, pyarrow.string()) for name in TEXTS] + [("content", pyarrow.binary()), ("near", pyarrow.binary())]
        kinds += [(name, pyarrow.list_(pyarrow.string())) for name in ("changed", "noticed")]
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(kinds)), self.clean / f"{stem}.parquet")
        names = pyarrow.schema([(name, pyarrow.string()) for name in ("id", "source", "label", "rule", "reason")])
        bad = [
            {"id": f"bad{self.shards}-{at}", "source": f"bad/{at}", "rule": "readable", "reason": "broken"}
            for at in range(rejected)
        ]
        parquet.write_table(pyarrow.Table.from_pylist(bad, schema=names), self.clean / f"{stem}.rejected.parquet")
        self.shards, self.rows, self.rejected = self.shards + 1, self.rows + len(rows), self.rejected + rejected
        return [row["id"] for row in rows]

    @property
    def ref(self) -> CleanRef:
        counts = {"rows": self.rows, "rejected": self.rejected}
        return CleanRef.to(self.workspace, self.clean, dataset=self.name, modality=self.modality, **counts)

    def context(self, name: str) -> StageContext:
        folder = self.workspace.stages / name
        folder.mkdir(parents=True, exist_ok=True)
        return StageContext(folder=folder, workspace=self.workspace)


@pytest.fixture
def handmade(tmp_path: Path) -> Callable[..., Handmade]:
    """A data set in an empty workspace: `handmade("image")`."""

    def make(modality: str = "text", name: str = "notes", root: Path = tmp_path) -> Handmade:
        return Handmade(Workspace(root), modality, name)

    return make


def sentences(count: int, start: int = 0) -> list[str]:
    """Texts that are no near-duplicates of each other."""
    return [
        " ".join(hashlib.sha256(f"{at} {word}".encode()).hexdigest()[:7] for word in range(8))
        for at in range(start, start + count)
    ]


@pytest.fixture(name="sentences")
def sentences_fixture() -> Callable[..., list[str]]:
    return sentences


@dataclass
class Registrar:
    """Registers small bundles in a real MLflow of its own; `register("digits", 2, loss=0.5)` is bundle 2's version."""

    tracker: Any
    evaluations: dict[str, Any]

    @property
    def workspace(self) -> Workspace:
        return self.tracker.workspace

    def bundle(self, name: str, number: int) -> Path:
        """A folder that looks like a bundle from outside."""
        folder = self.workspace.outputs / f"{name}-{number}"
        if not folder.exists():
            folder.mkdir(parents=True)
            card = {
                "name": name,
                "dataset": name,
                "version": f"v{number}",
                "modality": "text",
                "family": "average",
                "labels": ["a"],
            }
            (folder / "weights.safetensors").write_bytes(bytes(1000))
            digests = {"weights.safetensors": hashlib.sha256(bytes(1000)).hexdigest()}
            (folder / "bundle.json").write_text(json.dumps(card | {"licence": "CC0", "kind": "baseline", "digests": digests}))
        return folder

    def register(
        self, name: str, number: int, bundle: Path | None = None, champion: tuple[int, float] | None = None, **metrics: float
    ) -> RegisteredRef:
        """`champion`: version and figure of the one that each metric was measured beside, with an interval of 0.05 each way."""
        from tasks.registry.register import RegisterSettings, register

        ensemble = EnsembleRef.to(
            self.workspace, bundle or self.bundle(name, number), method="average", modality="text", weights={}
        )
        folder = self.workspace.outputs / f"{name}-{number}-evaluation"
        folder.mkdir(parents=True, exist_ok=True)
        figures: dict[str, dict[str, Any]] = {key: {"value": value, "baseline": 1.0} for key, value in metrics.items()}
        if champion:
            (folder / "champion.json").write_text(
                json.dumps({"version": champion[0], "misfit": "", "items": 50, "known": None, "anchor": 0})
            )
            for figure in figures.values():
                gap = figure["value"] - champion[1]
                beside = {"champion": {"value": gap, "low": gap - 0.05, "high": gap + 0.05}}
                figure |= {"champion": champion[1], "versus": beside}
        (folder / "metrics.json").write_text(json.dumps(figures))
        self.evaluations[name] = EvaluationRef.to(self.workspace, folder, metrics=metrics)
        with self.tracker.run(f"register {name}") as run:
            context = StageContext(folder, self.workspace, run_id=run.id)
            return register.plain(ensemble, self.evaluations[name], RegisterSettings(model=name), context=context)


@pytest.fixture(scope="session")
def registrar(tracked_workspace: Workspace) -> Registrar:
    """One MLflow database for all tests; each test uses a model name of its own."""
    from tasks.stage.tracking import prepare

    return Registrar(prepare(tracked_workspace), {})


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles that were trained in no time: `squares` (pictures, dark or light) and `tales` (texts, calm or wild)."""
    import numpy as np

    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.corpus import Corpus
    from aigc_models.families import gaussian_mixture, ngram

    folder, noise = tmp_path_factory.mktemp("bundles"), np.random.default_rng(0)
    squares = [(noise.integers(0, 60, (4, 4, 1)) + 150 * (item % 2)).astype(np.uint8) for item in range(60)]
    tales = [f"The {first} cat sat on the {last}.\n" for first in ("red", "old", "sly") for last in ("mat", "hat", "bed")]
    made = {
        "squares": (gaussian_mixture, "image", squares, ("dark", "light")),
        "tales": (ngram, "text", tales, ("calm", "wild")),
    }
    for name, (family, modality, contents, labels) in made.items():
        kind, config = MODALITIES[modality], family.SIZES["debug"]
        form = kind.choose_format(contents)
        card = Card(name=name, family=family.__name__.split(".")[-1], modality=modality, config=config.model_dump(mode="json"),
                    format=form.model_dump(), labels=labels, dataset=name, version="d4ta", micro_batch=4)  # fmt: skip
        corpus = Corpus(modality, kind.encode(contents, form), np.arange(len(contents)) % len(labels))
        model = family.build(config, card.shape)
        model.fit(corpus, corpus, lambda *arguments, **figures: None)
        bundle.save(folder / name, model, card)
    return {name: folder / name for name in made}


@dataclass
class History:
    """The data set `letters` in two versions: 60 texts, then 20 more, one of them a new state of an old source."""

    workspace: Workspace
    versions: tuple[str, str]


@pytest.fixture
def history(tmp_path: Path, sentences: Callable[..., list[str]]) -> History:
    from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
    from tasks.split.split import SplitSettings, split
    from tasks.version.version import version

    data = Handmade(Workspace(tmp_path).create(), "text", "letters")

    def grown(texts: list[str], first: int) -> str:
        data.add(texts, [{"source": f"letter/{at % 79}", "label": "ab"[at % 2]} for at in range(first, first + len(texts))])
        found = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
        divided = split.plain(data.ref, found, SplitSettings(), data.context("split"))
        return str(version.plain(divided, data.context("version")).version)

    texts = sentences(80)
    return History(data.workspace, (grown(texts[:60], 0), grown(texts[60:], 60)))


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """s3fs, with a bucket of that name which is empty; who asks for S3 finds it and the workspace by the environment."""
    s3fs = pytest.importorskip("s3fs")
    told = {"AWS_ENDPOINT_URL": object_store, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush",
            "AWS_DEFAULT_REGION": "us-east-1", "AIGC_WORKSPACE": str(tmp_path)}  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # instances are kept whatever the environment says since
    system = s3fs.S3FileSystem()
    system.mkdir("bucket")
    yield system
    system.rm("bucket", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(autouse=True)
def nothing_was_said_yet() -> None:
    """What another test has caused to be said once is said again."""
    from tasks.ingest.readers import notices

    notices.say_once.cache_clear()
