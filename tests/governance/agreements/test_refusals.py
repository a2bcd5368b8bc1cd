"""Every refusal of DESIGN 3, by what was tried, with its reason code; none is without a line."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from governance.agreements import errors
from governance.agreements.errors import AgreementRefusal
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import Standing, permits
from governance.agreements.registry import AgreementRegistry
from governance.identity.registry import IdentityRegistry
from tests.governance.world import NOON, Party, agreement_data

PARTIES = [Party("police"), Party("nhs"), Party("council")]
AGREEMENT = Agreement.model_validate(agreement_data(PARTIES))
STANDS: dict[str, Any] = {
    "agreement": AGREEMENT,
    "signed_by": frozenset({"police", "nhs", "council"}),
    "suspended_by": frozenset(),
    "superseded": False,
}
HASHING: dict[str, Any] = {
    "party": "police", "action": Action.ENCODE, "purpose": "find-families", "now": NOON,
    "source": "police_records", "items": ["first_name"], "indicators": ["offence"], "records": 10,
}  # fmt: skip
RELEASING: dict[str, Any] = {
    "party": "council", "action": Action.RELEASE, "purpose": "offer-help", "now": NOON,
    "items": ["first_name"], "recipient": "council",
}  # fmt: skip


def stands(**changes: Any) -> Callable[[], object]:
    """Hashing under an agreement that stands otherwise."""
    return lambda: permits(Standing(**(STANDS | changes)), **HASHING)


def hashing(**changes: Any) -> Callable[[], object]:
    """Hashing otherwise than agreed."""
    return lambda: permits(Standing(**STANDS), **(HASHING | changes))


def releasing(**changes: Any) -> Callable[[], object]:
    """Releasing otherwise than agreed."""
    return lambda: permits(Standing(**STANDS), **(RELEASING | changes))


def _without_refining() -> object:
    return permits(Standing(**STANDS), **(HASHING | {"action": Action.REFINE}))


TRIED: dict[str, tuple[Callable[[], object], str]] = {
    "under no agreement that the ledger holds": (
        lambda: AgreementRegistry(IdentityRegistry()).standing(AGREEMENT.hash), "agreement.unknown",
    ),
    "before the last signature": (
        stands(signed_by=frozenset({"police", "nhs"})), "agreement.unsigned",
    ),
    "before valid_from": (hashing(now=NOON - timedelta(days=30)), "agreement.not_yet_valid"),
    "from expires on": (hashing(now=NOON + timedelta(days=344)), "agreement.expired"),
    "after review_by": (hashing(now=NOON + timedelta(days=161)), "agreement.review_overdue"),
    "while one party suspends": (
        stands(suspended_by=frozenset({"nhs"})), "agreement.suspended",
    ),
    "once a later version is signed by all": (stands(superseded=True), "agreement.superseded"),
    "a party that did not sign it": (hashing(party="dwp"), "agreement.party_not_listed"),
    "for an unlisted purpose": (hashing(purpose="marketing"), "agreement.purpose_not_listed"),
    "for a purpose that leads to no approach": (
        releasing(purpose="find-families"), "agreement.purpose_not_listed",
    ),
    "an action that is not listed": (_without_refining, "agreement.action_not_allowed"),
    "from an unlisted source": (hashing(source="gangs"), "agreement.source_not_listed"),
    "from another party's source": (
        hashing(source="nhs_records"), "agreement.source_not_listed",
    ),
    "a column outside it": (hashing(items=["phone"]), "agreement.item_not_listed"),
    "an indicator outside it": (hashing(indicators=["neet"]), "agreement.item_not_listed"),
    "more rows than agreed": (hashing(records=100_001), "agreement.volume_exceeded"),
    "released: an item that may only be hashed": (
        releasing(items=["date_of_birth"]), "agreement.item_not_releasable",
    ),
    "released: nothing": (releasing(items=[]), "agreement.item_not_releasable"),
    "released: to another organisation": (
        releasing(recipient="police"), "agreement.recipient_not_listed",
    ),
}  # fmt: skip
ELSEWHERE = {
    "agreement.indicator_rule": "tests/partner_agent/submissions/test_indicators.py",
    "agreement.not_witnessed": "tests/partner_agent/test_dishonest_standing.py",
    "agreement.privacy_not_agreed": "tests/governance/privacy/test_registry.py",
    "agreement.privacy_spent": "tests/governance/privacy/test_registry.py",
}
"""Refusals that an agent gives and an agreement alone cannot."""


@pytest.mark.parametrize(
    "tried",
    [
        pytest.param(
            tried,
            marks=pytest.mark.invariant(
                12 if code.endswith(("listed", "exceeded", "allowed", "releasable")) else 13, tried
            ),
        )
        for tried, (_, code) in TRIED.items()
    ],
)
def test_each_refusal_has_its_code(tried: str) -> None:
    """One thing outside the agreement gives exactly that code."""
    act, code = TRIED[tried]
    with pytest.raises(AgreementRefusal) as caught:
        act()
    assert caught.value.reason == code


def test_what_is_agreed_is_permitted() -> None:
    """The table's starting points are not refused themselves."""
    hashing()()
    releasing()()


def test_no_refusal_is_without_a_line() -> None:
    """Every class of refusal stands in the table, or where it is tested is named."""
    codes = {
        found.reason
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, AgreementRefusal)
    }
    assert {code for _, code in TRIED.values()} | ELSEWHERE.keys() == codes - {"agreement"}
