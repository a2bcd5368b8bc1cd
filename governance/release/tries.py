"""How often a request may leave other people of a family out.

Whoever asks for a family and leaves one member out after another learns whose choice stands in the
way. Rule: requests about one family within a day of each other leave out no more than
``CHOICES_MOST`` different groups of people, the empty one among them, whoever asks: those that the
ledger has first. It is asked before anybody's permission is looked at, so the answer says nothing
of permissions; hub and agents judge by the ledger alike, and a request counts that was refused or
declined, unless it was one choice too many itself. In the ledger a family is what the hub calls it:
what a hub gains by calling it otherwise, each agent bounds by what orders name
(``partner_agent/releases/choices.py``). Those of before count from when they were
logged, where that is later than they say: else whoever dates a request back to the day before has
two more today. It makes finding out slow and plain to see in the ledger, not impossible: the first
that is left out may be the one.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from governance.canonical import parse_time
from governance.release.errors import TooManyChoices
from governance.release.models import Request
from governance.release.registry import RequestRecord

CHOICES_MOST: Final = 2
WITHIN: Final = timedelta(days=1)


def require_few_choices(
    request: Request, request_hash: str, logged: Mapping[str, RequestRecord]
) -> None:
    """Check a request against those that the ledger has from before it.

    Args:
        request: asked now.
        request_hash: of its exact bytes; itself and what follows it in the ledger do not count.
        logged: every request of the ledger by that hash, in its order.

    Raises:
        TooManyChoices: it would be one choice more than are taken.
    """
    taken: list[tuple[datetime, frozenset[str]]] = []
    for hash_, record in logged.items():
        if hash_ == request_hash:
            break
        if record.request.family == request.family:
            asked = parse_time(max(record.request.created, record.logged))
            choice = frozenset(record.request.without)
            if is_among_few(asked, choice, taken):
                taken.append((asked, choice))
    if not is_among_few(parse_time(request.created), frozenset(request.without), taken):
        raise TooManyChoices(
            "people of this family were left out in other ways today",
            next_step="ask again tomorrow; who it was is not for you to find out",
        )


def is_among_few(
    asked: datetime, choice: Hashable, taken: Iterable[tuple[datetime, Hashable]]
) -> bool:
    """Whether a choice is one of the few of its day, beside those that were taken before."""
    near = {other for when, other in taken if abs(when - asked) <= WITHIN}
    return choice in near or len(near) < CHOICES_MOST
