"""What an IG lead is shown before vouching for somebody, and what comes of it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.canonical import canonical_bytes, parse_json, unb64
from governance.cli.main import app
from governance.identity.envelope import Envelope, open_envelope, parse_model
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role, read_person_keys
from governance.ledger.payloads import PersonEnrolled
from tests.governance.world import Staff
from tests.soft_authenticator import ELIGIBLE, PRESENT, VERIFIED, SoftAuthenticator


@pytest.mark.parametrize(
    ("flags", "copies"), [(0, "cannot be copied"), (ELIGIBLE, "can be copied")]
)
def test_a_lead_sees_the_page_and_whether_copies_can_be_made(
    tmp_path: Path, flags: int, copies: str
) -> None:
    """The page that the passkey signs for is shown, and whether it is synced."""
    run = CliRunner()
    home = ["--party", "council", "--role", "ig_lead", "--home", str(tmp_path / "lead")]
    assert run.invoke(app, ["person", "init", *home]).exit_code == 0
    authenticator = SoftAuthenticator(flags=PRESENT | VERIFIED | flags)
    manager = Staff("council", Role.SERVICE_MANAGER, "d" * 32, authenticator=authenticator)
    keys, enrolment = tmp_path / "person.keys.json", tmp_path / "person.enrolment.json"
    keys.write_bytes(canonical_bytes(manager.published()))
    done = run.invoke(
        app,
        [
            *("person", "countersign", str(keys), "--out", str(enrolment)),
            *("--as", str(tmp_path / "lead" / "person.secret")),
        ],
    )
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stderr.split())
    assert authenticator.origin in shown
    assert copies in shown
    enrolled = parse_model(parse_json(enrolment.read_bytes()), PersonEnrolled)
    assert read_person_keys(enrolled.keys) == manager.keys


def test_leads_of_other_parties_sign_one_upon_the_other(tmp_path: Path) -> None:
    """They are told when it counts; a manager is nobody's to vouch for elsewhere."""
    run = CliRunner()
    for party in ("police", "nhs"):
        home = ["--party", party, "--role", "ig_lead", "--home", str(tmp_path / party)]
        assert run.invoke(app, ["person", "init", *home]).exit_code == 0

    lost = "sha256:" + "7" * 64

    def countersign(file: Path, party: str, out: Path, lost: str | None = lost) -> Result:
        by = ["--as", str(tmp_path / party / "person.secret"), "--out", str(out)]
        by += ["--in-place-of", lost] if lost else []
        return run.invoke(app, ["person", "countersign", str(file), *by])

    lead, manager = (
        Staff("council", role, letter * 32)
        for role, letter in ((Role.IG_LEAD, "e"), (Role.SERVICE_MANAGER, "f"))
    )
    keys, one, both = (tmp_path / name for name in ("keys.json", "one.json", "both.json"))
    keys.write_bytes(canonical_bytes(manager.published()))
    assert countersign(keys, "police", one).exit_code != 0
    keys.write_bytes(canonical_bytes(lead.published()))
    for no_loss in (None, "the last one"):
        assert countersign(keys, "police", one, no_loss).exit_code != 0
    done = countersign(keys, "police", one)
    assert done.exit_code == 0, done.output
    assert "every IG lead that council had is revoked" in " ".join(done.stderr.split())
    assert lost in done.stderr
    assert countersign(one, "nhs", both, "sha256:" + "8" * 64).exit_code != 0
    assert countersign(one, "nhs", both).exit_code == 0
    signed = parse_model(parse_json(both.read_bytes()), PersonEnrolled).enrolment
    known = {}
    for party in ("police", "nhs"):
        envelope = parse_model(
            parse_json((tmp_path / party / "person.keys.json").read_bytes()), Envelope
        )
        own = read_person_keys(envelope)
        known[own.thumbprint] = unb64(own.signing)
    opened, signers = open_envelope(signed, PERSON_ENROLMENT, PersonEnrolment, known.__getitem__)
    assert (opened.keys, set(signers)) == (lead.keys.thumbprint, set(known))
    other = parse_model(parse_json(one.read_bytes()), PersonEnrolled)
    swapped = other.model_copy(update={"keys": manager.published()})
    one.write_bytes(canonical_bytes(swapped))
    assert countersign(one, "nhs", both).exit_code != 0
