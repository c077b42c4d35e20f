"""Collect what the page shows from where the stages left it: what was thrown away, items, figures, curves."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from aigc_models.evidence import Measurement
from aigc_models.find import find
from tasks.report.contents import Discarded, Item, Metric, Rejected


def discarded(quarantine: Path, examples: int = 3) -> tuple[Discarded, ...]:
    """`data/NAME/quarantine.parquet` by rule, the largest group first."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], list[Rejected]] = {}
    for row in _rows(quarantine, ["stage", "rule", "source", "reason"]):
        key = (row["stage"], row["rule"])
        counts[key] += 1
        if counts[key] <= examples:
            first.setdefault(key, []).append(Rejected(source=row["source"], reason=row["reason"]))
    groups = [
        Discarded(rule=rule, stage=stage, count=count, examples=tuple(first.get((stage, rule), ())))
        for (stage, rule), count in counts.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.rule)))


def examples(dataset: Path, modality: str, count: int = 24) -> tuple[Item, ...]:
    """Items of `data/NAME/clean` as they are after cleaning, the labels taking turns."""
    kept = {row["id"] for row in _rows(dataset / "splits.parquet", ["id"])}
    by_label: dict[str | None, list[dict[str, Any]]] = {}
    for shard in sorted((dataset / "clean").glob("*.parquet")):
        if not shard.name.endswith(".rejected.parquet"):
            for row in _rows(shard, ["id", "label", "source", "content"]):
                rows = by_label.setdefault(row["label"], [])
                if row["id"] in kept and len(rows) < count:
                    rows.append(row)
    plugin = find("aigc_models.modalities", modality)
    chosen = islice(_in_turns(by_label), count)
    return tuple(
        Item(html=plugin.preview(plugin.unpack(row["content"])), label=row["label"], note=row["source"]) for row in chosen
    )


HEARD = 12  # samples that are written as files of other kinds too: a tune takes some megabytes as sound


def samples(evaluation: Path, modality: str, report: Path, name: str) -> tuple[Item, ...]:
    """Copy the ensemble's samples to `samples/<name>/` of the report's folder, and show each of them; the first `HEARD` as
    whatever else the modality writes of them too."""
    plugin = find("aigc_models.modalities", modality)
    target = report / "samples" / name
    target.mkdir(parents=True, exist_ok=True)
    shown: list[Item] = []
    for entry in json.loads((evaluation / "samples" / "samples.json").read_text(encoding="utf-8")):
        path = Path(shutil.copyfile(evaluation / "samples" / entry["file"], target / entry["file"]))
        link, note = path.relative_to(report).as_posix(), entry.get("note") or f"seed {entry['seed']}"
        html, others = entry.get("html"), dict[str, str]()
        if html is None:
            content = plugin.unpack(path.read_bytes())  # what was made is no input: nothing is refused
            html, empty = plugin.preview(content), plugin.emptiness(content)
            note = f"{note}, {empty}" if empty else note
            if hasattr(plugin, "renderings") and len(shown) < HEARD:
                for suffix, payload in plugin.renderings(content).items():
                    path.with_suffix(suffix).write_bytes(payload)
                    others[suffix] = path.with_suffix(suffix).relative_to(report).as_posix()
        shown.append(Item(html=html, label=entry["label"], note=note, path=link, renderings=others))
    return tuple(shown)


def metrics(evaluation: Path) -> dict[str, Metric]:
    """`metrics.json` of an evaluation, in the form of `report.json`."""
    figures = json.loads((evaluation / "metrics.json").read_text(encoding="utf-8"))
    return {name: Metric.model_validate({key: one[key] for key in Metric.model_fields}) for name, one in figures.items()}


def measurements(evaluation: Path) -> dict[str, dict[str, Measurement]]:
    """`candidates.json` by metric and then by candidate, the ensemble's with its paired differences."""
    by_candidate = json.loads((evaluation / "candidates.json").read_text(encoding="utf-8"))
    ensemble = json.loads((evaluation / "metrics.json").read_text(encoding="utf-8"))
    measured: dict[str, dict[str, Measurement]] = {}
    for candidate, figures in by_candidate.items():
        for metric, values in figures.items():
            versus = ensemble[metric].get("versus", {}) if candidate == "ensemble" else {}
            measured.setdefault(metric, {})[candidate] = Measurement.model_validate({**values, "versus": versus})
    return measured


def curve(bundle: Path) -> tuple[dict[str, float], ...]:
    """The learning curve that was written beside a member's bundle; empty for a plain model."""
    path = bundle.parent / "curve.json"
    return tuple(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else ()


def _in_turns(by_label: dict[str | None, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    longest = max(map(len, by_label.values()), default=0)
    for place in range(longest):
        yield from (by_label[label][place] for label in sorted(by_label, key=str) if place < len(by_label[label]))


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """A batch at a time, so that a table larger than memory can be looked through."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as table:
        for batch in table.iter_batches(batch_size=1024, columns=columns):
            yield from batch.to_pylist()
