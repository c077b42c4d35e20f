import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_installing_is_quiet_but_for_what_stops_it(tmp_path):
    printed = subprocess.run(["make", "-nB", "install"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (line,) = (one for one in printed.splitlines() if "pip install" in one)
    options = [option for option in shlex.split(line)[2:] if option.startswith("-q")]
    missing = tmp_path / "wheels"
    command = [sys.executable, "-m", "pip", "install", *options, "--no-index", "--find-links", str(missing)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run([*command, "no-such-package"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in (done.stdout + done.stderr).splitlines()] == ["ERROR", "ERROR"]
    assert "No matching distribution found for no-such-package" in done.stderr
