"""UPRNs: given ones checked, missing ones looked up in a reference file (AddressBase Plus columns).

A lookup stays inside one postcode. An address that reads the same after normalisation is a match;
else the flat and number must be equal and the rest alike, and the best candidate must lead the
second clearly. Two properties that fit equally are refused: a wrong household is worse than none.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rapidfuzz import fuzz

from partner_agent.cleansing.address import Address, parse_address
from partner_agent.cleansing.distinct import remembered
from partner_agent.cleansing.errors import UprnReferenceError
from partner_agent.cleansing.identifiers import compact
from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.postcode import clean_postcode
from partner_agent.cleansing.text import guarded
from partner_agent.extracts.reader import open_extract

REQUIRED = ("UPRN", "PAO_START_NUMBER", "PAO_TEXT", "STREET_DESCRIPTION")
POSTCODES = ("POSTCODE_LOCATOR", "POSTCODE")  # the local authority's, else Royal Mail's
_PARTS = tuple(
    f"{part}_{end}_{kind}"
    for part in ("SAO", "PAO") for end in ("START", "END") for kind in ("NUMBER", "SUFFIX")
)  # fmt: skip
_READ = (*REQUIRED, *POSTCODES, "SAO_TEXT", *(name for name in _PARTS if name not in REQUIRED))
_ALIKE = 88.0  # percent of rapidfuzz's token sort ratio
_LEAD = 6.0  # percent by which the best must lead
_UPRN = re.compile(r"\d{1,12}$")


class Property(NamedTuple):
    """One property of the reference file."""

    uprn: str
    key: str  # flat and number
    line: str  # normalised address without town


class UprnIndex:
    """Properties by postcode; built once, held in memory (about 200 bytes a property)."""

    def __init__(self, properties: Mapping[str, list[Property]]) -> None:
        self._by_postcode = properties

    @classmethod
    def from_csv(cls, path: Path) -> "UprnIndex":
        """Read a reference file with the published column names of AddressBase Plus.

        Raises:
            UprnReferenceError: a column is missing, or no row has a UPRN and a postcode.
            ExtractError: the file cannot be read.
        """
        extract = open_extract(path)
        missing = [name for name in REQUIRED if name not in extract.columns]
        if not any(name in extract.columns for name in POSTCODES):
            missing.append(" or ".join(POSTCODES))
        if missing:
            raise UprnReferenceError(
                f"{path.name} lacks the column {', '.join(missing)}",
                next_step="give a CSV with the column names of AddressBase Plus",
            )
        table: dict[str, list[Property]] = {}
        names = [name for name in _READ if name in extract.columns]
        cleaned = remembered(clean_postcode)
        for chunk in extract:
            columns = [chunk.table[name].tolist() for name in names]
            for cells in zip(*columns, strict=True):
                _add(table, dict(zip(names, cells, strict=True)), cleaned)
        if not table:
            raise UprnReferenceError(
                f"no row of {path.name} has a UPRN and a postcode",
                next_step="check the columns UPRN and POSTCODE_LOCATOR",
            )
        return cls(table)

    def __len__(self) -> int:
        return sum(map(len, self._by_postcode.values()))

    def match(self, address: str, postcode: str) -> Outcome:
        """The UPRN of an address as it was written, or a note on why there is none.

        Args:
            address: cells joined by ``", "``, not normalised.
            postcode: clean, ``AB1 2CD``.
        """
        if not address or not postcode:
            return MISSING
        candidates = self._by_postcode.get(postcode, [])
        wanted = parse_address(address)
        line, key = wanted.line(with_town=False), _key(wanted)
        exact = {found.uprn for found in candidates if found.line == line}
        if exact:
            return _only(exact)
        scored = sorted(
            ((fuzz.token_sort_ratio(line, p.line), p.uprn) for p in candidates if p.key == key),
            reverse=True,
        )
        if not scored or scored[0][0] < _ALIKE:
            return Outcome("", "uprn.not_found")
        near = {uprn for score, uprn in scored if score > scored[0][0] - _LEAD}
        return _only(near)


def clean_uprn(raw: str) -> Outcome:
    """A UPRN without leading zeros, at most twelve digits."""
    return _GUARDED(raw)


def _clean(text: str) -> Outcome:
    number = compact(text)
    if not _UPRN.match(number) or not number.strip("0"):
        return Outcome("", "uprn.format")
    return Outcome(number.lstrip("0"))


_GUARDED = guarded(_clean)


def _only(uprns: set[str]) -> Outcome:
    if len(uprns) > 1:
        return Outcome("", "uprn.ambiguous")
    return Outcome(uprns.pop(), "uprn.matched")


def _key(address: Address) -> str:
    return f"{address.unit}|{address.number}"


def _add(
    table: dict[str, list[Property]],
    row: dict[str, str],
    cleaned: Callable[[str], Outcome],
) -> None:
    uprn = clean_uprn(row["UPRN"]).value
    postcode = next(
        (found for name in POSTCODES if (found := cleaned(row.get(name, "")).value)), ""
    )
    if uprn and postcode:
        address = parse_address(_written(row))
        line = address.line(with_town=False)
        table.setdefault(postcode, []).append(Property(uprn, _key(address), line))


def _written(row: dict[str, str]) -> str:
    """The parts of a BS 7666 address in the order in which people write them."""
    sao = _numbers(row, "SAO")
    sao_text = row.get("SAO_TEXT", "")
    if sao and not sao_text:
        sao = f"FLAT {sao}"
    street = f"{_numbers(row, 'PAO')} {row['STREET_DESCRIPTION']}".strip()
    return ", ".join(part for part in (sao_text, sao, row["PAO_TEXT"], street) if part.strip())


def _numbers(row: dict[str, str], prefix: str) -> str:
    def one(end: str) -> str:
        number = row.get(f"{prefix}_{end}_NUMBER", "").removesuffix(".0")
        return number + row.get(f"{prefix}_{end}_SUFFIX", "") if number not in {"", "0"} else ""

    start, end = one("START"), one("END")
    return f"{start}-{end}" if end else start
