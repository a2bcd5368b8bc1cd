"""Run by the Python of pymerkle's own environment: its root, appends and proofs; JSON lines out.

pymerkle's licence is the GPL: nothing of ours imports this file, and it imports nothing of ours.
Leaves come as a file, each after its length in four bytes.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pymerkle import SqliteTree

APPENDS = 500
PROOFS = 500


def main(leaves: str, database: str) -> None:
    """Print one line for each measurement."""
    tree = SqliteTree(database)
    found = list(read(Path(leaves)))
    bulk = found[:-APPENDS]
    tell("pymerkle: appended in bulk", len(bulk), lambda: tree.append_entries(bulk))
    tell("pymerkle: durable appends", APPENDS, lambda: [*map(tree.append_entry, found[-APPENDS:])])
    size, rng = tree.get_size(), random.Random(1)
    root: list[bytes] = []
    tell("pymerkle: root", 1, lambda: root.append(tree.get_root()))
    tell("pymerkle: first inclusion proof", 1, lambda: tree.prove_inclusion(size // 3, size))
    places = [rng.randrange(1, size) for _ in range(PROOFS)]
    tell("pymerkle: inclusion proofs, cache warm", PROOFS,
         lambda: [tree.prove_inclusion(place, size) for place in places])  # fmt: skip
    tell("pymerkle: consistency proofs, cache warm", PROOFS,
         lambda: [tree.prove_consistency(place, size) for place in places])  # fmt: skip
    print(json.dumps({"what": "pymerkle: root", "root": root[0].hex(), "size": size}), flush=True)


def read(path: Path) -> Iterator[bytes]:
    """The leaves."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def tell(what: str, count: int, run: Callable[[], Any]) -> None:
    """Time it, and print one line."""
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    print(json.dumps({"what": what, "count": count, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
