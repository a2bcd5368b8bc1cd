"""A source's columns made ready: for keys, and for comparing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.cleansing.nicknames import FULL_NAMES
from partner_agent.duplicates.texts import COLUMNS, Columns, Texts
from partner_agent.refinement.sound import sound_code

IDENTIFIERS: Final = ("nhs_number", "nino", "upn")

Key = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """All rows.

    Attributes:
        rows: how many.
        texts: each of ``COLUMNS``.
    """

    rows: int
    texts: dict[str, Texts]

    @classmethod
    def of(cls, columns: Columns) -> "Source":
        """What was gathered."""
        return cls(columns.rows, {name: columns.texts(name) for name in COLUMNS})

    def ordered(self, order: NDArray[np.int64]) -> "Source":
        """The same rows in another order."""
        return Source(
            self.rows,
            {
                name: Texts(each.codes[order], each.data, each.starts, each.counts)
                for name, each in self.texts.items()
            },
        )

    def fingerprints(self) -> Key:
        """A digest of each row's values, int64 (n,); equal where all are."""
        whole = np.zeros(self.rows, dtype=np.int64)
        for each in self.texts.values():
            whole = mixed(whole, each.spread(each.ends()), hold=True)
        return whole

    @cached_property
    def births(self) -> NDArray[np.int64]:
        """Year, month and day of each distinct date of birth, int64 (values, 3)."""
        dates = self.texts["date_of_birth"]
        parts = np.zeros((len(dates.counts), 3), dtype=np.int64)
        if len(parts):
            whole = [_number(date.replace("-", "")) for date in dates.values()]
            parts[:] = np.stack(
                np.divmod(whole, 10_000)[:1] + np.divmod(np.mod(whole, 10_000), 100), 1
            )
        return parts

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """Number of the full name that each distinct first name stands for, int64 (values,)."""
        return self.texts["first_name"].derived(_full_name)


def _number(digits: str) -> int:
    """The number; 0 for anything else, whose text no error may hold."""
    return int(digits) if digits.isdecimal() else 0


def _full_name(name: str) -> str:
    word = name.split(" ", maxsplit=1)[0]
    return FULL_NAMES.get(word, word) if len(word) > 1 else ""


def mixed(one: Key, other: Key, *, hold: bool = False) -> Key:
    """One digest of two, 62 bits; -1 where either is missing, unless they ``hold`` that too."""
    with np.errstate(over="ignore"):
        key = (one.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
            other.astype(np.uint64) + np.uint64(0x7F4A7C15)
        )
        key ^= key >> np.uint64(29)
        key *= np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(32)
    found = (key >> np.uint64(2)).astype(np.int64)
    if not hold:
        found[(one < 0) | (other < 0)] = -1
    return found


def keys_of(source: Source) -> list[Callable[[], Key]]:
    """Keys by which rows become candidates, narrow ones first; each int64 (n,), -1 for none."""
    texts = source.texts

    def end(name: str, first: int = 0, last: int = 0) -> Key:
        column = texts[name]
        return column.spread(column.ends(first, last) if first or last else column.ends())

    def born(*parts: int) -> Key:
        values = np.zeros(len(source.births), dtype=np.int64)
        for part in parts:
            values = values * 10_000 + source.births[:, part]
        return texts["date_of_birth"].spread(values)

    def sound(name: str) -> Key:
        return texts[name].spread(texts[name].derived(sound_code))

    def either_way() -> Key:
        one, other = end("first_name", 3), end("surname", 3)
        swapped = one > other
        return mixed(np.where(swapped, other, one), np.where(swapped, one, other))

    def pair(one: Callable[[], Key], other: Callable[[], Key]) -> Callable[[], Key]:
        return lambda: mixed(one(), other())

    whole = {name: (lambda name=name: end(name)) for name in COLUMNS}
    initial = lambda: end("first_name", 1)  # noqa: E731
    head = lambda: end("surname", 1)  # noqa: E731
    year, day_month = (lambda: born(0)), (lambda: born(1, 2))
    keys: list[tuple[tuple[str, ...], Callable[[], Key]]] = [
        *(((name,), whole[name]) for name in (*IDENTIFIERS, "email", "phone")),
        (("first_name", "surname"), pair(whole["first_name"], whole["surname"])),
        (("date_of_birth", "first_name"), pair(whole["date_of_birth"], initial)),
        (("date_of_birth", "surname"), pair(whole["date_of_birth"], head)),
        (("surname", "postcode"), pair(whole["surname"], whole["postcode"])),
        (("surname", "address"), pair(whole["surname"], whole["address"])),
        (("first_name", "postcode"), pair(initial, whole["postcode"])),
        (("first_name", "address"), pair(initial, whole["address"])),
        (("first_name", "surname"), either_way),
        (("first_name", "surname", "date_of_birth"), pair(pair(initial, head), year)),
        (("first_name", "surname", "date_of_birth"), pair(pair(initial, head), lambda: born(1))),
        (("first_name", "date_of_birth"), pair(initial, day_month)),
        (("surname", "date_of_birth"), pair(head, day_month)),
        (("first_name", "surname"),
         pair(lambda: sound("first_name"), lambda: end("surname", 2))),
        (("first_name", "surname"), pair(lambda: sound("surname"), initial)),
        (("surname", "date_of_birth"), pair(lambda: end("surname", 3), year)),
        (("first_name", "date_of_birth"), pair(whole["first_name"], year)),
        (("date_of_birth",), whole["date_of_birth"]),
        (("surname", "first_name"), pair(lambda: end("surname", last=4), initial)),
        (("first_name", "surname"), pair(whole["first_name"], head)),
        (("date_of_birth",), lambda: born(0, 1)),
        (("date_of_birth",), lambda: born(0, 2)),
        (("surname",), whole["surname"]),
        (("postcode",), whole["postcode"]),
        (("address",), whole["address"]),
        (("first_name",), whole["first_name"]),
    ]  # fmt: skip
    return [make for needs, make in keys if all(texts[name].held for name in needs)]
