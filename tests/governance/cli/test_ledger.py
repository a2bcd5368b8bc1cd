"""``governance ledger`` against a ledger that runs."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.canonical import b64, canonical_bytes, parse_json
from governance.cli.main import app
from governance.errors import FormatError, GovernanceError
from governance.identity.files import PartySecrets, new_party, write_secret
from governance.identity.models import publish_party_keys
from governance.ledger.database import Database
from governance.ledger.errors import LedgerRefusedError
from governance.ledger.mirror import Mirror
from tests.governance.ledger.test_service import Running, post_all, started
from tests.governance.world import NOON, Party


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Running]:
    """A ledger with a whole world in it that two partners cosigned, and public keys beside it."""
    with started(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as running:
        world, keys = running.world, tmp_path / "keys"
        post_all(running, world.events[1:])
        for party in world.partners[:2]:
            mirror = Mirror(
                Database(f"sqlite:///{tmp_path / party.name}.db", "mirror"), running.key
            )
            with running.client(party) as client:
                mirror.sync(client)
                client.cosign(mirror.cosign(running.witness(party), party.witness, NOON))
            mirror.close()
        keys.mkdir()
        (keys / "ledger.vkey").write_text(f"{running.key}\n", "ascii")
        for party in (world.operator, world.hub, *world.partners):
            published = publish_party_keys(party.keys, party.signing)
            (keys / f"{party.name}.keys.json").write_bytes(canonical_bytes(published))
        yield running


def secret_of(party: Party, folder: Path) -> Path:
    """A party's secret file."""
    secrets = PartySecrets(
        keys=party.keys,
        signing=b64(party.signing.seed),
        witness=b64(party.witness.seed),
        sealing=b64(party.sealing.seed),
    )
    path = folder / f"{party.name}.secret"
    write_secret(path, canonical_bytes(secrets))
    return path


def invoke(*words: object) -> Result:
    """Run ``governance --json`` with these words."""
    return CliRunner().invoke(app, ["--json", *map(str, words)])


def test_the_whole_ledger_is_exported_for_its_owner_and_verified(
    ledger: Running, tmp_path: Path
) -> None:
    """A party that the ledger knows fetches it; public keys are enough to verify the file."""
    secret, out = secret_of(ledger.world.council, tmp_path), tmp_path / "ledger.jsonl.gz"
    words = ("--ledger", ledger.url, "--ledger-key", tmp_path / "keys" / "ledger.vkey")
    done = invoke("ledger", "export", *words, "--as", secret, "--out", out)
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    checked = invoke("verify", out, "--keys", tmp_path / "keys")
    assert checked.exit_code == 0, checked.output
    told = parse_json(checked.stdout.encode())
    assert told["size"] == len(ledger.world.events)
    assert set(told["witnessed"]) == {party.name for party in ledger.world.partners[:2]}
    assert told["inadmissible"] == []


def test_a_party_sees_how_ledger_and_agreements_stand(ledger: Running, tmp_path: Path) -> None:
    """Each command fetches, verifies and replays for itself."""
    secret = secret_of(ledger.world.council, tmp_path)
    words = ("--ledger", ledger.url, "--ledger-key", tmp_path / "keys" / "ledger.vkey")
    told = {}
    for command in ("ledger show", "ledger verify", "agreement list", "register show"):
        done = invoke(*command.split(), *words, "--as", secret)
        assert done.exit_code == 0, done.output
        told[command] = parse_json(done.stdout.encode())
    size = len(ledger.world.events)
    assert told["ledger show"]["size"] == told["ledger verify"]["size"] == size
    assert sum(time is not None for time in told["ledger show"]["witnessed"].values()) == 2
    assert told["ledger verify"]["inadmissible"] == []
    assert len(told["agreement list"]["agreements"]) == 1


@pytest.mark.parametrize("name", ["Police\u202e)ecilop(", "Police\u200b", "Police\n"])
def test_no_name_that_looks_like_another_begins_a_ledger(tmp_path: Path, name: str) -> None:
    """Characters that do not show, or turn text around, in keys that a party made elsewhere."""
    operator, keys = Party("ledger"), Party("police")
    with pytest.raises(FormatError, match="the name of police"):
        new_party("police", name)
    forged = keys.keys.model_copy(update={"name": name})
    file = tmp_path / "police.keys.json"
    file.write_bytes(canonical_bytes(publish_party_keys(forged, keys.signing)))
    home, secret = tmp_path / "ledger", secret_of(operator, tmp_path)
    words = ["--home", home, "--origin", "example.org/x", "--operator", secret, "--party", file]
    refused = invoke("ledger", "init", *words)
    assert isinstance(refused.exception, FormatError)
    assert "the name of police has characters that do not show" in str(refused.exception)
    assert not home.exists()


def test_a_party_that_comes_later_is_admitted_by_the_operator_alone(
    ledger: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the thumbprint that it read out; from then on it reads and signs as the others do."""
    monkeypatch.setattr("governance.cli.admit.utc_now", lambda: NOON)
    later, world = Party("health"), ledger.world
    file, vkey = tmp_path / "health.keys.json", tmp_path / "keys" / "ledger.vkey"
    file.write_bytes(canonical_bytes(publish_party_keys(later.keys, later.signing)))
    words = ("ledger", "admit", file, "--ledger", ledger.url, "--ledger-key", vkey)
    told = ("--thumbprint", later.keys.thumbprint)

    by_operator = (*words, "--operator", secret_of(world.operator, tmp_path))
    swapped = invoke(*by_operator, "--thumbprint", Party("health").keys.thumbprint)
    assert isinstance(swapped.exception, GovernanceError)
    assert swapped.exception.reason == "ledger.other_keys"
    by_another = invoke(*words, "--operator", secret_of(world.council, tmp_path), *told)
    assert isinstance(by_another.exception, LedgerRefusedError)
    assert "operator admits parties" in str(by_another.exception)

    done = invoke(*by_operator, *told)
    assert done.exit_code == 0, done.output
    assert parse_json(done.stdout.encode())["index"] == len(world.events)
    read = ("--ledger", ledger.url, "--ledger-key", vkey, "--as", secret_of(later, tmp_path))
    shown = invoke("ledger", "show", *read)
    assert shown.exit_code == 0, shown.output
    assert parse_json(shown.stdout.encode())["witnessed"]["health"] is None
    with ledger.client(later) as client:
        mirror = Mirror(Database(f"sqlite:///{tmp_path / 'health.db'}", "mirror"), ledger.key)
        mirror.sync(client)
        client.cosign(mirror.cosign(ledger.witness(later), later.witness, NOON))
        mirror.close()

    again = invoke(*by_operator, *told)
    assert isinstance(again.exception, LedgerRefusedError)
    assert "known already" in str(again.exception)


def test_a_stranger_exports_nothing(ledger: Running, tmp_path: Path) -> None:
    """Keys that the ledger does not know are refused, and no file is left."""
    secret, out = secret_of(Party("council"), tmp_path), tmp_path / "ledger.jsonl"
    words = ("--ledger", ledger.url, "--ledger-key", tmp_path / "keys" / "ledger.vkey")
    done = invoke("ledger", "export", *words, "--as", secret, "--out", out)
    assert isinstance(done.exception, LedgerRefusedError)
    assert done.exception.code == "request.signature"
    assert not out.exists()
