"""Merkle tree of RFC 9162 section 2.1, with SHA-256.

A node is named ``(level, position)``: the root of the perfect subtree over the leaves
``[position << level, (position + 1) << level)``. Perfect subtrees never change once complete, so
they are stored; every other hash is folded from them. An append writes O(1) nodes on average and
a proof reads O(log n) nodes in one batch.

Rules, in order: a leaf is hashed with prefix 0x00 and a node with 0x01 (2.1.1); positions are
checked before hashes; every hash is 32 bytes; a proof with a missing or a spare hash is refused.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from governance.ledger.errors import OutOfRangeError, ProofShapeError, RootMismatchError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class NodeId(NamedTuple):
    """A perfect subtree: its height (a leaf is 0) and its position at that height."""

    level: int
    position: int


class NodeReader(Protocol):
    """Where stored perfect subtrees are read from."""

    def read_nodes(self, ids: Sequence[NodeId]) -> Sequence[bytes]:
        """The 32-byte hashes of the nodes, in the order asked."""
        ...  # pragma: no cover


def leaf_hash(leaf: bytes) -> bytes:
    """MTH of one leaf (RFC 9162 2.1.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 9162 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: enough to append leaves and to compute the root.

    Args:
        size: leaves so far.
        hashes: the perfect subtrees that cover them, largest first, as ``frontier_nodes`` names.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ProofShapeError(f"a frontier of {size} leaves has {size.bit_count()} hashes")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The perfect subtrees that cover the leaves, largest first."""
        return tuple(self._hashes)

    def append(self, digest: bytes) -> list[tuple[NodeId, bytes]]:
        """Add one leaf hash; the perfect subtrees that it completes, smallest first."""
        node = NodeId(0, self.size)
        made = [(node, digest)]
        while node.position & 1:
            digest = node_hash(self._hashes.pop(), digest)
            node = NodeId(node.level + 1, node.position >> 1)
            made.append((node, digest))
        self._hashes.append(digest)
        self.size += 1
        return made

    def root(self) -> bytes:
        """MTH of all leaves so far."""
        return _fold(self._hashes) if self._hashes else EMPTY_ROOT


def frontier_nodes(size: int) -> list[NodeId]:
    """The perfect subtrees that cover ``[0, size)``, largest first."""
    return list(_cover(0, size))


def read_frontier(reader: NodeReader, size: int) -> Frontier:
    """The frontier of a stored tree of ``size`` leaves."""
    return Frontier(size, reader.read_nodes(frontier_nodes(size)))


def inclusion_proof(reader: NodeReader, index: int, size: int) -> list[bytes]:
    """PATH(index, D[0:size]) of RFC 9162 2.1.3.1: from the leaf's sibling upwards.

    Raises:
        OutOfRangeError: not ``0 <= index < size``.
    """
    return inclusion_proofs(reader, [index], size)[0]


def inclusion_proofs(reader: NodeReader, indexes: Sequence[int], size: int) -> list[list[bytes]]:
    """The same for several leaves in one read: neighbours share most of their proofs.

    Raises:
        OutOfRangeError: not ``0 <= index < size``.
    """
    return _read_paths(reader, [_path(index, size) for index in indexes])


def _path(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves beside the way from a leaf upwards."""
    if not 0 <= index < size:
        raise OutOfRangeError(f"there is no leaf {index} in a tree of {size}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_proof(reader: NodeReader, first: int, second: int) -> list[bytes]:
    """PROOF(first, D[0:second]) of RFC 9162 2.1.4.1; empty when ``first`` is 0 or ``second``.

    Raises:
        OutOfRangeError: not ``0 <= first <= second``.
    """
    if not 0 <= first <= second:
        raise OutOfRangeError(f"no tree of {first} leaves precedes one of {second}")
    if first == 0:
        return []
    ranges = []
    start, end = 0, second
    while end != first:
        split = start + _split(end - start)
        if first <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start > 0:  # the old tree is not itself a node that the verifier already knows
        ranges.append((start, end))
    return _read_paths(reader, [ranges[::-1]])[0]


def verify_inclusion(
    digest: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash is leaf ``index`` of the tree (RFC 9162 2.1.3.2).

    Raises:
        ProofShapeError: impossible position, wrong number of hashes, or a hash of another size.
        RootMismatchError: the proof leads to another root.
    """
    if not 0 <= index < size:
        raise ProofShapeError(f"there is no leaf {index} in a tree of {size}")
    _check_hashes([digest, root, *proof])
    computed = digest
    for on_left, sibling in _climb(index, size - 1, proof):
        computed = node_hash(sibling, computed) if on_left else node_hash(computed, sibling)
    if computed != root:
        raise RootMismatchError(f"leaf {index} is not in the tree of {size} with this root")


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Check that the second tree continues the first (RFC 9162 2.1.4.2).

    Raises:
        ProofShapeError: impossible sizes, wrong number of hashes, or a hash of another size.
        RootMismatchError: the second tree does not continue the first.
    """
    if not 0 <= first <= second:
        raise ProofShapeError(f"no tree of {first} leaves precedes one of {second}")
    _check_hashes([first_root, second_root, *proof])
    if first in {0, second}:
        _verify_trivial(first, second, proof, first_root, second_root)
        return
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not proof:
        raise ProofShapeError("the consistency proof lacks hashes")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for on_left, sibling in _climb(fn, sn, path[1:]):
        old = node_hash(sibling, old) if on_left else old
        new = node_hash(sibling, new) if on_left else node_hash(new, sibling)
    if old != first_root or new != second_root:
        raise RootMismatchError(f"the tree of {second} does not continue the tree of {first}")


def _climb(fn: int, sn: int, proof: Sequence[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Each hash of a proof, and whether it is the left sibling (RFC 9162 2.1.3.2 step 4)."""
    for sibling in proof:
        if sn == 0:
            raise ProofShapeError("the proof has spare hashes")
        on_left = bool(fn & 1) or fn == sn
        while on_left and not fn & 1 and fn != 0:
            fn, sn = fn >> 1, sn >> 1
        yield on_left, sibling
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofShapeError("the proof lacks hashes")


def _verify_trivial(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    if proof:
        raise ProofShapeError("the consistency proof has spare hashes")
    expected = EMPTY_ROOT if first == 0 else second_root
    if first_root != expected or (second == 0 and second_root != EMPTY_ROOT):
        raise RootMismatchError(f"the tree of {second} does not continue the tree of {first}")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofShapeError(f"a hash is not {HASH_BYTES} bytes")


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _cover(start: int, end: int) -> Iterator[NodeId]:
    """Perfect subtrees of ``[start, end)``, a range that RFC 9162 splits a tree into."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield NodeId(level, start >> level)
        start += 1 << level


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, largest first."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _read_paths(
    reader: NodeReader, paths: Sequence[Sequence[tuple[int, int]]]
) -> list[list[bytes]]:
    """The hash of each range of each path, each stored node read once."""
    covers = [[list(_cover(start, end)) for start, end in path] for path in paths]
    nodes = list(dict.fromkeys(node for path in covers for cover in path for node in cover))
    hashes = dict(zip(nodes, reader.read_nodes(nodes), strict=True))
    return [[_fold([hashes[node] for node in cover]) for cover in path] for path in covers]
