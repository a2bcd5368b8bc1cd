"""A pack about a period holds all of it, proves it, and nothing can be left out."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.canonical import sha256, unb64
from governance.cli.main import app
from governance.errors import FormatError, GovernanceError
from governance.evidence.errors import PackAltered, PackDamaged
from governance.evidence.period_models import PeriodEvidence
from governance.evidence.period_pack import Kept, build_period, verify_period
from governance.evidence.stream import Days
from governance.identity.envelope import parse_canonical
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementStopped,
    Decided,
    LinkRunFinished,
    Refused,
    Requested,
    RetentionPurged,
    RightsOpened,
    SubmissionOutcome,
)
from tests.governance.evidence.audit import HASH, Auditor
from tests.governance.world import NOON

DAY = timedelta(days=1)
DAYS = Days.of("2026-11-22", "2026-11-24")


def fill(auditor: Auditor) -> None:
    """A few days of a county: releases, refusals, runs, deletions, a suspension."""
    world, agreement = auditor.world, auditor.world.agreement_hash
    police, nhs, council = world.partners
    members = auditor.family()
    request = auditor.ask(members)
    auditor.answer(request, council)
    auditor.answer(request, nhs, "consent.withdrawn")
    auditor.outcome(request)
    later = world.request(members, items=["address"])
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=later))
    declined = world.approval(later, decision="decline", reason="not-proportionate")
    world.write(world.hub, EventType.RELEASE_DECLINED, Decided(approval=declined))
    for reason in (None, "submission.quota"):
        outcome = SubmissionOutcome(
            submission=("1" if reason else "2") * 32, manifest=sha256(repr(reason).encode()),
            agreement=agreement, party="police", source="police_records", records=90, reason=reason,
        )  # fmt: skip
        kind = EventType.SUBMISSION_REFUSED if reason else EventType.SUBMISSION_ACCEPTED
        world.write(world.hub, kind, outcome, now=NOON + DAY)
    run = LinkRunFinished(
        run="5" * 32, agreement=agreement, submissions=(HASH,), persons=80, families=30, flagged=4,
        results_sha256=HASH,
    )  # fmt: skip
    world.write(world.hub, EventType.LINK_RUN_FINISHED, run, now=NOON + DAY)
    refused = Refused(party="nhs", action="refinement", reason="refinement.budget", about=HASH)
    world.write(nhs, EventType.REFUSED, refused, now=NOON + DAY)
    purged = RetentionPurged(agreement=agreement, party="police", rows=7, synthetic_rows=1, files=2)
    world.write(police, EventType.RETENTION_PURGED, purged, now=NOON + 2 * DAY)
    opened = RightsOpened(
        agreement=agreement, party="nhs", kind="objection", received="2026-11-22", due="2026-12-22"
    )
    world.write(nhs, EventType.RIGHTS_OPENED, opened, now=NOON + DAY)
    stopped = AgreementStopped(agreement=agreement, reason="dpia-review")
    world.write(police, EventType.AGREEMENT_SUSPENDED, stopped, now=NOON + 2 * DAY)
    world.write(police, EventType.AGREEMENT_RESUMED, stopped, now=NOON + 5 * DAY)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Auditor, Path]:
    """A pack about three days."""
    auditor = Auditor(tmp_path_factory.mktemp("period"))
    fill(auditor)
    folder = auditor.root / "pack"
    build_period(auditor.export(), auditor.keys, DAYS, folder)
    return auditor, folder


def test_a_period_is_told_whole(told: tuple[Auditor, Path]) -> None:
    """Approaches, refusals with reasons, agreement, submissions, runs, deletions, rights."""
    auditor, folder = told
    period = verify_period(folder, auditor.keys).period
    assert [(a.decision, a.outcome) for a in period.approaches] == [
        ("approve", "helped"), ("decline", ""),
    ]  # fmt: skip
    assert period.reasons == {
        "consent.withdrawn": 1, "not-proportionate": 1, "submission.quota": 1,
        "refinement.budget": 1,
    }  # fmt: skip
    (agreement,) = period.agreements
    assert (agreement.at_start, agreement.at_end) == (None, "suspended")
    assert [change.what for change in period.changes if change.party == "police"] == [
        "signed", "suspended",
    ]  # fmt: skip
    (sent,) = period.submissions
    assert (sent.accepted, sent.refused, sent.records) == (1, 1, 90)
    assert [run.families for run in period.runs] == [30]
    assert [each.counts for each in period.destroyed] == [
        {"rows": 7, "synthetic_rows": 1, "files": 2}
    ]
    assert [(each.kind, each.state, each.overdue) for each in period.rights] == [
        ("objection", "open", False)
    ]
    assert period.consents["consent.recorded"] == {"council": 3, "police": 1}


def test_another_period_tells_other_things(told: tuple[Auditor, Path], tmp_path: Path) -> None:
    """What lies outside is not told, and standings are those of the days asked for."""
    auditor, _ = told
    days = Days.of("2026-11-25", "2026-11-30")
    period = build_period(auditor.export(), auditor.keys, days, tmp_path / "later").period
    (agreement,) = period.agreements
    assert (agreement.at_start, agreement.at_end) == ("suspended", "in_force")
    assert (period.approaches, period.refusals, period.submissions) == ((), (), ())
    assert [change.what for change in period.changes] == ["resumed"]


def test_a_pack_about_a_period_holds_no_consent(told: tuple[Auditor, Path]) -> None:
    """Nobody's handle or decision is in it."""
    _, folder = told
    kept = [
        parse_canonical(line, Kept) for line in (folder / "entries.jsonl").read_bytes().splitlines()
    ]
    payloads = b"".join(unb64(each.payload) for each in kept)
    for handle in (b"3" * 32, b"4" * 32):
        assert handle not in payloads
        assert handle not in (folder / "evidence.json").read_bytes()


@pytest.mark.invariant(23, "a pack that leaves out a refusal", double="withholds")
@pytest.mark.parametrize("kind", ["release.refused", "agreement.suspended", "release.declined"])
def test_no_refusal_can_be_left_out(told: tuple[Auditor, Path], kind: str, tmp_path: Path) -> None:
    """Without its payload, without its leaf, or under another type: each time it is noticed."""
    auditor, folder = told
    kinds = [event.leaf.type.value for event in auditor.world.events]
    at = kinds.index(kind)
    copy = tmp_path / "copy"
    leaves = (folder / "leaves.jsonl").read_bytes().splitlines(keepends=True)
    entries = (folder / "entries.jsonl").read_bytes().splitlines(keepends=True)
    kept = [line for line in entries if f'"index":{at},' not in line.decode()]
    assert len(kept) == len(entries) - 1
    disguised = leaves[at].replace(kind.encode(), b"consent.recorded")
    for new_leaves, new_entries in (
        (leaves, kept),
        ([*leaves[:at], *leaves[at + 1 :]], kept),
        ([*leaves[:at], disguised, *leaves[at + 1 :]], kept),
    ):
        shutil.copytree(folder, copy)
        (copy / "leaves.jsonl").write_bytes(b"".join(new_leaves))
        (copy / "entries.jsonl").write_bytes(b"".join(new_entries))
        with pytest.raises((PackAltered, PackDamaged)):
            verify_period(copy, auditor.keys)
        shutil.rmtree(copy)


def test_every_file_breaks_when_one_byte_is_changed(told: tuple[Auditor, Path]) -> None:
    """A changed, added or removed byte in each of the five files is refused."""
    auditor, folder = told
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for at in (len(data) // 3, len(data) - 2):
            for wrong in (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], data[:at]):
                path.write_bytes(wrong)
                with pytest.raises(GovernanceError):
                    verify_period(folder, auditor.keys)
        path.write_bytes(data + b"\n")
        with pytest.raises(GovernanceError):
            verify_period(folder, auditor.keys)
        path.write_bytes(data)
    verify_period(folder, auditor.keys)


def test_a_partner_that_did_not_sign_is_shown(told: tuple[Auditor, Path], tmp_path: Path) -> None:
    """Who lags behind, and who has not signed the ledger of the pack at all."""
    auditor, _ = told
    police, nhs, _ = auditor.world.partners
    export = auditor.export(witnesses=[police, nhs], name="two.jsonl")
    evidence = build_period(export, auditor.keys, DAYS, tmp_path / "two")
    seen = {each.party: each.hours_behind for each in evidence.witnesses}
    assert seen == {"police": 0, "nhs": 0, "council": None}
    assert "has not signed it" in (tmp_path / "two" / "evidence.html").read_text("utf-8")


def test_the_commands_make_and_check_a_period(told: tuple[Auditor, Path]) -> None:
    """Period writes a folder and verify proves it, both kinds by one command."""
    auditor, _ = told
    run, out = CliRunner(), auditor.root / "by-command"
    auditor.export()
    keys = ["--keys", str(auditor.keys_folder())]
    made = run.invoke(
        app,
        ["evidence", "period", "--from", "2026-11-22", "--to", "2026-11-24", *keys,
         "--export", str(auditor.root / "ledger.jsonl"), "--out", str(out)],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "a member had withdrawn" in made.output
    assert run.invoke(app, ["evidence", "verify", str(out), *keys]).exit_code == 0
    parse_canonical((out / "evidence.json").read_bytes(), PeriodEvidence)


@pytest.mark.parametrize(("first", "last"), [("2026-11-24", "2026-11-22"), ("April", "May")])
def test_days_are_days_in_order(first: str, last: str) -> None:
    """A period that ends before it begins, or is no date, is refused."""
    with pytest.raises(FormatError):
        Days.of(first, last)
