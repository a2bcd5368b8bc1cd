"""The groups by which linkage quality is looked at, banded by the agent.

``sex`` and ``age_band`` are the record's own; ``name_origin`` is a band of spelling
(``names.name_band``); a ``mover`` has an address that began, or ended, within twelve months by the
record's own dates. What is not known is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import pandas as pd

from governance.agreements.quality import QualityGroup
from governance.exchange.sentinels import SEXES
from partner_agent.encoding.submission import age_band
from partner_agent.encoding.tokens import cleaned_column, month_number, month_of
from partner_agent.sentinels.names import name_band
from partner_agent.sentinels.people import Person

MOVED_MONTHS: Final = 12
_COLUMNS: Final = ("sex", "date_of_birth", "first_name", "surname", "address_from", "address_to")


def bands_of(frame: pd.DataFrame, groups: Sequence[QualityGroup], on: date) -> list[dict[str, str]]:
    """Values of the wanted groups for each cleaned row, where known.

    Args:
        frame: cleaned columns; one that is absent counts as empty.
        groups: those that the agreement allows.
        on: the day of the extract.
    """
    columns = [cleaned_column(frame, name) for name in _COLUMNS]
    rows = (dict(zip(_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True))
    return [_bands(row, groups, on) for row in rows]


def bands_of_person(person: Person, on: date) -> dict[str, str]:
    """A synthetic person's groups, the same whichever source holds it."""
    found = _bands(person.truth, ("sex", "age_band", "name_origin"), on)
    return found | {"mover": "mover" if person.former != person.home else "stayer"}


def _bands(row: Mapping[str, str], groups: Sequence[QualityGroup], on: date) -> dict[str, str]:
    found: dict[QualityGroup, str | None] = {}
    for group in groups:
        if group == "sex":
            found[group] = row["sex"] if row["sex"] in SEXES else None
        elif group == "age_band":
            found[group] = age_band(row["date_of_birth"], on)
        elif group == "name_origin":
            found[group] = name_band(row["first_name"], row["surname"])
        else:
            found[group] = _mover(row, on)
    return {str(group): value for group, value in found.items() if value is not None}


def _mover(row: Mapping[str, str], on: date) -> str | None:
    months = [month_of(row[name]) for name in ("address_from", "address_to")]
    known = [month for month in months if month is not None]
    if not known:
        return None
    now = month_number(on)
    return "mover" if any(now - MOVED_MONTHS < month <= now for month in known) else "stayer"
