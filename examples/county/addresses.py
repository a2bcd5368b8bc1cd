"""Streets, dwellings and postcodes of a county that does not exist.

Postcodes are in area EY, which keeps the rules of form and is not in use; UPRNs begin 9990.
Dwellings of one street share a deprivation score and one postcode for each run of twenty.
"""

from enum import IntEnum

import numpy as np

from examples.county.model import Dwellings, Floats, Ints

POSTCODE_AREA = "ZE"  # Shetland, whose districts end at 3: those from 4 on are invented
UPRN_BASE = 999_000_000_000
DWELLINGS_A_STREET = 24
DWELLINGS_A_POSTCODE = 20
_UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # Royal Mail uses no C I K M O V here
_TOWNS = (
    "Eastmere", "Cradwell", "Hollinghurst", "Port Sennet", "Wexcombe", "Little Ardle",
    "Marlsham", "Thornbeck", "Saltergate", "Upper Quenby", "Fenwick Regis", "Stonehythe",
)  # fmt: skip
_ROOTS = (
    "Acacia", "Alder", "Ashdown", "Balmoral", "Beacon", "Beech", "Bramble", "Brook", "Castle",
    "Cedar", "Chapel", "Cherry", "Church", "Clover", "Coronation", "Cromer", "Dale", "Dell",
    "Elm", "Fairfield", "Farm", "Fern", "Field", "Foundry", "Garden", "George", "Glebe",
    "Grange", "Green", "Grove", "Harbour", "Harvest", "Hawthorn", "Hazel", "Heath", "High",
    "Hill", "Holly", "Ivy", "Jubilee", "Kiln", "King", "Lake", "Larch", "Laurel", "Lime",
    "London", "Long", "Malt", "Manor", "Maple", "Market", "Meadow", "Mill", "Nelson", "New",
    "North", "Oak", "Orchard", "Park", "Pine", "Poplar", "Priory", "Queen", "Quarry", "Rectory",
    "Ridge", "River", "Rose", "Rowan", "School", "Shore", "South", "Spring", "Station", "Sycamore",
    "Tanner", "Tower", "Union", "Vale", "Victoria", "Walnut", "Warren", "Water", "West",
    "Willow", "Windsor", "Wood", "York",
)  # fmt: skip
STREET_TYPES = (
    "Road", "Street", "Avenue", "Close", "Lane", "Drive", "Way", "Crescent", "Gardens",
    "Court", "Place", "Terrace", "Walk", "Rise",
)  # fmt: skip
_BUILDINGS = ("Court", "House", "Lodge", "Mansions", "Point")
_MAX_STREETS = len(_TOWNS) * len(_ROOTS) * len(STREET_TYPES)


class Use(IntEnum):
    """What an address is."""

    HOUSE = 0
    FLAT = 1
    CARE_HOME = 2
    HOSTEL = 3
    STUDENT_HOUSE = 4
    SHOP = 5


def make_dwellings(rng: np.random.Generator, uses: Ints) -> Dwellings:
    """One dwelling for each use given, laid along streets.

    Raises:
        ValueError: more streets than names for them.
    """
    count = len(uses)
    streets = max(1, -(-count // DWELLINGS_A_STREET))
    if streets > _MAX_STREETS:
        raise ValueError(f"the county has names for {_MAX_STREETS} streets, {streets} are needed")
    code = rng.permutation(_MAX_STREETS)[:streets]
    town_of = code % len(_TOWNS)
    street_names = [
        f"{_ROOTS[c // len(_TOWNS) % len(_ROOTS)]} {STREET_TYPES[c // (len(_TOWNS) * len(_ROOTS))]}"
        for c in code.tolist()
    ]
    place = np.arange(count)
    street = place // DWELLINGS_A_STREET
    deprivation = rng.normal(0, 1, streets)[street]
    parts = [
        _parts(int(u), int(p), _ROOTS[int(r)])
        for u, p, r in zip(
            uses, place % DWELLINGS_A_STREET, rng.integers(0, len(_ROOTS), count), strict=True
        )
    ]
    flat, building, number = (_column([part[i] for part in parts]) for i in range(3))
    return Dwellings(
        uprn=_column(
            [str(UPRN_BASE + 37 * i + int(j)) for i, j in enumerate(rng.integers(0, 37, count))]
        ),
        flat=flat,
        building=building,
        number=number,
        street=_column([street_names[s] for s in street.tolist()]),
        town=_column([_TOWNS[town_of[s]] for s in street.tolist()]),
        postcode=_postcodes(place, town_of[street]),
        use=uses.copy(),
        deprivation=deprivation,
    )


def _column(values: list[str]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _parts(use: int, place: int, root: str) -> tuple[str, str, str]:
    """Flat, building and number of the ``place``-th address of its street."""
    block, within = divmod(place, 8)
    if use == Use.FLAT:
        style = block % 3
        if style == 0:
            return f"Flat {within + 1}", f"{root} {_BUILDINGS[place % 5]}", ""
        number = f"{2 * place + 1}"
        return (f"Flat {'ABCDEFGH'[within]}" if style == 1 else f"Flat {within + 1}"), "", number
    if use == Use.CARE_HOME:
        return "", f"{root} Care Home", f"{2 * place + 2}"
    if use == Use.HOSTEL:
        return "", f"{root} Hostel", f"{2 * place + 2}"
    if use == Use.HOUSE and place % 11 == 0:
        return "", f"{root} Cottage", ""
    suffix = "A" if place % 13 == 5 else ""  # noqa: PLR2004 - an arbitrary place in the street
    return "", "", f"{2 * place + 2}{suffix}"


def _postcodes(place: Ints, town: Ints) -> np.ndarray:
    """Postcodes by runs of dwellings; each town has districts of its own."""
    run = place // DWELLINGS_A_STREET * 2 + (
        place % DWELLINGS_A_STREET >= DWELLINGS_A_POSTCODE
    ).astype(np.int64)
    sector, unit = run // 400, run % 400
    district = 4 + town + len(_TOWNS) * (sector // 10 % 7)
    letters = _UNIT_LETTERS
    return _column(
        [
            f"{POSTCODE_AREA}{d} {s % 10}{letters[u // 20]}{letters[u % 20]}"
            for d, s, u in zip(district.tolist(), sector.tolist(), unit.tolist(), strict=True)
        ]
    )


def rename(
    dwellings: Dwellings, index: int, *, number: str, street: str, town: str, postcode: str
) -> None:
    """Give one dwelling an address of its own, in place."""
    dwellings.flat[index] = dwellings.building[index] = ""
    dwellings.number[index] = number
    dwellings.street[index] = street
    dwellings.town[index] = town
    dwellings.postcode[index] = postcode
    dwellings.use[index] = Use.HOUSE


def coordinates(rng: np.random.Generator, dwellings: Dwellings) -> tuple[Floats, Floats]:
    """Eastings and northings in metres, in the sea off the grid's north-east corner."""
    easting = 690_000 + rng.integers(0, 9_000, len(dwellings)).astype(np.float64)
    northing = 1_250_000 + rng.integers(0, 9_000, len(dwellings)).astype(np.float64)
    return easting, northing
