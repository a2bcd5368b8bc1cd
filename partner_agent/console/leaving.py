"""What leaves this computer and what stays: for each use of a column, which words say it.

What becomes of a column follows from its role, as the encoder has it (docs/architecture.md), and
from the groups that the agreement measures quality by (``sentinels/bands.py``): some columns leave
in another form, and sex as it is. Words for the columns of the file that is sent are ``sent.NAME``;
a test holds the catalogue to ``ARROW_SCHEMA``, so that no column is sent of which the page does not
speak.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from partner_agent.console.columns import NEED, uses

_OWN_FATE: Final = frozenset(
    {"record_id", "date_of_birth", "day", "month", "year", "address_from", "address_to", "opt_out",
     "opt_out_nhs_number", "protected", "mention"}
)  # fmt: skip
_GROUPED: Final = {
    "sex": "sex",
    "first_name": "name_origin",
    "surname": "name_origin",
    "full_name": "name_origin",
    "address_from": "mover",
    "address_to": "mover",
}
"""The group that is told from a role, where the agreement has it."""


@dataclass(frozen=True)
class Fate:
    """What becomes of one column in one use.

    Attributes:
        role: of `columns.ROLES`, ``mention``, ``need`` with its ``indicator``, or ``""``.
        fate: the words' key.
    """

    column: str
    role: str
    fate: str
    indicator: str = ""


def fates(
    data: Mapping[str, Any], columns: Sequence[str], groups: Collection[str] = ()
) -> list[Fate]:
    """What becomes of each column of an extract under a mapping; those that are used come first.

    Args:
        data: the mapping as plain data.
        columns: of the extract.
        groups: by which the agreement measures quality (agreement: quality.groups).
    """
    used: dict[str, list[str]] = {}
    for column, role in uses(data):
        used.setdefault(column, []).append(role)
    found = [
        _fate(column, role, groups)
        for column in columns
        for role in dict.fromkeys(used.get(column, [""]))
    ]
    return sorted(found, key=lambda fate: not fate.role)


def _fate(column: str, role: str, groups: Collection[str]) -> Fate:
    if not role:
        return Fate(column, "", "agent.fate.unused")
    if role.startswith(NEED):
        return Fate(column, "need", "agent.fate.need", role.removeprefix(NEED))
    if (group := _GROUPED.get(role)) in groups:
        return Fate(column, role, f"agent.fate.grouped.{group}")
    return Fate(column, role, f"agent.fate.{role}" if role in _OWN_FATE else "agent.fate.coded")
