from flows.command_line.pages import commands, page_environment
from tasks.stage.settings import Workspace


def test_the_password_of_a_database_stands_in_no_command_line(tmp_path, monkeypatch):
    address = "postgresql://me:s3cret@db.example/mlflow"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    workspace = Workspace(tmp_path)
    assert "s3cret" not in str(commands(workspace, 5000, 4200))
    assert page_environment(workspace, "http://127.0.0.1:5000")["MLFLOW_BACKEND_STORE_URI"] == address
