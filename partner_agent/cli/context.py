"""What every command is given."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from governance.terminal import Terminal

if TYPE_CHECKING:
    from partner_agent.app import Agent


@dataclass(frozen=True)
class Session(Terminal):
    """The terminal and the agent's home."""

    home: Path = Path()


def session(context: typer.Context) -> Session:
    """The session that the program's callback put into the context."""
    found = context.find_object(Session)
    if found is None:  # pragma: no cover - the callback always runs first
        raise RuntimeError("no session")
    return found


@contextmanager
def agent_of(context: typer.Context) -> Iterator["Agent"]:
    """The agent of the session's home."""
    from partner_agent.app import open_agent  # noqa: PLC0415 - help is shown without it

    logging.getLogger("alembic").setLevel(logging.WARNING)
    with open_agent(session(context).home) as agent:
        yield agent
