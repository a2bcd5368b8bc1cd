"""Whose word a child's approach needs, by the child's age as this partner knows it.

Rules: from the sixteenth birthday the young person's own yes is needed, and a parent's alone does
not do (Family Law Reform Act 1969 s8 takes 16 as the age from which a person decides for themself;
it is about treatment, and followed here); from the eighteenth parental responsibility is over
(Children Act 1989 ss 3 and 105) and nobody is taken for a child (``local.own_rows``). Below sixteen
there is no age: whether a child may decide is assessed by whoever asks (Gillick v West Norfolk and
Wisbech AHA [1986] AC 112), and recorded as the child's own decision or as a parent's. Only this
partner knows the date of birth; the hub's and the other partners' records hold none.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from governance.consent.models import Capacity, ConsentKind
from governance.consent.registry import ConsentRegistry, Erased, Grant
from governance.consent.rules import Approach, covers
from governance.release.models import Member, Order
from partner_agent.releases.errors import OwnWordNeeded
from partner_agent.vault.store import StoredRow

OWN_WORD_YEARS: Final = 16
ADULT_YEARS: Final = 18


@dataclass(frozen=True)
class Milestone:
    """When a parent's consent stops to be enough."""

    grant: str
    source: str
    years: int
    month: str
    """``YYYY-MM``; the day is the person's birthday and stays in the vault."""
    passed: bool


def require_own_word(
    order: Order,
    without: Collection[str],
    rows: Mapping[str, StoredRow],
    consents: ConsentRegistry,
    approach: Approach,
) -> None:
    """Check that nobody of sixteen or more is approached by a parent's word alone.

    Args:
        order: what the hub asks.
        without: members that are left out.
        rows: this partner's rows of the members, by handle.
        consents: by replay.
        approach: what permission is asked for.

    Raises:
        OwnWordNeeded: somebody is.
    """
    today = approach.now.date()
    for member in order.members.members:
        if member.person in without:
            continue
        born = [rows[r.handle].clean.get("date_of_birth", "") for r in member.records
                if r.handle in rows]  # fmt: skip
        if any(is_of(day, OWN_WORD_YEARS, today) for day in born) and not _spoke(
            member, consents, approach
        ):
            raise OwnWordNeeded("a parent's consent alone does not do for somebody of sixteen")


def _spoke(member: Member, consents: ConsentRegistry, approach: Approach) -> bool:
    found = (
        consents.current(record.party, record.handle, ConsentKind.APPROACH)
        for record in member.records
    )
    return any(
        grant.record.capacity is Capacity.SELF and covers(grant, approach)
        for grant in found
        if grant is not None and not isinstance(grant, Erased)
    )


def is_of(date_of_birth: str, years: int, today: date) -> bool:
    """Whether someone born then is so old; False where the date is not known."""
    day = birthday(date_of_birth, years)
    return day is not None and day <= today


def birthday(date_of_birth: str, years: int) -> date | None:
    """The day on which someone reaches an age; 29 February counts from 1 March in other years."""
    try:
        born = date.fromisoformat(date_of_birth)
    except ValueError:
        return None
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def milestones(
    grants: Iterable[Grant], rows: Mapping[bytes, StoredRow], today: date, until: date
) -> tuple[list[Milestone], int]:
    """Parents' consents that stop to be enough until a day, or have, the earliest first.

    Args:
        grants: live consents by parental responsibility.
        rows: of the vault, by handle.
        today: the day.
        until: the last day to look at.

    Returns:
        The milestones, and how many consents are about somebody whose date of birth is not known.
    """
    found: list[tuple[date, Milestone]] = []
    unknown = 0
    for grant in grants:
        row = rows.get(bytes.fromhex(grant.subject))
        born = "" if row is None else row.clean.get("date_of_birth", "")
        reached = [(years, birthday(born, years)) for years in (OWN_WORD_YEARS, ADULT_YEARS)]
        if any(day is None for _, day in reached):
            unknown += 1
        for years, day in reached:
            if day is not None and day <= until:
                month = f"{day:%Y-%m}"
                one = Milestone(grant.id, grant.record.source, years, month, day <= today)
                found.append((day, one))
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].grant))], unknown
