"""What families are counted by and that is no need: areas, teams, lengths of engagement.

One source knows each: the council tax in which area a home lies, children's social care which team
has a child and for how long. Areas are as coarse as serves: four of three towns each.
"""

from typing import Final

import numpy as np

from examples.county.model import Texts
from examples.county.sources.base import Make, Rule, Sheet
from examples.county.sources.columns import choice

AREAS: Final = {
    "Coast": ("Eastmere", "Port Sennet", "Stonehythe"),
    "Marsh": ("Marlsham", "Saltergate", "Fenwick Regis"),
    "Downs": ("Cradwell", "Wexcombe", "Upper Quenby"),
    "Forest": ("Hollinghurst", "Little Ardle", "Thornbeck"),
}
TEAMS: Final = {"ASMT": "assessment", "FAMS": "family_support", "CWD": "disabilities"}
LENGTHS: Final = {"0-5": "under_6m", "6-11": "6_to_11m", "12+": "12m_or_more"}
_AREA_OF: Final = {town: area for area, towns in AREAS.items() for town in towns}

area_rules: Final = {f"area_{area.lower()}": Rule("AREA", equals=(area,)) for area in AREAS}
team_rules: Final = {f"team_{team}": Rule("Team", equals=(code,)) for code, team in TEAMS.items()}
length_rules: Final = {
    f"open_{length}": Rule("Months open", equals=(code,)) for code, length in LENGTHS.items()
}
USED_AS: Final = {
    **dict.fromkeys(area_rules, "area"),
    **dict.fromkeys(team_rules, "team"),
    **dict.fromkeys(length_rules, "engagement"),
}
"""What each is in the agreement (``IndicatorItem.used_as``)."""


def area(sheet: Sheet) -> Texts:
    """The area of the address that the record holds; empty where it holds none."""
    towns = sheet.values.town.tolist()
    return np.array([_AREA_OF.get(town, "") for town in towns], dtype=object)


team: Final[Make] = choice(*TEAMS)
months_open: Final[Make] = choice(*LENGTHS)
