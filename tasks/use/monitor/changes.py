"""Whether the share of a label differs between a period and the time before by more than chance.

Fisher's exact test (1922) on the four counts, two-sided, of all posts and of each topic that has enough of them; the topics'
p-values are held against Holm's limits (1979), so that in a period without any change at most a share `alpha` raises an
alarm however many topics there are. Posts are taken for independent: copies of one report are not, and are counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.use.monitor.posts import Post

EVERYTHING = "all"


@dataclass(frozen=True)
class Change:
    """Posts of a topic in the period and before, those with the watched label among them, and how surprising that is."""

    topic: str
    count: int
    watched: int
    count_before: int
    watched_before: int
    p_value: float
    beyond_chance: bool

    @property
    def share(self) -> float:
        return self.watched / self.count if self.count else 0.0

    @property
    def share_before(self) -> float:
        return self.watched_before / self.count_before if self.count_before else 0.0


def changes(period: Sequence[Post], before: Sequence[Post], label: str, alpha: float, fewest: int) -> list[Change]:
    """Of all posts first, then of each topic with `fewest` distinct posts on both sides, the most surprising first."""
    now, then = distinct(period), distinct(before)
    topics = sorted({post.topic for post in now if post.topic})
    groups = {EVERYTHING: (now, then)}
    groups |= {
        topic: ([one for one in now if one.topic == topic], [one for one in then if one.topic == topic]) for topic in topics
    }
    counted = {
        topic: (len(here), sum(post.label == label for post in here), len(there), sum(post.label == label for post in there))
        for topic, (here, there) in groups.items()
        if min(len(here), len(there)) >= fewest
    }
    p_values = {topic: p_value(*counts) for topic, counts in counted.items()}
    alarms = holm(p_values, alpha)
    compared = [Change(topic, *counts, p_values[topic], topic in alarms) for topic, counts in counted.items()]
    return sorted(compared, key=lambda change: (change.topic != EVERYTHING, change.p_value, change.topic))


def distinct(posts: Sequence[Post]) -> list[Post]:
    """One of those whose texts are the same but for case and white space: the first."""
    return list({(post.topic, " ".join(post.text.lower().split())): post for post in reversed(posts)}.values())[::-1]


def p_value(count: int, watched: int, count_before: int, watched_before: int) -> float:
    """Of Fisher's exact test, two-sided."""
    from scipy.stats import fisher_exact

    table = [[watched, count - watched], [watched_before, count_before - watched_before]]
    return float(fisher_exact(table).pvalue)


def holm(p_values: dict[str, float], alpha: float) -> set[str]:
    """Those that are rejected at the family-wise level `alpha`."""
    rejected: set[str] = set()
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        if p_values[name] > alpha / (len(p_values) - rank):
            break
        rejected.add(name)
    return rejected
