import re

import numpy as np

from tasks.dataset.diversity import distribution
from tasks.report.histograms import HEIGHT, histogram, summary


def test_one_bar_for_each_bin_that_holds_something() -> None:
    bins = distribution(np.array([1.0] * 4 + [2.0] * 2 + [5.0]))
    drawing = histogram("words", bins)
    heights = [float(height) for height in re.findall(r'class="column".*?height="([\d.]+)"', drawing)]
    assert len(heights) == 3
    assert heights[0] == HEIGHT - 8
    assert abs(heights[1] - heights[0] / 2) < 0.1
    assert 'aria-label="words: median 1' in drawing


def test_names_are_escaped() -> None:
    assert "<b>" not in histogram("<b>", distribution(np.arange(9.0)))


def test_what_is_always_the_same_needs_no_drawing() -> None:
    bins = distribution(np.full(9, 8.0))
    assert (histogram("width", bins), summary(bins)) == ("", "8")
