"""What arrived in a followed folder, summed up for each period that is over; done again it changes nothing.

out/summaries/2026-11-29.json     the sentences, each with its sources; the changes; whose answers these are
out/summaries/2026-11-29.md       the same to be read
out/summaries/index.html          all periods: the share of the watched label over time, and the newest summary
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unknown
from tasks.stage.stage import StageContext, stage
from tasks.use.follow import FOLLOWING
from tasks.use.generate import writable, write
from tasks.use.monitor.changes import changes
from tasks.use.monitor.page import page
from tasks.use.monitor.posts import Post, posts
from tasks.use.monitor.summary import sentences

SUMMARIES = "summaries"
EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday, so that weeks begin as they do on the calendar


class MonitorSettings(BaseModel):
    """Whose answers to sum up, and what to watch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Field(description="folder of the answers to a followed folder; relative: in the workspace")
    watch: str = Field("negative", description="label whose share is watched", min_length=1)
    period: float = Field(
        86_400.0, ge=60, le=366 * 86_400, description="length of a period, s; days and weeks begin at midnight UTC"
    )
    reference: int = Field(28, ge=1, description="periods before it that a period is compared with")
    fewest: int = Field(8, ge=2, description="distinct posts of a topic, in the period and before, for a comparison")
    alpha: float = Field(
        0.01, gt=0, lt=0.5, description="share of periods without a change in which an alarm is raised, at most"
    )

    @property
    def name(self) -> str:
        return self.out.name


class Monitored(BaseModel):
    """What was summed up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str
    posts: int
    periods: int = Field(description="that are over and have posts")
    written: int = Field(description="of these, summed up now")
    alarms: dict[str, list[str]] = Field(description="by period: topics whose share of the watched label changed beyond chance")
    page: str


@stage(cached=False)
def monitor(settings: MonitorSettings, context: StageContext) -> Monitored:
    """Sum up each period that is over and was not yet."""
    settings = settings.model_copy(update={"out": context.workspace.root / settings.out.expanduser()})
    monitored = sum_up(settings, datetime.now(UTC))
    context.log(posts=monitored.posts, periods=monitored.periods, alarms=sum(map(len, monitored.alarms.values())))
    return monitored


def sum_up(settings: MonitorSettings, now: datetime) -> Monitored:
    """The same at a moment; raises `BadInput` for a folder without answers, or a label that none of them has or could have."""
    every = posts(settings.out)
    labels = _labels(settings.out, every)
    if every and settings.watch not in labels:
        raise unknown("label to watch", settings.watch, labels)
    folder, model = settings.out / SUMMARIES, json.loads((settings.out / FOLLOWING).read_text(encoding="utf-8"))["model"]
    by_period: dict[int, list[Post]] = {}
    for post in every:
        by_period.setdefault(number(post.time, settings.period), []).append(post)
    over = [at for at in sorted(by_period) if at < number(now, settings.period)]
    written, summaries = 0, list[dict[str, Any]]()
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for at in over:
            before = [post for one in range(at - settings.reference, at) for post in by_period.get(one, [])]
            summary = summed(at, by_period[at], before, settings, model)
            path = folder / f"{summary['period']}.json"
            payload = json.dumps(summary, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"
            if not path.is_file() or path.read_bytes() != payload:  # a late post changes its period, and is told
                write(path.with_suffix(".md"), markdown(summary).encode())
                write(path, payload)
                written += 1
            summaries.append(summary)
        write(folder / "index.html", page(summaries, settings.watch).encode())
    alarms = {one["period"]: [change["topic"] for change in one["changes"] if change["beyond_chance"]] for one in summaries}
    return Monitored(
        out=str(settings.out),
        posts=len(every),
        periods=len(over),
        written=written,
        alarms={period: topics for period, topics in alarms.items() if topics},
        page=str(folder / "index.html"),
    )


def summed(at: int, period: Sequence[Post], before: Sequence[Post], settings: MonitorSettings, model: str) -> dict[str, Any]:
    """One period, as its file holds it."""
    compared = changes(period, before, settings.watch, settings.alpha, settings.fewest)
    written, sources = sentences(period, compared, settings.watch), {post.place: post for post in period}
    named = dict.fromkeys(place for sentence in written for place in sentence.sources)
    return {
        "period": name_of(at, settings.period),
        "model": model,
        "watch": settings.watch,
        "posts": len(period),
        "watched": sum(post.label == settings.watch for post in period),
        "changes": [asdict(change) for change in compared],
        "sentences": [asdict(sentence) for sentence in written],
        "sources": {place: _source(sources[place]) for place in named},
    }


def _source(post: Post) -> dict[str, Any]:
    return {**asdict(post), "time": post.time.isoformat(timespec="seconds"), "probability": round(post.probability, 4)}


def _labels(out: Path, every: Sequence[Post]) -> list[str]:
    """Those that answers name: of each a model says the probabilities of all its labels."""
    for answer in sorted(out.glob("answers/*/answer.json")):
        for row in json.loads(answer.read_text(encoding="utf-8"))["rows"]:
            for item in row.get("items", []):
                if "labels" in item or "value" in item:
                    raise BadInput(f"{out} holds several labels, or numbers, of items; the model that follows has to classify")
                if "probabilities" in item:
                    return sorted(item["probabilities"])
    if every:
        raise BadInput(f"{out} holds answers without probabilities; the model that follows has to classify")
    return []


def number(time: datetime, period: float) -> int:
    """Which period a time lies in."""
    return int((time - EPOCH).total_seconds() // period)


def name_of(at: int, period: float) -> str:
    """The beginning of a period: a day, with the time where periods are no whole days."""
    begins = EPOCH + timedelta(seconds=at * period)
    return f"{begins:%Y-%m-%d}" if period % 86_400 == 0 else f"{begins:%Y-%m-%dT%H%M}Z"


def markdown(summary: dict[str, Any]) -> str:
    """A summary to be read: sentences with the numbers of their sources, which stand at the end."""
    numbers = {place: at for at, place in enumerate(summary["sources"], start=1)}
    lines = [f"# {summary['period']}: {summary['posts']} posts, {summary['watched']} {summary['watch']}", ""]
    for sentence in summary["sentences"]:
        marks = "".join(f"[{numbers[place]}]" for place in sentence["sources"][:12])
        more = f" and {len(sentence['sources']) - 12} more" if len(sentence["sources"]) > 12 else ""
        body = f"“{sentence['text']}”" if sentence["kind"] == "quoted" else sentence["text"]
        lines += [f"{'> ' if sentence['kind'] == 'quoted' else ''}{body} {marks}{more}", ""]
    lines += ["## Sources", ""]
    for place, at in numbers.items():
        one = summary["sources"][place]
        text, where = " ".join(one["text"].split()), f", {one['source']}" if one["source"] else ""
        lines.append(f"{at}. {text} ({one['label']} {one['probability']:.2f}, {one['time']}, {place}{where})")
    return "\n".join([*lines, "", f"Labels by {summary['model']}; what is counted and quoted is in the sources above."]) + "\n"
