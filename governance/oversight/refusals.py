"""Refusals by month, partner and reason.

Rules: what counts is the word of who refused, as the ledger has it; declined requests are among
them; a reason is a code, which ``evidence.words`` puts in words.
"""

from governance.canonical import Frozen
from governance.evidence.words import words
from governance.oversight.state import Overseen


class RefusalCount(Frozen):
    """How often a party refused something for a reason in a month.

    Attributes:
        what: type of the entry, or the action that was refused.
        reason: code; ``meaning`` says it in words.
    """

    month: str
    party: str
    what: str
    reason: str
    meaning: str
    count: int


def refusals(
    state: Overseen, party: str | None = None, first: str = "", last: str = "9999-12"
) -> list[RefusalCount]:
    """Refusals, the newest month first, in each the most frequent first.

    Args:
        state: the replay.
        party: of this party only.
        first: first month, for example ``2026-04``.
        last: last month.
    """
    found = [
        RefusalCount(
            month=month, party=who, what=what, reason=reason, meaning=words(reason), count=count
        )
        for (month, who, what, reason), count in state.chronicle.refused.items()
        if first <= month <= last and party in (None, who)
    ]
    found.sort(key=lambda each: (-each.count, each.party, each.reason))
    return sorted(found, key=lambda each: each.month, reverse=True)
