import json
from concurrent.futures import ThreadPoolExecutor

from tasks.use.feedback import keep
from tasks.use.generate import identity_of


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_right_stands_as_the_answer_and_what_is_only_wrong_has_none(replier, tmp_path):
    identity = identity_of(replier)
    keep(tmp_path, identity, "where?", "here", good=True, case="c1")
    keep(tmp_path, identity, "when?", "here", good=False)
    path = keep(tmp_path, identity, "who?", "here", good=False, correction="me")
    assert path == tmp_path / "shop.jsonl"
    assert [(line["question"], line["answer"], line["good"]) for line in lines(path)] == [
        ("where?", "here", True),
        ("when?", None, False),
        ("who?", "me", False),
    ]
    assert (lines(path)[0]["case"], lines(path)[0]["model"]) == ("c1", "shop")


def test_a_line_that_a_crash_cut_short_does_not_take_the_next_with_it_and_many_write_side_by_side(replier, tmp_path):
    identity = identity_of(replier)
    path = tmp_path / "shop.jsonl"
    path.write_text('{"question": "cut sh')
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: keep(tmp_path, identity, f"q{number}", "a" * 5000, good=True), range(40)))
    whole = path.read_text().splitlines()
    assert whole[0] == '{"question": "cut sh'
    assert sorted(json.loads(line)["question"] for line in whole[1:]) == sorted(f"q{number}" for number in range(40))
