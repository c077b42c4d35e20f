from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from tasks.dataset.named_items import CLUSTERS, MEMBERS, REJECTED, SHOWN, clusters, named


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    rows = [{"id": f"{at:03d}", "split": ("train", "test")[at % 2]} for at in reversed(range(100))]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "splits.parquet")
    return tmp_path / "splits.parquet"


def duplicates(folder: Path, rows: list[tuple[str, bool, str]]) -> Path:
    table = pyarrow.Table.from_pylist([{"id": key, "kept": kept, "cluster": head} for key, kept, head in rows])
    parquet.write_table(table, folder / "duplicates.parquet")
    return folder / "duplicates.parquet"


def test_the_lowest_ids_are_shown_of_the_train_split_and_of_each_rule(splits: Path) -> None:
    thrown = [{"id": f"x{at:02d}", "rule": ("exact", "empty")[at % 2]} for at in reversed(range(20))]
    thrown.append({"id": "x99", "rule": "bridge"})
    parquet.write_table(pyarrow.Table.from_pylist(thrown), splits.with_name("quarantine.parquet"))
    shown = named(splits, splits.with_name("quarantine.parquet"), duplicates(splits.parent, [("a", True, "a")]))
    assert shown["clusters"] == []
    assert shown["examples"]["train"] == [f"{at:03d}" for at in range(0, 2 * SHOWN, 2)]
    assert shown["examples"]["rejected"] == {
        "bridge": ["x99"],
        "empty": [f"x{at:02d}" for at in range(1, 2 * REJECTED, 2)],
        "exact": [f"x{at:02d}" for at in range(0, 2 * REJECTED, 2)],
    }


def test_the_largest_clusters_come_with_their_first_items_and_without_copies(tmp_path: Path) -> None:
    rows = [("one", True, "one")]
    for group in range(CLUSTERS + 4):
        size = 2 + group % 7
        rows += [(f"g{group:02d}-{at}", True, f"g{group:02d}-0") for at in range(size)]
        rows += [(f"copy-{group:02d}", False, f"g{group:02d}-0")]
    largest = clusters(duplicates(tmp_path, rows))
    assert [group["size"] for group in largest] == [8, 8, 7, 7, 6, 6, 5, 5, 4, 4]
    assert largest[0]["ids"] == [f"g06-{at}" for at in range(MEMBERS)]
    assert largest[1]["ids"][0] == "g13-0"


def test_without_near_duplicates_there_is_no_cluster(tmp_path: Path) -> None:
    assert clusters(duplicates(tmp_path, [("a", True, "a"), ("b", False, "a")])) == []
