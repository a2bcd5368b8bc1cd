"""Countersigned enrolments, on their way to the agent that logs them.

Rules: an enrolment is a file named by its keys' thumbprint, which appears whole or not at all; the
agent moves it when it has read it (``partner_agent/enrolments.py``), so where it lies says where it
stands.
"""

from pathlib import Path
from typing import Final, Literal

from governance.canonical import Hash, canonical_bytes
from governance.durable import write_durably
from governance.ledger.payloads import PersonEnrolled

FOLDER: Final = "enrolments"
Stage = Literal["waiting", "confirmed", "logged", "refused"]


class Enrolments:
    """The folder between the console and the party's agent.

    Args:
        folder: made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lay(self, keys: Hash, enrolled: PersonEnrolled) -> None:
        """Lay an enrolment down for the agent."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_durably(self._folder / _name(keys), canonical_bytes(enrolled) + b"\n")

    def stage(self, keys: Hash) -> Stage:
        """How far keys have come: nobody confirmed them, a lead did, the agent has read them."""
        name = _name(keys)
        if (self._folder / name).exists():
            return "confirmed"
        if (self._folder / "logged" / name).exists():
            return "logged"
        return "refused" if (self._folder / "refused" / name).exists() else "waiting"


def _name(keys: Hash) -> str:
    return f"{keys.removeprefix('sha256:')}.json"
