"""Deadlines of data subjects' requests, and what should have been destroyed."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from governance.agreements.models import Agreement
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    LinkRunFinished,
    PersonRevoked,
    Refused,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    RightsClosed,
    RightsOpened,
    SubmissionOutcome,
)
from governance.oversight.agreements import agreements, due
from governance.oversight.public import public_register
from governance.oversight.retention import destroyed, retention
from governance.oversight.rights import rights
from tests.governance.oversight.copied import overseen
from tests.governance.world import NOON, Party, World, agreement_data

HASH = "sha256:" + "0" * 64


def opened(world: World, received: str, due: str) -> str:
    """Somebody asks the police what is held of them; the request's id."""
    payload = RightsOpened(
        agreement=world.agreement_hash, party="police", kind="access", received=received, due=due
    )
    return world.write(world.partners[0], EventType.RIGHTS_OPENED, payload).leaf.id


def test_deadlines_come_first_and_answers_after_them() -> None:
    """Open ones by the day on which they are due; late is late, answered or not."""
    world = World()
    calm = opened(world, "2026-11-20", "2026-12-20")
    urgent = opened(world, "2026-11-01", "2026-12-01")
    done = opened(world, "2026-10-25", "2026-11-25")
    closed = RightsClosed(outcome="done", reason=None)
    answer = NOON + timedelta(days=6)
    world.write(world.partners[0], EventType.RIGHTS_CLOSED, closed, (done,), answer)
    today = (NOON + timedelta(days=13)).date()  # 5 December
    found = rights(overseen(world), today)
    assert [(each.id, each.days_left, each.late, each.outcome) for each in found] == [
        (urgent, -4, True, ""), (calm, 15, False, ""), (done, None, True, "done"),
    ]  # fmt: skip
    assert (found[2].days, found[2].answered) == (34, "2026-11-28")
    assert rights(overseen(world), today, "nhs") == []


def accept(world: World, days: int = 0, number: int = 1) -> None:
    """The hub accepts a file of the police's source."""
    payload = SubmissionOutcome(
        submission=f"{number:032x}", manifest=f"sha256:{number:064x}",
        agreement=world.agreement_hash, party="police", source="police_records", records=10,
        reason=None,
    )  # fmt: skip
    now = NOON + timedelta(days=days)
    world.write(world.hub, EventType.SUBMISSION_ACCEPTED, payload, now=now)


def purge(world: World, days: int, **counts: int) -> None:
    """The hub says what it has destroyed."""
    zero: dict[str, Any] = {"rows": 0, "synthetic_rows": 0, "files": 0}
    payload = RetentionPurged(agreement=world.agreement_hash, party="hub", **{**zero, **counts})
    now = NOON + timedelta(days=days)
    world.write(world.hub, EventType.RETENTION_PURGED, payload, now=now)


@pytest.fixture
def world() -> World:
    """A hub that has a file and the results of a run since 22 November; both may stay a year."""
    return linked()


def linked() -> World:
    """The same."""
    found = World()
    accept(found)
    payload = LinkRunFinished(
        run="1" * 32, agreement=found.agreement_hash, submissions=(HASH,), persons=9, families=3,
        flagged=1, results_sha256=HASH,
    )  # fmt: skip
    found.write(found.hub, EventType.LINK_RUN_FINISHED, payload)
    return found


@pytest.mark.parametrize("analysed", [True, False])
def test_how_many_are_put_forward_is_told_where_the_agreement_names_analysis(
    monkeypatch: pytest.MonkeyPatch, analysed: bool
) -> None:
    """Elsewhere nobody looked, or an earlier program did: neither is published as nought."""

    def terms(parties: list[Party]) -> dict[str, Any]:
        data = agreement_data(parties)
        return data if analysed else data | {"actions": ["encode", "submit", "link", "release"]}

    monkeypatch.setattr("tests.governance.world.agreement_data", terms)
    world = linked()
    later = NOON + timedelta(days=60)
    note = Refused(party="hub", action="prepare", reason="agreement.item", about=None)
    world.write(world.hub, EventType.REFUSED, note, now=later)
    (figures,) = public_register(overseen(world), later).figures
    assert figures.families is not None
    assert (figures.considered is not None) == analysed


def overdue(world: World, days: int) -> dict[str, str]:
    """What is overdue so many days later, since when."""
    lines = retention(overseen(world), NOON + timedelta(days=days))
    return {line.what: line.overdue_since for line in lines}


def test_what_nobody_destroyed_is_overdue_a_day_later(world: World) -> None:
    """Until the period and the day of grace are over nothing is; then until somebody says so."""
    assert overdue(world, 365) == {"files": "", "runs": ""}
    assert overdue(world, 367) == {"files": "2027-11-22", "runs": "2027-11-22"}
    purge(world, 366, files=1, rows=10)
    assert overdue(world, 367) == {"files": "", "runs": "2027-11-22"}
    purge(world, 368, runs=1)
    assert overdue(world, 400) == {"files": "", "runs": ""}
    found = destroyed(overseen(world))
    assert [each.counts for each in found] == [{"runs": 1}, {"files": 1, "rows": 10}]


def test_a_word_from_before_something_was_due_is_no_word_about_it(world: World) -> None:
    """What was destroyed earlier was something else."""
    purge(world, 300, files=1, runs=1)
    assert overdue(world, 367) == {"files": "2027-11-22", "runs": "2027-11-22"}


def agree(world: World, **changes: Any) -> Agreement:
    """Another agreement, or another version, is signed by all."""
    data = world.agreement.model_dump(mode="json") | changes
    return propose(world, Agreement.model_validate(data), world.partners)


def propose(world: World, agreement: Agreement, signed: Collection[Party]) -> Agreement:
    """An agreement is proposed, and signed by some."""
    before, world.agreement = world.agreement, agreement
    world.write(world.council, EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=agreement))
    for party in signed:
        world.sign_agreement(party)
    if len(signed) < len(world.partners):
        world.agreement = before
    return agreement


def refuse_a_request(world: World) -> None:
    """The police answer a request: they refuse it."""
    members = world.members(("1", True, [(world.partners[0], "1" * 32)]))
    request = world.request(members)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    refusal = ReleaseRefused(request=request.payload_hash, party="police", reason="release.local")
    world.write(world.partners[0], EventType.RELEASE_REFUSED, refusal)


@pytest.mark.parametrize("id_", ["county-families", "another-agreement"])
def test_what_went_by_a_shorter_period_is_not_overdue_for_ever(id_: str) -> None:
    """An agent destroys all its answers by the agreement that it works under, and says so once."""
    world = World()
    refuse_a_request(world)
    assert overdue(world, 32) == {"releases": "2026-12-22"}
    old = world.agreement
    retention = old.retention.model_dump() | {"released_items_days": 7}
    later = {"version": 2, "supersedes": old.hash} if id_ == old.id else {"id": id_}
    agree(world, retention=retention, **later)
    payload = RetentionPurged(
        agreement=world.agreement_hash, party="police", rows=0, synthetic_rows=0, files=0,
        releases=1,
    )  # fmt: skip
    police, then = world.partners[0], NOON + timedelta(days=8)
    world.write(police, EventType.RETENTION_PURGED, payload, now=then)
    assert overdue(world, 400) == {"releases": ""}


def test_a_longer_period_of_a_newer_version_is_the_one_that_an_agent_keeps_to() -> None:
    """What the agent rightly holds is not called overdue."""
    world = World()
    refuse_a_request(world)
    old = world.agreement
    retention = old.retention.model_dump() | {"released_items_days": 90}
    agree(world, version=2, supersedes=old.hash, retention=retention)
    assert overdue(world, 60) == {"releases": ""}
    assert overdue(world, 92) == {"releases": "2027-02-20"}


def test_some_partners_alone_move_nobodys_period() -> None:
    """A later version of the same name that leaves one of them out has replaced nothing."""
    world = World()
    refuse_a_request(world)
    old, others = world.agreement, [world.council, world.partners[1]]
    data = agreement_data(others)
    retention = data["retention"] | {"released_items_days": 3650}
    world.partners = others
    agree(world, **data | {"version": 9, "supersedes": old.hash, "retention": retention})
    assert overdue(world, 60) == {"releases": "2026-12-22"}


def test_the_hubs_word_under_one_agreement_is_none_under_another(world: World) -> None:
    """Its files and results go by the agreement under which they were made."""
    old = world.agreement
    agree(world, version=2, supersedes=old.hash)
    accept(world, 1, number=2)
    purge(world, 368, files=1, runs=1)
    found = [each for each in retention(overseen(world), NOON + timedelta(days=370))
             if each.version == old.version]  # fmt: skip
    assert {each.overdue_since for each in found} == {"2027-11-22"}


def test_a_replaced_file_is_due_no_more(world: World) -> None:
    """The newest file of a source counts: the one before went when it came."""
    accept(world, 100, number=2)
    assert overdue(world, 367)["files"] == ""
    (files,) = [
        line
        for line in retention(overseen(world), NOON + timedelta(days=367))
        if line.what == "files"
    ]
    assert (files.party, files.next) == ("hub", "2028-03-01")


def test_what_is_due_is_one_list_with_what_is_late_at_its_top(world: World) -> None:
    """A request of a data subject, the agreement's review, and what should be destroyed."""
    opened(world, "2026-11-20", "2026-12-20")
    soon = due(overseen(world), NOON)
    assert [(each.by, each.late, each.who) for each in soon] == [
        ("2026-12-20", False, ("police",)),
    ]
    spring = due(overseen(world), NOON + timedelta(days=130))  # 1 April 2027
    assert [(each.by, each.late) for each in spring] == [
        ("2026-12-20", True), ("2027-05-01", False),
    ]  # fmt: skip
    assert (spring[1].kind, spring[1].detail) == ("agree", "review_due")
    ended = due(overseen(world), NOON + timedelta(days=400))
    assert {each.who for each in ended if each.late} == {
        ("police",), ("hub",), ("police", "nhs", "council"),
    }  # fmt: skip
    (line,) = agreements(overseen(world), NOON)
    assert (line.state.value, line.permits, line.missing) == ("in_force", True, ())


def test_partners_are_told_of_a_party_that_has_lost_every_lead(world: World) -> None:
    """As long as it has none; those of its agreements can vouch for one, itself cannot."""
    assert due(overseen(world), NOON) == []
    revoked = PersonRevoked(keys=world.lead.keys.thumbprint, reason="lost_key")
    world.write(world.council, EventType.PERSON_REVOKED, revoked)
    (vouch,) = due(overseen(world), NOON)
    assert (vouch.kind, vouch.name, vouch.by, vouch.late) == ("vouch", "council", "", False)
    assert (vouch.who, vouch.about) == (("nhs", "police"), world.lead.keys.thumbprint)


def test_who_can_do_something_is_asked_and_nothing_is_late_before_its_day() -> None:
    """Partners decide; who has not signed signs, by the first day; what gave way asks nobody."""
    world = World()
    members = world.members(("1", True, [(world.partners[0], "1" * 32)]))
    request = Requested(request=world.request(members))
    world.write(world.hub, EventType.RELEASE_REQUESTED, request)
    old = world.agreement
    new = Agreement.model_validate(
        old.model_dump(mode="json")
        | {"version": 2, "supersedes": old.hash, "valid_from": "2026-12-01"}
    )
    propose(world, new, world.partners[:1])
    decide, sign = due(overseen(world), NOON)
    assert (decide.kind, decide.who) == ("decide", ("police", "nhs", "council"))
    assert (sign.who, sign.by, sign.late) == (("nhs", "council"), "2026-12-01", False)
    (late,) = due(overseen(world), NOON + timedelta(days=10))
    assert (late.detail, late.late) == ("review", True)
    world.agreement = new
    for party in world.partners[1:]:
        world.sign_agreement(party)
    overdue_since = [
        (each.name, each.by, each.late, each.who)
        for each in due(overseen(world), NOON + timedelta(days=400))
    ]
    everyone = ("police", "nhs", "council")
    assert overdue_since == [("county-families 2", "2027-11-01", True, everyone)]
