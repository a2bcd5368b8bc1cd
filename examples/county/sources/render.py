"""From a pick of people to the cells of an extract."""

import zlib
from dataclasses import dataclass
from datetime import date

import numpy as np

from examples.county.errors.profile import Corruptor, Values
from examples.county.model import EPOCH, NEED_INDEX, NEEDS, Bools, Ints, Population, Texts, stream
from examples.county.sources.base import Sheet, Source, met
from examples.county.sources.selection import STALE_DAYS, Pick, spell_at

NAME_LAG_DAYS = 300.0  # mean time until a source hears of a new surname


@dataclass
class Extract:
    """A source's finished rows, column by column, and who they are about."""

    source: Source
    columns: dict[str, Texts]
    record_id: Texts  # the row number where the source has no ids
    person: Ints
    as_of: Ints
    uprn: Texts  # of the address that the record holds, before errors
    met: Bools  # rows x NEEDS: what the mapping's rules find, opted-out rows left out


def render(population: Population, source: Source, pick: Pick, seed: int) -> Extract:
    """Write out every cell of a source."""
    rng = stream(seed, f"render {source.name}")
    errors = source.errors
    spared = np.isin(pick.person, population.canaries)
    lag = np.where(rng.random(len(pick.person)) < errors.address_stale, 1.0, 0.0)
    lag *= rng.exponential(STALE_DAYS, len(pick.person))
    known = np.maximum(pick.as_of - lag.astype(np.int64), population.present_from[pick.person])
    spell = spell_at(population, pick.person, known, rng)
    dwelling = population.spells.dwelling[spell]
    values = _values(population, pick, dwelling, rng)
    Corruptor(seed ^ zlib.crc32(source.name.encode()), spared).apply(values, errors)
    sheet = Sheet(
        population=population,
        person=pick.person,
        as_of=pick.as_of,
        start=population.spells.start[spell],
        end=population.spells.end[spell],
        values=values,
        rng=rng,
        encoding=source.encoding,
        spared=spared,
    )
    columns = {column.name: column.make(sheet) for column in source.columns}
    ids = next((c.name for c in source.columns if c.target == "record_id"), "")
    numbers = np.array([str(i) for i in range(1, len(pick.person) + 1)], dtype=object)
    return Extract(
        source=source,
        columns=columns,
        record_id=columns[ids] if ids else numbers,
        person=pick.person,
        as_of=pick.as_of,
        uprn=population.dwellings.uprn[dwelling],
        met=_met(population, source, columns, pick.person),
    )


def _met(population: Population, source: Source, columns: dict[str, Texts], person: Ints) -> Bools:
    found = np.zeros((len(person), len(NEEDS)), dtype=bool)
    for need, rule in source.indicators.items():
        found[:, NEED_INDEX[need]] = met(rule, columns[rule.column])
    if source.opt_out:
        found[population.opted_out[person]] = False
    return found


def _values(population: Population, pick: Pick, dwelling: Ints, rng: np.random.Generator) -> Values:
    person, names, homes = pick.person, population.names, population.dwellings
    heard = pick.as_of - rng.exponential(NAME_LAG_DAYS, len(person)).astype(np.int64)
    former = (names.former[person] != "") & (heard < names.changed[person])
    native = names.native_surname[person]
    return Values(
        given=names.given[person],
        middle=names.middle[person],
        surname=np.where(former, names.former[person], names.surname[person]),
        native_given=names.native_given[person],
        native_surname=np.where(former, "", native),
        birth=_date_parts(population.born[person]),
        sex=population.sex[person],
        nhs=population.nhs[person],
        nino=population.nino[person],
        upn=population.upn[person],
        phone=population.phone[person],
        email=population.email[person],
        street=homes.street[dwelling],
        flat=homes.flat[dwelling],
        building=homes.building[dwelling],
        number=homes.number[dwelling],
        town=homes.town[dwelling],
        postcode=homes.postcode[dwelling],
        uprn=homes.uprn[dwelling],
    )


def _date_parts(days: Ints) -> Ints:
    distinct, where = np.unique(days, return_inverse=True)
    offset = EPOCH.toordinal()
    dates = [date.fromordinal(offset + number) for number in distinct.tolist()]
    parts = np.array([(d.year, d.month, d.day) for d in dates], dtype=np.int64).reshape(-1, 3)
    found: Ints = parts[where]
    return found
