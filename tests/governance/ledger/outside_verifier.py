"""Run by the Python of another implementation's environment; it imports nothing of ours.

Reads one JSON object from standard input, and says on standard output what ``aics_tlog`` makes of
each part of it.
"""

import base64
import json
import sys
from typing import Any

from aics_tlog import (
    leaf_hash,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    verify_checkpoint,
    verify_consistency,
    verify_inclusion,
)


def main() -> None:
    """Verify what was handed in."""
    given = json.load(sys.stdin)
    note = parse_note(given["note"])
    witnesses = [parse_vkey(key) for key in given["witnesses"]]
    result = verify_checkpoint(
        note, parse_vkey(given["log"]), witnesses, quorum=len(witnesses), max_age_seconds=900
    )
    tree = parse_checkpoint(note.text)
    told: dict[str, Any] = {"checkpoint": result.ok, "size": tree.size}
    told["inclusion"] = verify_inclusion(
        leaf_hash(unb64(given["leaf"])),
        given["index"],
        tree.size,
        path(given["inclusion"]),
        tree.root,
    )
    told["consistency"] = verify_consistency(
        given["old_size"],
        tree.size,
        unb64(given["old_root"]),
        tree.root,
        path(given["consistency"]),
    )
    told["proof"] = proof(given["proof"], parse_vkey(given["log"]), unb64(given["leaf"]))
    json.dump(told, sys.stdout)


def proof(text: str, log: Any, leaf: bytes) -> bool:
    """A c2sp.org/tlog-proof, taken apart as its specification says."""
    head, _, rest = text.partition("\n\n")
    first, index, *hashes = head.split("\n")
    note = parse_note(rest)
    if first != "c2sp.org/tlog-proof@v1" or not verify_checkpoint(note, log).ok:
        return False
    tree = parse_checkpoint(note.text)
    place = int(index.removeprefix("index "))
    return bool(verify_inclusion(leaf_hash(leaf), place, tree.size, path(hashes), tree.root))


def path(hashes: list[str]) -> list[bytes]:
    """Hashes of a proof."""
    return [unb64(value) for value in hashes]


def unb64(text: str) -> bytes:
    """Standard base64."""
    return base64.b64decode(text, validate=True)


if __name__ == "__main__":
    main()
