from __future__ import annotations

from tasks.stage.durations import earlier
from tasks.stage.settings import Workspace
from tasks.stage.tracking import Tracker


def a_run(tracker: Tracker, dataset: str, stages: dict[str, int], status: str = "FINISHED") -> None:
    """A run of a data set whose stages took so many milliseconds."""
    parent = tracker.start(dataset, tags={"aigc.flow": "produce"})
    for stage, took in stages.items():
        child = tracker.start(f"{stage} {dataset}", parent.id, {"aigc.stage": stage})
        child.log_params({"settings": {"samples": took}})
        begun = tracker.client.get_run(child.id).info.start_time
        tracker.client.set_terminated(child.id, "FINISHED", begun + took)
    parent.end(status)


def test_the_newest_run_that_made_a_stage_says_how_long_it_took(tracked_workspace: Workspace) -> None:
    tracker = Tracker(tracked_workspace)
    a_run(tracker, "timed", {"evaluate": 5000, "generate": 3000})
    a_run(tracker, "timed", {"evaluate": 7000})
    a_run(tracker, "timed", {"evaluate": 9000}, "FAILED")
    a_run(tracker, "another", {"evaluate": 8000})
    stages = earlier(tracked_workspace, "timed")
    assert {stage: one.seconds for stage, one in stages.items()} == {"evaluate": 7.0, "generate": 3.0}
    assert stages["evaluate"].given["settings.samples"] == "7000"
    assert earlier(tracked_workspace, "never run") == {}


def test_a_workspace_without_runs_is_left_as_it_is(tmp_path) -> None:
    assert earlier(Workspace(tmp_path / "new"), "letters") == {}
    assert not (tmp_path / "new").exists()
