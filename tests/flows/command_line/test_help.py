"""Every command of the app, found in the app itself."""

import shlex
from itertools import dropwhile

import pytest
import typer.main

from flows.command_line.app import app

FOREVER = {"serve", "ui"}  # they run until they are ended, and answer elsewhere
DESIGNED = {
    "": {"run", "plan", "train", "retrain", "reproduce", "generate", "serve", "deploy", "ui", "doctor", "verify", "sign"}
    | {"classify", "score", "encode", "reconstruct", "denoise", "forecast", "recommend", "reply", "explain", "monitor"},
    "data.": {
        "add",
        "list",
        "show",
        "items",
        "versions",
        "diff",
        "drift",
        "checkout",
        "verify",
        "push",
        "pull",
        "forget",
        "allow",
    },
    "keys.": {"add", "list", "revoke"},
    "models.": {"list", "show", "compare", "promote", "approve", "reject", "rollback", "history"},
}


def commands(group, before=()):
    """Each command with its path, `("models", "show")`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


ALL = dict(commands(typer.main.get_command(app)))


def options(command):
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_the_commands_are_those_of_the_design():
    assert {".".join(path) for path in ALL} == {group + name for group, names in DESIGNED.items() for name in names}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_command_has_an_example_that_it_accepts(path):
    """Names and options of the examples in a command's help are parsed as a shell and the command line would."""
    text = ALL[path].help or ""
    lines = [part.strip() for part in text.split("Example:")[1:]]
    assert lines, f"{path} has no example"
    for line in lines:
        words = shlex.split(line.split("|")[-1].strip())
        words = list(dropwhile(lambda word: "=" in word, words))  # variables that the shell sets for it
        assert words[: 1 + len(path)] == ["aigc", *path], line
        ALL[path].make_context(path[-1], words[1 + len(path) :], resilient_parsing=False).close()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_what_a_script_could_call_answers_in_json(path):
    assert ("--json" in options(ALL[path])) != (path[-1] in FOREVER)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_and_argument_says_what_it_is(path):
    silent = [parameter.name for parameter in ALL[path].params if not getattr(parameter, "help", None)]
    assert silent == []


@pytest.mark.parametrize("group", ["data", "models"])
def test_a_group_names_its_commands(group):
    info = next(info for info in app.registered_groups if info.name == group)
    assert all(path[1] in info.help for path in ALL if path[0] == group)
