"""UPRNs: given ones checked, missing ones looked up in a reference file (AddressBase Plus columns).

In order, within the postcode: an address that reads the same after normalisation; a building named
without its street; else the flat and number must be equal and the rest alike, and the best
candidate must lead the second clearly. Where the postcode is missing, or one slip of the pen away
from the property's, an address that reads the same and names the property's town or locality. Two
properties that fit equally are refused: a wrong household is worse than none.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from partner_agent.cleansing.address import Address, parse_address, plain_words
from partner_agent.cleansing.address_words import STREETS
from partner_agent.cleansing.errors import UprnReferenceError
from partner_agent.cleansing.identifiers import compact
from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.postcode import clean_postcode
from partner_agent.cleansing.remembered import remembered
from partner_agent.cleansing.text import guarded
from partner_agent.extracts.reader import open_extract

REQUIRED = ("UPRN", "PAO_START_NUMBER", "PAO_TEXT", "STREET_DESCRIPTION")
POSTCODES = ("POSTCODE_LOCATOR", "POSTCODE")  # the local authority's, else Royal Mail's
_PARTS = tuple(
    f"{part}_{end}_{kind}"
    for part in ("SAO", "PAO") for end in ("START", "END") for kind in ("NUMBER", "SUFFIX")
)  # fmt: skip
_TOWNS = ("LOCALITY", "TOWN_NAME", "POST_TOWN")
_READ = (
    *REQUIRED,
    *POSTCODES,
    *_TOWNS,
    "SAO_TEXT",
    *(name for name in _PARTS if name not in REQUIRED),
)
_ALIKE = 88.0  # percent of rapidfuzz's token sort ratio
_LEAD = 6.0  # percent by which the best must lead
_UPRN = re.compile(r"\d{1,12}$")


class Property(NamedTuple):
    """One property of the reference file."""

    uprn: str
    key: str  # flat and number
    line: str  # normalised address without town
    postcode: str
    towns: frozenset[str]  # of its town and locality, lower case


class UprnIndex:
    """Properties by postcode and by line; built once, held in memory."""

    def __init__(self, properties: Mapping[str, list[Property]]) -> None:
        self._by_postcode = properties
        self._by_line: dict[str, list[Property]] = {}
        for found in properties.values():
            for each in found:
                self._by_line.setdefault(each.line, []).append(each)

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
        cleaned, town = remembered(clean_postcode), remembered(plain_words)
        for chunk in extract:
            columns = [chunk.table[name].tolist() for name in names]
            for cells in zip(*columns, strict=True):
                _add(table, dict(zip(names, cells, strict=True)), cleaned, town)
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
        if not address:
            return MISSING
        wanted = parse_address(address)
        found = self._inside(wanted, self._by_postcode.get(postcode, [])) if postcode else MISSING
        if found.value or found.note == "uprn.ambiguous":
            return found
        elsewhere = self._in_town(wanted, postcode)
        return _only(elsewhere) if elsewhere else found

    def _inside(self, wanted: Address, candidates: list[Property]) -> Outcome:
        """The property of one postcode."""
        line, key = wanted.line(with_town=False), _key(wanted)
        exact = {found.uprn for found in candidates if found.line == line}
        if not exact and line and STREETS.isdisjoint(line.split()):
            exact = {
                found.uprn
                for found in candidates
                if found.line.startswith(f"{line} ") and line not in found.towns
            }
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

    def _in_town(self, wanted: Address, postcode: str) -> set[str]:
        """Properties of the same line in the town that is named; of a postcode nearly the same."""
        rest = f" {wanted.rest} "
        return {
            found.uprn
            for found in self._by_line.get(wanted.line(with_town=False), [])
            if any(f" {town} " in rest for town in found.towns)
            and (not postcode or OSA.distance(postcode, found.postcode, score_cutoff=1) <= 1)
        }


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
    town: Callable[[str], str],
) -> None:
    uprn = clean_uprn(row["UPRN"]).value
    postcode = next(
        (found for name in POSTCODES if (found := cleaned(row.get(name, "")).value)), ""
    )
    if uprn and postcode:
        address = parse_address(_written(row))
        line = address.line(with_town=False)
        towns = frozenset(found for name in _TOWNS if (found := town(row.get(name, ""))))
        home = Property(uprn, _key(address), line, postcode, towns)
        table.setdefault(postcode, []).append(home)


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
