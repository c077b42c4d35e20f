from datetime import UTC, datetime

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from tasks.use.monitor.changes import EVERYTHING, changes, holm
from tasks.use.monitor.posts import Post

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def posts(count, negative, topic="", start=0):
    """So many, of which the first `negative` are."""
    return [
        Post(f"a:{start + at}", NOW, f"{topic} {start + at}", "negative" if at < negative else "neutral", 0.9, topic)
        for at in range(count)
    ]


def test_without_a_change_hardly_a_period_raises_an_alarm_and_with_one_most_do():
    """Of 400 periods of seven topics, at most 1 % and what chance adds to that; of a share that doubles, nearly all."""
    random = np.random.default_rng(0)
    topics = [f"t{at}" for at in range(7)]

    def alarm(share):
        now = [post for topic in topics for post in posts(40, int(random.binomial(40, share if topic == "t3" else 0.2)), topic)]
        before = [post for topic in topics for post in posts(300, int(random.binomial(300, 0.2)), topic, start=1000)]
        return {change.topic for change in changes(now, before, "negative", alpha=0.01, fewest=8) if change.beyond_chance}

    false = sum(bool(alarm(0.2)) for _ in range(400))
    assert false <= 10, "1 % is 4, and 10 or more come once in a thousand times"
    assert sum("t3" in alarm(0.6) for _ in range(30)) >= 28


def test_limits_are_holms():
    random = np.random.default_rng(1)
    for _ in range(50):
        values = dict(zip("abcdefg", random.uniform(0, 0.06, 7).tolist(), strict=True))
        rejected, *_ = multipletests(list(values.values()), alpha=0.05, method="holm")
        assert holm(values, 0.05) == {name for name, yes in zip(values, rejected, strict=True) if yes}


def test_copies_of_one_report_are_one_post():
    copies = [Post(f"c:{at}", NOW, "Profit  FELL" if at % 2 else "profit fell", "negative", 0.9, "X") for at in range(30)]
    now = copies + posts(10, 1, "X")
    (everything, topic) = changes(now, posts(100, 10, "X", start=500), "negative", 0.01, 8)
    assert (everything.topic, topic.topic) == (EVERYTHING, "X")
    assert (topic.count, topic.watched) == (11, 2)
    assert not topic.beyond_chance


@pytest.mark.parametrize(("now", "before"), [(5, 100), (100, 5), (0, 100)])
def test_few_posts_are_not_compared(now, before):
    assert changes(posts(now, 1), posts(before, 1, start=500), "negative", 0.01, fewest=8) == []
