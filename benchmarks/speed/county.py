"""Encodings of the synthetic county, through the agent's own cleansing and encoder.

Made once for a size and kept in a folder of the system's temporary directory: the county is
invented, and nothing of it leaves the machine. Cleaned rows are kept too, so that another profile
is encoded without cleansing again.
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.county.generate import generate
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.encoding.person import default_hardening, schema_for
from partner_agent.encoding.profiles import record_encoder
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.extracts.mapping import load_mapping
from partner_agent.extracts.reader import open_extract
from partner_agent.submissions.scope import mapping_items

SECRET: Final = bytes(range(32))  # fixed, so that a run repeats
DAY: Final = date(2026, 10, 31)
RECORDS_A_PERSON: Final = 1.55  # below the 1.59 that the county has, so that there are enough
PERSONS_LEAST: Final = 600
SEED: Final = 20261122
CHUNK_ROWS: Final = 65_536
Rows = npt.NDArray[np.uint8]


def folder_for(records: int) -> Path:
    """Where a county of about so many records or more is kept; made when absent."""
    folder = Path(tempfile.gettempdir()) / f"hearthlink-speed-{records}"
    if not (folder / "done").exists():
        _make(folder, records)
    return folder


def clk_sources(records: int) -> list[Rows]:
    """Encodings of profile ``clk`` by source, ``records`` in all, uint8 (n, 128) each."""
    kept = _kept(folder_for(records), "clk", hardened=False)
    return [each[0] for each in _first(kept, records, axis=1)]


def hardened_sources(records: int) -> list[Rows]:
    """Encodings of the default profile by source, uint8 (v, n, 128) each."""
    return _first(_kept(folder_for(records), "hardened", hardened=True), records, axis=1)


def _kept(folder: Path, name: str, *, hardened: bool) -> list[Rows]:
    """Encodings of all cleaned rows, (v, n, 128) by source; encoded when not kept yet."""
    path = folder / f"{name}.npz"
    if not path.exists():
        document = county_schema(folder)
        schema = LinkageSchema.parse(document)
        keys = LinkageKeys.derive(SECRET, "sha256:" + "0" * 64, 1)
        encoder = record_encoder(schema, keys, default_hardening(document) if hardened else None)
        found = {}
        for source, table in cleaned(folder).items():
            columns = table.reindex(columns=list(schema.columns), fill_value="")
            found[source] = encoder.encode(columns).encodings
        save: Any = np.savez
        save(path, **found)
    with np.load(path) as kept:
        return list(kept.values())


def persons(records: int) -> list[npt.NDArray[np.int64]]:
    """Who each record is, by source, in the order of ``clk_sources``."""
    folder = folder_for(records)
    truth = pd.read_csv(folder / "county" / "truth" / "records.csv", dtype=str)
    code = pd.Series(truth["person_id"].to_numpy(), index=truth["source"] + " " + truth["row"])
    keys = [name + " " + table["row"].astype(str) for name, table in cleaned(folder).items()]
    numbers = pd.factorize(code.loc[pd.concat(keys)])[0].astype(np.int64)
    return _first(np.split(numbers, np.cumsum([len(key) for key in keys])[:-1]), records)


def cleaned(folder: Path) -> dict[str, pd.DataFrame]:
    """Cleaned tables by source."""
    return {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def county_schema(folder: Path) -> dict[str, Any]:
    """The schema document that an agreement over all sources of a county has."""
    mappings = [load_mapping(path) for path in _mappings(folder)]
    return schema_for({item for each in mappings for item in mapping_items(each)})


def _first(parts: Sequence[npt.NDArray[Any]], records: int, axis: int = 0) -> list[Any]:
    """The same share of every source, ``records`` in all."""
    sizes = [part.shape[axis] for part in parts]
    share = min(1.0, records / sum(sizes))
    ends = np.floor(np.cumsum(sizes) * share).astype(np.int64)
    ends[-1] = min(records, sum(sizes))
    wanted = np.diff(ends, prepend=0)
    return [part.take(range(size), axis) for part, size in zip(parts, wanted, strict=True)]


def _mappings(folder: Path) -> list[Path]:
    return sorted((folder / "county" / "partners").glob("*/*.yaml"))


def _make(folder: Path, records: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    print(f"making a county of {records:,} records in {folder}", file=sys.stderr)
    county = folder / "county"
    if not (county / "summary.json").exists():
        generate(max(PERSONS_LEAST, int(records / RECORDS_A_PERSON)), SEED, county)
    for path in _mappings(folder):
        mapping = load_mapping(path)
        file = next(each for each in path.parent.glob(f"{path.stem}.*") if each.suffix != ".yaml")
        extract = open_extract(file, sheet=mapping.sheet)
        cleanser = Cleanser(mapping, today=DAY)
        frames = [cleanser.clean(chunk).table for chunk in extract]
        pd.concat(frames, ignore_index=True).to_parquet(folder / f"{mapping.source}.parquet")
    (folder / "done").touch()
