"""A run's families with all that a programme's report needs of them, from files or from the hub.

Rule: both ways give the same month of the same run; a test holds them to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from governance.agreements.criteria import Criteria
from governance.agreements.models import IN_PROGRAMME
from linkage_hub.analytics.criteria.judging import Judged, judge
from linkage_hub.analytics.exported import (
    DETAILS,
    FAMILIES,
    MEMBERS,
    NEEDS,
    followed,
    read_details,
    read_families,
    read_homes,
)
from linkage_hub.analytics.held import FamilyColumns, details_of, families_of
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.store.database import HubStoreError
from linkage_hub.store.tables import family_members

States = NDArray[np.int8]
Bools = NDArray[np.bool_]
FILES: Final = (FAMILIES, NEEDS, DETAILS, MEMBERS)
"""Files of a run that a month is read from."""


@dataclass(frozen=True)
class Month:
    """Families of one run, under one catalogue.

    Attributes:
        judged: needs of the catalogue.
        held: state of each indicator that the catalogue names, int8 (f,).
        people: by whom families are followed, as ``read_homes`` has them.
    """

    families: FamilyColumns
    judged: Judged
    held: Mapping[str, States]
    people: pd.DataFrame

    @property
    def criteria(self) -> Criteria:
        """The catalogue."""
        return self.judged.criteria

    def said(self, indicator: str | None) -> States:
        """State of an indicator, int8 (f,); unknown where there is none of that name."""
        found = None if indicator is None else self.held.get(indicator)
        return (
            np.full(len(self.families.family), UNKNOWN, dtype=np.int8) if found is None else found
        )

    @property
    def in_programme(self) -> Bools:
        """Families in the programme, bool (f,)."""
        return self.families.in_programme

    @property
    def left(self) -> Bools:
        """Families that are known not to be in the programme, bool (f,)."""
        return np.asarray(~self.in_programme & (self.said(IN_PROGRAMME) == UNMET))

    @property
    def closed(self) -> Bools:
        """Families that left lately, as the programme's own source says, bool (f,)."""
        closed = None if self.criteria.programme is None else self.criteria.programme.closed
        return np.asarray((self.said(closed) == MET) & ~self.in_programme)


def read_month(folder: Path, criteria: Criteria) -> Month:
    """A run's families from its exported files.

    Raises:
        NotAnExport: one of ``FILES`` is missing, or is not what the hub writes.
    """
    families = read_families(folder, criteria.indicators)
    held = read_details(folder, families, criteria.details)
    return _month(families, held, criteria, read_homes(folder, families))


def month_of(connection: Connection, run: str, criteria: Criteria) -> Month:
    """A run's families as the hub's database has them.

    Raises:
        HubStoreError: the rows of the run do not fit together.
    """
    families = families_of(connection, run, criteria.indicators)
    held = details_of(connection, run, criteria.details, families)
    said = connection.execute(
        select(family_members.c.person, family_members.c.family, family_members.c.is_primary)
        .where(family_members.c.run == run)
        .order_by(family_members.c.family, family_members.c.person)
    ).all()
    person, family, first = zip(*said, strict=True) if said else ((),) * 3
    people = followed(families, person, family, first)
    if people is None:
        raise HubStoreError("members of the run's families do not fit them")
    return _month(families, held, criteria, people)


def _month(
    families: FamilyColumns, held: dict[str, States], criteria: Criteria, people: pd.DataFrame
) -> Month:
    for at, name in enumerate(families.needs):
        held[name] = families.state[:, at]
    return Month(families, judge(criteria, families), held, people)
