"""How a source errs, measured on its own rows as far as that goes, and the same errors made.

Missing fields are not made here: a synthetic row takes the gaps of a real row of its source
(``mixing``). Rates of wrong values are measured on pairs of rows of one extract that bear the same
exact identifier, which are nearly always one person written down twice: where such a pair differs
in a field, one of its rows errs. The rates below stand in for so many pairs, so that an extract
with few repeats keeps to them; they are this project's judgement of administrative data, not
figures of a study.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_agent.sentinels.people import MOVED_SHARE, Person

_IDENTIFIERS: Final = ("nhs_number", "nino", "upn")
CARELESS_SHARE: Final = 0.2  # of records
CARELESS, CAREFUL = 3.0, 0.5  # times the rates; 1 on average
_PRIOR_PAIRS: Final = 100  # pairs that a rate below is worth
_NEIGHBOURS: Final = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "s v xv sf wr dg fh gj uo hk jl kp n bm ip o a et ad ry yi cb qe zc tu xs".split(),  # noqa: SIM905
        strict=True,
    )
)


@dataclass(frozen=True)
class ErrorRates:
    """Shares of a source's records whose value is not the person's true one, 0 to 1."""

    first_name: float = 0.035
    surname: float = 0.03
    date_of_birth: float = 0.02
    sex: float = 0.005
    home: float = 0.12  # another address than the current one
    address: float = 0.04  # written otherwise
    postcode: float = 0.015
    identifier: float = 0.01

    def shown(self) -> dict[str, float]:
        """For a report."""
        return {each.name: round(getattr(self, each.name), 4) for each in fields(self)}


@dataclass
class Disagreements:
    """Counts of pairs that bear one identifier, and in how many of them a field differs."""

    pairs: dict[str, int] = field(default_factory=dict)
    differ: dict[str, int] = field(default_factory=dict)

    def see(self, frame: pd.DataFrame) -> None:
        """Add the pairs of one chunk of a cleaned table."""
        for identifier in _IDENTIFIERS:
            if identifier in frame:
                self._see(frame, identifier)

    def _see(self, frame: pd.DataFrame, identifier: str) -> None:
        values = frame[identifier].to_numpy(dtype=object)
        order = np.argsort(values.astype(str), kind="stable")
        ordered = values[order]
        same = np.flatnonzero((ordered[1:] == ordered[:-1]) & (ordered[1:] != ""))
        first, second = order[same], order[same + 1]
        for name in ("first_name", "surname", "date_of_birth", "sex", "address"):
            if name in frame:
                self._count(name, frame[name].to_numpy(dtype=object), first, second)
        if {"address", "postcode"} <= set(frame.columns):
            places = frame["address"].to_numpy(dtype=object)
            stayed = (places[first] == places[second]) & (places[first] != "")
            postcodes = frame["postcode"].to_numpy(dtype=object)
            self._count("postcode", postcodes, first[stayed], second[stayed])

    def _count(
        self,
        name: str,
        values: npt.NDArray[np.object_],
        first: npt.NDArray[np.int64],
        second: npt.NDArray[np.int64],
    ) -> None:
        known = (values[first] != "") & (values[second] != "")
        differ = known & (values[first] != values[second])
        self.pairs[name] = self.pairs.get(name, 0) + int(known.sum())
        self.differ[name] = self.differ.get(name, 0) + int(differ.sum())

    def rates(self) -> ErrorRates:
        """Rates by field: two rows of a pair agree when neither errs, so 1 - d = (1 - e)^2."""
        usual = ErrorRates()
        found = {
            name: self._rate(name, getattr(usual, name))
            for name in ("first_name", "surname", "date_of_birth", "sex", "postcode")
        }
        # Addresses that differ are mostly a move; those written otherwise keep their usual share.
        found["home"] = max(0.0, self._rate("address", usual.home + usual.address) - usual.address)
        return ErrorRates(**found)

    def _rate(self, name: str, usual: float) -> float:
        expected = 1.0 - (1.0 - usual) ** 2
        pairs = self.pairs.get(name, 0) + _PRIOR_PAIRS
        share = (self.differ.get(name, 0) + _PRIOR_PAIRS * expected) / pairs
        return float(1.0 - (1.0 - min(share, 0.9)) ** 0.5)


def written_down(rng: random.Random, person: Person, rates: ErrorRates) -> dict[str, str]:
    """What a source knows of a person: cleaned columns, with errors at its rates.

    Errors come together: one record in five is a careless one, with three times the errors, the
    others have half of them.
    """
    care = CARELESS if rng.random() < CARELESS_SHARE else CAREFUL
    rates = ErrorRates(**{each.name: care * getattr(rates, each.name) for each in fields(rates)})
    home = person.home
    if person.former != home and rng.random() < min(1.0, rates.home / MOVED_SHARE):
        home = person.former
    values = dict(person.truth) | {
        "address": home.address,
        "postcode": home.postcode,
        "uprn": home.uprn,
    }
    if person.former_surname != values["surname"] and rng.random() < 0.1:  # noqa: PLR2004 - known by the old one
        values["surname"] = person.former_surname
    for name in ("first_name", "surname", "address"):
        if rng.random() < getattr(rates, name):
            # A slip may leave two spaces or one at the end, which no cleaned value has.
            values[name] = " ".join(_misspelled(rng, values[name]).split())
    if rng.random() < rates.date_of_birth:
        values["date_of_birth"] = _wrong_date(rng, values["date_of_birth"])
    if rng.random() < rates.sex:
        values["sex"] = {"m": "f", "f": "m"}[values["sex"]]
    if rng.random() < rates.postcode:
        values["postcode"] = _wrong_digit(rng, values["postcode"])
    for name in _IDENTIFIERS:
        if rng.random() < rates.identifier:
            values[name] = _wrong_digit(rng, values[name])
    return values


def with_gaps(values: Mapping[str, str], like: Mapping[str, str]) -> dict[str, str]:
    """Values with the gaps that another row has."""
    return {name: value if like.get(name) else "" for name, value in values.items()}


def _misspelled(rng: random.Random, text: str) -> str:
    """One slip: a letter left out, doubled, swapped with the next, or its neighbour on the keys."""
    places = [at for at, letter in enumerate(text) if letter in _NEIGHBOURS]
    if len(places) < 3:  # noqa: PLR2004 - too short to stay recognisable
        return text
    at = rng.choice(places[1:])
    kind = rng.randrange(5)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2 and at + 1 < len(text):  # noqa: PLR2004
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 3 and len(text) > 5:  # noqa: PLR2004 - a short form
        return text[: max(3, at)]
    return text[:at] + rng.choice(_NEIGHBOURS[text[at]]) + text[at + 1 :]


def _wrong_date(rng: random.Random, iso: str) -> str:
    year, month, day = iso.split("-")
    if rng.random() < 0.4 and int(day) <= 12 and day != month:  # noqa: PLR2004 - day and month swapped
        return f"{year}-{day}-{month}"
    part = rng.randrange(3)
    if part == 0:
        return f"{int(year) + rng.choice((-10, -1, 1)):04d}-{month}-{min(int(day), 28):02d}"
    if part == 1:
        return f"{year}-{int(month) % 12 + 1:02d}-{min(int(day), 28):02d}"
    return f"{year}-{month}-{int(day) % 28 + 1:02d}"


def _wrong_digit(rng: random.Random, text: str) -> str:
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    at = rng.choice(places[-4:])
    other = rng.choice([digit for digit in "0123456789" if digit != text[at]])
    return text[:at] + other + text[at + 1 :]
