"""What is looked at of a version."""

import json

from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.drift.sample import Opened
from tasks.split.split import SplitSettings, split


def opened(data):
    """A version of the texts so far, as its files tell it."""
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    folder = data.workspace.data / data.name
    return Opened({path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()})


def test_the_items_with_the_lowest_digests_that_stand_in_a_split(handmade, sentences):
    data, texts = handmade("text"), sentences(60)
    data.add([*texts, texts[0]], [{"source": f"letters/{at}", "label": "ab"[at % 2]} for at in range(61)])
    version = opened(data)
    assert version.count == 60  # a copy is in none
    few, all_ = version.entries(10), version.entries(1000)
    assert few == all_[:10]
    assert [entry.key for entry in all_] == sorted(entry.key for entry in all_)
    ((entries, contents),) = version.contents(few)
    assert {entry.id for entry in entries} == {entry.id for entry in few}
    assert set(contents) <= set(texts)
    assert json.loads(version.files["card.json"].read_text())["counts"]["kept"] == version.count


def test_items_that_both_hold_are_known_by_their_content(handmade, sentences, tmp_path):
    before, after = handmade("text", "one", tmp_path / "one"), handmade("text", "two", tmp_path / "two")
    texts = sentences(80)
    before.add(texts[:50], [{"source": f"a/{at}"} for at in range(50)])
    after.add(texts[20:], [{"source": f"elsewhere/{at}"} for at in range(60)])
    old, new = opened(before), opened(after)
    assert (old.shared(new), new.shared(old)) == (30, 30)
    fresh = new.entries(100, beyond=old)
    assert len(fresh) == 30
    assert not {entry.key for entry in fresh} & {entry.key for entry in old.entries(100)}
