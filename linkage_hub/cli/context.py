"""What every command is given."""

from dataclasses import dataclass
from pathlib import Path

import typer

from governance.terminal import Terminal


@dataclass(frozen=True)
class Session(Terminal):
    """The terminal and the hub's home."""

    home: Path = Path()


def home_of(context: typer.Context) -> Path:
    """The hub's home, as the program's callback put it into the context."""
    found = context.find_object(Session)
    return found.home if found is not None else Path()
