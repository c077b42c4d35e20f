"""A trial of real-time generation: a server is started as a process, asked over HTTP, timed and stopped."""

from __future__ import annotations

import base64
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import AigcError, BadInput
from aigc_models.find import find
from aigc_models.heads import GENERATE
from aigc_models.training.devices import AUTO, Device
from tasks.stage.references import EnsembleRef, EvaluationRef, ModelRef, Reference, RegisteredRef
from tasks.stage.stage import StageContext, stage
from tasks.use.generate import identity_of

if TYPE_CHECKING:
    import httpx

WARM_UP = 2  # requests that are not counted
ENOUGH = 1.0  # seconds of timed requests after which a slow model is asked no more
FEWEST = 10  # timed requests all the same: their 95th percentile is the slowest
LEAST = 1  # of one that is so slow that even these would take longer than the trial may
PATIENCE = 15.0  # seconds that the server gets to end by itself
ANSWER = 600.0  # seconds for one answer, which of a long item on a busy machine may take more than a minute


class TrialSettings(BaseModel):
    """How the server is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int = Field(
        20, ge=1, description="timed requests for each model, one after the other, one item each; of a slow one at least ten"
    )
    seconds: float = Field(
        20.0, gt=0, description="of a model's requests; a slow one is asked fewer, one at least after the warm-up"
    )
    max_tokens: int = Field(64, ge=1, description="bytes of each text")
    seed: int = Field(0, ge=0, description="request i has this seed plus i")
    device: Device = Field("auto", description=f"where the server computes; {AUTO}")
    patience: float = Field(60.0, gt=0, description="seconds that the server gets to load its models")


class Latency(BaseModel):
    """From request to whole answer, in milliseconds; `first_ms`: the first request of all, cold."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    requests: int
    first_ms: float
    p50_ms: float
    p95_ms: float


class ServedRef(Reference):
    """A folder with one item of each model, as it came over HTTP."""

    start_seconds: float  # from starting the process to its being ready
    latency: dict[str, Latency]


@stage
def try_served(
    bundles: list[EnsembleRef] | list[ModelRef],
    registered: list[RegisteredRef],
    settings: TrialSettings,
    context: StageContext,
    evaluations: list[EvaluationRef] | None = None,
) -> ServedRef:
    """Serve the models, ask each over HTTP as a client would, measure, stop; `registered` names `bundles` one by one.

    `evaluations`: theirs, one by one, whose items are what a model is asked about that makes none.
    """
    models = [model_of(bundle.path(context.workspace), name) for bundle, name in zip(bundles, registered, strict=True)]
    folder = context.folder / "served"
    folder.mkdir(parents=True, exist_ok=True)
    asked_about = {
        name.model: one.path(context.workspace) / "samples" for name, one in zip(registered, evaluations or [], strict=False)
    }
    began, latency = time.monotonic(), {}
    with served(models, context.folder / "server.log.tmp", settings.patience, settings.device) as client:
        start_seconds = round(time.monotonic() - began, 3)
        for model in client.get("/v1/models").json()["data"]:
            latency[model["id"]] = ask(client, model, settings, folder, asked_about.get(model["id"]))
            context.progress(len(latency), len(models), **{f"latency_p95_ms.{model['id']}": latency[model["id"]].p95_ms})
    figures = {f"latency_p95_ms.{name}": figure.p95_ms for name, figure in latency.items()}
    context.log(server_start_seconds=start_seconds, **figures)
    return ServedRef.to(context.workspace, folder, start_seconds=start_seconds, latency=latency)


def model_of(folder: Path, registered: RegisteredRef) -> dict[str, Any]:
    """One of the models in `run.Orders`, as JSON."""
    return {"identity": identity_of(folder, registered).model_dump(), "path": str(folder)}


@contextmanager
def served(models: Sequence[Mapping[str, Any]], log: Path, patience: float, device: Device = "auto") -> Iterator[httpx.Client]:
    """A server process that is ready, as a client for it; it ends with the block, or with this process."""
    import httpx

    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.serve.run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which then stops the server
        )
    try:
        url = handed_over(process, {"models": list(models), "device": device}, log)
        with httpx.Client(base_url=url, timeout=ANSWER, trust_env=False) as client:
            wait_until_ready(client, process, log, patience)
            yield client
    finally:
        end(process)


def handed_over(process: subprocess.Popen[str], orders: Mapping[str, Any], log: Path) -> str:
    """Give the process its orders; returns where it listens."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        return str(answer["url"])
    except (BrokenPipeError, ValueError, KeyError) as error:
        raise failure(process, log) from error


def wait_until_ready(client: httpx.Client, process: subprocess.Popen[str], log: Path, patience: float) -> None:
    """Ask `/readyz` until it answers 200; raises `AigcError` where the process ends or takes too long."""
    import httpx

    until = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < until:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # it does not listen yet, or has just ended
        time.sleep(0.05)
    raise failure(process, log)


def failure(process: subprocess.Popen[str], log: Path) -> AigcError:
    """The last message of a process that ended before it served, as an error."""
    status = end(process)
    output = process.stdout.read().strip() if process.stdout and not process.stdout.closed else ""
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    reason = output or " ".join(last) or "it said nothing"
    kind = BadInput if status == 2 else AigcError
    return kind(f"the server did not start (status {status}): {reason}; its log is {log}")


def end(process: subprocess.Popen[str]) -> int:
    """Close its stdin, which ends it; kill it where that does not."""
    if process.stdin and not process.stdin.closed:
        with suppress(BrokenPipeError):  # it has ended already
            process.stdin.close()
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def ask(
    client: httpx.Client, model: Mapping[str, Any], settings: TrialSettings, folder: Path, samples: Path | None = None
) -> Latency:
    """Time requests for one item each and keep the first answer; `samples`: of the model's evaluation."""
    path, body, keep = question(model, settings, samples)
    seconds = []
    for request in range(WARM_UP + settings.requests):
        began = time.perf_counter()
        seed = {"seed": settings.seed + request} if model.get("task", GENERATE) == GENERATE else {}
        answer = client.post(path, json={**body, "model": model["id"], **seed})
        seconds.append(time.perf_counter() - began)
        answer.raise_for_status()
        if request == 0:
            suffix, payload = keep(answer.json())
            (folder / f"{model['id']}{suffix}").write_bytes(payload)
        if enough(seconds, settings.seconds):
            break
    timed = sorted(seconds[WARM_UP:])
    p50, p95 = (round(1000 * timed[math.ceil(share * len(timed)) - 1], 2) for share in (0.5, 0.95))
    return Latency(requests=len(timed), first_ms=round(1000 * seconds[0], 2), p50_ms=p50, p95_ms=p95)


def enough(seconds: Sequence[float], most: float) -> bool:
    """Whether requests that took so long, those of the warm-up first, are as many as are needed, or as there is time for."""
    timed = seconds[WARM_UP:]
    return (len(timed) >= FEWEST and sum(timed) > ENOUGH) or (len(timed) >= LEAST and sum(seconds) > most)


Question = tuple[str, dict[str, Any], Callable[[Any], tuple[str, bytes]]]  # path, body, and the item in the answer


def question(model: Mapping[str, Any], settings: TrialSettings, samples: Path | None = None) -> Question:
    """What a model is asked: at the endpoint that its task or its modality has of its own, else at those that all share."""
    if model.get("task", GENERATE) != GENERATE:
        return about(model, samples)
    if model["modality"] in QUESTIONS:
        return QUESTIONS[model["modality"]](settings)
    return item() if {"generates", "streams"} & set(model["capabilities"]) else forecast()


def about(model: Mapping[str, Any], samples: Path | None) -> Question:
    """What the model says of the first item of its evaluation that is shown."""
    suffix = find("aigc_models.modalities", model["modality"]).suffix
    shown = sorted(samples.glob(f"*{suffix}")) if samples else []
    if not shown:
        raise BadInput(f"{model['id']} is to be asked about an item of its evaluation, and there is none")
    path, body = ABOUT[model["task"]](shown[0].read_bytes(), suffix)
    return path, body, lambda answer: (".json", json.dumps(answer["data"][0]).encode())


def classified(payload: bytes, suffix: str) -> tuple[str, dict[str, Any]]:
    given = payload.decode() if suffix in (".txt", ".csv") else base64.b64encode(payload).decode()
    return "/v1/classify", {"input": given}


def recommended(payload: bytes, suffix: str) -> tuple[str, dict[str, Any]]:
    from aigc_models.modalities import events

    return "/v1/recommendations", {"items": events.unpack(payload).values.tolist()}


def replied(payload: bytes, suffix: str) -> tuple[str, dict[str, Any]]:
    return "/v1/replies", {"question": payload.decode().partition("\n")[0]}


def text(settings: TrialSettings) -> Question:
    body = {"max_tokens": settings.max_tokens}
    return "/v1/completions", body, lambda answer: (".txt", answer["choices"][0]["text"].encode())


def image(settings: TrialSettings) -> Question:
    return "/v1/images/generations", {}, lambda answer: (".png", base64.b64decode(answer["data"][0]["b64_json"]))


def item() -> Question:
    """An item of any modality: a text in the answer, or a file as base64."""

    def keep(answer: Any) -> tuple[str, bytes]:
        made = answer["data"][0]
        return made["suffix"], made["text"].encode() if "text" in made else base64.b64decode(made["b64_json"])

    return "/v1/generate", {}, keep


def forecast() -> Question:
    """What comes after the newest past, of a model that draws no items."""
    return "/v1/forecast", {}, lambda answer: (".json", json.dumps(answer["data"][0]).encode())


ABOUT = {  # by task: where it is asked, and how
    **dict.fromkeys(("classify", "multilabel", "regress"), classified),
    "match": replied,
    "recommend": recommended,
}
QUESTIONS: dict[str, Callable[[TrialSettings], Question]] = {"text": text, "image": image}
