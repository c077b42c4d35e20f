import re
from collections.abc import Callable
from typing import Any

import pytest

from tasks.report.contents import DatasetReport, Discarded, Level, Node, Rejected, Report
from tasks.report.figures import headlines, served
from tasks.report.page import href, moment, render
from tasks.report.words import number


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return render(report)


@pytest.fixture(scope="module")
def page(html: str, read_page: Callable[[str], Any]) -> Any:
    return read_page(html)


def test_the_page_is_well_formed_and_needs_nothing_else(html: str, page: Any) -> None:
    assert page.open == []
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(str(image["src"]).startswith("data:") for image in page.all("img"))
    assert not re.search(r"url\(|@import", html)
    assert any("default-src 'none'" in str(meta.get("content")) for meta in page.all("meta"))


def test_data_is_shown_and_never_run(html: str, page: Any) -> None:
    assert "<script" not in html
    assert "<script>alert(1)</script>" in page.text
    assert "<b>rich</b>" in page.text


def test_every_string_from_outside_is_escaped(
    report: Report, docstrings: DatasetReport, read_page: Callable[[str], Any]
) -> None:
    evil = "<script>x</script>\"'"
    ensemble = docstrings.measurements["bits_per_byte"]["ensemble"]
    part = docstrings.model_copy(
        update={
            "card": {evil: evil, "more": {evil: evil}, "splits": {evil: {"labels": {evil: 3}}}},
            "discarded": (Discarded(rule=evil, stage=evil, count=2, examples=(Rejected(source=evil, reason=evil),)),),
            "curves": {evil: ({"step": 0, "seconds": 0.0, evil: 1.0}, {"step": 1, "seconds": 1.0, evil: 0.5})},
            "measurements": {"bits_per_byte": {evil: docstrings.measurements["bits_per_byte"]["rnn"], "b": ensemble}},
            "gate_reasons": {"nearest_training_distance_ratio": evil},
            "lineage": (Level(name=evil, nodes=(Node(title=evil, detail=evil, link="javascript:alert(1)"),)),),
            "baseline": evil, "reason": evil, "notes": (evil,),
        }
    )  # fmt: skip
    html = render(report.model_copy(update={"datasets": (part,), "config": evil, "command": evil, "run": evil, "preset": evil}))
    assert "<script" not in html
    assert "javascript:" not in html
    assert read_page(html).open == []


def test_pictures_and_drawings_have_words(page: Any) -> None:
    assert all("alt" in image for image in page.all("img"))
    samples = [link for link in page.all("a") if str(link.get("href")).startswith("samples/")]
    assert samples
    assert all(str(link.get("aria-label")).endswith(f"seed {place}") for place, link in enumerate(samples))
    assert all(drawing.get("aria-label") for drawing in page.all("svg"))
    assert all(header.get("scope") for header in page.all("th") if header)


def test_every_sample_is_visible_and_linked(page: Any, digits: DatasetReport) -> None:
    links = {link.get("href") for link in page.all("a")}
    assert {sample.path for sample in digits.samples} <= links
    assert len(page.all("img")) == len(digits.samples) + len(digits.examples)


@pytest.mark.parametrize(
    "sentence",
    [
        "Ensemble − baseline",
        "a Gaussian mixture for each label",
        "All 3 gates passed",
        "at least 0.950",
        "Frechet distance at most 1.3 x frechet distance real",
        "41.2 is at most 500",
        "real items 0.973",
        "truncated after 112 bytes",
        "and 10 more in quarantine.parquet",
        "The pretrained body is left out",
        "3 min 34 s = 3 min 2 s of work inside the stages + 31.5 s for all the rest",
        "budget: 90s",
        "2.13.0",
    ],
)
def test_the_page_says(page: Any, sentence: str) -> None:
    assert sentence in " ".join(page.text.split())


def test_a_run_with_nothing_but_the_fixed_part_has_a_page(report: Report, digits: DatasetReport) -> None:
    bare = DatasetReport(result=digits.result.model_copy(update={"metrics": {}, "gates": (), "stages": (), "members": ()}))
    html = render(report.model_copy(update={"datasets": (bare,), "seconds": 0.0, "overhead_seconds": 0.0}))
    assert "19 items; quarantine.parquet of the data set lists them" in html
    assert "No gate was asked for" in html


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("https://example.org/#/runs/1", "https://example.org/#/runs/1"),
        ("samples/a b.png", "samples/a%20b.png"),
        ("../../data.dvc", "../../data.dvc"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/x", ""),
        ("/etc/passwd", ""),
        (None, ""),
    ],
)
def test_links_lead_to_pages_and_files_beside_the_report_only(link: str | None, safe: str) -> None:
    assert href(link) == safe


def test_moments_are_readable() -> None:
    assert moment("2026-11-05T01:08:36+00:00") == "5 November 2026, 01:08 (UTC)"
    assert moment("yesterday") == "yesterday"


def shown(digits: DatasetReport, modality: str, html: str) -> str:
    """A report's part as if the samples were of another modality."""
    report = digits.result.dataset.model_copy(update={"modality": modality, "rows": 1})
    items = tuple(sample.model_copy(update={"html": html}) for sample in digits.samples[:2])
    result = digits.result.model_copy(update={"dataset": report})
    part = digits.model_copy(update={"result": result, "samples": items, "examples": ()})
    fixed = {"run": "r", "preset": "p", "started": "2026-11-25T01:08:36+00:00", "seconds": 1.0, "overhead_seconds": 0.5}
    return render(Report(**fixed, versions={}, datasets=(part,)))


def test_a_player_stands_outside_of_the_link_to_its_file(digits: DatasetReport, read_page: Callable[[str], Any]) -> None:
    page = read_page(shown(digits, "audio", '<img alt="spectrogram" src="data:,"><audio controls src="data:,"></audio>'))
    assert len(page.all("audio")) == 2
    assert {sample.path for sample in digits.samples[:2]} <= {link.get("href") for link in page.all("a")}
    names = [name for name, attributes in page.tags if name in ("audio", "a") and "#" not in str(attributes.get("href"))]
    assert names[:4] == ["audio", "a", "audio", "a"]


def test_a_sample_that_was_written_as_sound_has_a_player_and_links(
    digits: DatasetReport, read_page: Callable[[str], Any]
) -> None:
    files = {".mid": "samples/x/000.mid", ".wav": "samples/x/000.wav"}
    items = tuple(sample.model_copy(update={"renderings": files}) for sample in digits.samples[:1]) + digits.samples[1:2]
    page = read_page(shown(digits.model_copy(update={"samples": items}), "events", "<svg></svg>"))
    assert [player.get("src") for player in page.all("audio")] == ["samples/x/000.wav"]
    assert set(files.values()) <= {link.get("href") for link in page.all("a")}


def test_forecasts_are_told_apart_from_samples(digits: DatasetReport, read_page: Callable[[str], Any]) -> None:
    page = read_page(shown(digits, "series", '<svg role="img" aria-label="forecast"></svg>'))
    text = " ".join(page.text.split())
    assert "What it forecasts" in text
    assert "series, 1,787 steps" in text
    assert "95 % intervals over the test windows, in blocks of time" in text


def test_a_model_that_serves_alone_is_named_beside_its_samples(digits: DatasetReport, read_page: Callable[[str], Any]) -> None:
    alone = digits.model_copy(update={"alone": "gaussian_mixture"})
    whole, single = (" ".join(read_page(shown(part, "image", "<i></i>")).text.split()) for part in (digits, alone))
    assert "The model is gaussian mixture alone, which was registered." in single
    assert "alone, which was registered" not in whole
    name = headlines(digits)[0]
    measured = digits.measurements[name]
    assert served(digits, name) == measured["ensemble"].value
    assert served(alone, name) == measured["baseline"].value != measured["ensemble"].value
    assert f"gaussian mixture alone; the ensemble’s {number(measured['ensemble'].value)}" in single


def test_what_was_chosen_by_stands_first(digits: DatasetReport) -> None:
    names = headlines(digits)
    assert len(names) > 2
    last = names[-1]
    assert headlines(digits.model_copy(update={"primary": last})) == [last, *names[:-1]]
