"""What the figures mean, in words, and how they are written."""

from __future__ import annotations

import math

METRICS: dict[str, tuple[str, str]] = {
    "bits_per_byte": ("Bits per byte", "how many bits the model needs for a byte of unseen text"),
    "frechet_distance": ("Fréchet distance", "generated to real test items, on features of a classifier"),
    "frechet_distance_real": ("Fréchet distance, real", "real train to real test items: what is within reach"),
    "coverage": ("Coverage", "share of the real test items with a generated item nearby"),
    "classification_accuracy_score": ("Accuracy from generated", "a classifier that saw generated items alone, on real ones"),
    "classification_accuracy_real": ("Accuracy from real", "the same classifier on real items: what is within reach"),
    "accuracy": ("Accuracy", "share of test items classified rightly"),
    "macro_f1": ("Macro F1", "F1 averaged over the labels"),
    "unanswered_share": ("Unanswered", "share of test items that a model elsewhere, or a member, gave no answer for"),
    "rmse": ("Root mean squared error", "of predicted numbers, in the unit of the labels"),
    "mae": ("Mean absolute error", "of predicted numbers, in the unit of the labels"),
    "r2": ("R squared", "share of the numbers' variance that predictions explain; 0 for their mean"),
    "interval_coverage": ("Interval coverage", "share of the numbers inside the intervals, which are to hold 90 %"),
    "pitch_accuracy": ("Pitch accuracy", "share of generated sounds at the pitch asked for"),
    "mse": ("Mean squared error", "of the median forecast"),
    "crps": ("CRPS", "distance of the forecast distribution from what came"),
    "interval_coverage_gap": ("Gap of interval coverage", "how far the 80 % intervals are from holding 80 % of what came"),
    "ndcg_at_10": ("NDCG at 10", "how well the first ten recommendations are ranked"),
    "psnr": ("PSNR", "peak signal to noise ratio of the reconstruction"),
    "distinct_2": ("Distinct word pairs", "share of different word pairs in generated text"),
    "self_bleu": ("Self-BLEU", "how alike generated texts are, each against all others; beside real ones"),
    "repetition": ("Repetition within a text", "share of runs of four words that the same text has said before"),
    "longest_overlap": (
        "Longest overlap with training",
        "characters in one run that one generated text in twenty shares with a training text, or more",
    ),
    "frechet_text_distance": ("Fréchet distance of texts", "generated to real test items, on character n-grams"),
    "strange_share": ("Strange texts", "share of generated texts far stranger than real ones; measured beside a champion"),
    "empty_share": ("Empty items", "share of generated items that say nothing: empty, silent, of one colour or symbol"),
    "memorised_share": (
        "Memorised share",
        "generated items nearer to a training item than the closest 1 % of real items",
    ),
    "nearest_training_distance_ratio": ("Distance to training items", "generated over test items, medians; near 0 is a replay"),
    "pretraining_gain": ("Gain from pretraining", "against random weights at equal total time"),
    "latency_p95_ms": ("Latency, 95th percentile", "of one item asked for over HTTP"),
}

BARE_UNITS = {"", "ratio", "share", "fraction", "distance", "score"}


def title(metric: str) -> str:
    """A metric's name for a reader."""
    entry = METRICS.get(metric)
    return entry[0] if entry else metric[:1].upper() + metric[1:].replace("_", " ")


def meaning(metric: str) -> str:
    return METRICS.get(metric, ("", ""))[1]


def unit(metric: str, name: str) -> str:
    """The unit, where it says more than the metric's title."""
    words = plain(name)
    return "" if words in BARE_UNITS or words == title(metric).lower() else words


def number(value: float | None) -> str:
    """Four significant digits at most, so that columns can be compared by eye.

    >>> number(1.53269), number(0.98), number(12345), number(None), number(0.00001)
    ('1.533', '0.980', '12,345', '–', '1.0e-05')
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size and size < 0.001:
        return f"{value:.1e}".replace("-", "−", 1) if value < 0 else f"{value:.1e}"
    return f"{value:,.{3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0}f}".replace("-", "−")


def short(value: float) -> str:
    """A figure that was rounded before, without what rounding left.

    >>> short(1234.0), short(-0.25), short(0.1 + 0.2)
    ('1,234', '−0.25', '0.3')
    """
    return f"{value:,.10g}".replace("-", "−", 1)


def change(value: float) -> str:
    """A difference, with its sign."""
    return ("+" if value > 0 else "") + number(value)


def count(value: int) -> str:
    return f"{value:,}".replace("-", "−")


def items(number: int, modality: str, steps: int = 0) -> str:
    """How much there is; `steps`: what the splits of series count.

    >>> items(1787, "image"), items(1, "text"), items(1, "series", 2284), items(3, "series", 9000)
    ('1,787 items', '1 item', '2,284 steps', '3 series, 9,000 steps')
    """
    if modality != "series":
        return f"{count(number)} {'item' if number == 1 else 'items'}"
    return f"{count(steps)} steps" if number == 1 else f"{count(number)} series, {count(steps)} steps"


def interval(low: float | None, high: float | None) -> str:
    """Nothing where there is none: null in JSON, infinite elsewhere."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{number(low)} to {number(high)}"


def duration(seconds: float) -> str:
    """
    >>> duration(0.04), duration(9.96), duration(75), duration(3725)
    ('0.04 s', '10.0 s', '1 min 15 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.{1 if seconds >= 1 else 2}f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def loss(name: str) -> str:
    """`loss.critic` as `critic loss`."""
    return plain(f"{name.removeprefix('loss.')} loss" if name.startswith("loss.") else name)


def plain(name: str) -> str:
    """`exact_duplicates` as `exact duplicates`."""
    return name.replace("_", " ")
