"""Memory of the encoder over a file that is far longer than memory should have to be.

``python -m benchmarks.long_file [--rows 10000000] [--folder DIR] [--json FILE]``

A file of Arrow batches with the columns of the default schema is made, every batch with names,
streets and towns of its own, so that more values are distinct than in life. Then each profile
encodes it batch by batch in a process of its own, on all cores, and writes the encodings to a
file. At each tenth the most memory that the process has had so far is printed: it is constant
where the later tenths add nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.memory import mebibytes
from governance.agreements.encoding import Hardening
from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.person import default_hardening, default_schema
from partner_agent.encoding.profiles import Encoder
from partner_agent.encoding.schema import LinkageSchema

BATCH: Final = 50_000  # rows; a generation of names each
PARTS: Final = 10
MISSING: Final = 1 / 40  # of the values of a column
PROFILES: Final = ("clk", "hardened")
SECRET: Final = bytes(range(64))


def make_file(path: Path, rows: int) -> None:
    """Write ``rows`` synthetic cleaned records to an Arrow file."""
    names = LinkageSchema.parse(default_schema()).columns
    layout = pa.schema([(name, pa.string()) for name in names])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, layout) as writer:
        for seed, start in enumerate(range(0, rows, BATCH)):
            columns = _records(np.random.default_rng(seed), min(BATCH, rows - start))
            writer.write_batch(pa.record_batch([columns[name] for name in layout.names], layout))


def _records(random: np.random.Generator, rows: int) -> dict[str, pa.Array]:
    """Skewed names, dates over a century, addresses; a value in forty is missing."""

    def drawn(values: pa.Array, skew: int = 1) -> pa.Array:
        at = (random.random(rows) ** skew * len(values)).astype(np.int64)
        return values.take(pa.array(at, mask=random.random(rows) < MISSING)).fill_null("")

    def numbers(low: int, high: int) -> pa.Array:
        return pa.array(random.integers(low, high, rows)).cast(pa.string())

    first, streets = _words(random, 2_000), _words(random, 1_500)
    days = pa.array(random.integers(-16_000, 20_500, rows).astype("datetime64[D]"))
    ends = pc.utf8_upper(pc.utf8_slice_codeunits(drawn(first), 0, 2))
    return {
        "first_name": drawn(first, 3),
        "middle_name": drawn(first, 3),
        "surname": drawn(_words(random, 8_000), 3),
        "date_of_birth": drawn(days.cast(pa.string())),
        "sex": drawn(pa.array(["f", "m"])),
        "address": pc.binary_join_element_wise(
            numbers(1, 180), drawn(streets, 2), "road", drawn(_words(random, 30)), " "
        ),
        "postcode": pc.binary_join_element_wise(
            "BN", numbers(1, 40), " ", numbers(0, 10), ends, ""
        ),
    }


def _words(random: np.random.Generator, count: int) -> pa.Array:
    syllables = np.array([a + b for a in "bcdfghjklmnprstvwyz" for b in "aeiou"])
    parts = syllables[random.integers(0, len(syllables), (4, count))]
    parts[2:, :][random.integers(0, 2, (2, count)) == 0] = ""  # two to four syllables
    return pa.array(["".join(each) for each in parts.T.tolist()])


def encode(source: Path, target: Path, profile: str) -> dict[str, Any]:
    """Encode the file at ``source`` into ``target``.

    Returns:
        Rows, wall and processor seconds, and peak memory in MiB: before the first row and at the
        end of each tenth.
    """
    encoder = _encoder(profile)
    before, began, used = mebibytes(), time.monotonic(), time.process_time()
    peaks: list[int] = []
    rows = 0
    with pa.OSFile(str(source)) as opened, target.open("wb") as written:
        reader = pa.ipc.open_file(opened)
        total = reader.num_record_batches
        for at, chunk in enumerate(encoder.encode_batches(_batches(reader)), start=1):
            written.write(chunk.encodings.tobytes())
            rows += int(chunk.accepted.sum())
            if at * PARTS // total > len(peaks):
                peaks.append(mebibytes())
    return {
        "profile": profile,
        "rows": rows,
        "seconds": time.monotonic() - began,
        "processor_seconds": time.process_time() - used,
        "peak_mib_before": before,
        "peak_mib_by_tenth": peaks,
        "written_bytes": target.stat().st_size,
    }


def _batches(reader: pa.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(each) for each in range(reader.num_record_batches))


def _encoder(profile: str) -> Encoder:
    document = default_schema()
    schema = LinkageSchema.parse(document)
    if profile == "clk":
        return ClkEncoder(schema, SECRET)
    hardening: Hardening = default_hardening(document)
    return HardenedEncoder(schema, hardening, SECRET)


def in_a_process(*arguments: str) -> str:
    """Run one step of this module by itself; what it printed."""
    command = [sys.executable, "-m", "benchmarks.long_file", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def show(found: dict[str, Any]) -> None:
    """One line for a profile."""
    print(
        f"{found['profile']:<9}{found['rows']:>12,} rows {found['seconds']:>8.1f} s "
        f"({found['processor_seconds']:.1f} of processors), "
        f"{found['rows'] / found['seconds']:,.0f} a second; peak MiB "
        f"{found['peak_mib_before']} before, by tenth "
        + " ".join(str(each) for each in found["peak_mib_by_tenth"]),
        flush=True,
    )


def main() -> None:
    """Make the file, encode it in every profile, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_file", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where the files are made; kept when given")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--encode", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--profile", choices=PROFILES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_file(options.make, options.rows)
        return
    if options.encode:
        source, target = options.encode
        print(json.dumps(encode(source, target, options.profile)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        source, target = folder / f"records-{options.rows}.arrow", folder / "encodings"
        if not source.exists():
            partial = source.with_suffix(".partial")
            in_a_process("--make", str(partial), "--rows", str(options.rows))
            partial.rename(source)
        print(f"{options.rows:,} rows, {source.stat().st_size / 1e9:.2f} GB", flush=True)
        figures = []
        for profile in PROFILES:
            output = in_a_process("--encode", str(source), str(target), "--profile", profile)
            figures.append(json.loads(output))
            target.unlink()
            show(figures[-1])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
