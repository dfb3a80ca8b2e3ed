"""The command starts at once: it loads what it needs, and no more."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest

from dash_brain.cli.command import main
from dash_brain.common.version import VERSION
from tests.cli.commands import PROGRAM, run
from tests.programs import REPOSITORY

#: What takes long to load: some of it a second.
HEAVY = {"pandas", "numpy", "pyarrow", "polars", "redis", "botocore", "dash", "flask", "plotly", "blake3"}


def loaded_by(*arguments: str) -> set[str]:
    """Run what is installed, and return the modules that it has loaded."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", str(PROGRAM), *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(re.findall(r"\| +([\w.]+)$", ran.stderr, flags=re.MULTILINE))


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--help"]])
def test_help_loads_nothing_but_click(arguments):
    loaded = loaded_by(*arguments)
    assert "click" in loaded
    ours = {name for name in loaded if name.startswith("dash_brain.")}
    assert {name.split(".")[1] for name in ours} == {"cli", "common", "errors", "floors"}
    assert not HEAVY & loaded
    assert len(loaded) < 250


def test_looking_into_a_store_loads_no_library_of_values(tmp_path):
    loaded = loaded_by("ls", "--store", f"file://{tmp_path}")
    assert "dash_brain.stores" in loaded
    assert not HEAVY & loaded


def test_each_command_says_what_it_does_in_a_line():
    shown = run("--help").out
    for name, command in main.commands.items():
        assert re.search(rf"^  {name} +{re.escape(command.get_short_help_str(100))}$", shown, re.MULTILINE)
        options = {one for param in command.params for one in param.opts}
        assert {"--store", "--json"} <= options or name == "demo"


def test_the_page_on_the_commands_names_all_of_them_and_their_options():
    page = (REPOSITORY / "docs/command-line.md").read_text()
    for name, command in main.commands.items():
        assert re.search(rf"^\| `{name}[` ]", page, re.MULTILINE), name
        for option in (param.opts[-1] for param in command.params if isinstance(param, click.Option)):
            assert f"`{option}" in page, option


def test_the_version_is_shown():
    assert run("--version").out == f"dash-brain, version {VERSION}\n"


def test_a_wrong_call_ends_with_two():
    for arguments in (["lss"], ["ls", "--nope"], ["inspect"], ["clear", "--all", "--older-than", "8x"]):
        assert run(*arguments).status == 2
