"""How often each kind of error strikes in one source, and striking."""

import random
from dataclasses import dataclass

import numpy as np

from examples.county.errors.nicknames import NICKNAMES
from examples.county.errors.text import (
    TextError,
    drop_marks,
    mishear,
    misread,
    mistype,
    shorten_street,
    wrong_digit,
)
from examples.county.model import Bools, Ints, Texts

DEFAULT_BIRTHS = ((1900, 1, 1), (1970, 1, 1), (2000, 1, 1))
MISSING = -1  # a part of a date that is not known


@dataclass(frozen=True)
class Errors:
    """Rates, each of records (0 to 1); a record may suffer several."""

    typing: float = 0.01  # in given name or surname
    ocr: float = 0.0
    phonetic: float = 0.0
    nickname: float = 0.0  # of names that have a short form
    swapped_names: float = 0.0
    marks: float = 0.0  # of names with a hyphen, apostrophe or space
    truncated: int = 0  # letters that the system's name fields hold; 0: enough
    native_script: float = 0.0  # of names that have one
    name_missing: float = 0.0
    birth_transposed: float = 0.005  # day and month, where both can be a month
    birth_digit: float = 0.005
    birth_default: float = 0.0
    birth_impossible: float = 0.0
    birth_missing: float = 0.005
    sex_missing: float = 0.01
    sex_wrong: float = 0.002
    number_wrong: float = 0.005  # NHS number, NI number, UPN
    number_missing: float = 0.05
    contact_missing: float = 0.2
    address_stale: float = 0.05
    address_missing: float = 0.01
    address_typing: float = 0.01
    address_short: float = 0.3  # street types abbreviated
    postcode_missing: float = 0.01
    postcode_wrong: float = 0.01


@dataclass
class Values:
    """What a source knows of its records before it writes them; one row a record."""

    given: Texts
    middle: Texts
    surname: Texts
    native_given: Texts
    native_surname: Texts
    birth: Ints  # records x 3: year, month, day; MISSING
    sex: Texts
    nhs: Texts
    nino: Texts
    upn: Texts
    phone: Texts
    email: Texts
    street: Texts
    flat: Texts
    building: Texts
    number: Texts
    town: Texts
    postcode: Texts
    uprn: Texts


class Corruptor:
    """Applies a profile to a source's values, leaving the canaries alone."""

    def __init__(self, seed: int, spared: Bools) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._letters = random.Random(seed)
        self._spared = spared

    def rows(self, rate: float) -> Ints:
        """Rows struck at a rate; a draw is made even at rate 0, so that rates are independent."""
        struck = self._rng.random(len(self._spared)) < rate
        return np.flatnonzero(struck & ~self._spared)

    def apply(self, values: Values, errors: Errors) -> None:
        """Corrupt ``values`` in place."""
        self._names(values, errors)
        self._births(values, errors)
        self._numbers(values, errors)
        self._addresses(values, errors)
        self._blank(values.sex, errors.sex_missing)
        wrong = self.rows(errors.sex_wrong)
        flipped = np.where(values.sex[wrong] == "m", "f", "m")
        values.sex[wrong] = np.where(values.sex[wrong] == "", "", flipped)

    def _strike(self, column: Texts, rate: float, change: TextError) -> None:
        for row in self.rows(rate).tolist():
            column[row] = change(self._letters, column[row])

    def _blank(self, column: Texts, rate: float) -> None:
        column[self.rows(rate)] = ""

    def _names(self, values: Values, errors: Errors) -> None:
        for row in self.rows(errors.nickname).tolist():
            known = NICKNAMES.get(values.given[row])
            if known:
                values.given[row] = self._letters.choice(known)
        native = self.rows(errors.native_script)
        native = native[values.native_surname[native] != ""]
        values.surname[native] = values.native_surname[native]
        has_given = native[values.native_given[native] != ""]
        values.given[has_given] = values.native_given[has_given]
        self._strike(values.surname, errors.marks, drop_marks)
        for rate, change in (
            (errors.typing, mistype),
            (errors.ocr, misread),
            (errors.phonetic, mishear),
        ):
            self._strike(values.given, rate / 2, change)
            self._strike(values.surname, rate / 2, change)
        swapped = self.rows(errors.swapped_names)
        values.given[swapped], values.surname[swapped] = (
            values.surname[swapped],
            values.given[swapped],
        )
        self._blank(values.given, errors.name_missing)
        if errors.truncated:
            for column in (values.given, values.middle, values.surname):
                for row in np.flatnonzero(~self._spared).tolist():
                    column[row] = column[row][: errors.truncated]

    def _births(self, values: Values, errors: Errors) -> None:
        birth = values.birth
        rows = self.rows(errors.birth_transposed)
        rows = rows[(birth[rows, 2] <= 12) & (birth[rows, 2] != birth[rows, 1])]  # noqa: PLR2004 - months
        birth[rows, 1], birth[rows, 2] = birth[rows, 2], birth[rows, 1]
        rows = self.rows(errors.birth_digit)
        part = self._rng.integers(0, 3, len(rows))
        step = self._rng.choice([-1, 1], len(rows)) * np.where(part == 0, 10 ** (rows % 2), 1)
        high = np.array([2026, 12, 28])[part]
        low = np.array([1920, 1, 1])[part]
        moved = birth[rows, part] + step
        birth[rows, part] = np.where((moved < low) | (moved > high), birth[rows, part], moved)
        rows = self.rows(errors.birth_impossible)
        birth[rows, 1], birth[rows, 2] = 2, 31
        rows = self.rows(errors.birth_default)
        birth[rows] = np.array(DEFAULT_BIRTHS)[self._rng.integers(0, 3, len(rows))]
        birth[self.rows(errors.birth_missing)] = MISSING

    def _numbers(self, values: Values, errors: Errors) -> None:
        for column in (values.nhs, values.nino, values.upn):
            self._strike(column, errors.number_wrong, wrong_digit)
            self._blank(column, errors.number_missing)
        self._blank(values.phone, errors.contact_missing)
        self._blank(values.email, errors.contact_missing)

    def _addresses(self, values: Values, errors: Errors) -> None:
        self._strike(values.street, errors.address_short, shorten_street)
        self._strike(values.street, errors.address_typing, mistype)
        self._strike(values.postcode, errors.postcode_wrong, wrong_digit)
        self._blank(values.postcode, errors.postcode_missing)
        lost = self.rows(errors.address_missing)
        for part in (values.flat, values.building, values.number, values.street, values.town):
            part[lost] = ""
