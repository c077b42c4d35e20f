import json
from datetime import UTC, datetime, timedelta

import pytest
import torch

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.families import masked_lm
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.heads import headed
from aigc_models.training.fit import seeded
from tasks.use.arrivals.answers import Responder
from tasks.use.follow import FollowSettings, follow_into
from tasks.use.generate import identity_of
from tasks.use.monitor.monitor import MonitorSettings, name_of, number, sum_up

text = find("aigc_models.modalities", "text")
LABELS = ("negative", "neutral")
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A small model that is sure of nothing; what it says is the same each time."""
    shape = Shape("text", LABELS, text.Format(length=64), "classify")
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], shape), shape)
        torch.nn.init.normal_(model.output.weight, std=2.0)
    about = {"labels": LABELS, "task": "classify", "format": shape.format.model_dump(), "head": model.settings.model_dump()}
    card = Card(name="tone", family="masked_lm", modality="text", config=masked_lm.SIZES["debug"].model_dump(), **about)
    folder = tmp_path_factory.mktemp("models") / "tone"
    bundle.save(folder, model, card)
    return folder


@pytest.fixture
def follow(classifier, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()

    def followed():
        settings = FollowSettings(model="tone", folder=inbox, out=tmp_path / "out", every=0.02, once=True)
        return follow_into(Responder(Generator.load(classifier, "cpu"), identity_of(classifier)), settings)

    followed.inbox = inbox
    return followed


def posted(inbox, name, day, count, topic="NOKIA"):
    rows = [
        {
            "headline": f"{name} headline {at} of {topic}",
            "time": f"{day}T09:{at:02}:00Z",
            "ticker": topic,
            "url": f"https://x/{at}",
        }
        for at in range(count)
    ]
    (inbox / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_days_are_summed_up_once_they_are_over_and_what_is_late_changes_its_day(follow, tmp_path):
    posted(follow.inbox, "one", "2026-11-28", 12)
    posted(follow.inbox, "two", "2026-11-29", 12)
    posted(follow.inbox, "today", "2026-11-30", 3)
    assert follow().failed == 0
    settings = MonitorSettings(out=tmp_path / "out")
    first = sum_up(settings, NOW)
    assert (first.posts, first.periods, first.written) == (27, 2, 2)
    folder = tmp_path / "out" / "summaries"
    summary = json.loads((folder / "2026-11-29.json").read_text())
    assert (summary["posts"], summary["model"], summary["watch"]) == (12, "tone", "negative")
    (change,) = [one for one in summary["changes"] if one["topic"] == "NOKIA"]
    assert (change["count"], change["count_before"]) == (12, 12)
    source = next(iter(summary["sources"].values()))
    assert source["source"].startswith("https://x/")
    place, _, row = source["place"].rpartition(":")
    answer = json.loads((tmp_path / "out" / place / "answer.json").read_text())["rows"][int(row) - 1]
    assert answer["items"][0]["text"] == source["text"], "a source is found where the summary says"
    assert "1. two headline" in (folder / "2026-11-29.md").read_text()
    assert sum_up(settings, NOW).written == 0, "done again it changes nothing"
    posted(follow.inbox, "late", "2026-11-29", 2, topic="KONE")
    follow()
    again = sum_up(settings, NOW)
    assert (again.posts, again.written) == (29, 1)
    assert sum_up(settings, NOW + timedelta(days=1)).periods == 3


def test_what_a_post_says_is_escaped_on_the_page(follow, tmp_path):
    (follow.inbox / "bad.jsonl").write_text(
        json.dumps({"text": "<script>alert(1)</script>", "time": "2026-11-29", "topic": "<b>"}) + "\n"
    )
    follow()
    page = sum_up(MonitorSettings(out=tmp_path / "out"), NOW).page
    content = (tmp_path / page).read_text()
    assert "<script>" not in content
    assert "&lt;script&gt;alert(1)" in content


def test_rows_that_are_none_are_said_and_the_others_count(follow, tmp_path):
    (follow.inbox / "mixed.jsonl").write_text('{"headline": ""}\nnonsense\n{"text": "Profit fell.", "time": "2026-11-29"}\n5\n')
    (follow.inbox / "lines.txt").write_text("Sales rose.\n\nSales fell.\n")
    followed = follow()
    assert (followed.answered, followed.failed, followed.items) == (2, 1, 3)
    rows = json.loads((tmp_path / "out/answers/mixed.jsonl/answer.json").read_text())["rows"]
    assert [row.get("error", {}).get("field", "fine") for row in rows] == ["headline", "", "fine", ""]


def test_a_label_that_nobody_has_is_not_watched(follow, tmp_path):
    posted(follow.inbox, "one", "2026-11-29", 2)
    follow()
    with pytest.raises(BadInput, match="unknown label to watch 'negativ'; did you mean 'negative'"):
        sum_up(MonitorSettings(out=tmp_path / "out", watch="negativ"), NOW)
    with pytest.raises(BadInput, match=r"holds no answers"):
        sum_up(MonitorSettings(out=tmp_path / "inbox"), NOW)


def test_several_labels_or_numbers_of_a_post_are_not_summed_up(follow, tmp_path):
    posted(follow.inbox, "one", "2026-11-29", 2)
    follow()
    path = tmp_path / "out/answers/one.jsonl/answer.json"
    answer = json.loads(path.read_text())
    for row in answer["rows"]:
        row["items"] = [{"text": "a", "labels": ["negative"], "probabilities": {"negative": 0.9}}]
    path.write_text(json.dumps(answer))
    with pytest.raises(BadInput, match="several labels, or numbers, of items; the model that follows has to classify"):
        sum_up(MonitorSettings(out=tmp_path / "out"), NOW)


def test_periods_have_names_that_sort():
    assert name_of(number(datetime(2026, 11, 29, 23, tzinfo=UTC), 86_400), 86_400) == "2026-11-29"
    assert name_of(number(datetime(2026, 11, 29, 23, 40, tzinfo=UTC), 3600), 3600) == "2026-11-29T2300Z"
    monday = name_of(number(datetime(2026, 11, 29, tzinfo=UTC), 7 * 86_400), 7 * 86_400)
    assert (monday, datetime.fromisoformat(monday).weekday()) == ("2026-11-23", 0)
