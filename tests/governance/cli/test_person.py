"""What an IG lead is shown before vouching for somebody's passkey."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.canonical import canonical_bytes, parse_json
from governance.cli.main import app
from governance.identity.envelope import parse_model
from governance.identity.models import Role, read_person_keys
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
