"""What leaves this computer and what stays: for each column, which words say it.

What becomes of a column follows from its role, as the encoder has it (docs/architecture.md). Words
for the columns of the file that is sent are ``sent.NAME``; a test holds the catalogue to
``ARROW_SCHEMA``, so that no column is sent of which the page does not speak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from partner_agent.console.columns import NEED, inputs, roles_of

_OWN_FATE: Final = frozenset(
    {"record_id", "date_of_birth", "day", "month", "year", "opt_out", "opt_out_nhs_number",
     "protected"}
)  # fmt: skip


@dataclass(frozen=True)
class Fate:
    """What becomes of one column.

    Attributes:
        role: of `columns.ROLES`, ``mention``, ``need`` with its ``indicator``, or ``""``.
        fate: the words' key.
    """

    column: str
    role: str
    fate: str
    indicator: str = ""


def fates(data: Mapping[str, Any], columns: Sequence[str]) -> list[Fate]:
    """What becomes of each column of an extract under a mapping; those that are used come first."""
    needs = {
        column: NEED + indicator
        for indicator, rule in data.get("indicators", {}).items()
        for column in inputs(rule)
    }
    roles, mentioned = needs | roles_of(data), frozenset(_mentioned(data))
    found = [_fate(column, roles.get(column, ""), mentioned) for column in columns]
    return sorted(found, key=lambda fate: not fate.role)


def _fate(column: str, role: str, mentioned: frozenset[str]) -> Fate:
    if role.startswith(NEED):
        return Fate(column, "need", "agent.fate.need", role.removeprefix(NEED))
    if role:
        return Fate(column, role, f"agent.fate.{role}" if role in _OWN_FATE else "agent.fate.coded")
    if column in mentioned:
        return Fate(column, "mention", "agent.fate.mention")
    return Fate(column, "", "agent.fate.unused")


def _mentioned(data: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for mention in data.get("mentions", ()):
        for column in mention["columns"].values():
            found += column.values() if isinstance(column, dict) else [column]
    return found
