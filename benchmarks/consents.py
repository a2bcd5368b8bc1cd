"""How long an import of consents takes: ``python -m benchmarks.consents --rows 10000``.

A real ledger on SQLite, in this process and over HTTP on loopback, and an agent whose vault holds
as many people; the command that a data officer types, and the same command again. ``processor`` is
what agent and ledger take together, whatever else the machine does.
"""

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import hold, run

_HEAD = (
    "source", "record_id", "kind", "state", "date", "expires", "capacity", "parental_basis",
    "method",
)  # fmt: skip


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, hub_world_in(Path(folder)) as world:
        hold(world, *((f"C{number}", {}) for number in range(rows)))
        file = Path(folder) / "consents.csv"
        _write(file, rows)
        print(f"{'':20}{'seconds':>9}{'processor':>11}{'rows/s':>9}  outcome")
        for label, options in (
            ("dry run", ["--dry-run"]),
            ("import", []),
            ("the same again", []),
        ):
            _measure(world, label, file, rows, options)


def _write(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(_HEAD)
        for number in range(rows):
            state = ("given", "given", "refused")[number % 3]
            out.writerow(
                ("council_records", f"C{number}", "approach", state, "2026-01-02", "2029-01-02",
                 "self", "", "in_person")
            )  # fmt: skip


def _measure(world: HubWorld, label: str, file: Path, rows: int, options: list[str]) -> None:
    notice = file.with_name("notice.txt")
    notice.write_text("notice", "utf-8")
    begun, busy = time.perf_counter(), time.process_time()
    code, out, err = run(world, "--json", "consent", "import", file, "--notice", notice, *options)
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    if code:
        raise SystemExit(err)
    told = json.loads(out)
    words = ", ".join(f"{key} {told[key]}" for key in ("recorded", "known", "waiting"))
    print(f"{label:20}{took:9.1f}{busy:11.1f}{rows / took:9.0f}  {words}")


if __name__ == "__main__":
    main()
