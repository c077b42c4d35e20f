import ast

from tasks.stage.code_version import code_version, imported, named_plugins, reached
from tasks.train.members import MemberSettings


def test_imports_inside_functions_count():
    tree = ast.parse("def f():\n    from tasks.train.members import build\n    import numpy.linalg")
    assert imported(tree) >= {"tasks.train.members", "tasks.train.members.build", "numpy.linalg"}


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
