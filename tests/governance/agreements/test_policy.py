"""An agreement refuses what it does not list, with the reason that fails first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.agreements import errors
from governance.agreements.files import parse_yaml, read_agreement, write_agreement
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import Standing, permits
from governance.canonical import hash_of
from governance.errors import FormatError
from tests.governance.world import NOON, Party, agreement_data

PARTIES = [Party("police"), Party("nhs"), Party("council")]
AGREEMENT = Agreement.model_validate(agreement_data(PARTIES))
EVERYONE = frozenset({"police", "nhs", "council"})


def standing(**changes: Any) -> Standing:
    """The agreement, signed by all and in force."""
    fields: dict[str, Any] = {
        "agreement": AGREEMENT,
        "signed_by": EVERYONE,
        "suspended_by": frozenset(),
        "superseded": False,
    }
    return Standing(**(fields | changes))


def ask(found: Standing, **changes: Any) -> Agreement:
    """What is permitted unless ``changes`` make it otherwise."""
    arguments: dict[str, Any] = {
        "party": "police",
        "action": Action.ENCODE,
        "purpose": "find-families",
        "now": NOON,
        "source": "police_records",
        "items": ["first_name", "surname"],
        "indicators": ["offence"],
    }
    return permits(found, **(arguments | changes))


def test_what_is_listed_is_permitted() -> None:
    """The ordinary case passes and returns the agreement."""
    assert ask(standing()) == AGREEMENT


@pytest.mark.parametrize(
    ("found", "changes", "refusal"),
    [
        (standing(signed_by=frozenset({"police"})), {}, errors.AgreementUnsigned),
        (standing(suspended_by=frozenset({"nhs"})), {}, errors.AgreementSuspended),
        (standing(superseded=True), {}, errors.AgreementSuperseded),
        (standing(), {"now": NOON - timedelta(days=60)}, errors.AgreementNotYetValid),
        (standing(), {"party": "dwp"}, errors.PartyNotListed),
        (standing(), {"purpose": "marketing"}, errors.PurposeNotListed),
        (standing(), {"source": "nhs_records"}, errors.SourceNotListed),
        (standing(), {"source": None}, errors.SourceNotListed),
        (standing(), {"items": ["first_name", "nino"]}, errors.ItemNotListed),
        (standing(), {"indicators": ["neet"]}, errors.ItemNotListed),
        (standing(), {"records": 100_001}, errors.VolumeExceeded),
    ],
)
@pytest.mark.invariant(13, "an agreement in every other state")
def test_each_rule_refuses_with_its_own_reason(
    found: Standing, changes: dict[str, Any], refusal: type[errors.AgreementRefusal]
) -> None:
    """One thing outside the agreement gives exactly that reason."""
    with pytest.raises(refusal) as caught:
        ask(found, **changes)
    assert type(caught.value) is refusal


@pytest.mark.parametrize(
    ("moment", "refusal"),
    [
        (datetime(2027, 5, 1, 23, 59, 59, tzinfo=UTC), None),
        (datetime(2027, 5, 2, tzinfo=UTC), errors.AgreementReviewOverdue),
        (datetime(2027, 10, 31, 23, 59, 59, tzinfo=UTC), errors.AgreementReviewOverdue),
        (datetime(2027, 11, 1, tzinfo=UTC), errors.AgreementExpired),
        (datetime(2026, 11, 1, tzinfo=UTC), None),
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), errors.AgreementNotYetValid),
    ],
)
def test_days_begin_and_end_at_midnight_utc(
    moment: datetime, refusal: type[errors.AgreementRefusal] | None
) -> None:
    """An agreement that expires at midnight is refused from that second on."""
    if refusal is None:
        ask(standing(), now=moment)
        return
    with pytest.raises(refusal):
        ask(standing(), now=moment)


def test_release_needs_a_purpose_a_recipient_and_releasable_items() -> None:
    """A purpose that leads to no approach, another recipient, or a hashed-only item is refused."""
    release: dict[str, Any] = {
        "action": Action.RELEASE,
        "source": None,
        "indicators": [],
        "recipient": "council",
    }
    ask(standing(), **release, purpose="offer-help", items=["first_name"])
    with pytest.raises(errors.PurposeNotListed):
        ask(standing(), **release, items=["first_name"])
    with pytest.raises(errors.ItemNotReleasable):
        ask(standing(), **release, purpose="offer-help", items=["date_of_birth"])
    with pytest.raises(errors.ItemNotReleasable):
        ask(standing(), **release, purpose="offer-help", items=[])
    other = release | {"recipient": "police"}
    with pytest.raises(errors.RecipientNotListed):
        ask(standing(), **other, purpose="offer-help", items=["first_name"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.from_regex(r"[a-z][a-z_]{1,12}", fullmatch=True), min_size=1, max_size=6))
@pytest.mark.invariant(12, "items outside the agreement")
def test_nothing_outside_the_list_is_ever_permitted(items: list[str]) -> None:
    """For any columns: permitted exactly when all of them are listed for the source."""
    source = AGREEMENT.source("police_records")
    assert source is not None
    if set(items) <= set(source.items):
        ask(standing(), items=items)
    else:
        with pytest.raises(errors.ItemNotListed):
            ask(standing(), items=items)


def test_a_changed_agreement_has_another_hash() -> None:
    """A known hash stays with the agreement that it is of; no changed copy inherits it."""
    before = AGREEMENT.hash
    changed = AGREEMENT.model_copy(update={"version": AGREEMENT.version + 1})
    assert changed.hash == hash_of(changed) != before
    assert AGREEMENT.model_copy() == AGREEMENT
    assert hash_of(AGREEMENT) == AGREEMENT.hash == before
    with pytest.raises(ValidationError):
        AGREEMENT.model_copy(update={"minimum_needs": 0})


def test_yaml_round_trip_keeps_the_hash(tmp_path: Any) -> None:
    """What is written and read again is the agreement that was signed."""
    file = tmp_path / "agreement.yaml"
    file.write_text(write_agreement(AGREEMENT), "utf-8")
    assert read_agreement(file).hash == AGREEMENT.hash


def test_yaml_is_strict(tmp_path: Any) -> None:
    """Duplicate keys, unknown fields and other encodings are refused; dates stay text."""
    assert parse_yaml("day: 2026-11-01") == {"day": "2026-11-01"}
    with pytest.raises(FormatError, match="twice"):
        parse_yaml("a: 1\na: 2\n")
    file = tmp_path / "agreement.yaml"
    file.write_bytes(write_agreement(AGREEMENT).encode("utf-16"))
    with pytest.raises(FormatError, match="UTF-8"):
        read_agreement(file)
    file.write_text(write_agreement(AGREEMENT) + "extra: 1\n", "utf-8")
    with pytest.raises(FormatError, match="extra"):
        read_agreement(file)


def test_another_partys_indicator_is_no_agreement() -> None:
    """A source may not submit an indicator that its party does not own."""
    data = agreement_data(PARTIES)
    data["sources"][1]["indicators"] = ["offence"]
    with pytest.raises(ValueError, match="another party"):
        Agreement.model_validate(data)
