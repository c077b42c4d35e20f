"""What an arrived file is answered with: items for each row that can be answered, and the reason for each that cannot.

The same file, under the same name, gets the same bytes from the same model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from aigc_models.errors import AigcError, Unreadable, unknown
from aigc_models.heads import GENERATE
from tasks.stage.execution import Stopped
from tasks.use.arrivals.decided import decided
from tasks.use.arrivals.orders import LARGEST, SERIES, Order, Problem, orders
from tasks.use.arrivals.points import past_of
from tasks.use.generate import write
from tasks.use.provenance import Identity, labelled

ANSWER = "answer.json"
MOST = 10_000  # items of one file


@dataclass(frozen=True)
class Wanted:
    """One item to make: the `item`-th (from 0) of a row's seed."""

    row: int
    order: Order
    seed: int
    item: int


@dataclass(frozen=True)
class Responder:
    """Answers files with one generator; `seed` varies the rows that name no seed of their own.

    `points`: the file that keeps the points of a series that have arrived.
    """

    generator: Any
    identity: Identity
    seed: int = 0
    points: Path | None = None

    def answer(self, payload: bytes, name: str, folder: Path, stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """Write the items and `answer.json` of a file into the empty `folder`; raises `Stopped` between two batches."""
        if self.generator.card.task != GENERATE:
            rows = decided(payload, name, self.generator)
        elif name.lower().endswith(SERIES) and self._goes_on:
            rows = self._forecast(payload, name, folder)
        else:
            rows = self._generated(payload, name, folder, stop)
        return self._finished(payload, name, folder, rows)

    def refuse(self, name: str, message: str, folder: Path) -> dict[str, Any]:
        """The answer to a file that cannot be read at all."""
        return self._finished(b"", name, folder, [refusal(Problem(file=name, row=0, field="", message=message))])

    def _finished(self, payload: bytes, name: str, folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
        manifest = {
            "input": name,
            "sha256": hashlib.sha256(payload).hexdigest(),
            "ok": not any("error" in row for row in rows),
            **self.identity.model_dump(include={"model", "version", "bundle_sha256"}),
            "rows": rows,
        }
        write(folder / ANSWER, json.dumps(manifest, indent=1, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
        return manifest

    # Labels and prompts

    def _generated(self, payload: bytes, name: str, folder: Path, stop: Callable[[], bool]) -> list[dict[str, Any]]:
        rows: dict[int, dict[str, Any]] = {}
        wanted: list[Wanted] = []
        for number, order in orders(payload, name, self.generator.card.modality):
            problem = order if isinstance(order, Problem) else None
            if isinstance(order, Order):
                problem = self._refused(order, name, number, len(wanted))
            rows[number] = refusal(problem) if problem else {"row": number, "items": []}
            if not problem and isinstance(order, Order):
                seed = seed_of(name, number, self.seed) if order.seed is None else order.seed
                wanted += [Wanted(number, order, seed, item) for item in range(order.count)]
        for batch in batches(wanted, self.generator.card.micro_batch, apart=self._goes_on):
            if stop():
                raise Stopped("stopped within a file, which is answered anew the next time")
            self._make(batch, name, folder, rows)
        return list(rows.values())

    @property
    def _goes_on(self) -> bool:
        """Whether items go on from a past, as those of a series do."""
        return hasattr(self.generator.modality, "read_points")

    def _refused(self, order: Order, name: str, row: int, before: int) -> Problem | None:
        """What this model cannot do, before anything is made; `before`: items that the file asked for already."""
        card = self.generator.card
        field = message = ""
        if before + order.count > MOST:
            field, message = "count", f"more than {MOST:,} items in one file; divide it"
        elif order.label is not None and order.label not in card.labels:
            field, message = "label", str(unknown("label", order.label, card.labels))
        elif order.prompt and card.modality != "text":
            field, message = "prompt", f"a prompt begins a text, and {card.name} makes {card.modality}; give a label"
        else:
            options = self.generator.sampling.model_fields
            other = [option for option in order.sampling if option not in options]
            if other:
                field, message = "sampling", str(unknown("sampling option", other[0], options))
        return Problem(file=name, row=row, field=field, message=message) if message else None

    def _make(self, batch: Sequence[Wanted], name: str, folder: Path, rows: dict[int, dict[str, Any]]) -> None:
        try:
            contents, labels = self._drawn(batch)
        except OSError:
            raise
        except Exception as error:  # one file's fault must not keep the others from their answers, now or after a restart
            for row in {wanted.row for wanted in batch}:
                rows[row] = refusal(Problem(file=name, row=row, field="", message=f"{type(error).__name__}: {error}"))
            return
        modality = self.generator.modality
        for wanted, content, label in zip(batch, contents, labels, strict=True):
            if "error" in rows[wanted.row]:
                continue
            mark = self.identity.mark(wanted.seed, wanted.item)
            file = f"{wanted.row:06d}-{wanted.item:04d}{modality.suffix}"
            sha256 = write(folder / file, labelled(modality.pack(content), modality.suffix, mark))
            about = {"label": label, "prompt": wanted.order.prompt, "emptiness": modality.emptiness(content)}
            rows[wanted.row]["items"].append({**mark.model_dump(), "file": file, "sha256": sha256, **about})

    def _drawn(self, batch: Sequence[Wanted]) -> tuple[list[Any], list[str | None]]:
        """Contents and labels; a row's items are those of `Generator.generate` with its seed."""
        import torch

        from aigc_models.generator import item_seeds

        generator, first = self.generator, batch[0].order
        each = [generator.conditions(1, one.order.label, one.seed, one.item) for one in batch]
        names = [*generator.card.labels, None]
        labels = [names[int(condition)] for condition in each]
        if self._goes_on:
            ask = {"label": first.label, "seed": batch[0].seed, "first": batch[0].item}
            return generator.generate(len(batch), **ask, **first.sampling), labels
        seeds = torch.cat([item_seeds(one.seed, 1, one.item) for one in batch])
        values = generator.encoded(torch.cat(each), seeds, prompt=first.prompt, **first.sampling)
        return list(generator.modality.decode(values, generator.format)), labels

    # Points of a series

    def _forecast(self, payload: bytes, name: str, folder: Path) -> list[dict[str, Any]]:
        """The quantiles of what comes after the points in the file, and after those before it where they are few."""
        from tasks.use.infer import forecast_table

        def problem(message: str) -> list[dict[str, Any]]:
            return [refusal(Problem(file=name, row=0, field="", message=message))]

        if len(payload) > LARGEST:
            return problem(f"larger than {LARGEST // 2**20} MiB; divide it")
        modality = self.generator.modality
        try:
            past = modality.normalise(modality.read_points(payload, name, self.generator.format.step))
            if reason := modality.validate(past):
                raise Unreadable(reason)
            few, past = past, past_of(self.generator, past, self.points)
            table = forecast_table(self.generator, past)
        except AigcError as error:
            return problem(str(error))
        if self.points is not None and past is not few:
            write(self.points, modality.pack(past))  # before the answer appears: once more changes nothing
        sha256 = write(folder / "forecast.csv", table)
        return [{"row": 0, "items": [{**self.identity.mark(0).model_dump(), "file": "forecast.csv", "sha256": sha256}]}]


def refusal(problem: Problem) -> dict[str, Any]:
    return {"row": problem.row, "error": problem.model_dump()}


def seed_of(name: str, row: int, seed: int) -> int:
    """A seed for a row that names none: 53 bits from the file's name, the row and the command's seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}\0{row}".encode(errors="surrogateescape")).digest()[:8], "big") >> 11


def batches(wanted: Sequence[Wanted], size: int, apart: bool = False) -> Iterator[list[Wanted]]:
    """At most `size` items that can be made together: those of one prompt and one way of sampling; `apart`: of one row.

    What is made together does not matter to what comes out.
    """

    def kind(one: Wanted) -> object:
        return one.order.prompt, sorted(one.order.sampling.items()), one.row if apart else 0

    for _, group in groupby(wanted, key=kind):
        items = list(group)
        yield from (items[start : start + size] for start in range(0, len(items), size))
