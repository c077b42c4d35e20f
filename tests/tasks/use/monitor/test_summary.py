import re
from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.use.monitor.changes import EVERYTHING, changes
from tasks.use.monitor.posts import Post
from tasks.use.monitor.summary import representative, sentences

NOW = datetime(2026, 11, 30, tzinfo=UTC)
WORDS = ["profit", "sales", "orders", "fell", "rose", "in", "May", "Oslo", "of", "the", "plant"]


def made(count, seed, topics=("NOKIA", "KONE", "")):
    random = np.random.default_rng(seed)
    return [
        Post(f"f{seed}:{at}", NOW, " ".join(random.choice(WORDS, 6)), str(random.choice(["negative", "neutral"])), 0.8,
             str(random.choice(topics)))
        for at in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_stated_that_no_source_says(seed):
    """Each number of a sentence is counted again from the posts that it names, and each quotation stands in its post."""
    period, before = made(40, seed), made(200, seed + 100)
    by_place = {post.place: post for post in period}
    written = sentences(period, changes(period, before, "negative", 0.01, 8), "negative")
    assert {sentence.kind for sentence in written} == {"counted", "quoted"}
    for sentence in written:
        named = [by_place[place] for place in sentence.sources]
        assert named
        if sentence.kind == "quoted":
            assert sentence.text == " ".join(named[0].text.split())
            continue
        negative = sum(post.label == "negative" for post in named)
        if sentence.topic != EVERYTHING:
            assert {post.topic for post in named} == {sentence.topic}
        count, of_them = map(int, re.search(r"(\d+) posts?, (\d+)", sentence.text).groups())
        assert (count, of_them) == (len(named), negative)
        assert f"({negative / len(named):.0%})" in sentence.text
        if against := re.search(r"against (\d+) of (\d+)", sentence.text):
            then = [post for post in before if sentence.topic in (EVERYTHING, post.topic)]
            distinct = {(post.topic, post.text.lower()): post.label for post in reversed(then)}
            assert int(against[2]) == len(distinct)
            assert int(against[1]) == sum(label == "negative" for label in distinct.values())


def test_what_is_quoted_stands_for_the_others_and_differs_among_itself():
    common = [Post(f"a:{at}", NOW, f"profit fell in May at plant {at}", "negative", 0.9) for at in range(8)]
    other = [Post(f"b:{at}", NOW, f"orders rose for the new line {at}", "neutral", 0.9) for at in range(6)]
    odd = Post("c:0", NOW, "zebra quagga", "neutral", 0.9)
    chosen = representative([odd, *common, *other], 2)
    assert {post.place[0] for post in chosen} == {"a", "b"}
    assert representative([odd, *common, *other], 2) == chosen
    assert representative([Post("x", NOW, "...", "neutral", 0.9)] * 3, 2)[0].text == "..."


def test_no_posts_say_nothing():
    assert sentences([], [], "negative") == []
