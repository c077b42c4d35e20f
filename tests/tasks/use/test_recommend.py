import json

import numpy as np
import pytest
from typer.testing import CliRunner

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from aigc_models.modalities import events
from aigc_models.modalities.events.events import history
from tasks.use.generate import identity_of
from tasks.use.recommend import history_of, known, recommended


@pytest.fixture(scope="module")
def generator(recommender):
    return Generator.load(recommender, "cpu")


def test_what_comes_next_is_recommended_without_what_was_had_and_with_its_reason(generator):
    said = recommended(generator, ["3 Film 3", "4"], 3)
    assert said["recommended"][0]["item"] == "5 Film 5", "an id alone is enough"
    assert said["recommended"][0]["because"][0] == "4 Film 4", "the last one says it most"
    names = [row["item"] for row in recommended(generator, ["3", "4"], 12)["recommended"]]
    assert len(names) == 10
    assert not {"3 Film 3", "4 Film 4"} & set(names)
    shares = [row["probability"] for row in said["recommended"]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1


def test_an_answer_depends_on_its_own_history_alone(generator):
    contents = [history(np.arange(2), ["3 Film 3", "4 Film 4"]), history([], []), history([0], ["9 Film 9"])]
    together, alone = generator.recommend(contents, 4), [generator.recommend([one], 4)[0] for one in contents]
    for one, other in zip(together, alone, strict=True):
        assert [row.item for row in one] == [row.item for row in other]
        assert [row.because for row in one] == [row.because for row in other]
        assert [row.probability for row in one] == pytest.approx([row.probability for row in other], abs=1e-6)


def test_someone_of_whom_nothing_is_known_gets_what_is_likeliest_and_is_told_so(generator):
    cold = recommended(generator, [], 5)
    assert (cold["cold_start"], len(cold["recommended"])) == (True, 5)
    assert {tuple(row["because"]) for row in cold["recommended"]} == {()}


def test_items_that_are_not_known_are_passed_over_and_said(generator):
    said = recommended(generator, ["77 Lost", "4"], 2)
    assert (said["unknown"], said["cold_start"]) == (["77 Lost"], False)
    assert said["recommended"][0]["item"] == "5 Film 5"
    with pytest.raises(BadInput, match="unknown item '5 Filn 5'; did you mean '5 Film 5'"):
        recommended(generator, ["5 Filn 5"], 2)
    with pytest.raises(BadInput, match="count is 0"):
        recommended(generator, ["4"], 0)
    assert known(generator, ["4 Film 4", "x"]) == (["4 Film 4"], ["x"])


def test_the_history_of_a_user_is_that_of_the_data_set(handmade, monkeypatch):
    from contextlib import nullcontext

    data = handmade("text", name="films")
    packed = [events.pack(history(np.arange(2), names)) for names in (["3 Film 3", "4 Film 4"], ["9 Film 9", "1 Film 1"])]
    data.add([one.decode() for one in packed], [{"group": "u1"}, {"group": "u2"}])
    monkeypatch.setattr("tasks.version.reading.reading", lambda *arguments: nullcontext(data.clean.parent))
    assert history_of(data.workspace, "films", "v", "u2") == ["9 Film 9", "1 Film 1"]
    with pytest.raises(BadInput, match="unknown user of films 'u9'; did you mean"):
        history_of(data.workspace, "films", "v", "u9")


def test_the_command_line_says_it_in_lines_and_as_json(recommender, monkeypatch, tmp_path):
    from flows.command_line.app import app

    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("tasks.registry.registry.located", lambda workspace, name: (recommender, identity_of(recommender)))

    def aigc(*arguments):
        return CliRunner().invoke(app, ["recommend", "films", *arguments])

    lines = aigc("--items", "3,4,77", "--count", "2").stdout
    assert "1. 5 Film 5" in lines
    assert "since 4 Film 4" in lines
    assert "passed over, since the model does not know them: 77" in lines
    answer = json.loads(aigc("--items", "3,4", "--json").stdout)
    assert (answer["model"], answer["recommended"][0]["item"], answer["user"]) == ("films", "5 Film 5", None)
    both = aigc("--items", "3", "--user", "u1")
    assert (both.exit_code, both.stderr.strip()) == (2, "error: say --user or --items, not both")
    assert "nothing is known of the history" in aigc().stdout
