"""How a data set is made is remembered, for the next ingestion and for a run."""

import pytest

from aigc_models.errors import BadInput
from flows.config import DataConfig, compose
from flows.making import asked, completed
from tasks.dataset.datasets import remember, remembered
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace

SOURCE = SourceSettings(name="mails", location="embedded:docstrings", modality="text")


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """One that knows a data set whose personal data are masked."""
    place = Workspace(tmp_path)
    remember(place, DataConfig(source=SOURCE, clean={"rules": {"personal_data": {"action": "mask"}}}))
    return place


def test_what_is_not_said_stays_as_it_was(workspace):
    again = completed(workspace, DataConfig(source=SOURCE), SOURCE)
    assert again.clean.rules == {"personal_data": {"action": "mask"}}
    settings = completed(workspace, DataConfig(source=SOURCE, clean={"without": ["empty"]}), SOURCE)
    assert (settings.clean.rules, settings.clean.without) == ({}, ("empty",))


def test_single_settings_come_on_top_of_what_was(workspace):
    config = asked(workspace, SOURCE, "", ["clean.without=[empty]", "split.test=0.2"])
    assert config.clean.rules == {"personal_data": {"action": "mask"}}
    assert (config.clean.without, config.split.test) == (("empty",), 0.2)
    assert asked(workspace, SOURCE, "", ["clean={}"]).clean.rules == {}


def test_a_file_says_it_as_for_a_run(workspace, tmp_path):
    file = tmp_path / "mails.yaml"
    file.write_text("data: {source: {name: other, location: x}, split: {test: 0.3}}\ntraining: {budget: 3s}\n")
    config = asked(workspace, SOURCE, str(file), [])
    assert (config.source, config.split.test) == (SOURCE, 0.3)
    file.write_text("training: {budget: 3s}\n")
    with pytest.raises(BadInput, match="it has no `data:`"):
        asked(workspace, SOURCE, str(file), [])


def test_a_new_set_is_made_as_the_preset_of_its_modality_has_it(tmp_path):
    series = SourceSettings(name="load", location="embedded:co2", modality="series")
    assert completed(Workspace(tmp_path), DataConfig(source=series), series).split.test == 0.2


def test_a_run_of_the_data_set_cleans_as_it_was_cleaned_and_a_file_has_the_last_word(workspace, tmp_path):
    made = remembered(workspace, "mails")
    assert compose("text", made, None, []).runs[0].data.clean.rules == {"personal_data": {"action": "mask"}}
    file = tmp_path / "run.yaml"
    file.write_text("extends: text\ndata: {clean: {rules: {personal_data: {action: reject}}}}\n")
    assert compose(str(file), made, None, []).runs[0].data.clean.rules == {"personal_data": {"action": "reject"}}


def test_a_wrong_setting_names_the_rule_and_the_field(workspace):
    with pytest.raises(BadInput, match="cleaning rule personal_data: unknown field 'actoin'; did you mean 'action'"):
        asked(workspace, SOURCE, "", ["clean.rules.personal_data.actoin=mask"])


def test_a_record_from_before_settings_were_kept_is_still_read(workspace):
    (workspace.state / "datasets" / "mails.json").write_text(SOURCE.model_dump_json())
    assert remembered(workspace, "mails")["source"]["location"] == "embedded:docstrings"
