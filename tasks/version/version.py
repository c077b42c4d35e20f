"""Versions of the data: the one place that calls DVC.

DVC has one writer at a time and its command line is its stable surface, so each call is a subprocess
under one lock file. `data.dvc` covers `data/` as a whole; a data set's own version is a digest over
`data/NAME` alone. What belongs to a version stands in `.aigc/versions.jsonl`: a ledger inside `data/`
would make `data.dvc` depend on the history of one workspace, and the same data would no longer give the
same file in a fresh clone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from aigc_models.errors import AigcError, BadInput
from tasks.dataset.data_lock import writing
from tasks.dataset.ledger import MARKS, Version, record
from tasks.stage.addresses import holds_secret
from tasks.stage.references import SplitRef, VersionRef, contents_of, digest_over
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage

DIGITS = 12  # of a version, hexadecimal
ATTEMPTS = 10  # while someone else's dvc command holds its lock
REMOTE = "storage"  # what DVC calls the remote that is set up here
PAUSE = 1.0  # seconds between attempts

# Hard links keep one copy on the disk, not two; nothing here opens a data file in place to change it.
CONFIG = """[core]
    analytics = false
    check_update = false{scm}
[cache]
    type = "hardlink,copy"
"""
IGNORE = "# Not data: unfinished work, local state, results.\n*.tmp\n/.aigc/\n/outputs/\n/.venv/\n"


@stage
def version(split: SplitRef, context: StageContext) -> VersionRef:
    """Give the data set's files to DVC and note the version in the ledger."""
    folder = split.path(context.workspace)
    contents = contents_of([folder], folder)  # read once: DVC's links change the times of new files
    name = digest_over(contents, folder)[:DIGITS]
    with writing(context.workspace):
        tree = Dvc(context.workspace).add()
        record(context.workspace, Version(dataset=split.dataset, version=name, rows=split.rows, splits=split.splits, tree=tree))
    context.log(version=name)
    fields = {"outputs": (context.workspace.relative(folder),), "sha256": digest_over(contents, context.workspace.root)}
    return VersionRef.model_validate({**split.model_dump(), **fields, "version": name})


@cache
def cache_folder(workspace: Workspace) -> Path:
    """DVC's cache: in the workspace, or where its own configuration says."""
    return (workspace.root / Dvc(workspace).run("cache", "dir").strip()).resolve()


class Dvc:
    """DVC's command line in one workspace. Call it while `writing` is held."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def add(self) -> str:
        """Take up `data/` as it is, making the repository if there is none; gives the tree's md5."""
        import yaml

        self.create()
        self._refuse_merge()
        self.run("add", self.workspace.data.name)
        return str(yaml.safe_load((self.workspace.root / "data.dvc").read_text())["outs"][0]["md5"])

    def _refuse_merge(self) -> None:
        """Raises `BadInput` where git left its marks in `data.dvc`: which of two states holds is for people to say."""
        path = self.workspace.root / "data.dvc"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        if any(line.startswith(MARKS) for line in lines):
            raise BadInput(
                f"{path} holds the marks of a merge, two states of data/ at once; take one of them "
                "(`git checkout --ours data.dvc`, or --theirs) and run the same command again: it writes there what data/ "
                "holds then. Nothing of either is lost: `aigc data pull NAME VERSION` and `checkout` bring back the other"
            )

    def remote(self, url: str = "") -> str:
        """The remote that versions are sent to: `url`, from now on, or the one that is configured, or a folder in `.aigc/`.

        A URL goes into DVC's shared configuration, the folder, which is of this machine alone, into its local one. Raises
        `BadInput` for a URL with a secret, since the shared one is for git.
        """
        if holds_secret(url):
            raise BadInput(
                "a password does not belong into the URL of a remote, which is kept in .dvc/config and meant for git; leave it "
                "out and give it to `dvc remote modify --local storage password ...`, which keeps it on this machine"
            )
        self.create()
        configured = "core.remote" in {line.partition("=")[0] for line in self.run("config", "--list").splitlines()}
        if url:
            self.run("remote", "add", "--force", "--default", REMOTE, url)
        elif not configured:
            self.run("remote", "add", "--local", "--force", "--default", REMOTE, str(self.workspace.state / "remote"))
        name = self.run("config", "core.remote").strip()
        listed = dict(line.split(maxsplit=1) for line in self.run("remote", "list").splitlines() if line.strip())
        return listed.get(name, name).removesuffix("(default)").strip()

    def remotes(self) -> dict[str, dict[str, str]]:
        """URL of each remote that is configured -> its other options, such as `endpointurl`."""
        options: dict[str, dict[str, str]] = {}
        for line in self.run("config", "--list").splitlines():
            key, _, value = line.partition("=")
            if key.startswith("remote."):
                name, _, field = key.removeprefix("remote.").rpartition(".")
                options.setdefault(name, {})[field] = value
        listed = (line.split(maxsplit=1) for line in self.run("remote", "list").splitlines())
        return {rest[0].removesuffix("(default)").strip(): options.get(name, {}) for name, *rest in filter(None, listed)}

    def send(self, tree: str) -> None:
        """The files of a listing, and itself, to the remote; what is there already is not sent again."""
        with self._pointer(tree) as file:
            self.run("push", file)

    def fetch(self, tree: str) -> None:
        """The files of a listing, and itself, from the remote into the cache."""
        with self._pointer(tree) as file:
            self.run("fetch", file)

    @contextmanager
    def _pointer(self, tree: str) -> Iterator[str]:
        """A `.dvc` file that names a listing, for commands that take no digest; it is not `data.dvc` and not kept."""
        path = self.workspace.root / f"version-{tree[:8]}.dvc"
        outs = [{"md5": tree, "hash": "md5", "path": f".version-{tree[:8]}"}]
        path.write_text(json.dumps({"outs": outs}))  # JSON is YAML
        try:
            yield path.name
        finally:
            path.unlink(missing_ok=True)

    def up_to_date(self) -> bool:
        """Whether `data.dvc` says what `data/` holds."""
        return json.loads(self.run("status", "--json", "data.dvc")) == {}

    def create(self) -> None:
        """`dvc init` where it is missing: on its own outside git, as a part of it below a git root."""
        root, begun = self.workspace.root, self.workspace.state / "dvc-init"
        config = root / ".dvc" / "config"
        again = begun.exists()  # one that was killed
        git = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
        if again or not config.exists():
            begun.touch()
            option = ["--no-scm"] if git is None else [] if git == root else ["--subdir"]
            self.run("init", *(["--force"] if again else []), *option)
            config.write_text(CONFIG.format(scm="" if git else "\n    no_scm = True"))
            (root / ".dvcignore").write_text(IGNORE)
            begun.unlink()
        elif git is None and "no_scm" not in config.read_text():  # a checkout that was unpacked without its .git
            (root / ".dvc" / "config.local").write_text("[core]\n    no_scm = True\n")

    def run(self, *arguments: str) -> str:
        """What a command prints; waits while DVC's own lock is taken. Raises `AigcError` with its message."""
        for attempt in range(1, ATTEMPTS + 1):
            done = subprocess.run(
                [sys.executable, "-m", "dvc", *arguments],
                cwd=self.workspace.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                return done.stdout
            if attempt == ATTEMPTS or "lock" not in done.stderr.lower():
                break
            time.sleep(PAUSE)
        reason = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise AigcError(f"dvc {' '.join(arguments)} failed in {self.workspace.root}: {reason}")

    @property
    def environment(self) -> dict[str, str]:
        """Ours, with all of DVC's state kept in the workspace and nothing sent anywhere."""
        dvc = {"DVC_SITE_CACHE_DIR": str(self.workspace.state / "dvc"), "DVC_NO_ANALYTICS": "1", "DVC_STUDIO_OFFLINE": "1"}
        return {**os.environ, **dvc, "COLUMNS": "10000"}  # it breaks lines, also in a pipe
