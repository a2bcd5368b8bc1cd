"""A world's log as its log signed it, and a copy of it in a file."""

from pathlib import Path

from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import Event
from governance.ledger.merkle import Frontier, leaf_hash
from governance.ledger.mirror import Mirror
from governance.ledger.note import Checkpoint, KeyKind, Note, VerifierKey, sign_checkpoint
from governance.ledger.tree import MemoryTree
from governance.oversight.state import Overseen
from tests.governance.world import ORIGIN, World


def overseen(world: World) -> Overseen:
    """The world's events, replayed with the indexes."""
    state = Overseen(ORIGIN)
    state.replay(world.events)
    assert not state.rejected
    return state


class Copied:
    """A world's log, signed, and a party's copy of it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.key = VerifierKey(ORIGIN, KeyKind.LOG, world.operator.signing.public)
        self.mirror = Mirror(Database(sqlite_url(folder / "mirror.db"), "mirror"), self.key)
        self.mirror.sync(self)
        self.state = overseen(world)

    def checkpoint(self, size: int | None = None) -> Note:
        """The log's signature over its first entries."""
        frontier = Frontier()
        events = self.world.events if size is None else self.world.events[:size]
        for event in events:
            frontier.append(leaf_hash(event.leaf_bytes))
        head = Checkpoint(ORIGIN, frontier.size, frontier.root())
        return sign_checkpoint(head, self.key, self.world.operator.signing)

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries."""
        return self.world.events[start:end]

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """RFC 9162 2.1.4.1."""
        tree = MemoryTree()
        for event in self.world.events[:second]:
            tree.append(event.leaf_bytes)
        return tree.consistency(first)
