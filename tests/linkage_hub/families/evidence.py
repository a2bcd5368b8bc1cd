"""Evidence made by hand: a few people, homes and surnames, without encodings or tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.columns import (
    OPEN,
    RELATION_CODES,
    Evidence,
    Mentions,
    Records,
    Statements,
)

EXTRACT = 12 * 2026 + 9  # the month in which every source was cut


@dataclass(frozen=True)
class Stay:
    """One record's statement; ``first`` None where no beginning is known."""

    home: str
    surname: str = ""
    first: int | None = None
    last: int | None = None
    source: int = 0
    near: tuple[str, str, str, str] = ("", "", "", "")


@dataclass
class Town:
    """People, added one by one."""

    stays: list[tuple[int, Stay]] = field(default_factory=list)
    bands: list[str] = field(default_factory=list)
    named: list[tuple[int, str, int]] = field(default_factory=list)
    recorded_by: int = 0  # source of the record that everybody has beside what stays say

    def person(self, band: str, *stays: Stay) -> int:
        """A person of an age band and where records place it."""
        number = len(self.bands)
        self.bands.append(band)
        self.stays += [(number, stay) for stay in stays]
        return number

    def names(self, asker: int, relation: str, named: int) -> None:
        """A record of one person names another."""
        self.named.append((asker, relation, named))

    def evidence(self, order: Sequence[int] | None = None) -> Evidence:
        """What the hub would read, statements in the given order."""
        rows = [self.stays[at] for at in (range(len(self.stays)) if order is None else order)]
        homes = sorted({stay.home for _, stay in rows if stay.home})
        near = sorted({word for _, stay in rows for word in stay.near if word})
        kin = sorted(
            {(stay.home, part) for _, stay in rows for part in stay.surname.split() if stay.home}
        )
        kin_rows = [
            (at, kin.index((stay.home, part)))
            for at, (_, stay) in enumerate(rows)
            for part in stay.surname.split()
            if stay.home
        ]
        encodings = _encodings(len(self.bands))
        return Evidence(
            persons=len(self.bands),
            statements=Statements(
                person=_ints([person for person, _ in rows]),
                household=_ints([homes.index(stay.home) if stay.home else -1 for _, stay in rows]),
                near=_ints(
                    [[near.index(word) if word else -1 for word in stay.near] for _, stay in rows]
                ).reshape(-1, 4),
                first=_ints([stay.first or EXTRACT for _, stay in rows]),
                last=_ints([OPEN if stay.last is None else stay.last for _, stay in rows]),
                source=_ints([stay.source for _, stay in rows]),
                kin_of=_ints([at for at, _ in kin_rows]),
                kin=_ints([token for _, token in kin_rows]),
            ),
            mentions=Mentions(
                person=_ints([asker for asker, _, _ in self.named]),
                relation=_ints([RELATION_CODES.index(each) for _, each, _ in self.named]),
                encoding=encodings[[named for _, _, named in self.named]].reshape(-1, 128),
            ),
            records=Records(
                np.arange(len(self.bands)),
                encodings,
                np.full(len(self.bands), self.recorded_by),
                np.isin(np.arange(len(self.bands)), [person for person, _ in rows]),
            ),
            band=_ints([AGE_BANDS.index(band) if band else -1 for band in self.bands]),
            tokens=np.arange(len(homes) * 16, dtype=np.uint8).reshape(-1, 16),
        )


def _encodings(count: int) -> np.ndarray:
    bits = np.random.default_rng(20261124).random((count, 1024)) < 0.3
    return np.packbits(bits, axis=1).reshape(-1, 128)


def _ints(values: Sequence[object]) -> np.ndarray:
    return np.array(values, dtype=np.int64)
