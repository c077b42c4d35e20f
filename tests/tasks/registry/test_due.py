"""Is it due? By digests of data, recipe and code, and in words."""

import json
import subprocess
import sys

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.source import SourceSettings
from tasks.registry import due, recipe
from tasks.registry.due import note, record, see
from tasks.registry.promote import Decision
from tasks.stage import code_version
from tasks.stage.settings import Workspace


@pytest.fixture
def workspace(tmp_path):
    source = tmp_path / "letters"
    source.mkdir()
    for at in range(3):
        (source / f"{at}.txt").write_text(f"letter {at}")
    return Workspace(tmp_path).create()


def made(workspace, **training):
    source = SourceSettings(name="letters", location=str(workspace.root / "letters"), modality="text")
    members = [{"family": "rnn"}]
    return {
        "data": {"source": source.model_dump(mode="json", exclude_defaults=True)},
        "training": {"members": members, **training},
    }


def decision(what="promoted", version=1):
    return Decision(decision=what, model="letters", version=version, alias="champion", reason="all gates passed", gates=())


def ask(workspace, recipe=None, **options):
    recipe = recipe or made(workspace)
    return due.due(workspace, "letters", see(workspace, "letters", recipe), **options)


def settle(workspace, recipe=None, what="promoted", version=1):
    recipe = recipe or made(workspace)
    return note(workspace, "letters", see(workspace, "letters", recipe), decision(what, version), rows=3)


def test_what_was_never_decided_is_due_and_what_was_is_not(workspace):
    assert ask(workspace).due
    settle(workspace)
    verdict = ask(workspace)
    assert not verdict.due
    assert verdict.last.version == 1
    assert "nothing changed since version 1 was promoted" in verdict.reason


def test_new_changed_and_vanished_files_are_told_apart(workspace):
    settle(workspace)
    folder = workspace.root / "letters"
    (folder / "new.txt").write_text("another letter")
    (folder / "0.txt").write_text("letter nought")
    (folder / "2.txt").unlink()
    verdict = ask(workspace)
    assert verdict.due
    assert verdict.reason == "data: 1 new file (new.txt), 1 changed file (0.txt), 1 gone file (2.txt)"


def test_a_file_that_was_only_touched_is_no_change(workspace):
    settle(workspace)
    (workspace.root / "letters" / "0.txt").write_text("letter 0")
    assert not ask(workspace).due


def test_a_moved_folder_with_the_same_content_is_no_change(workspace):
    settle(workspace)
    (workspace.root / "letters").rename(workspace.root / "post")
    recipe = made(workspace)
    recipe["data"]["source"]["location"] = str(workspace.root / "post")
    assert not ask(workspace, recipe).due


def test_a_changed_recipe_is_due_and_its_fields_are_named(workspace):
    settle(workspace)
    verdict = ask(workspace, made(workspace, seed=3))
    assert verdict.due
    assert verdict.reason == "config: training.seed default -> 3"
    assert not ask(workspace, made(workspace, seed=3), parts=("data", "code")).due


def test_changed_code_of_a_named_plug_in_is_due_and_its_file_is_named(workspace, tmp_path, monkeypatch):
    settle(workspace)
    changed = tmp_path / "rnn.py"
    real = code_version.source_file("aigc_models.families.rnn")
    changed.write_text(real.read_text() + "ANOTHER_LINE = True\n")
    where = code_version.source_file
    monkeypatch.setattr(
        code_version, "source_file", lambda module: changed if module == "aigc_models.families.rnn" else where(module)
    )
    verdict = ask(workspace)
    assert verdict.due
    assert verdict.reason == "code: aigc_models/families/rnn.py"


def test_a_refused_state_is_not_trained_again_and_an_old_one_neither(workspace):
    settle(workspace)
    (workspace.root / "letters" / "bad.txt").write_text("x" * 50)
    settle(workspace, what="refused", version=2)
    assert "version 2 was refused" in ask(workspace).reason
    (workspace.root / "letters" / "bad.txt").unlink()
    verdict = ask(workspace)
    assert not verdict.due
    assert verdict.last.version == 1


def test_the_record_only_grows_and_a_cut_line_is_left_out(workspace):
    settle(workspace)
    path = workspace.state / "retraining" / "letters.jsonl"
    first = path.read_text()
    with path.open("a") as file:
        file.write('{"when": "2026-')
    assert len(record(workspace, "letters")) == 1
    settle(workspace, version=2)
    assert path.read_text().startswith(first)
    assert [line.version for line in record(workspace, "letters")] == [1, 2]


def test_a_recipe_is_found_by_its_name_or_the_nearest_is_said(workspace):
    with pytest.raises(BadInput, match="nothing was trained here yet"):
        recipe.kept(workspace, "letters")
    recipe.keep(workspace, "letters", SourceSettings(name="letters", location="x"))
    assert recipe.names(workspace) == ["letters"]
    assert recipe.kept(workspace, "letters") == {"name": "letters", "location": "x"}
    with pytest.raises(BadInput, match="did you mean 'letters'"):
        recipe.kept(workspace, "leters")


def test_asking_imports_nothing_heavy(workspace):
    settle(workspace)
    (workspace.root / "recipe.json").write_text(json.dumps(made(workspace)))
    code = f"""if True:
        import json, pathlib, sys
        from tasks.registry.due import due, see
        from tasks.stage.settings import Workspace
        root = pathlib.Path({str(workspace.root)!r})
        recipe = json.loads((root / "recipe.json").read_text())
        assert not due(Workspace(root), "letters", see(Workspace(root), "letters", recipe)).due
        print(sorted({{"torch", "mlflow", "prefect", "pandas"}} & set(sys.modules)))"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
