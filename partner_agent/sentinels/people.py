"""The synthetic people of one month, the same at every partner.

Rules: everything follows from 32 bytes that come from the linkage secret, the agreement, the epoch
and the month, so that each round of submissions has people of its own and the hub can foretell
none; people come in households, some have moved or changed their surname; one in ten belongs to a
*hard* pair, two people whom linkage takes for one most easily: twins, a parent and child of one
full name, two strangers of one name and birth year.

The order of draws is part of the agreement between agents: a change of it gets a new label in
``SENTINELS_LABEL`` (a test pins the first people).
"""

import hmac
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from partner_agent.sentinels.names import NamePool, pools

SENTINELS_LABEL: Final = b"hearthlink/sentinels/v1/"
ID_BYTES: Final = 16
HARD_SHARE: Final = 0.1  # of people
MOVED_SHARE: Final = 0.4  # of households that have a former home
_CHILD_SHARE: Final = 0.55  # of households with children
_TWO_ADULTS: Final = 0.6
_OUTCODES: Final = ("ZZ1", "ZZ2", "ZZ3", "ZZ4")  # no postcode area is called so
_STREETS: Final = tuple(
    f"{name} {kind}"
    for name in """church station mill victoria park albert meadow orchard chapel priory windsor
    kings queens manor beech elm oakfield hillside riverside springfield alma cromwell nelson
    garden furze linden holly bramble castle bridge""".split()  # noqa: SIM905 - a table of words
    for kind in ("road", "street", "avenue", "close", "lane", "drive")
)


@dataclass(frozen=True, slots=True)
class Home:
    """An address as cleansing writes it."""

    address: str
    postcode: str
    uprn: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist.

    Attributes:
        id: 32 hexadecimal digits; which synthetic person, for whoever is told.
        truth: cleaned columns as they truly are; home left out.
        former_surname: before it changed, or the same.
        former: the home before the last move, or the same.
        hard: one of a pair that is easily taken for one person.
        born: date of birth.
    """

    id: str
    truth: dict[str, str] = field(repr=False)
    former_surname: str = field(repr=False)
    home: Home = field(repr=False)
    former: Home = field(repr=False)
    hard: bool
    born: date = field(repr=False)


def month_key(key: bytes, month: int) -> bytes:
    """The 32 bytes that a month's people follow from; ``key`` is the agreement's and epoch's."""
    return hmac.digest(key, SENTINELS_LABEL + b"%d" % month, "sha256")


def person_id(seed: bytes, number: int) -> str:
    """Pseudonym of a month's person: it tells nothing without the seed."""
    return hmac.digest(seed, b"person\n%d" % number, "sha256")[:ID_BYTES].hex()


def people_of(seed: bytes, count: int, month: int, outcodes: tuple[str, ...] = ()) -> list[Person]:
    """The first ``count`` people of a month.

    Args:
        seed: of the month, from ``month_key``.
        count: how many.
        month: ``12 * year + (month - 1)``; ages count from its first day.
        outcodes: first halves of postcodes that homes have (agreement: quality.outcodes).
    """
    maker = _Maker(seed, month, outcodes or _OUTCODES)
    people: list[Person] = []
    for household in maker.households():
        people += household
        if len(people) >= count:
            break
    return people[:count]


class _Maker:
    """Draws households, one after another."""

    def __init__(self, seed: bytes, month: int, outcodes: tuple[str, ...]) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._today = date(month // 12, month % 12 + 1, 1)
        self._outcodes = outcodes
        self._number = 0

    def households(self) -> Iterator[list[Person]]:
        """Households without end."""
        while True:
            members = self._household()
            yield members
            if self._rng.random() < HARD_SHARE / 2 * len(members):
                yield self._hard_pair()

    def _household(self) -> list[Person]:
        pool, home = self._pool(), self._home()
        former = self._home() if self._rng.random() < MOVED_SHARE else home
        surname = self._surname(pool)
        adult_age = self._rng.choices((20, 30, 40, 50, 60, 75), (12, 20, 22, 18, 14, 14))[0]
        members = [self._adult(pool, "f", adult_age, surname, home, former)]
        if self._rng.random() < _TWO_ADULTS:
            members.append(self._adult(pool, "m", adult_age + 2, surname, home, former))
        if adult_age <= 50 and self._rng.random() < _CHILD_SHARE:  # noqa: PLR2004 - years
            for _ in range(self._rng.choices((1, 2, 3, 4), (40, 38, 15, 7))[0]):
                born = self._born(0, 17)
                members.append(self._person(pool, self._sex(), born, surname, home, former))
        return members

    def _hard_pair(self) -> list[Person]:
        pool, home = self._pool(), self._home()
        surname, sex = self._surname(pool), self._sex()
        kind = self._rng.choice(("twins", "parent_and_child", "namesakes"))
        one = self._person(pool, sex, self._born(1, 45), surname, home, home, hard=True)
        if kind == "twins":
            other = self._person(pool, self._sex(), one.born, surname, home, home, hard=True)
            return [one, other] if other.truth["first_name"] != one.truth["first_name"] else [one]
        if kind == "parent_and_child":
            born = one.born - timedelta(days=int(365.25 * self._rng.uniform(19, 34)))
            other = self._person(pool, sex, born, surname, home, home, hard=True)
        else:
            born = date(one.born.year, self._rng.randint(1, 12), self._rng.randint(1, 28))
            there = self._home()
            other = self._person(pool, sex, born, surname, there, there, hard=True)
        values = other.truth | {"first_name": one.truth["first_name"]}
        return [one, replace(other, truth=values)]

    def _adult(
        self, pool: NamePool, sex: str, age: int, surname: str, home: Home, former: Home
    ) -> Person:
        person = self._person(pool, sex, self._born(age, age + 9), surname, home, former)
        if sex == "f" and self._rng.random() < 0.3:  # noqa: PLR2004 - surname before a marriage
            return replace(person, former_surname=self._surname(pool))
        return person

    def _person(
        self,
        pool: NamePool,
        sex: str,
        born: date,
        surname: str,
        home: Home,
        former: Home,
        *,
        hard: bool = False,
    ) -> Person:
        number, self._number = self._number, self._number + 1
        cohort = 0 if born.year < 1965 else 1 if born.year < 1995 else 2  # noqa: PLR2004 - years
        first = self._skewed(pool.given[sex, cohort])
        middle = self._skewed(pool.given[sex, cohort]) if self._rng.random() < 0.6 else ""  # noqa: PLR2004
        values = {
            "first_name": first,
            "middle_name": middle,
            "surname": surname,
            "date_of_birth": born.isoformat(),
            "sex": sex,
            # ranges that are issued to nobody
            "nhs_number": f"999{self._rng.randrange(10**7):07d}",
            "nino": f"ZZ{self._rng.randrange(10**6):06d}",
            "upn": f"A000{self._rng.randrange(10**9):09d}",
            "phone": f"+44750{self._rng.randrange(10**7):07d}",
            "email": f"{first}.{surname.replace(' ', '')}{self._rng.randrange(1000)}@example.org",
        }
        return Person(person_id(self._seed, number), values, surname, home, former, hard, born)

    def _born(self, youngest: int, oldest: int) -> date:
        days = self._rng.randint(int(youngest * 365.25), int((oldest + 1) * 365.25) - 1)
        return self._today - timedelta(days=days)

    def _sex(self) -> str:
        return self._rng.choice(("f", "m"))

    def _pool(self) -> NamePool:
        return self._rng.choices(pools(), [pool.share for pool in pools()])[0]

    def _surname(self, pool: NamePool) -> str:
        return self._skewed(pool.surnames)

    def _skewed(self, names: tuple[str, ...]) -> str:
        """A name by its rank: the first are the most frequent, as names are."""
        return names[int(len(names) * self._rng.random() ** 1.6)]

    def _home(self) -> Home:
        street, number = self._rng.choice(_STREETS), self._rng.randint(1, 140)
        flat = f"flat {self._rng.randint(1, 12)} " if self._rng.random() < 0.12 else ""  # noqa: PLR2004
        outcode = self._rng.choice(self._outcodes)
        inward = f"{self._rng.randint(0, 9)}{''.join(self._rng.choices('ABDEFGHJLN', k=2))}"
        uprn = f"9{self._rng.randrange(10**11):011d}"
        return Home(f"{flat}{number} {street}", f"{outcode} {inward}", uprn)
