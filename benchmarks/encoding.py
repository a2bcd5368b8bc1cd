"""Speed of the encoder beside clkhash on the same records, schema and secret.

``python -m benchmarks.encoding [--records N] [--runs N] [--json FILE]``

One process and one core. Runs alternate between the contenders, so that a busy machine slows all
of them alike; a row of the table holds the median. Every run begins with empty caches, clkhash's
included; compiling is done before and not counted. The encodings are compared before timing.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import clkhash.bloomfilter
import clkhash.clk
import clkhash.schema
import numpy as np
import pyarrow as pa

from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.person import default_schema
from partner_agent.encoding.schema import LinkageSchema

SECRET: Final = bytes(range(32))
CLKHASH: Final = "clkhash, from rows"
ROWS: Final = "hearthlink, from rows"
ARROW: Final = "hearthlink, from Arrow columns"
_SYLLABLES: Final = tuple(a + b for a in "bcdfghjklmnprstvwyz" for b in "aeiou")
_STREETS: Final = ("street", "road", "lane", "close", "avenue", "court", "gardens", "way")


def make_rows(count: int, columns: list[str], seed: int = 1) -> list[tuple[str, ...]]:
    """Synthetic cleaned records: skewed names, dates over a century, addresses, some missing."""
    rng = random.Random(seed)
    first = [_word(rng, 2, 3) for _ in range(2_000)]
    last = [_word(rng, 2, 4) for _ in range(8_000)]
    streets = [f"{_word(rng, 2, 4)} {rng.choice(_STREETS)}" for _ in range(1_500)]
    towns = [_word(rng, 3, 4) for _ in range(30)]
    return [
        tuple(_record(rng, first, last, streets, towns).get(each, "") for each in columns)
        for _ in range(count)
    ]


EVERY_TYPE: Final = "every field type"
PERSON: Final = "person"


def every_type_schema() -> dict[str, Any]:
    """A linkage schema with every format, comparison and strategy of version 3."""

    def feature(
        name: str, form: dict[str, Any], comparison: dict[str, Any], **strategy: int
    ) -> dict[str, Any]:
        hashing = {"comparison": comparison, "strategy": strategy, "hash": {"type": "blakeHash"},
                   "missingValue": {"sentinel": ""}}  # fmt: skip
        return {"identifier": name, "format": form, "hashing": hashing}

    text, bigrams = {"type": "string"}, {"type": "ngram", "n": 2}
    places = bigrams | {"positional": True}
    near = {"type": "numeric", "thresholdDistance": 500, "resolution": 4}
    nearer = {"type": "numeric", "thresholdDistance": 0.5, "resolution": 3,
              "fractional_precision": 1}  # fmt: skip
    return {
        "version": 3,
        "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}},
        "features": [
            feature("first_name", text, bigrams, bitsPerFeature=130),
            feature("surname", text | {"encoding": "utf-8"}, bigrams, bitsPerToken=12),
            feature("postcode", text, {"type": "exact"}, bitsPerToken=40),
            feature("nhs_number", text | {"pattern": "[0-9]{10}"}, places, bitsPerFeature=60),
            feature("date_of_birth", {"type": "date", "format": "%Y-%m-%d"}, places,
                    bitsPerFeature=140),
            feature("start", {"type": "date", "format": "%d/%m/%Y"}, bigrams, bitsPerToken=10),
            feature("income", {"type": "integer", "minimum": 0}, near, bitsPerFeature=50),
            feature("height", text, nearer, bitsPerToken=6),
            feature("sex", {"type": "enum", "values": ["m", "f"]}, {"type": "exact"},
                    bitsPerToken=10),
        ],
    }  # fmt: skip


def _record(
    rng: random.Random, first: list[str], last: list[str], streets: list[str], towns: list[str]
) -> dict[str, str]:
    letters = "abdefghjlnpqrstuwxyz".upper()
    street = int(rng.random() ** 2 * len(streets))
    record = {
        "first_name": first[int(rng.random() ** 3 * len(first))],
        "middle_name": first[int(rng.random() ** 3 * len(first))] if rng.random() < 0.5 else "",  # noqa: PLR2004
        "surname": last[int(rng.random() ** 3 * len(last))],
        "date_of_birth": str(date(1925, 1, 1) + timedelta(days=rng.randrange(36_500))),
        "sex": rng.choice("mf"),
        "address": f"{rng.randint(1, 180)} {streets[street]} {towns[street % len(towns)]}",
        "nhs_number": f"{rng.randrange(10**9, 10**10)}",
        "start": (date(2005, 1, 1) + timedelta(days=rng.randrange(7_500))).strftime("%d/%m/%Y"),
        "income": str(round(rng.lognormvariate(10.2, 0.6))),
        "height": f"{rng.gauss(168, 12):.1f}",
        "postcode": f"BN{street % 40 + 1} {street % 9}{letters[street % 20]}{letters[street % 17]}",
    }
    for name in ("date_of_birth", "address", "postcode"):
        if rng.random() < 0.03:  # noqa: PLR2004 - share of missing values
            record[name] = ""
    return record


def _word(rng: random.Random, low: int, high: int) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(low, high)))


def contenders(
    rows: list[tuple[str, ...]], document: dict[str, Any]
) -> dict[str, Callable[[], Any]]:
    """What is timed, by its name in the table; each call begins with empty caches."""
    schema = LinkageSchema.parse(document)
    reference = clkhash.schema.from_json_dict(document)
    names = [each["identifier"] for each in document["features"]]
    table = pa.table(dict(zip(names, map(pa.array, zip(*rows, strict=True)), strict=True)))

    def by_clkhash() -> Any:
        clkhash.bloomfilter.blake_hash_token.cache_clear()
        clkhash.bloomfilter._blake_encode_ngrams.cache_clear()  # noqa: SLF001 - no public way
        return clkhash.clk.generate_clks(rows, reference, SECRET, max_workers=1)

    def by_rows() -> Any:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        return ClkEncoder(schema, SECRET, workers=1).encode(columns).encodings[0]

    def by_arrow() -> Any:
        return ClkEncoder(schema, SECRET, workers=1).encode(table).encodings[0]

    return {CLKHASH: by_clkhash, ROWS: by_rows, ARROW: by_arrow}


def measure(records: int, runs: int, kind: str = PERSON) -> dict[str, Any]:
    """Seconds of every run, medians, records a second and ratios to clkhash."""
    document = default_schema() if kind == PERSON else every_type_schema()
    rows = make_rows(records, [each["identifier"] for each in document["features"]])
    found = contenders(rows, document)
    _check_equal({name: call() for name, call in found.items()})
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(runs):
        for name, call in found.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    return {
        "kind": kind,
        "records": records,
        "runs": runs,
        "schema": LinkageSchema.parse(document).hash,
        "rows": [
            {
                "encoder": name,
                "seconds": medians[name],
                "records_a_second": records / medians[name],
                "times_clkhash": medians[CLKHASH] / medians[name],
                "all_seconds": seconds[name],
            }
            for name in found
        ],
    }


def _check_equal(results: dict[str, Any]) -> None:
    wanted = [each.tobytes() for each in results[CLKHASH]]
    for name in (ROWS, ARROW):
        if [each.tobytes() for each in np.asarray(results[name])] != wanted:
            sys.exit(f"{name}: the encodings differ from clkhash")


def print_table(figures: dict[str, Any]) -> None:
    """The figures as text."""
    print(
        f"schema of {figures['kind']}; {figures['records']:,} records, {figures['runs']} "
        "alternating runs, one core,\nempty caches in every run, compile time excluded; encodings "
        "identical bit for bit\n"
    )
    print(f"{'encoder':<32}{'median s':>10}{'records/s':>12}{'x clkhash':>11}")
    for row in figures["rows"]:
        print(
            f"{row['encoder']:<32}{row['seconds']:>10.4f}"
            f"{row['records_a_second']:>12,.0f}{row['times_clkhash']:>11.1f}"
        )


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoding", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    figures = [measure(options.records, options.runs, kind) for kind in (PERSON, EVERY_TYPE)]
    for each in figures:
        print_table(each)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
