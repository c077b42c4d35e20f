"""`aigc data versions|diff|checkout|verify|push|pull|forget|allow`: what a data set was, and where it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigc_models.reading.words import number
from flows.command_line.command import answer, ending, leave, plain
from flows.command_line.drift import drift
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.version.forget import ForgetSettings

Name = Annotated[str, typer.Argument(help="name of the data set")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]
Version = Annotated[
    str, typer.Argument(metavar="[VERSION]", help="a version; its first digits are enough; the newest if left out")
]
Remote = Annotated[str, typer.Option("--remote", help="URL or folder of the remote, kept for the next time")]


def add_to(app: typer.Typer) -> None:
    """The commands of this file, as commands of `app`."""
    for command in (versions, diff, drift, checkout, verify, push, pull, forget, allow):
        app.command()(command)


def versions(name: Name, as_json: Json = False) -> None:
    """The versions of a data set that this workspace has seen, oldest first.

    Example: aigc data versions digits
    """
    with ending():
        from tasks.dataset.ledger import ledger
        from tasks.version.cache import find_version

        workspace = Workspace.current()
        find_version(workspace, name)
        answer(plain({"dataset": name, "versions": ledger(workspace, name)}), as_json, _show_versions)


def diff(
    name: Name,
    before: Annotated[str, typer.Argument(help="a version; its first digits are enough")],
    after: Annotated[str, typer.Argument(help="a later version; the newest if left out")] = "",
    as_json: Json = False,
) -> None:
    """What one version has that another has not: items, quarantine, labels and lengths with tests of significance.

    Example: aigc data diff digits fd0bf9d2 1c2e40aa
    """
    with ending():
        from tasks.version.diff import diff as compare

        answer(plain(compare(Workspace.current(), name, before, after)), as_json, show_difference)


def checkout(
    name: Name,
    wanted: Annotated[str, typer.Argument(metavar="VERSION", help="a version; its first digits are enough")],
    as_json: Json = False,
) -> None:
    """Put an earlier version of a data set back into data/, whether it was committed to git or not.

    Example: aigc data checkout digits fd0bf9d2
    """
    with ending():
        from tasks.version.checkout import checkout as restore

        restored = plain(restore(Workspace.current(), name, wanted))
        answer(restored, as_json, lambda record: _say(f"data/{name} is version {record['version']}, {record['rows']} items"))


def verify(name: Name, as_json: Json = False) -> None:
    """Read all that the cache keeps of a data set's versions; exit status 1 where something is damaged or missing.

    Example: aigc data verify digits
    """
    with ending():
        from tasks.version.cache import find_version
        from tasks.version.verify import verify as read_all

        workspace = Workspace.current()
        find_version(workspace, name)
        checks = read_all(workspace, name)
        intact = all(each.intact for each in checks)
        answer(plain({"dataset": name, "intact": intact, "versions": checks}), as_json, _show_verified)
        if not intact:
            leave(1)


def push(name: Name, wanted: Version = "", remote: Remote = "", as_json: Json = False) -> None:
    """Send a version to the remote: a folder, s3://, gs://, ssh:// (what DVC knows); in .aigc/remote where none is set.

    Example: aigc data push digits --remote s3://bucket/aigc
    """
    with ending():
        from tasks.stage.addresses import without_secrets
        from tasks.version.remote import push as send

        version, where = send(Workspace.current(), name, wanted, remote)
        value = {"dataset": name, "version": version.version, "remote": without_secrets(where)}
        answer(value, as_json, lambda record: _say(f"{name} {record['version']} is in {record['remote']}"))


def pull(name: Name, wanted: Version = "", remote: Remote = "", as_json: Json = False) -> None:
    """Fetch what the cache lacks of a version, or holds damaged, from the remote; data/ stays as it is.

    Example: aigc data pull digits fd0bf9d2
    """
    with ending():
        from tasks.version.remote import pull as fetch

        version, mended = fetch(Workspace.current(), name, wanted, remote)
        value = {"dataset": name, "version": version.version, "mended": mended}
        hint = f"; {mended} damaged files were replaced, `aigc data checkout {name} {version.version}` puts them into data/"
        message = f"{name} {version.version} is whole in the cache" + (hint if mended else "")
        answer(value, as_json, lambda _: _say(message))


def forget(
    name: Name,
    ids: Annotated[list[str] | None, typer.Option("--id", help="id of an item; repeatable")] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="every item of this group, later ones too; repeatable")
    ] = None,
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="a file or row as data/NAME names it (letters/a.txt#3); repeatable")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; what is removed cannot be brought back")] = False,
    as_json: Json = False,
) -> None:
    """Remove items for good: from the next version, from the cache and from the remotes; says which models learnt from them.

    Example: aigc data forget letters --group "customer 17" --yes
    """
    with ending():
        from aigc_models.errors import BadInput
        from tasks.stage.validation import validated
        from tasks.version.forget import ForgetSettings

        if not (ids or groups or sources):
            raise BadInput("name what to forget: --id, --group or --source")
        asked = {"name": name, "ids": ids or [], "groups": groups or [], "sources": sources or []}
        settings = validated(ForgetSettings, asked, "aigc data forget")
        if not yes and (as_json or not typer.confirm(f"remove these items of {name} for good?", err=True)):
            raise BadInput("nothing was removed; --yes removes without asking")
        answer(forgotten(settings), as_json, _show_forgotten)


def allow(name: Name, as_json: Json = False) -> None:
    """Let in again what the last `aigc data add` left out because it was forgotten; the same add then brings it back.

    Example: aigc data allow letters
    """
    with ending():
        from tasks.dataset.forgotten import allow as let_in

        value = {"dataset": name, "allowed": let_in(Workspace.current(), name)}
        answer(value, as_json, lambda _: _say(f"{name}: what was left out may come in again; add it once more"))


def forgotten(settings: ForgetSettings) -> dict[str, Any]:
    """Run the flow; the version it made and what became of the earlier ones."""
    from flows.command_line.command import orchestrated

    with orchestrated():
        from flows.forgetting import forgetting

        data, purged = forgetting(settings)
    return {"dataset": data.dataset, "version": data.version, "rows": data.rows, **plain(purged)}


def _show_forgotten(value: Mapping[str, Any]) -> None:
    _say(f"{value['dataset']} version {value['version']}: {value['rows']} items are left")
    _say(f"removed: {value['objects']} files of the cache, {value['encoded']} encoded copies")
    captions = {
        "versions": "can no longer be restored",
        "models": "were trained on them (retrain, or remove them from the registry)",
        "remotes": "were purged too",
        "unreached": "may still hold them",
        "unseen": "versions that may hold them, neither here nor at a remote whole (push them from where they are, then forget "
        "again)",
    }
    for kind, what in captions.items():
        if value[kind]:
            _say(f"{what}: {', '.join(value[kind])}")
    _say("not touched: the source itself, the caches of other clones, reports in outputs/, git's and MLflow's other records")


def _say(text: str) -> None:
    from rich import print as out
    from rich.text import Text

    out(Text(text))


def _show_versions(value: Mapping[str, Any]) -> None:
    from rich import print as out
    from rich.table import Table

    table = Table("version", "items", "splits", box=None)
    for line in value["versions"]:
        table.add_row(line["version"], str(line["rows"]), ", ".join(f"{name} {n}" for name, n in line["splits"].items()))
    out(table)


def _show_verified(value: Mapping[str, Any]) -> None:
    for version in value["versions"]:
        problems = [f"{kind}: {', '.join(version[kind])}" for kind in ("damaged", "missing") if version[kind]]
        _say(f"{'✗' if problems else '✓'} {version['version']}  {version['files']} files  {'; '.join(problems)}".rstrip())
        if problems:
            _say(f"  `aigc data pull {value['dataset']} {version['version']}` fetches them from the remote")


def show_difference(value: Mapping[str, Any]) -> None:
    """Counts first, then the first items of each kind, then what moved in the distributions."""
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    _say(f"{value['dataset']}  {value['before']} to {value['after']}: {value['unchanged']} items unchanged")
    table = Table(box=None, show_header=False)
    for kind in ("added", "removed", "changed", "quarantined", "released", "moved"):
        part = value[kind]
        if part["count"]:
            shown = "\n".join(part["first"][:5]) + ("\n..." if part["count"] > 5 else "")
            table.add_row(kind, str(part["count"]), Text(shown))
    for name, (before, after) in value["counts"].items():
        table.add_row(name.replace("_", " "), f"{after - before:+}", f"{before} to {after}")
    for shift in value["shifts"]:
        verdict = f"{_chance(shift['p'])} ({shift['test']})" if shift["p"] is not None else "too few items for a test"
        table.add_row(shift["what"], "", Text(f"{verdict}: {_shift_text(shift)}"))
    out(table)


def _chance(p: float) -> str:
    """
    >>> _chance(0.25), _chance(1e-9)
    ('p = 0.25', 'p < 0.001')
    """
    return f"p = {p:.3g}" if p >= 0.001 else "p < 0.001"


def _shift_text(shift: Mapping[str, Any]) -> str:
    """The largest moves of a distribution, in words."""
    moves = {key: (shift["before"].get(key, 0.0), value) for key, value in shift["after"].items()}
    largest = sorted(moves, key=lambda key: -abs(moves[key][1] - moves[key][0]))[:3]
    return ", ".join(f"{key} {number(moves[key][0])} to {number(moves[key][1])}" for key in largest)
