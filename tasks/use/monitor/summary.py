"""A period in sentences, none of which says what no post says.

A sentence is either counted, with its numbers from the posts that it names, or quoted, word for word, from one post. Which
posts are quoted: those nearest to the middle of their topic's, each next one unlike those before (maximal marginal relevance,
Carbonell and Goldstein 1998), by TF-IDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.use.monitor.changes import EVERYTHING, Change, distinct
from tasks.use.monitor.posts import Post

QUOTED = 2  # posts of a topic
MOST_TOPICS = 6
LIKENESS = 0.3  # how much likeness to what is quoted already counts against a post


@dataclass(frozen=True)
class Sentence:
    """`sources`: the places of the posts that it rests on."""

    kind: Literal["counted", "quoted"]
    topic: str
    text: str
    sources: tuple[str, ...]


def sentences(period: Sequence[Post], changed: Sequence[Change], label: str) -> list[Sentence]:
    """The whole first, then what changed beyond chance, then the topics with the most posts."""
    now = distinct(period)
    written = [overall(now, label)] if now else []
    for topic in topics(now, changed):
        about = [post for post in now if topic in (EVERYTHING, post.topic)]
        watched = [post for post in about if post.label == label]
        change = next((one for one in changed if one.topic == topic), None)
        if topic != EVERYTHING or (change and change.beyond_chance):
            written.append(counted(topic, about, watched, change, label))
        shown = watched if change and change.beyond_chance and watched else about
        written += [quoted(topic, post) for post in representative(shown, QUOTED)]
    return written


def topics(now: Sequence[Post], changed: Sequence[Change]) -> list[str]:
    """Those to write about; all posts together where they have no topics."""
    alarming = [change.topic for change in changed if change.beyond_chance]
    named = [post.topic for post in now if post.topic]
    by_size = sorted(set(named), key=lambda topic: (-named.count(topic), topic))
    return list(dict.fromkeys([*alarming, *by_size]))[:MOST_TOPICS] or ([EVERYTHING] if now else [])


def overall(now: Sequence[Post], label: str) -> Sentence:
    """How many there are, and how many with the label."""
    watched = [post for post in now if post.label == label]
    text = f"Of {_posts(len(now))}, {len(watched)} {_are(len(watched))} {label} ({len(watched) / len(now):.0%})."
    return Sentence("counted", EVERYTHING, text, tuple(post.place for post in now))


def counted(topic: str, about: Sequence[Post], watched: Sequence[Post], change: Change | None, label: str) -> Sentence:
    """The numbers of a topic, beside those of the time before where there are enough."""
    subject = "In all" if topic == EVERYTHING else topic
    text = f"{subject}: {_posts(len(about))}, {len(watched)} of them {label} ({len(watched) / len(about):.0%})"
    if change is not None:
        verdict = "beyond chance" if change.beyond_chance else "which may be chance"
        before = f"{change.watched_before} of {change.count_before} ({change.share_before:.0%}) before"
        text += f", against {before}: {verdict} (p = {change.p_value:.2g})"
    return Sentence("counted", topic, f"{text}.", tuple(post.place for post in about))


def quoted(topic: str, post: Post) -> Sentence:
    """Word for word, on one line."""
    return Sentence("quoted", topic, " ".join(post.text.split()), (post.place,))


def representative(posts: Sequence[Post], count: int) -> list[Post]:
    """At most `count` posts that stand for the others, in the order of choice; the same ones each time."""
    if len(posts) <= count:
        return list(posts)
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(sublinear_tf=True).fit_transform([post.text for post in posts]).toarray()
    except ValueError:  # no words at all
        return list(posts[:count])
    central, chosen = vectors @ vectors.mean(0), list[int]()
    for _ in range(count):
        like = (vectors @ vectors[chosen].T).max(1) if chosen else np.zeros(len(posts))
        score = central / max(1e-9, float(central.max())) - LIKENESS * like
        score[chosen] = -np.inf
        chosen.append(int(np.argmax(np.round(score, 9))))
    return [posts[at] for at in chosen]


def _posts(count: int) -> str:
    return f"{count:,} post" if count == 1 else f"{count:,} posts"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
