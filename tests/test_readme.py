"""What the README says, done: its commands one after the other in one workspace, its links followed."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
QUICK = "--set training.size=debug --set evaluation.samples=16 --set promotion.gates=[]"
# What a reader waits minutes for, in seconds, and without gates, which a model of four seconds does not pass. Of the
# sample its digits alone: `tests/flows/test_pipeline.py` runs all of it.
SHORTENED = {"--budget 3m": f"--budget 4s {QUICK}", "aigc run sample": f"aigc run sample.yaml --budget 4s {QUICK}"}
# The checkout's own, also where the package is not installed with its script.
AIGC = f'aigc() {{ "{sys.executable}" -m flows.command_line.app "$@"; }}\n'


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [(language, text) for language, text in found if language in languages]


def draw_letters(folder: Path, count: int = 20) -> None:
    """`folder/A/*.png` and so on: letters of one font, each in a place, at an angle and in noise of its own."""
    dice, font = random.Random(0), ImageFont.load_default(20)
    for letter in "ABC":
        (folder / letter).mkdir(parents=True)
        for number in range(count):
            picture = Image.effect_noise((24, 24), dice.uniform(20, 60))
            place = (dice.uniform(2, 9), dice.uniform(-2, 3))
            ImageDraw.Draw(picture).text(place, letter, fill=dice.randint(180, 255), font=font)
            picture.rotate(dice.uniform(-15, 15), fillcolor=128).save(folder / letter / f"{number:02d}.png")


def take_one_core() -> None:
    """Two threads of a stage that share their cores with another test worker wait for each other most of the time."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def do(language: str, text: str, workspace: Path) -> None:
    for said, shorter in SHORTENED.items():
        text = text.replace(said, shorter)
    command = ["bash", "-euc", AIGC + text] if language == "sh" else [sys.executable, "-c", text]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env |= {"AIGC_WORKSPACE": str(workspace), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=workspace, env=env, capture_output=True, text=True, preexec_fn=take_one_core)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
def test_every_command_of_the_readme_works(tmp_path):
    draw_letters(tmp_path / "letters")
    sample = yaml.safe_load((ROOT / "flows/presets/sample.yaml").read_text())["runs"]
    (tmp_path / "sample.yaml").write_text(yaml.safe_dump({"runs": sample[:1]}))
    for language, text in blocks(ROOT / "README.md", "sh", "python"):
        do(language, text, tmp_path)
    assert {path.parent.name.split("-")[0] for path in tmp_path.glob("outputs/*/report.json")} == {"letters", "sample"}
    assert len(list(tmp_path.glob("outputs/*/index.html"))) == 2
    assert len(list(tmp_path.glob("made/*.png"))) == 8
    assert (tmp_path / "made" / "manifest.jsonl").is_file()
    assert [Image.open(tmp_path / f"{number}.png").size for number in range(4)] == [(24, 24)] * 4


def tree() -> list[Path]:
    """The paths of README's tree: a name's folder is the nearest one above it that is set further to the left."""
    text = (ROOT / "README.md").read_text().partition("## What is where")[2].split("```")[1]
    paths, above = [], [(-1, Path())]
    for line in filter(None, text.split("\n")):
        depth = len(line) - len(line.lstrip())
        names = re.findall(r"^ *((?:[\w.]+/  )*[\w.]+/?)(?:  |$)", line)[0].split()
        above = [(indent, folder) for indent, folder in above if indent < depth]
        paths += [above[-1][1] / name for name in names]
        above.append((depth, paths[-1]))
    return paths


def test_the_tree_of_the_readme_is_the_house():
    paths = tree()
    assert len(paths) > 40
    assert [str(path) for path in paths if not (ROOT / path).exists()] == []
    packages = ("aigc_models", "tasks", "flows")
    folders = {path.parent for name in packages for path in (ROOT / name).rglob("*.py")} | {ROOT / "flows" / "presets"}
    assert {folder.relative_to(ROOT) for folder in folders} - set(paths) == set()


def test_the_top_of_each_package_stays_small():
    """A newcomer's first look: about ten files at the top, the rest in rooms."""
    assert len(list((ROOT / "tasks").glob("*.py"))) <= 2
    assert len(list((ROOT / "aigc_models").glob("*.py"))) <= 14


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    text = re.sub(r"`[^`\n]+`(?!\])", "", page.read_text())  # code is no link, but may be the words of one
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    relative = [target for target in targets if target and "://" not in target]
    assert [target for target in relative if not (page.parent / target).exists()] == []
