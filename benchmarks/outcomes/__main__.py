"""``make bench-outcomes``: time to progress and associations, held against a known truth."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.outcomes import engagement, interventions

SIZES: Final = (2_600, 10_000)
REPEATS: Final = {2_600: 120, 10_000: 60}
ENGAGED: Final = {2_600: 12, 10_000: 6, 40_000: 3}


def main() -> int:
    """Run and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, action="append", help="sizes")
    parser.add_argument("--repeats", type=int, help="draws of each size")
    parser.add_argument("--part", choices=("engagement", "attack", "interventions"))
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, list[dict[str, Any]]] = {}
    for size in chosen.families or SIZES:
        for part, rows in _parts(size, chosen.repeats, chosen.part):
            results.setdefault(part, []).extend(rows)
            _show(part, rows)
            if chosen.json:
                chosen.json.write_text(json.dumps(results, indent=1), "utf-8")
    return 0


def _parts(size: int, repeats: int | None, only: str | None) -> Any:
    if only in {None, "engagement"}:
        yield "figures", engagement.measured(size, repeats or ENGAGED.get(size, 4))
        yield "intervals of curves", [engagement.coverage(size, REPEATS.get(size, 50))]
    if only in {None, "attack"}:
        yield "membership", engagement.attacks(size)
    if only in {None, "interventions"}:
        for name, setting in interventions.SETTINGS.items():
            found = interventions.measured(size, setting, repeats or REPEATS.get(size, 50))
            yield "associations", [{"world": name} | found]
        yield "pretended help", [interventions.pretended(size, 10)]


def _show(part: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{part}")
    for row in rows:
        words = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        )
        print("  " + ", ".join(words), flush=True)


if __name__ == "__main__":
    sys.exit(main())
