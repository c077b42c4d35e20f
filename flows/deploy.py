"""`aigc deploy`: every flow of `prefect.yaml` on a Prefect server, with the work pool that its runs go to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from aigc_models.errors import AigcError, BadInput
from tasks.stage.addresses import without_secrets

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

FILE, POOL, KIND = "prefect.yaml", "aigc", "process"
START = (
    "start one with `prefect server start`, say where it is with `export PREFECT_API_URL=http://127.0.0.1:4200/api`, "
    "and run `aigc deploy` again"
)


def deploy(file: Path | None) -> dict[str, Any]:
    """Deploy all of a file: the given one, that of the folder, or the project's. What stands on the server then."""
    chosen = prefect_file(file)
    wanted = declared(chosen)
    server = without_secrets(require_server())
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        made = ensure_pool(client)
        deploy_all(chosen)
        deployments = [described(name, client.read_deployment_by_name(name)) for name in wanted]
    return {"server": server, "work_pool": {"name": POOL, "type": KIND, "made": made}, "deployments": deployments}


def prefect_file(file: Path | None) -> Path:
    """Raises `BadInput` where there is none."""
    places = [file] if file else [Path(FILE), Path(__file__).parents[1] / FILE]
    for place in places:
        if place.is_file():
            return place.resolve()
    where = " nor ".join(str(place) for place in places)
    raise BadInput(f"there is no {where}; name the project's {FILE} with --file")


def declared(file: Path) -> list[str]:
    """The file's deployments as FLOW/NAME; raises `BadInput` where two names are the same."""
    try:
        listed = yaml.safe_load(file.read_text())["deployments"]
        names = [f"{one['entrypoint'].rpartition('.')[2]}/{one['name']}" for one in listed]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        problem = " ".join(str(error).split())
        raise BadInput(f"{file}: a list of `deployments` with `name` and `entrypoint` is needed: {problem}") from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"{file}: two deployments are called {', '.join(twice)}; give each a name of its own")
    return names


def require_server() -> str:
    """The address of a Prefect server that answers; raises `BadInput` that says how to start one."""
    import httpx

    url = os.environ.get("PREFECT_API_URL")
    if not url:
        raise BadInput(f"deployments need a Prefect server that stays, and PREFECT_API_URL names none; {START}")
    try:
        httpx.get(f"{url}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        raise BadInput(f"no Prefect server answers at {url} ({error}); {START}") from error
    return url


def ensure_pool(client: SyncPrefectClient) -> bool:
    """The work pool is there; whether it had to be made."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    try:
        client.read_work_pool(POOL)
        return False
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=POOL, type=KIND, base_job_template=template))
        return True


def deploy_all(file: Path) -> None:
    """Prefect's own command on the whole file; raises `AigcError` with its message."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    if done.returncode:
        output = f"{done.stdout}{done.stderr}".strip()
        last = output.rpartition("\n")[2].strip()
        raise AigcError(f"`prefect deploy --all` ended with status {done.returncode}: {last}\n{output}")


def described(name: str, deployment: DeploymentResponse) -> dict[str, Any]:
    """One deployment as the answer says it: how it is called, what it runs, and when by itself."""
    schedules = [schedule.schedule.model_dump(mode="json", exclude_none=True) for schedule in deployment.schedules]
    return {
        "name": name,
        "id": str(deployment.id),
        "entrypoint": deployment.entrypoint,
        "description": deployment.description,
        "schedules": schedules,
    }


def show(value: dict[str, Any]) -> None:
    """The deployments as a table, and the commands that go on from here."""
    from rich import print as out
    from rich.table import Table

    table = Table("deployment", "by itself", "what it does", box=None)
    for one in value["deployments"]:
        crons = ", ".join(str(schedule.get("cron", schedule)) for schedule in one["schedules"])
        table.add_row(one["name"], crons or "-", one["description"] or "")
    out(table)
    pool, first = value["work_pool"]["name"], value["deployments"][0]["name"]
    print(f"a worker runs them, in the folder that it is started in: prefect worker start --pool {pool} --type {KIND}")
    print(f"by hand: prefect deployment run '{first}', or on the page {value['server'].removesuffix('/api')}")
