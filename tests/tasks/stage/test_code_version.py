import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.stage.code_version import (
    ROOT,
    code_version,
    imported,
    libraries,
    modalities_of,
    named_plugins,
    parsed,
    reached,
    searched,
)
from tasks.train.members import MemberSettings

METRICS = "aigc_models/metrics"
CODE = "\nANOTHER = True\n"
CHANGES = {
    "a mended metric of texts": (f"{METRICS}/distinct_2.py", "", CODE),
    "a mended metric of pictures": (f"{METRICS}/coverage.py", "", CODE),
    "what metrics share": (f"{METRICS}/_judge.py", "", CODE),
    "a new metric": (f"{METRICS}/fresh.py", "", 'MODALITIES = frozenset({"text"})\n'),
    "a family": ("aigc_models/families/gan.py", "", CODE),
    "a rule": ("tasks/clean/rules/wanted_script.py", "", CODE),
    "a table reader": ("tasks/ingest/sources/csv.py", "", CODE),
    "a comment": (f"{METRICS}/distinct_2.py", "", "\n# another remark\n"),
    "a docstring": ("aigc_models/families/gan.py", '"""', '"""In other words: '),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Whose keys each change moved, in a copy of the project."""
    copy = tmp_path_factory.mktemp("copy")
    for package in ("aigc_models", "tasks"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    script = Path(__file__).with_name("keys_of_a_copy.py")
    command = [sys.executable, str(script), str(copy)]
    done = subprocess.run(
        command, input=json.dumps(list(CHANGES.values())), capture_output=True, text=True, cwd=copy, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(zip([*CHANGES, "av", "torch"], map(set, json.loads(done.stdout)), strict=True))


def test_a_mended_metric_that_no_setting_names_is_measured_anew(answers):
    assert answers["a mended metric of texts"] == {"evaluate text", "evaluate distinct_2"}
    assert answers["a mended metric of pictures"] == {"evaluate image"}
    assert {"evaluate image", "evaluate text"} >= answers["what metrics share"] >= {"evaluate image"}


def test_a_new_metric_counts_where_settings_leave_the_choice(answers):
    assert answers["a new metric"] == {"evaluate text"}


def test_a_changed_family_is_trained_anew_and_no_other(answers):
    assert answers["a family"] == {"gan", "evaluate image"}


def test_rules_that_are_on_by_themselves_and_readers_found_by_suffix_count(answers):
    assert answers["a rule"] == {"clean text"}
    assert answers["a table reader"] == {"read archive"}


def test_comments_and_docstrings_change_nothing(answers):
    assert answers["a comment"] == answers["a docstring"] == set()


def test_libraries_count_where_they_are_imported(answers):
    assert not answers["av"] & {"gan", "vae", "rnn", "ngram", "evaluate image", "evaluate text"}
    assert answers["torch"] >= {"gan", "vae", "rnn", "evaluate image", "evaluate text"}
    assert any(line.startswith("av") for line in libraries(reached(["tasks.ingest.sources.video"]).values()))


def test_imports_inside_functions_count():
    tree = ast.parse("def f():\n    from tasks.train.members import build\n    import numpy.linalg")
    assert imported(tree) >= {"tasks.train.members", "tasks.train.members.build", "numpy.linalg"}


def test_a_check_of_a_name_is_no_search():
    code = 'if x not in names("a.b"):\n    raise unknown("b", x, names("a.b"))\n'
    assert searched(ast.parse(code)) == set()
    assert searched(ast.parse(f'{code}every = [find(PACKAGE, n) for n in names(PACKAGE)] + list(names("a.c"))')) == {
        "PACKAGE",
        "a.c",
    }


def test_what_only_type_checkers_import_does_not_count(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("if TYPE_CHECKING:\n    import torch\nimport numpy\n")
    assert parsed(file).imports == {"numpy"}


def test_modalities_are_read_as_the_plug_in_has_them():
    from aigc_models.find import find, names

    every = set(names("aigc_models.modalities"))
    for package in ("metrics", "families", "ensembles"):
        for name in names(f"aigc_models.{package}"):
            plugin = f"aigc_models.{package}.{name}"
            assert modalities_of(plugin, every) & every == find(f"aigc_models.{package}", name).MODALITIES, plugin


def test_a_stage_reaches_what_it_imports_but_no_plug_in():
    modules = reached(["tasks.train.finetune"])
    assert {"tasks.train.members", "aigc_models.training.fit", "aigc_models.bundle"} <= set(modules)
    assert not [name for name in modules if name.startswith("aigc_models.families.")]


def test_what_wraps_a_stage_has_no_part_in_its_version():
    assert not {"tasks.stage.stage", "tasks.stage.tracking", "tasks.stage.process"} & set(reached(["tasks.train.finetune"]))


def test_settings_name_their_plug_ins():
    member = MemberSettings(family="gan")
    assert named_plugins({"member": member, "x": [member]}) == {"aigc_models.families.gan"}
    assert named_plugins({"modality": "text", "family": "nothing"}) == {"aigc_models.modalities.text"}


def test_another_family_is_another_version():
    assert code_version(["aigc_models.families.gan"]) != code_version(["aigc_models.families.vae"])
