"""A Merkle tree in memory: what an auditor builds from an export, and takes proofs from.

It holds hashes only: 64 bytes a leaf, so a million leaves fit easily.
"""

from collections.abc import Sequence

from governance.ledger.merkle import (
    Frontier,
    NodeId,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    read_frontier,
)


class MemoryTree:
    """Every perfect subtree of a log, by level."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._levels: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._frontier.size

    def append(self, leaf: bytes) -> None:
        """Add the bytes of the next leaf."""
        for node, digest in self._frontier.append(leaf_hash(leaf)):
            if node.level == len(self._levels):
                self._levels.append([])
            self._levels[node.level].append(digest)  # subtrees of a level complete in order

    def read_nodes(self, ids: Sequence[NodeId]) -> list[bytes]:
        """The hashes in the order asked."""
        return [self._levels[node.level][node.position] for node in ids]

    def root(self, size: int | None = None) -> bytes:
        """The root, of all leaves or of the first ``size``."""
        return (self._frontier if size is None else read_frontier(self, size)).root()

    def inclusion(self, index: int) -> list[bytes]:
        """RFC 9162 2.1.3.1, in the whole tree."""
        return inclusion_proof(self, index, self.size)

    def consistency(self, first: int) -> list[bytes]:
        """RFC 9162 2.1.4.1, from the first ``first`` leaves to the whole tree."""
        return consistency_proof(self, first, self.size)
