"""Open an extract by what its first bytes say it is, whatever its name says.

What reads a format is loaded when a file has it.
"""

import zipfile
from pathlib import Path

from partner_agent.extracts.delimited import DelimitedExtract
from partner_agent.extracts.errors import (
    DamagedExtractError,
    EmptyExtractError,
    FormatNotSupportedError,
)
from partner_agent.extracts.files import open_bytes
from partner_agent.extracts.model import CHUNK_ROWS, Extract

_MAGIC = 8  # bytes that tell the format
_ZIP = b"PK"
_PARQUET = b"PAR1"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # XLS, and XLSX under a password
_PDF = b"%PDF"


def open_extract(path: Path, *, sheet: str | None = None, chunk_rows: int = CHUNK_ROWS) -> Extract:
    """An extract whose headings have been read and checked.

    Args:
        path: CSV (also gzipped), XLSX or Parquet.
        sheet: XLSX only; the first sheet otherwise.
        chunk_rows: rows handed out at once.

    Raises:
        ExtractError: the file is missing, empty, damaged, of another format, has one column, has
            two equal headings, or has data where its headings should be.
    """
    with open_bytes(path) as stream:
        magic = stream.read(_MAGIC)
    if not magic:
        raise EmptyExtractError(f"{path.name} is empty", next_step="export the extract again")
    if magic == _OLE:
        raise FormatNotSupportedError(
            f"{path.name} is an old Excel file, or is protected by a password",
            next_step="save it as XLSX without a password, or as CSV in UTF-8",
        )
    if magic.startswith(_PDF):
        raise FormatNotSupportedError(
            f"{path.name} is a PDF", next_step="export the data as CSV, XLSX or Parquet"
        )
    if magic.startswith(_PARQUET):
        from partner_agent.extracts.parquet import ParquetExtract  # noqa: PLC0415 - slow to load

        return ParquetExtract(path, chunk_rows=chunk_rows)
    if magic.startswith(_ZIP):
        _check_workbook(path)
        from partner_agent.extracts.xlsx import XlsxExtract  # noqa: PLC0415 - slow to load

        return XlsxExtract(path, sheet=sheet, chunk_rows=chunk_rows)
    return DelimitedExtract(path, chunk_rows=chunk_rows)


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise DamagedExtractError(
            f"{path.name} is an XLSX or ZIP file that is damaged or not whole",
            next_step="copy or export the extract again",
        ) from None
    if "xl/workbook.xml" not in names:
        raise FormatNotSupportedError(
            f"{path.name} is a ZIP file but not an XLSX workbook",
            next_step="unpack it and give the CSV, XLSX or Parquet file inside",
        )
