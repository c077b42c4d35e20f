import io
import threading

import pytest
from rich.console import Console

from tasks.report.contents import Report
from tasks.report.terminal import Terminal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def plain(clock: Clock | None = None) -> tuple[Terminal, io.StringIO]:
    output = io.StringIO()
    return Terminal(Console(file=output, width=120), clock=clock or Clock()), output


def test_a_stage_has_one_line_and_progress_one_in_ten_seconds() -> None:
    clock = Clock()
    terminal, output = plain(clock)
    with terminal:
        terminal.stage_started("digits / gan")
        terminal.stage_started("digits / vae")
        for second in range(25):
            clock.now = float(second)
            terminal.progress("digits / gan", second, 25, {"critic": 0.5})
        terminal.stage_finished("digits / gan", 25.0, cached=False)
        terminal.stage_finished("digits / vae", 0.0, cached=True)
    lines = output.getvalue().splitlines()
    assert lines[0] == "… digits / gan 40 % (critic 0.500); digits / vae 10.0 s"
    assert lines[1].startswith("… digits / gan 80 %")
    assert lines[2] == "✓ digits / gan  25.0 s  critic 0.500"
    assert lines[3] == "✓ digits / vae  cached"
    assert len(lines) == 4


def test_markup_in_a_name_is_text() -> None:
    terminal, output = plain()
    terminal.message("[bold]kept[/bold] [/nonsense]")
    terminal.stage_failed("a[b]", "the process died with [9]")
    assert output.getvalue().splitlines() == ["[bold]kept[/bold] [/nonsense]", "✗ a[b]  the process died with [9]"]


def test_all_goes_to_stderr(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as terminal:
        terminal.stage_started("ingest")
        terminal.stage_finished("ingest", 1.0)
        terminal.final(report, "outputs/run/index.html")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "✓ ingest" in captured.err


def test_a_terminal_shows_a_bar_for_each_member_and_takes_it_away() -> None:
    output = io.StringIO()
    with Terminal(Console(file=output, force_terminal=True, width=100)) as terminal:
        terminal.stage_started("digits / gan")
        terminal.progress("digits / gan", 5, 10, {"critic": 0.25})
        terminal._progress.refresh()
        assert "critic 0.250" in output.getvalue()
        terminal.stage_finished("digits / gan", 2.0)
        assert terminal._progress.tasks == []


def test_members_side_by_side_lose_no_line() -> None:
    terminal, output = plain()

    def train(member: int) -> None:
        terminal.stage_started(f"member {member}")
        for step in range(50):
            terminal.progress(f"member {member}", step, 50, {"loss": 1.0})
        terminal.stage_finished(f"member {member}", 1.0)

    threads = [threading.Thread(target=train, args=(member,)) for member in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(output.getvalue().splitlines()) == [f"✓ member {member}  1.0 s  loss 1.000" for member in range(8)]


def test_the_final_table_sets_figures_beside_their_baseline(report: Report) -> None:
    terminal, output = plain()
    terminal.final(report, "outputs/run/index.html")
    lines = output.getvalue().splitlines()
    distance = next(line for line in lines if "frechet_distance" in line)
    assert distance.split() == [
        "frechet_distance",
        "↓",
        "1.090",
        "1.000",
        "to",
        "1.180",
        "1.570",
        "0.980",
        "2.310",
        "1.620",
        "1.130",
    ]
    assert any(line.split()[:2] == ["latency_p95_ms", "↓"] for line in lines)
    assert any("≥ 0.900" in line and "✗ failed" in line for line in lines)
    assert any(line.strip().startswith("promoted  digits version 1 @champion") for line in lines)
    assert "wall time 3 min 34 s = 3 min 2 s work inside the stages + 31.5 s all the rest" in lines
    assert lines[-1] == "report outputs/run/index.html"


def test_names_are_not_broken_inside_a_word_and_the_number_of_test_items_is_said(report: Report) -> None:
    terminal, output = plain()
    part = report.datasets[0]
    longer = tuple(
        member.model_copy(update={"name": name})
        for member, name in zip(part.result.members * 9, ("exponential_smoothing", "seasonal_naive", "harmonic"), strict=False)
    )
    result = part.result.model_copy(update={"members": longer})
    terminal.final(report.model_copy(update={"datasets": (part.model_copy(update={"result": result}),)}), "")
    header = "\n".join(output.getvalue().splitlines()[:20])
    assert "exponential" in header
    assert f"{result.dataset.splits['test']:,} of them to measure on" in output.getvalue()
