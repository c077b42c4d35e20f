"""`aigc generate`, `serve`, `ui` and `doctor`: what uses a registered model or looks at the state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_models.training.devices import Device
from flows.command_line.command import answer, ending, leave
from flows.failures import FAILED

Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]
Place = Annotated[Device, typer.Option("--device", help="where torch computes; auto: the GPU where there is one")]
Guard = Annotated[
    bool, typer.Option("--copy-guard/--no-copy-guard", help="keep texts from repeating 50 characters of the training data")
]
Reference = Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias or NAME/version")]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file beside the others."""
    for command in (generate, serve, ui, doctor):
        app.command()(command)


def generate(
    model: Reference,
    out: Annotated[Path, typer.Option("--out", help="folder for the items and manifest.jsonl")],
    count: Annotated[int, typer.Option(min=1, help="items")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="item i depends on this seed and on i alone")] = 0,
    label: Annotated[str | None, typer.Option(help="one of the model's labels")] = None,
    prompt: Annotated[str | None, typer.Option(help="what each text begins with")] = None,
    sampling: Annotated[list[str] | None, typer.Option("--sampling", help="an option: temperature=0.8, regex='[a-z]+'")] = None,
    device: Place = "auto",
    follow: Annotated[Path | None, typer.Option(help="answer the files that arrive in this folder, each once")] = None,
    every: Annotated[str, typer.Option(help="with --follow: time between two looks into the folder")] = "2s",
    idle_exit: Annotated[str | None, typer.Option(help="with --follow: end after this time without a new file")] = None,
    once: Annotated[bool, typer.Option("--once", help="with --follow: answer what is there and end")] = False,
    copy_guard: Guard = True,
    as_json: Json = False,
) -> None:
    """Generate a batch of items; the same command after a kill goes on where it was.

    Example: aigc generate digits --count 100 --seed 1 --label 7 --out sevens
    Example: aigc generate docstrings --out dates --sampling regex='\\d{4}-\\d\\d-\\d\\d'
    Example: aigc generate docstrings --follow inbox --out answers --every 2s
    """
    with ending():
        if follow is not None:
            from flows.command_line.follow import follow_folder

            times = {"every": every, "idle_exit": idle_exit, "once": once}
            follow_folder(model, follow, out, as_json, **times, seed=seed, device=device, copy_guard=copy_guard)
            return
        from tasks.report.terminal import Terminal
        from tasks.stage.settings import Workspace
        from tasks.stage.stage import StageContext
        from tasks.stage.validation import validated
        from tasks.use.generate_batch import BatchSettings, generate_batch

        options: dict[str, Any] = {"count": count, "seed": seed, "label": label, "prompt": prompt, "device": device}
        options |= {"sampling": _sampling(sampling or []), "copy_guard": copy_guard}
        values = {"model": model, "out": str(out.absolute()), "generation": options}
        workspace, settings = Workspace.current().create(), validated(BatchSettings, values, "aigc generate")
        with Terminal() as terminal:
            context = StageContext(workspace.state, workspace)
            context.on_progress = lambda step, total, **figures: terminal.progress(model, step, total, figures)
            batch = generate_batch.plain(settings, context=context)
        made = {**batch.model_dump(), "out": str(out), "manifest": str(out / "manifest.jsonl")}
        answer(made, as_json, lambda value: print(f"{count} items of {batch.model} version {batch.version} in {out}"))


def _sampling(options: list[str]) -> dict[str, Any]:
    from aigc_models.errors import BadInput

    values: dict[str, Any] = {}
    for option in options:
        name, _, value = option.partition("=")
        try:
            values[name] = value if name == "regex" else json.loads(value) if value[:1] == "{" else float(value)
        except ValueError as error:
            instead = "write it as name=value, such as temperature=0.8, or logit_bias='{\"10\": -100}' with JSON"
            raise BadInput(f"--sampling {option}: {instead}") from error
    return values


def serve(
    models: Annotated[list[str], typer.Argument(help="NAME, NAME@alias or NAME/version, one or more")],
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port; 0 takes a free one")] = 8000,
    every: Annotated[float, typer.Option(min=0.1, help="seconds between two looks whether an alias was moved")] = 5.0,
    hung: Annotated[float, typer.Option(min=1, help="seconds without progress after which /healthz fails")] = 120.0,
    device: Place = "auto",
    limit: Annotated[list[str] | None, typer.Option(help="a bound: tokens=2048, items=16, rate=60; docs/security.md")] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="a name under which it may be asked; '*': any")] = None,
    without_keys: Annotated[bool, typer.Option("--without-keys", help="let everybody ask, from other machines too")] = False,
    access_log: Annotated[
        str | None, typer.Option(help="file for a line of JSON a request; -: stderr [default: .aigc/logs/access.jsonl]")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="certificate (PEM), to serve over https")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its key (PEM)")] = None,
    copy_guard: Guard = True,
) -> None:
    """Serve registered models in real time: OpenAI's paths, a page at /, its description at /docs.

    NAME and NAME@alias are followed: a promotion or rollback is served without a restart. NAME/version never moves.
    Once `aigc keys add` has made a key, one is asked for; to listen beyond this machine takes one, or --without-keys.

    Example: aigc serve digits docstrings --port 8000
    Example: aigc serve docstrings --host 0.0.0.0 --limit tokens=1000 --limit rate=60
    """
    with ending():
        from aigc_models.errors import BadInput
        from tasks.serve.doors.opening import Doors
        from tasks.serve.following import registered
        from tasks.serve.run import serve as serve_models
        from tasks.stage.settings import Workspace

        workspace = Workspace.current().create()
        doors = Doors.of(workspace, host, limit or [], allow_host or [], without_keys, access_log, tls_cert, tls_key)
        served = {one.identity.model: one for one in (registered(workspace, model, device, copy_guard) for model in models)}
        if len(served) < len(models):
            raise BadInput(f"{' '.join(models)}: a model is named twice; serve one version of it here, another at another port")
        serve_models(served, host, port, doors=doors, every=every, hung=hung)


def ui(
    mlflow_port: Annotated[int, typer.Option(min=0, max=65535, help="port of MLflow's page")] = 5000,
    prefect_port: Annotated[int, typer.Option(min=0, max=65535, help="port of Prefect's page")] = 4200,
) -> None:
    """Start MLflow's and Prefect's pages on the state of this workspace and say where.

    Example: aigc ui
    """
    with ending():
        from flows.command_line.pages import show_pages
        from tasks.stage.settings import Workspace

        show_pages(Workspace.current().create(), mlflow_port, prefect_port)


def doctor(as_json: Json = False) -> None:
    """Check the installation and the workspace: versions, room, locks, the stores, the sources of data.

    Example: aigc doctor
    """
    with ending():
        from flows.command_line.health import examine
        from tasks.stage.settings import Workspace

        findings = examine(Workspace.current())
        answer({"findings": findings, "healthy": all(finding["ok"] for finding in findings)}, as_json, _show_findings)
        if not all(finding["ok"] for finding in findings):
            leave(FAILED)


def _show_findings(value: dict[str, Any]) -> None:
    for finding in value["findings"]:
        print(f"{'ok  ' if finding['ok'] else 'FAIL'}  {finding['name']}: {finding['detail']}")
