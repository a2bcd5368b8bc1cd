"""A pack about one approach says what happened, proves it, and breaks when a byte is changed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.canonical import canonical_bytes, parse_json
from governance.cli.main import app
from governance.errors import GovernanceError
from governance.evidence import moments
from governance.evidence.errors import (
    KeysMissing,
    NotCounted,
    NotInLedger,
    PackAltered,
    PackDamaged,
    PackIncomplete,
)
from governance.evidence.folder import write_pack
from governance.evidence.models import Evidence
from governance.evidence.pack import (
    assemble,
    build_approach,
    choose,
    compare_whole,
    verify_pack,
)
from governance.identity.envelope import Envelope, parse_canonical
from governance.ledger.errors import NoteSignatureError, QuorumError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import AgreementStopped
from governance.release.errors import MembersChanged
from governance.release.models import Members
from tests.governance.evidence.audit import Auditor
from tests.governance.world import NOON, Party


def released(auditor: Auditor) -> tuple[Envelope, Members]:
    """A family is asked for, approved, released by two partners and helped."""
    members = auditor.family()
    request = auditor.ask(members)
    police, nhs, council = auditor.world.partners
    auditor.answer(request, council)
    auditor.answer(request, police)
    auditor.answer(request, nhs, "release.nothing_captured")
    auditor.outcome(request)
    return request, members


def pack(auditor: Auditor, request: Envelope, members: Members | None) -> Path:
    """The pack, written."""
    files = build_approach(auditor.export(), auditor.keys, request.payload_hash, members)
    folder = auditor.root / "pack"
    write_pack(folder, files)
    return folder


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Auditor, Path]:
    """A pack about a release that kept every rule, among other families' consents."""
    auditor = Auditor(tmp_path_factory.mktemp("told"))
    auditor.world.consent(auditor.world.council, "9" * 32)
    request, members = released(auditor)
    auditor.world.consent(auditor.world.council, "8" * 32)
    return auditor, pack(auditor, request, members)


def evidence_of(folder: Path) -> Evidence:
    """What a pack says."""
    return parse_canonical((folder / "evidence.json").read_bytes(), Evidence)


def test_a_pack_says_who_asked_why_who_approved_and_what_left(
    told: tuple[Auditor, Path],
) -> None:
    """Asker and approver by role and pseudonym, purpose, items by name, counts, outcome."""
    auditor, folder = told
    approach = verify_pack(folder, auditor.keys).approach
    assert (approach.asked.by.role, approach.asked.by.party) == ("service_manager", "council")
    assert (approach.asked.purpose, approach.asked.purpose_in_words) == (
        "offer-help",
        "Offer early help",
    )
    assert approach.decision is not None
    assert approach.decision.by.role == "ig_lead"
    assert approach.decision.by.person != approach.asked.by.person
    assert [(a.party, a.answer, a.records) for a in approach.answers] == [
        ("council", "sealed", 2), ("police", "sealed", 2), ("nhs", "refused", 0),
    ]  # fmt: skip
    assert approach.answers[2].reason == "release.nothing_captured"
    assert [came.outcome for came in approach.outcomes] == ["helped"]
    assert approach.agreement.state_when_asked == "in_force"
    assert {each.party for each in approach.agreement.signed} == {"police", "nhs", "council"}


def test_permissions_are_those_at_the_checkpoint_that_was_used(
    told: tuple[Auditor, Path],
) -> None:
    """Each member's state is shown at the approval and at each answer, with its entry."""
    auditor, folder = told
    approach = evidence_of(folder).approach
    council = next(m for m in approach.moments if (m.what, m.party) == ("answer", "council"))
    assert not any(check.reason for check in council.checks)
    assert [len(member.held) for member in council.members] == [2, 1, 1]
    child = council.members[2].held[0].permissions[0]
    assert (child.state, child.parental_basis) == ("given", "birth_registration")
    event = auditor.world.events[child.entry]
    assert event.leaf.type is EventType.CONSENT_RECORDED
    assert council.size > child.entry


def test_a_pack_holds_nothing_of_other_families(told: tuple[Auditor, Path]) -> None:
    """Entries of other families' consents are not in it, nor their handles."""
    _, folder = told
    whole = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"9" * 32 not in whole
    assert len(list((folder / "entries").iterdir())) == len(evidence_of(folder).entries)


def test_every_file_breaks_when_one_byte_is_changed(told: tuple[Auditor, Path]) -> None:
    """A changed, added or removed byte anywhere in the pack is refused."""
    auditor, folder = told
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        data = path.read_bytes()
        at = (number * 7_919) % len(data)
        path.write_bytes(
            (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], data + b"\n", data[:-1])[
                number % 3
            ]
        )
        with pytest.raises(GovernanceError):
            verify_pack(folder, auditor.keys)
        path.write_bytes(data)
    verify_pack(folder, auditor.keys)


def test_a_missing_or_a_spare_file_is_refused(told: tuple[Auditor, Path]) -> None:
    """The pack is exactly its files."""
    auditor, folder = told
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        away = path.rename(auditor.root / "away")
        with pytest.raises(GovernanceError):
            verify_pack(folder, auditor.keys)
        away.rename(path)
    spare = folder / "note.txt"
    spare.write_text("trust me", "utf-8")
    with pytest.raises(PackDamaged):
        verify_pack(folder, auditor.keys)
    spare.unlink()


def test_wrong_keys_and_too_few_witnesses_are_refused(told: tuple[Auditor, Path]) -> None:
    """Only the auditor's own keys count: another log's, another party's, or one alone do not."""
    auditor, folder = told
    other = Auditor(auditor.root / "other")
    with pytest.raises(NoteSignatureError):
        verify_pack(folder, other.keys)
    mixed = auditor.keys
    with pytest.raises(KeysMissing):
        verify_pack(folder, type(mixed)(mixed.log, mixed.parties | {"nhs": Party("nhs").keys}))
    few = {"nhs": mixed.parties["nhs"]}
    with pytest.raises(QuorumError):
        verify_pack(folder, type(mixed)(mixed.log, few))


@pytest.mark.invariant(2, "evidence that hides a withdrawal", double="withholds")
def test_a_pack_that_leaves_out_a_withdrawal_is_caught_by_the_whole_ledger(
    tmp_path: Path,
) -> None:
    """Left out with its proof, the pack alone still verifies; the whole ledger shows it."""
    auditor = Auditor(tmp_path)
    members = auditor.family()
    request = auditor.ask(members)
    grant = next(
        event for event in auditor.world.events if event.leaf.type is EventType.CONSENT_RECORDED
    )
    auditor.world.withdraw(auditor.world.council, grant)
    hidden = len(auditor.world.events) - 1
    auditor.answer(request, auditor.world.council)
    folder = pack(auditor, request, members)
    honest = evidence_of(folder).approach.moments[-1]
    assert moments.CONSENT in [check.rule for check in honest.checks if check.reason]
    hide(auditor, folder, hidden, members, request)
    lying = verify_pack(folder, auditor.keys)
    assert not any(check.reason for check in lying.approach.moments[-1].checks)
    with pytest.raises(PackIncomplete, match=f"entry {hidden}"):
        compare_whole(folder, auditor.export())


def hide(auditor: Auditor, folder: Path, index: int, members: Members, request: Envelope) -> None:
    """Make the pack anew as somebody would who leaves one entry out."""
    export = auditor.export()
    kept = [
        placed for placed in choose(export, request.payload_hash, members) if placed[0] != index
    ]
    shutil.rmtree(folder)
    write_pack(folder, assemble(export, auditor.keys, request.payload_hash, members, kept))


def _suspend(auditor: Auditor, _request: Envelope) -> None:
    stopped = AgreementStopped(agreement=auditor.world.agreement_hash, reason="review")
    auditor.world.write(auditor.world.partners[0], EventType.AGREEMENT_SUSPENDED, stopped)


WRONGS: dict[str, tuple[Callable[[Auditor, Envelope], None], str]] = {
    "suspended": (_suspend, "agreement.suspended"),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_release_against_the_rules_is_shown_as_one(wrong: str, tmp_path: Path) -> None:
    """What a partner should have refused stands in the pack, with the reason."""
    auditor = Auditor(tmp_path)
    members = auditor.family()
    request = auditor.ask(members)
    does, reason = WRONGS[wrong]
    does(auditor, request)
    auditor.answer(request, auditor.world.council)
    folder = pack(auditor, request, members)
    verify_pack(folder, auditor.keys)
    failed = [c.reason for c in evidence_of(folder).approach.moments[-1].checks if c.reason]
    assert failed == [reason]
    assert "does not agree with the rules" in (folder / "evidence.html").read_text("utf-8")


def erased(auditor: Auditor, handle: str, party: Party, *grants: Event) -> list[Event]:
    """What the ledger holds once records were erased."""
    auditor.world.erase(party, handle, *grants)
    gone = {grant.leaf.id for grant in grants}
    return [
        replace(event, salt=None, payload=None) if event.leaf.id in gone else event
        for event in auditor.world.events
    ]


def consents_of(auditor: Auditor) -> list[Event]:
    """Consent records, oldest first."""
    kind = EventType.CONSENT_RECORDED
    return [event for event in auditor.world.events if event.leaf.type is kind]


def test_a_release_by_a_permission_that_was_erased_since_is_no_wrong(tmp_path: Path) -> None:
    """The pack says that it was erased, on which day and by which entry, in the place of a yes."""
    auditor = Auditor(tmp_path)
    request, members = released(auditor)
    before = pack(auditor, request, members)
    assert b'"erased"' not in (before / "evidence.json").read_bytes()
    shutil.rmtree(before)
    events = erased(auditor, "3" * 32, auditor.world.council, consents_of(auditor)[2])
    files = build_approach(auditor.export(events), auditor.keys, request.payload_hash, members)
    folder = tmp_path / "pack"
    write_pack(folder, files)
    approach = verify_pack(folder, auditor.keys).approach
    compare_whole(folder, auditor.export(events))
    entry = len(events) - 1
    for moment in approach.moments:
        assert not any(check.reason for check in moment.checks)
        unknown = {check.rule: check.erased for check in moment.checks if check.erased}
        assert moments.CONSENT in unknown
        assert {each.entry for each in unknown.values()} == {entry}
        (held,) = moment.members[1].held
        assert ([each.entry for each in held.erased], held.permissions) == ([entry], ())
    page = (folder / "evidence.html").read_text("utf-8")
    assert "does not agree with the rules" not in page
    assert f'erased on 2026-11-29 12:00:00 UTC <span class="proof">[entry {entry}]' in page
    assert "3" * 32 not in b"".join(
        path.read_bytes() for path in (folder / "entries").iterdir()
    ).decode("latin-1")


@pytest.mark.invariant(2, "evidence in which an erasure hides another's refusal", double="lies")
def test_an_erasure_hides_no_refusal_of_somebody_else(tmp_path: Path) -> None:
    """One member's permission was erased; another member had withdrawn: that stays a no."""
    auditor = Auditor(tmp_path)
    members = auditor.family()
    request = auditor.ask(members)
    first, _, _, child = consents_of(auditor)
    auditor.world.withdraw(auditor.world.council, child)
    auditor.answer(request, auditor.world.council)
    events = erased(auditor, "1" * 32, auditor.world.council, first)
    files = build_approach(auditor.export(events), auditor.keys, request.payload_hash, members)
    folder = tmp_path / "pack"
    write_pack(folder, files)
    answer = verify_pack(folder, auditor.keys).approach.moments[-1]
    found = {check.rule: check.reason for check in answer.checks}
    assert found[moments.CONSENT] == "consent.withdrawn"


@pytest.mark.invariant(2, "evidence of a release after the erasure", double="lies")
def test_a_release_after_an_erasure_is_a_wrong(tmp_path: Path) -> None:
    """From its entry on the record counts as withdrawn."""
    auditor = Auditor(tmp_path)
    members = auditor.family()
    request = auditor.ask(members)
    events = erased(auditor, "1" * 32, auditor.world.council, consents_of(auditor)[0])
    auditor.world.events[:] = events
    auditor.answer(request, auditor.world.council)
    approach = evidence_of(pack(auditor, request, members)).approach
    found = [check.reason for check in approach.moments[-1].checks if check.reason]
    assert found == ["consent.withdrawn", "consent.withdrawn"]


@pytest.mark.invariant(2, "a pack that hides what a record says", double="withholds")
def test_a_pack_without_a_payload_that_nobody_erased_is_refused(tmp_path: Path) -> None:
    """Whoever makes a pack takes a refusal's payload out and says nothing."""
    auditor = Auditor(tmp_path)
    request, members = released(auditor)
    folder = pack(auditor, request, members)
    entry = auditor.world.events.index(consents_of(auditor)[0])
    path = folder / f"entries/{entry:07}.json"
    event = parse_json(path.read_bytes()) | {"payload": None, "salt": None}
    path.write_bytes(canonical_bytes(event))
    with pytest.raises(NotCounted, match=f"entry {entry} has no payload"):
        verify_pack(folder, auditor.keys)


def test_a_late_answer_is_shown_as_one(tmp_path: Path) -> None:
    """Items sealed after the request's time stand out."""
    auditor = Auditor(tmp_path)
    members = auditor.family()
    request = auditor.ask(members)
    auditor.answer(request, auditor.world.council, at=NOON + timedelta(hours=13))
    checks = evidence_of(pack(auditor, request, members)).approach.moments[-1].checks
    assert [check.reason for check in checks if check.reason] == ["release.request_expired"]


def test_other_members_than_asked_for_are_refused(tmp_path: Path) -> None:
    """The members of a pack are those whose digest was signed."""
    auditor = Auditor(tmp_path)
    request, members = released(auditor)
    fewer = members.model_copy(update={"members": members.members[:2]})
    with pytest.raises(MembersChanged):
        build_approach(auditor.export(), auditor.keys, request.payload_hash, fewer)


def test_an_unknown_request_is_not_in_the_ledger(tmp_path: Path) -> None:
    """A hash that no request has gives no pack."""
    auditor = Auditor(tmp_path)
    with pytest.raises(NotInLedger):
        build_approach(auditor.export(), auditor.keys, "sha256:" + "0" * 64, None)


def test_an_entry_that_may_not_count_gives_no_pack(tmp_path: Path) -> None:
    """A ledger that accepted what it should not is told of, not told from."""
    auditor = Auditor(tmp_path)
    request, members = released(auditor)
    auditor.world.events.append(
        next(e for e in auditor.world.events if e.leaf.type is EventType.RELEASE_SEALED)
    )
    with pytest.raises(NotCounted):
        build_approach(auditor.export(), auditor.keys, request.payload_hash, members)


def test_the_commands_make_and_check_a_pack(told: tuple[Auditor, Path]) -> None:
    """Approach writes a folder, verify proves it, and --export shows that it is whole."""
    auditor, folder = told
    request = evidence_of(folder).approach.asked.hash
    members = auditor.root / "members.json"
    members.write_bytes((folder / "members.json").read_bytes())
    keys = auditor.keys_folder()
    export = auditor.root / "ledger.jsonl"
    auditor.export()
    out = auditor.root / "by-command"
    run = CliRunner()
    done = run.invoke(
        app,
        ["evidence", "approach", request, "--export", str(export), "--members", str(members),
         "--keys", str(keys), "--out", str(out)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    again = ["evidence", "verify", str(out), "--keys", str(keys), "--export", str(export)]
    assert run.invoke(app, again).exit_code == 0
    assert canonical_bytes(evidence_of(out)) == canonical_bytes(evidence_of(folder))
    (out / "evidence.html").write_text("altered", "utf-8")
    assert isinstance(run.invoke(app, again).exception, PackAltered)


def test_a_pack_is_its_owners_also_in_a_folder_that_was_there(tmp_path: Path) -> None:
    """It tells which handles are one family."""
    folder = tmp_path / "pack"
    folder.mkdir(mode=0o755)
    write_pack(folder, {"evidence.json": b"{}"})
    assert folder.stat().st_mode & 0o777 == 0o700
