"""The program's commands are found where its first words say."""

import pytest
from typer.testing import CliRunner

from governance.cli.main import app


@pytest.mark.parametrize(
    "words", ["party init", "person init", "agreement check", "ledger serve", "verify"]
)
def test_commands_are_loaded_when_they_are_called(words: str) -> None:
    """A group with one command is a group too."""
    done = CliRunner().invoke(app, [*words.split(), "--help"])
    assert done.exit_code == 0, done.output
    assert words.rsplit(" ", maxsplit=1)[-1] in done.output
