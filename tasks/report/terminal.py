"""What a person sees while a run works, and the table at its end; all on stderr, so that stdout stays clean."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tasks.report import figures, words
from tasks.report.contents import DatasetReport, Figure, Promotion, Report, RunResult

Clock = Callable[[], float]
MOST_FIGURES = 3  # more do not fit beside a bar
LOOKS = {"good": "green", "bad": "bold red", "calm": "dim"}
MOST_MEMBERS = 4  # beside the interval, which the page has for all


@dataclass
class _Work:
    """A stage that runs now; `task` is its row of the live display."""

    started: float
    step: int = 0
    total: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    task: TaskID | None = None

    def summary(self) -> str:
        shown = [(name, value) for name, value in self.figures.items() if name != "learning_rate"][:MOST_FIGURES]
        return ", ".join(f"{words.loss(name)} {words.number(value)}" for name, value in shown)


class Terminal:
    """One live display for all that runs side by side; plain lines where stderr is no terminal.

    Every method may be called from any thread. `name` says which data set and stage it is, such
    as `digits / finetune / gan`.
    """

    def __init__(self, console: Console | None = None, every: float = 10.0, clock: Clock = time.monotonic) -> None:
        """`every`: seconds between two progress lines where stderr is no terminal."""
        self.console = console or Console(stderr=True)
        if console is None and not self.console.is_terminal:
            self.console.width = 120  # a log file has no width; 80 would break the final table
        self.live = self.console.is_terminal
        self.every, self.clock = every, clock
        self._lock = threading.RLock()
        self._running: dict[str, _Work] = {}
        self._spoken = clock()
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}", style="dim", markup=False),
            console=self.console,
            transient=True,
            redirect_stdout=False,
            disable=not self.live,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def stage_started(self, name: str) -> None:
        with self._lock:
            task = self._progress.add_task(name, total=None, figures="") if self.live else None
            self._running[name] = _Work(self.clock(), task=task)

    def progress(self, name: str, step: int, total: int, figures: dict[str, float] | None = None) -> None:
        """`step` of `total` is done; `figures` such as losses are shown too. A stage that nobody started is started."""
        with self._lock:
            if name not in self._running:
                self.stage_started(name)
            work = self._running[name]
            work.step, work.total, work.figures = step, total, figures or work.figures
            if work.task is not None:
                self._progress.update(work.task, completed=step, total=total or None, figures=work.summary())
            elif self.clock() - self._spoken >= self.every:
                self._say(Text("… " + "; ".join(map(self._line, self._running)), style="dim"))

    def stage_finished(self, name: str, seconds: float, cached: bool = False) -> None:
        with self._lock:
            work = self._running.pop(name, None)
            if work is not None and work.task is not None:
                self._progress.remove_task(work.task)
            took = Text("cached", style="dim") if cached else Text(words.duration(seconds))
            figures = "  " + work.summary() if work and work.figures else ""
            self._say(Text.assemble(("✓ ", "green"), name, "  ", took, (figures, "dim")))

    def stage_failed(self, name: str, reason: str) -> None:
        with self._lock:
            work = self._running.pop(name, None)
            if work is not None and work.task is not None:
                self._progress.remove_task(work.task)
            self._say(Text.assemble(("✗ ", "red"), name, "  ", reason))

    def message(self, text: str) -> None:
        with self._lock:
            self._say(Text(text))

    def final(self, report: Report, page: str = "") -> None:
        """The table of what was made, how good it is and where the time went; `page` is where to read on."""
        with self._lock:
            self._progress.stop()
            for part in report.datasets:
                self.console.print(_dataset(part))
            work = max(report.seconds - report.overhead_seconds, 0.0)
            self._say(
                Text.assemble(
                    ("\nwall time ", "bold"),
                    f"{words.duration(report.seconds)} = {words.duration(work)} work inside the stages",
                    f" + {words.duration(report.overhead_seconds)} all the rest",
                )
            )
            if page:
                self._say(Text.assemble(("report ", "bold"), page))

    def _line(self, name: str) -> str:
        work = self._running[name]
        share = f" {100 * work.step / work.total:.0f} %" if work.total else f" {words.duration(self.clock() - work.started)}"
        return name + share + (f" ({work.summary()})" if work.figures else "")

    def _say(self, text: Text) -> None:
        self._spoken = self.clock()
        self.console.print(text, soft_wrap=not self.live)


def _dataset(part: DatasetReport) -> Group:
    result = part.result
    dataset, steps = result.dataset, sum(result.dataset.splits.values())
    title = Text.assemble(
        ("\n" + result.dataset.name, "bold"),
        f"  {dataset.modality}, {words.items(dataset.rows, dataset.modality, steps)}, ",
        f"{dataset.splits['test']:,} of them to measure on, " if dataset.splits.get("test") else "",
        f"{result.dataset.quarantined:,} quarantined, data version {result.dataset.version[:12]}",
    )
    tables: list[RenderableType] = [_stages(part), _metrics(part), *([_gates(result)] if result.gates else [])]
    blocks = [*tables, _decision(result.promotion, part.reason)]
    return Group(title, *(Padding(block, (1, 0, 0, 2)) for block in blocks))


def _table(*columns: str) -> Table:
    """The first column in words, the others in figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(Text(words.plain(column)), justify="right" if place else "left", overflow="fold", no_wrap=not place)
    return table


def _stages(part: DatasetReport) -> Columns:
    took = [(stage.name, "cached" if stage.cached else words.duration(stage.seconds)) for stage in part.result.stages]
    return Columns(
        [Text.assemble(name, "  ", (seconds, "dim")) for name, seconds in took], padding=(0, 4), equal=True, column_first=True
    )


def _metrics(part: DatasetReport) -> Table:
    """A row for each figure, the latency of the served model among them: ensemble, baseline, real items, each member."""
    result = part.result
    between = ["95 % interval"] if len(result.members) <= MOST_MEMBERS else []
    members = [words.plain(member.name) for member in result.members]
    if not between:  # a word a line, so that many fit beside one another
        members = [name.replace(" ", "\n") for name in members]
    table = _table("figure", "", "ensemble", *between, "baseline", "real", *members)
    for name in figures.rows(result):
        metric, real = result.metrics[name], figures.reach(part, name)
        values: list[Figure] = [
            metric.baseline,
            real.value if real else None,
            *(member.metrics.get(name) for member in result.members),
        ]
        arrow = "↓" if metric.better == "lower" else "↑"
        ensemble = Text(words.number(metric.value), style="bold")
        interval = [words.interval(metric.low, metric.high)] if between else []
        table.add_row(Text(name), arrow, ensemble, *interval, *map(words.number, values))
    return table


def _gates(result: RunResult) -> Table:
    table = _table("gate", "value", "limit", "outcome")
    for gate in result.gates:
        outcome, look = figures.mark(gate)
        sign = {"lower": "≤ ", "higher": "≥ "}[result.metrics[gate.name].better] if gate.name in result.metrics else ""
        table.add_row(
            Text(gate.name), words.number(gate.value), sign + words.number(gate.limit), Text(outcome, style=LOOKS[look])
        )
    return table


def _decision(promotion: Promotion, reason: str) -> Text:
    style = {"promoted": "bold green", "refused": "bold red"}.get(promotion.decision, "bold")
    version = f" version {promotion.version}" if promotion.version is not None else ""
    alias = f" @{promotion.alias}" if promotion.alias else ""
    model = f"  {promotion.model}{version}{alias}"
    return Text.assemble((words.plain(promotion.decision), style), model, f"  {reason}" if reason else "")
