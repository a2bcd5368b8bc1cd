"""The tree against known vectors, and against the RFC's own recursive definitions."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.ledger.errors import OutOfRangeError, ProofError, ProofShapeError, RootMismatchError
from governance.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeId,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    read_frontier,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots that implementations of RFC 6962 have shared since Certificate
# Transparency's first one.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION_5_OF_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
CONSISTENCY_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


class Tree:
    """An in-memory tree that counts what is read."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.nodes: dict[NodeId, bytes] = {}
        self.frontier = Frontier()
        self.reads = 0
        for leaf in leaves:
            self.nodes.update(self.frontier.append(leaf_hash(leaf)))

    def read_nodes(self, ids: Sequence[NodeId]) -> list[bytes]:
        """Hashes in the order asked."""
        self.reads += len(ids)
        return [self.nodes[node] for node in ids]


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """RFC 9162 2.1.4.1."""
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def largest_power_below(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves_of(count: int) -> list[bytes]:
    """Distinct leaves."""
    return [b"leaf %d" % number for number in range(count)]


def flips(value: bytes) -> list[bytes]:
    """Every value that differs in one bit."""
    return [
        value[:byte] + bytes([value[byte] ^ (1 << bit)]) + value[byte + 1 :]
        for byte in range(len(value))
        for bit in range(8)
    ]


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    """The root over the first n of the shared leaves is the shared root."""
    assert Tree(LEAVES[:size]).frontier.root().hex() == ROOTS[size]


def test_known_proofs() -> None:
    """Inclusion and consistency proofs equal the shared vectors."""
    tree = Tree(LEAVES)
    assert [value.hex() for value in inclusion_proof(tree, 5, 8)] == INCLUSION_5_OF_8
    assert [value.hex() for value in consistency_proof(tree, 6, 8)] == CONSISTENCY_6_TO_8


def test_every_small_tree_equals_the_recursive_definition() -> None:
    """Roots and all proofs up to 40 leaves equal the RFC's definitions and verify."""
    leaves = leaves_of(40)
    tree = Tree(leaves)
    roots = [mth(leaves[:size]) for size in range(41)]
    for size in range(1, 41):
        assert read_frontier(tree, size).root() == roots[size]
        for index in range(size):
            proof = inclusion_proof(tree, index, size)
            assert proof == path(index, leaves[:size])
            verify_inclusion(leaf_hash(leaves[index]), index, size, proof, roots[size])
        for first in range(1, size + 1):
            proof = consistency_proof(tree, first, size)
            assert proof == subproof(first, leaves[:size], True)
            verify_consistency(first, size, proof, roots[first], roots[size])


@given(st.data())
def test_larger_trees_equal_the_recursive_definition(data: st.DataObject) -> None:
    """Any position of any tree up to 600 leaves proves as the RFC says."""
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    tree = Tree(leaves)
    assert tree.frontier.root() == mth(leaves)
    assert inclusion_proof(tree, index, size) == path(index, leaves)
    assert consistency_proof(tree, first, size) == subproof(first, leaves, True)


@given(st.data())
def test_a_proof_holds_for_its_own_position_only(data: st.DataObject) -> None:
    """A proof checked against another leaf, index, size or root is refused."""
    size = data.draw(st.integers(2, 80))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size + 3).filter(lambda value: value != index))
    leaves = leaves_of(size)
    tree = Tree(leaves)
    root, digest = tree.frontier.root(), leaf_hash(leaves[index])
    proof = inclusion_proof(tree, index, size)
    with pytest.raises(ProofError):
        verify_inclusion(digest, other, size, proof, root)
    with pytest.raises(RootMismatchError):
        verify_inclusion(leaf_hash(b"another"), index, size, proof, root)
    with pytest.raises(RootMismatchError):
        verify_inclusion(digest, index, size, proof, leaf_hash(b"another"))


@given(st.data())
def test_rewriting_history_is_refused(data: st.DataObject) -> None:
    """No tree in which an old leaf is altered, dropped or swapped continues the old tree."""
    first = data.draw(st.integers(2, 60))
    second = data.draw(st.integers(first, 70))
    at = data.draw(st.integers(0, first - 2))
    leaves = leaves_of(second)
    forged = {
        "alter": [*leaves[:at], b"forged", *leaves[at + 1 :]],
        "drop": [*leaves[:at], *leaves[at + 1 :], b"extra"],
        "swap": [*leaves[:at], leaves[at + 1], leaves[at], *leaves[at + 2 :]],
    }[data.draw(st.sampled_from(["alter", "drop", "swap"]))]
    honest, liar = Tree(leaves[:first]), Tree(forged)
    with pytest.raises(ProofError):
        verify_consistency(
            first,
            second,
            consistency_proof(liar, first, second),
            honest.frontier.root(),
            liar.frontier.root(),
        )


def test_every_altered_bit_of_an_inclusion_proof_is_refused() -> None:
    """One bit changed in leaf, root or any hash of the proof never verifies."""
    leaves = leaves_of(13)
    tree = Tree(leaves)
    root = tree.frontier.root()
    for index in (0, 6, 12):
        digest, proof = leaf_hash(leaves[index]), inclusion_proof(tree, index, 13)
        for bad in flips(digest):
            with pytest.raises(RootMismatchError):
                verify_inclusion(bad, index, 13, proof, root)
        for bad in flips(root):
            with pytest.raises(RootMismatchError):
                verify_inclusion(digest, index, 13, proof, bad)
        for at, value in enumerate(proof):
            for bad in flips(value):
                with pytest.raises(RootMismatchError):
                    verify_inclusion(digest, index, 13, [*proof[:at], bad, *proof[at + 1 :]], root)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (4, 8), (6, 8), (7, 13), (8, 13), (12, 13)])
def test_every_altered_bit_of_a_consistency_proof_is_refused(first: int, second: int) -> None:
    """One bit changed in either root or any hash of the proof never verifies."""
    leaves = leaves_of(second)
    tree = Tree(leaves)
    old, new = mth(leaves[:first]), mth(leaves)
    proof = consistency_proof(tree, first, second)
    for bad in flips(old):
        with pytest.raises(RootMismatchError):
            verify_consistency(first, second, proof, bad, new)
    for bad in flips(new):
        with pytest.raises(RootMismatchError):
            verify_consistency(first, second, proof, old, bad)
    for at, value in enumerate(proof):
        for bad in flips(value):
            with pytest.raises(RootMismatchError):
                verify_consistency(first, second, [*proof[:at], bad, *proof[at + 1 :]], old, new)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13])
def test_missing_and_spare_hashes_are_refused(size: int) -> None:
    """A proof that is one hash short or long is refused by its shape."""
    leaves = leaves_of(size)
    tree = Tree(leaves)
    root = tree.frontier.root()
    for index in range(size):
        proof = inclusion_proof(tree, index, size)
        for bad in ([*proof, root], [*proof, b"short"], proof[:-1] if proof else [root]):
            with pytest.raises(ProofShapeError):
                verify_inclusion(leaf_hash(leaves[index]), index, size, bad, root)
    for first in range(1, size + 1):
        proof = consistency_proof(tree, first, size)
        for bad in ([*proof, root], proof[:-1] if proof else [root]):
            with pytest.raises(ProofShapeError):
                verify_consistency(first, size, bad, mth(leaves[:first]), root)


def test_edges_of_consistency() -> None:
    """Equal sizes need equal roots; the empty tree precedes every tree, with an empty proof."""
    tree = Tree(leaves_of(3))
    root = tree.frontier.root()
    assert consistency_proof(tree, 0, 3) == []
    assert consistency_proof(tree, 3, 3) == []
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    verify_consistency(0, 3, [], EMPTY_ROOT, root)
    verify_consistency(3, 3, [], root, root)
    for first, second, old, new in [
        (3, 3, root, EMPTY_ROOT),
        (0, 3, root, root),
        (0, 0, root, root),
        (0, 0, EMPTY_ROOT, root),
    ]:
        with pytest.raises(RootMismatchError):
            verify_consistency(first, second, [], old, new)


def test_impossible_positions_are_refused() -> None:
    """Positions outside the tree are refused when proving and when verifying."""
    tree = Tree(leaves_of(3))
    root = tree.frontier.root()
    for index, size in [(-1, 3), (3, 3), (0, 0)]:
        with pytest.raises(OutOfRangeError):
            inclusion_proof(tree, index, size)
        with pytest.raises(ProofShapeError):
            verify_inclusion(root, index, size, [], root)
    for first, second in [(-1, 3), (4, 3)]:
        with pytest.raises(OutOfRangeError):
            consistency_proof(tree, first, second)
        with pytest.raises(ProofShapeError):
            verify_consistency(first, second, [], root, root)
    with pytest.raises(ProofShapeError):
        Frontier(3, [root])


def test_proofs_read_few_nodes() -> None:
    """Any proof in a tree of n leaves reads at most 2 log2 n stored nodes."""
    size = 4095
    tree = Tree(leaves_of(size))
    for index in range(0, size, 97):
        tree.reads = 0
        inclusion_proof(tree, index, size)
        assert tree.reads <= 24
        tree.reads = 0
        consistency_proof(tree, index + 1, size)
        assert tree.reads <= 24
