import pytest

from tasks.report.write_report import as_yaml, run_link, stage_times, versions
from tasks.stage.execution import Execution, Timing, executing
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext


def test_a_data_set_shows_its_own_stages_and_the_shared_ones(tmp_path):
    with executing(Execution(Workspace(tmp_path))) as execution:
        execution.timings = [Timing("a", 1.0, dataset="x"), Timing("b", 2.0, dataset="y"), Timing("c", 3.0, cached=True)]
        assert [(stage.name, stage.seconds, stage.cached) for stage in stage_times("x")] == [
            ("a", 1.0, False),
            ("c", 3.0, True),
        ]


def test_only_a_tracking_server_has_a_page_to_link_to(tmp_path):
    assert run_link("r", StageContext(tmp_path, Workspace(tmp_path))) is None


def test_the_configuration_is_shown_without_what_is_default():
    from flows.config import compose

    text = as_yaml(list(compose("sample", None, None, []).runs))
    assert "embedded:digits" in text
    assert "validation: 0.1" not in text


@pytest.mark.parametrize("name", ["python", "torch", "prefect", "mlflow", "dvc"])
def test_the_versions_that_a_result_depends_on_are_stated(name):
    assert versions()[name]
