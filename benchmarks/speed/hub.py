"""Candidate pairs of a whole county as a hub finds them, in a process of its own.

``python -m benchmarks.speed.hub --records N --mode exact|fast [--threads T]`` prints one JSON line.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

from benchmarks.memory import mebibytes
from benchmarks.speed.county import clk_sources
from linkage_hub.linkage.candidates import find_candidates


def find(records: int, mode: Any, threads: int) -> dict[str, Any]:
    """Seconds, pairs and peak memory of finding candidates among all sources."""
    sources = [each[None] for each in clk_sources(records)]
    _compiled(mode)
    before = mebibytes()
    began, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(threads) as executor:
        blocks = find_candidates(sources, mode=mode, executor=executor)
    floors = sorted(block.floor for block in blocks)
    sizes = [each.shape[1] for each in sources]
    return {
        "records": sum(sizes),
        "comparisons": sum(a * b for a, b in combinations(sizes, 2)),
        "mode": mode,
        "threads": threads,
        "seconds": time.monotonic() - began,
        "processor_seconds": time.process_time() - used,
        "pairs": sum(len(block.left) for block in blocks),
        "floors": [floors[0], floors[len(floors) // 2], floors[-1]],
        "peak_mib": mebibytes(),
        "peak_before_mib": before,
    }


def _compiled(mode: Any) -> None:
    """Load what is compiled, so that it is not counted."""
    find_candidates([each[None] for each in clk_sources(20_000)], mode=mode)


def main() -> None:
    """Find and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.hub", description=__doc__)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--mode", choices=["exact", "fast"], default="exact")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(find(options.records, options.mode, options.threads)))


if __name__ == "__main__":
    main()
