"""Is a retraining due? Told by digests of the data, the recipe and the code, without torch, MLflow or Prefect.

`.aigc/retraining/NAME.jsonl` only grows: one line for each state that was decided upon. Beside it, `NAME.json` holds
what the last of these states looked like, so that a new one can be told apart in words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.ingest.source import SourceSettings, content_digest, listing, readers
from tasks.registry.changes import Details, changes
from tasks.registry.recipe import shared
from tasks.stage.code_version import code_version, libraries, reached
from tasks.stage.settings import Workspace, write_whole

Part = Literal["data", "config", "code"]
PARTS: tuple[Part, ...] = ("data", "config", "code")
# What makes and measures a model. Registering and promoting judge it and change nothing in it.
STAGES = (
    "ingest.ingest",
    "clean.clean",
    "deduplicate.deduplicate",
    "split.split",
    "train.encode",
    "train.pretrain",
    "train.finetune",
    "train.ensemble",
    "judge.evaluate",
)
TAG = "aigc.retraining"
END = "}}"  # of a whole line
LONGEST = 2000  # characters of a reason; a database keeps 5000 of a tag


class State(BaseModel):
    """What a training depends on, as digests, the same on every machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(description="digest of the content at the source")
    config: str = Field(description="digest of the recipe, the place of the source aside")
    code: str = Field(description="digest of the files that the recipe's stages and plug-ins reach, and of the libraries")

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join((self.data, self.config, self.code)).encode()).hexdigest()[:16]

    def like(self, other: State, parts: Sequence[Part]) -> bool:
        """Whether the two are the same in these parts."""
        return all(getattr(self, part) == getattr(other, part) for part in parts)


class Decided(BaseModel):
    """A line of the record: what became of a state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str
    decision: Literal["promoted", "refused", "awaiting_approval"]
    version: int
    rows: int = Field(0, description="items in all splits")
    reason: str = ""
    state: State


class Seen(BaseModel):
    """How things stand: the digests, and what it takes to say later what changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    details: Details


class Due(BaseModel):
    """Whether `name` is to be trained again, and why or why not, in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    due: bool
    reason: str
    digest: str
    last: Decided | None = None
    parts: tuple[Part, ...] = Field((), description="what changed since the last decision")


def see(workspace: Workspace, name: str, recipe: Mapping[str, Any]) -> Seen:
    """Look at the source, the recipe and the code. A source whose files are all as old and as large as they were when
    the last decision was taken is not read again."""
    source = SourceSettings.model_validate(recipe["data"]["source"])
    modules = [*(f"tasks.{stage}" for stage in STAGES), *readers(source)]
    arguments = {**recipe, "modality": _modality(workspace, source)}
    config = json.loads(json.dumps(recipe))
    location, before, files = config["data"]["source"].pop("location"), _details(workspace, name), listing(source)
    unread = before is not None and bool(files) and (before.location, before.files) == (location, files)
    state = State(
        data=before.data if before and unread else content_digest(source),
        config=hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        code=code_version(modules, arguments),
    )
    sources = reached(modules, arguments)
    details = Details(
        files=files,
        config=config,
        code={module: code.digest[:12] for module, code in sources.items()},
        libraries=libraries(sources.values()),
        data=state.data,
        location=location,
    )
    return Seen(state=state, details=details)


def due(workspace: Workspace, name: str, seen: Seen, parts: Sequence[Part] = PARTS) -> Due:
    """Hold the state of things against those that were decided upon; `parts`: which changes count."""
    state = seen.state
    decisions = record(workspace, name) or _of_registry(workspace, name)
    last = decisions[-1] if decisions else None
    unlike = [part for part in parts if last and getattr(state, part) != getattr(last.state, part)]
    same = next((line for line in reversed(decisions) if state.like(line.state, parts)), None)
    if same:
        reason = f"nothing changed since version {same.version} was {words(same.decision)} on {same.when[:16]}"
    elif last is None:
        reason = "no decision on it is recorded yet"
    else:
        before = _details(workspace, name)
        reason = "; ".join(changes(before, seen.details, unlike) if before else [f"the {part} changed" for part in unlike])
    return Due(name=name, due=same is None, reason=reason, digest=state.digest, last=same or last, parts=tuple(unlike))


def words(decision: str) -> str:
    """What a version was: `promoted`, `refused`, `left to wait for approval`."""
    return "left to wait for approval" if decision == "awaiting_approval" else decision


def _modality(workspace: Workspace, source: SourceSettings) -> str:
    """What the recipe says, or else the data card; empty where neither does."""
    card = workspace.data / source.name / "card.json"
    return source.modality or (str(json.loads(card.read_text(encoding="utf-8"))["modality"]) if card.is_file() else "")


def folder_of(workspace: Workspace) -> Path:
    """Where the records of retrainings lie."""
    return workspace.state / "retraining"


def record(workspace: Workspace, name: str) -> list[Decided]:
    """What was decided about `name` on this machine, oldest first; a line that was cut by a kill is left out."""
    path = folder_of(workspace) / f"{name}.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    return [Decided.model_validate_json(line) for line in lines if line.endswith(END)]


def note(workspace: Workspace, name: str, seen: Seen, decision: Any, rows: int) -> Decided:
    """Add what was decided (a `Decision` of the gates) to the record, and tell a shared registry."""
    fields = {"decision": decision.decision, "version": decision.version, "reason": decision.reason[:LONGEST]}
    line = Decided.model_validate({"when": now(), "rows": rows, "state": seen.state, **fields})
    folder = folder_of(workspace)
    write_whole(folder / f"{name}.json", seen.details.model_dump_json())
    with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"\n{line.model_dump_json()}\n")  # on a line of its own, also after one that was cut
    if shared():
        from tasks.stage.tracking import client

        client(workspace).set_model_version_tag(name, str(line.version), TAG, line.model_dump_json())
    return line


def now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _details(workspace: Workspace, name: str) -> Details | None:
    path = folder_of(workspace) / f"{name}.json"
    return Details.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None


def _of_registry(workspace: Workspace, name: str) -> list[Decided]:
    """What other machines decided, from the tags of a shared registry's versions."""
    if not shared():
        return []
    from tasks.registry.register import versions
    from tasks.stage.tracking import client

    tags = [version.tags.get(TAG) for version in versions(client(workspace), name)]
    return sorted((Decided.model_validate_json(tag) for tag in tags if tag), key=lambda line: line.when)
