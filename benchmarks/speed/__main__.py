"""The similarity join beside its peers, on the synthetic county: one run, ratios of medians.

``python -m benchmarks.speed [--sizes N ...] [--runs N] [--json FILE]``

One thread throughout, in processor seconds, contenders in turn. A size is a number of records, cut
at random into two files of half as many that are compared with each other; our pairs and
similarities are checked against anonlink's before. Figures marked ~ are extrapolated from the
first rows of the first file. The hub's own job, all sources at once, is measured beside it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.speed.county import clk_sources, hardened_sources
from benchmarks.speed.limit import counts_a_second
from benchmarks.speed.peers import UNBOUNDED, Contest, Timed, silent_join, timed
from linkage_hub.linkage.similarity.fast import fast_join
from linkage_hub.linkage.similarity.join import Wanted, join
from linkage_hub.linkage.similarity.sides import bit_order, prepare
from linkage_hub.linkage.similarity.tiles import Ask, compare, vector_counts
from linkage_hub.linkage.similarity.views import join_views

FLOORS: Final = (0.75, 0.80, 0.85, 0.90, 0.95)
SIZES: Final = (20_000, 100_000, 1_000_000)
FAST_FLOOR: Final = 0.80
FEW: Final = 200_000  # records; above, one run of each contender
HARDENED_RECORDS: Final = 40_000
HARDENED_FLOORS: Final = (0.53, 0.56, 0.60)  # of all views together
VECTORS_A_PAIR: Final = 2  # of 512 bits


def joins(records: int, runs: int) -> list[dict[str, Any]]:
    """Every contender at every floor."""
    pool = np.concatenate(clk_sources(records))
    mixed = pool[np.random.default_rng(0).permutation(len(pool))]
    contest = Contest(mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :])
    nearest = contest.usearch()
    rows = []
    for floor in FLOORS:
        contest.check(floor)
        calls = [contest.hearthlink, contest.anonlink, contest.faiss]
        times: list[list[Timed]] = [[] for _ in calls]
        for _ in range(runs if records <= FEW else 1):
            for call, found in zip(calls, times, strict=True):
                found.append(call(floor))
        times.append([nearest])
        medians = [statistics.median(each.seconds for each in found) for found in times]
        rows.append(
            {
                "records": records,
                "floor": floor,
                "pairs": times[0][0].found,
                "comparisons": contest.comparisons,
                "seconds": dict(
                    zip(("hearthlink", "anonlink", "faiss", "usearch"), medians, strict=True)
                ),
                "extrapolated": times[1][0].extrapolated,
                "times_anonlink": medians[1] / medians[0],
                "times_faiss": medians[2] / medians[0],
                "times_usearch": medians[3] / medians[0],
            }
        )
        print_join(rows[-1])
    return rows


def print_join(row: dict[str, Any]) -> None:
    """One line of the table."""
    mark = "~" if row["extrapolated"] else " "
    seconds = row["seconds"]
    print(
        f"{row['records']:>10,}{row['floor']:>6.2f}{row['pairs']:>10,}"
        f"{seconds['hearthlink']:>11.3f}{row['comparisons'] / seconds['hearthlink'] / 1e9:>8.2f}"
        + "".join(
            f"{mark}{seconds[peer]:>11.2f}{row['times_' + peer]:>7.1f}"
            for peer in ("anonlink", "faiss", "usearch")
        ),
        flush=True,
    )


def limits(runs: int) -> dict[str, float]:
    """The full kernel beside the processor's population count, in comparisons a second."""
    random = np.random.default_rng(0)
    rows = random.integers(0, 256, (30_000, 128), dtype=np.uint8)  # half full: nothing is pruned
    words = rows.shape[1] // 8
    side = prepare(rows, bit_order([rows]), words)
    ask = Ask(0.7, words, UNBOUNDED)
    compare(side.part(0, 64), side, ask)
    full = statistics.median(timed(lambda: compare(side, side, ask))[1] for _ in range(runs))
    return {
        "counts_alone": counts_a_second(whole=False) / VECTORS_A_PAIR,
        "counts_with_and_and_addition": counts_a_second(whole=True) / VECTORS_A_PAIR,
        "full_kernel": len(rows) ** 2 / full,
    }


def hardened(runs: int, full_kernel: float) -> list[dict[str, Any]]:
    """The default profile, all views in one pass, exact and fast: rates by floor.

    Args:
        runs: of which the median counts.
        full_kernel: comparisons of one view a second of the kernel that leaves nothing out
            (``limits``): ``passes`` is what a pair costs in such comparisons.
    """
    records = np.concatenate(hardened_sources(HARDENED_RECORDS), axis=1)
    half = records.shape[1] // 2
    files = [records[:, :half], records[:, half:]]
    rows = []
    for floor in HARDENED_FLOORS:
        wanted = [Wanted(0, 1, floor, UNBOUNDED)]
        runners = [
            partial(silent_join, partial(join_views, fast=quick), files, wanted)
            for quick in (False, True)
        ]
        found = [len(run()) for run in runners]  # compiled now
        times = [[timed(run)[1] for run in runners] for _ in range(runs)]
        seconds = np.median(times, axis=0) / (half * (records.shape[1] - half))
        rows.append(
            {
                "floor": floor,
                "views": len(records),
                "pairs": dict(zip(("exact", "fast"), found, strict=True)),
                "seconds_a_pair": dict(zip(("exact", "fast"), seconds.tolist(), strict=True)),
                "passes": dict(
                    zip(("exact", "fast"), (seconds * full_kernel).tolist(), strict=True)
                ),
            }
        )
    return rows


def fast(records: int) -> dict[str, Any]:
    """Recall of the fast mode against the exact join, of two halves of all records."""
    every_record = np.concatenate(clk_sources(records))
    pool = [np.ascontiguousarray(every_record[start::2]) for start in range(2)]
    wanted = [Wanted(0, 1, FAST_FLOOR, UNBOUNDED)]
    found, fast_seconds = timed(lambda: silent_join(fast_join, pool, wanted))
    every, exact_seconds = timed(lambda: silent_join(join, pool, wanted))
    common = np.intersect1d(*(_keys(each, len(pool[1])) for each in (found, every)))
    return {
        "records": len(every_record),
        "comparisons": len(pool[0]) * len(pool[1]),
        "floor": FAST_FLOOR,
        "recall": len(common) / max(1, len(every)),
        "pairs": len(every),
        "fast_seconds": fast_seconds,
        "exact_seconds": exact_seconds,
    }


def _keys(pairs: Any, size: int) -> Any:
    return pairs[:, 0].astype(np.int64) * size + pairs[:, 1]


def hub(records: int, mode: str) -> dict[str, Any]:
    """The hub's job in a process of its own, for its memory."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.hub",
        f"--records={records}",
        f"--mode={mode}",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", message="resource_tracker")
    figures: dict[str, Any] = {"vector_population_count": vector_counts()}
    figures["limit"] = limits(options.runs)
    print_limits(figures)
    print(
        f"{'records':>10}{'floor':>6}{'pairs':>10}{'ours s':>11}{'10^9/s':>8}"
        + "".join(f"{peer + ' s':>12}{'ratio':>7}" for peer in ("anonlink", "faiss", "usearch"))
    )
    figures["joins"] = [row for size in options.sizes for row in joins(size, options.runs)]
    print("\nfast mode against exact, half of all records with the other half, floor .80")
    figures["fast"] = []
    for size in options.sizes:
        row = fast(size)
        figures["fast"].append(row)
        print(
            f"{row['records']:>10,} recall {row['recall']:.4f} of {row['pairs']:,} pairs, "
            f"{row['fast_seconds']:.2f} s against {row['exact_seconds']:.2f} s",
            flush=True,
        )
    print("\nprofile hardened, all views at once, in comparisons of one view by the full kernel")
    figures["hardened"] = hardened(options.runs, figures["limit"]["full_kernel"])
    for row in figures["hardened"]:
        print(
            f"  floor {row['floor']:.2f}  {row['views']} views"
            + "".join(
                f", {mode} {row['passes'][mode]:.1f} ({1e9 * row['seconds_a_pair'][mode]:.1f} ns "
                f"a pair, {row['pairs'][mode]:,} found)"
                for mode in ("exact", "fast")
            )
        )
    print("\nthe hub's job: candidates among all sources, floors chosen, one thread")
    figures["hub"] = []
    for size in options.sizes:
        for mode in ("exact", "fast"):
            row = hub(size, mode)
            figures["hub"].append(row)
            print(
                f"{row['records']:>10,} {mode:<6}{row['processor_seconds']:>9.2f} s "
                f"{row['pairs']:>11,} pairs, floors {row['floors'][0]:.2f} to "
                f"{row['floors'][2]:.2f}, peak {row['peak_mib']:,} MiB "
                f"({row['peak_before_mib']:,} before)",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def print_limits(figures: dict[str, Any]) -> None:
    """What the processor can do, and how near the full kernel is to it."""
    found = figures["limit"]
    full = found["full_kernel"]
    print(f"vector population count: {'yes' if figures['vector_population_count'] else 'no'}")
    for name, text in (
        ("counts_alone", "counting alone"),
        ("counts_with_and_and_addition", "AND, counting and adding"),
    ):
        print(
            f"  {text:<26}{found[name] / 1e9:>7.2f} x 10^9 comparisons/s; "
            f"full kernel at {100 * full / found[name]:.0f} % of it"
        )
    print(f"  {'full kernel':<26}{full / 1e9:>7.2f} x 10^9\n", flush=True)


if __name__ == "__main__":
    main()
