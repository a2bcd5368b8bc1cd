"""Files of the county: extracts in three formats, mappings, CSV and JSON."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from openpyxl import Workbook

from examples.county.sources.base import Source
from examples.county.sources.render import Extract

_ROWS_A_GROUP = 50_000


def write_csv(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> None:
    """A delimited file with Unix line ends, the same bytes for the same rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_json(path: Path, value: Any) -> None:
    """Indented JSON in UTF-8."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_extract(folder: Path, extract: Extract) -> Path:
    """One extract and its mapping; returns the extract's path."""
    source = extract.source
    path = folder / source.partner / f"{source.name}.{source.format}"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = list(extract.columns)
    if source.format == "parquet":
        columns = [pa.array(list(cells)) for cells in extract.columns.values()]
        table = pa.table(columns, names=header)
        pq.write_table(table, path, compression="zstd", row_group_size=_ROWS_A_GROUP)
    elif source.format == "xlsx":
        _write_xlsx(path, extract)
    else:
        write_csv(
            path,
            header,
            zip(*extract.columns.values(), strict=True),
            encoding=source.encoding,
            delimiter=source.delimiter,
        )
    text = yaml.safe_dump(source.mapping(), sort_keys=False, allow_unicode=True)
    path.with_suffix(".yaml").write_text(text, encoding="utf-8")
    return path


def _write_xlsx(path: Path, extract: Extract) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(extract.source.sheet)
    sheet.append(list(extract.columns))
    numeric = _numeric_columns(extract.source)
    columns = [
        [float(cell) if cell != "" else None for cell in cells] if name in numeric else list(cells)
        for name, cells in extract.columns.items()
    ]
    for row in zip(*columns, strict=True):
        sheet.append([None if cell == "" else cell for cell in row])
    book.save(path)


def _numeric_columns(source: Source) -> set[str]:
    return {rule.column for rule in source.indicators.values() if not rule.equals}
