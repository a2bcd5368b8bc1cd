"""Countersigned enrolments, on their way to the agent that logs them.

Rules: an enrolment is a file named by its keys' thumbprint, which appears whole or not at all; the
agent moves it when it has read it (``partner_agent/enrolments.py``), so where it lies says where it
stands. Where console and agent run as two users of the system, the folder is an operator's, with a
group that both are in; the console makes only the one in its home, which no other user can enter.
"""

import os
from pathlib import Path
from typing import Final, Literal

from governance.canonical import Hash, canonical_bytes
from governance.console.errors import NoEnrolments
from governance.durable import durable
from governance.ledger.payloads import PersonEnrolled

FOLDER: Final = "enrolments"
_FOR_THE_GROUP: Final = 0o640
Stage = Literal["waiting", "confirmed", "logged", "refused"]


class Enrolments:
    """The folder between the console and the party's agent.

    Args:
        home: of the console.
        shared: the folder, where an operator made one; one in the home when None.
    """

    def __init__(self, home: Path, shared: Path | None) -> None:
        self._folder = shared or home / FOLDER
        if shared is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)

    def lay(self, keys: Hash, enrolled: PersonEnrolled) -> None:
        """Lay an enrolment down for the agent.

        Raises:
            NoEnrolments: the folder is missing, or not this user's to write into.
        """
        try:
            with durable(self._folder / _name(keys), _FOR_THE_GROUP) as file:
                os.fchmod(file.fileno(), _FOR_THE_GROUP)  # whatever the umask
                file.write(canonical_bytes(enrolled) + b"\n")
        except OSError:
            raise NoEnrolments(
                "the folder that the agent takes confirmed keys from cannot be written to",
                next_step="tell the people who run this console; then sign once more",
            ) from None

    def stage(self, keys: Hash) -> Stage:
        """How far keys have come: nobody confirmed them, a lead did, the agent has read them."""
        name = _name(keys)
        if os.path.lexists(self._folder / name):
            return "confirmed"
        if os.path.lexists(self._folder / "logged" / name):
            return "logged"
        return "refused" if os.path.lexists(self._folder / "refused" / name) else "waiting"


def _name(keys: Hash) -> str:
    return f"{keys.removeprefix('sha256:')}.json"
