"""Leaving people out one after another, to find out whose choice stands in the way, takes long."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from governance.canonical import write_time
from governance.identity.models import PersonKeys
from governance.release.errors import TooManyChoices
from governance.release.models import Request
from governance.release.registry import RequestRecord
from governance.release.tries import require_few_choices
from tests.governance.world import NOON

KEYS = cast(PersonKeys, SimpleNamespace())


def request(*without: str, hours: float = 0, family: str = "f-1") -> Request:
    """Asked so many hours after noon."""
    created = write_time(NOON + timedelta(hours=hours))
    return cast(Request, SimpleNamespace(family=family, without=without, created=created))


def asked(*requests: Request) -> dict[str, RequestRecord]:
    """What the ledger holds of them."""
    return {str(at): RequestRecord(each, KEYS, "hub") for at, each in enumerate(requests)}


@pytest.mark.invariant(20, "members left out one after another")
def test_two_choices_of_who_is_left_out_are_taken_in_a_day() -> None:
    """Nobody left out is one; the same people again, in any order, are no other choice."""
    logged = asked(request(), request("p-1", "p-2", hours=1))
    for again in (request(hours=2), request("p-2", "p-1", hours=2)):
        require_few_choices(again, "new", logged)
    for other in (request("p-1", hours=2), request("p-3", hours=24), request("p-3", hours=-22)):
        with pytest.raises(TooManyChoices):
            require_few_choices(other, "new", logged)


def test_a_choice_too_many_keeps_nobody_from_the_first_two() -> None:
    """It is in the ledger, refused; whoever asks again as before is answered as before."""
    logged = asked(request(), request("p-1"), request("p-2", hours=1), request("p-3", hours=2))
    for again in (request(hours=3), request("p-1", hours=3)):
        require_few_choices(again, "new", logged)
    with pytest.raises(TooManyChoices):
        require_few_choices(request("p-2", hours=3), "new", logged)


def test_another_family_and_another_day_are_not_counted() -> None:
    """Who asks first on the next day has two choices again."""
    logged = asked(request(), request("p-1"))
    require_few_choices(request("p-2", family="f-2"), "new", logged)
    require_few_choices(request("p-2", hours=24.1), "new", logged)


def test_what_the_ledger_has_later_does_not_count() -> None:
    """Agents answer in any order, and none is refused for what was asked after it."""
    requests = request(), request("p-1"), request("p-2"), request("p-3")
    logged = asked(*requests)
    for at in (0, 1):
        require_few_choices(requests[at], str(at), logged)
    for at in (2, 3):
        with pytest.raises(TooManyChoices):
            require_few_choices(requests[at], str(at), logged)


def test_dating_a_request_back_gives_no_more_choices() -> None:
    """Two dated back to yesterday are today's, by when they were logged; so is one after them."""
    logged = asked(request(hours=-23), request("p-1", hours=-23))
    for record in logged.values():
        record.logged = write_time(NOON)
    for hours in (-22, 2):
        with pytest.raises(TooManyChoices):
            require_few_choices(request("p-2", hours=hours), "new", logged)
    require_few_choices(request("p-2", hours=24.1), "new", logged)


def test_what_was_one_choice_too_many_is_forgotten_the_next_day() -> None:
    """Else whoever goes on asking keeps everybody else out for as long."""
    logged = asked(request(), request("p-1"), request("p-2", hours=23), request("p-3", hours=23))
    require_few_choices(request("p-4", hours=24.1), "new", logged)
