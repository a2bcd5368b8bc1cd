"""A person's own copy of the ledger saves work and is trusted in nothing."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.canonical import parse_json, write_time
from governance.cli.copies import replayed
from governance.consent.models import ConsentKind, ConsentState
from governance.identity.files import read_party_secrets
from governance.ledger import replayed as kept_states
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import (
    AlteredEntryError,
    ForkError,
    RollbackError,
    WithheldPayloadError,
)
from governance.ledger.events import Event
from governance.ledger.state import LedgerState
from governance.terminal import Terminal
from tests.governance.cli.test_ledger import invoke, secret_of
from tests.governance.ledger.test_service import Running, post_all, started
from tests.governance.world import KEPT, NOON

SUBJECT = "c" * 32
QUIET = Terminal(quiet=True)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A ledger in which somebody has agreed and taken it back."""
    monkeypatch.setattr(kept_states, "WORTH_EVENTS", 1)
    with started(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as running:
        world = running.world
        world.withdraw(world.council, world.consent(world.council, SUBJECT))
        post_all(running, world.events[1:])
        secret_of(world.council, tmp_path)
        secret_of(world.partners[0], tmp_path)
        yield running


def read(ledger: Running, folder: Path | None, party: str = "council") -> LedgerState:
    """What a party's command makes of the ledger."""
    who = read_party_secrets(ledger.settings.key_file.with_name(f"{party}.secret"))
    return replayed(QUIET, ledger.url, ledger.key, who, folder)[0]


def standing(state: LedgerState) -> ConsentState | None:
    """Where the person's consent stands."""
    found = state.consents.current("council", SUBJECT, ConsentKind.APPROACH)
    return None if found is None else found.state(NOON)


@pytest.fixture
def effort(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Indexes of the entries that are replayed, and those asked of the ledger below nought."""
    seen: list[int] = []
    apply, entries = LedgerState.apply, LedgerClient.entries

    def applied(state: LedgerState, event: Event) -> None:
        seen.append(state.size)
        apply(state, event)

    def asked(client: LedgerClient, start: int, end: int) -> list[Event]:
        seen.extend(-index for index in range(start, end))
        return entries(client, start, end)

    monkeypatch.setattr(LedgerState, "apply", applied)
    monkeypatch.setattr(LedgerClient, "entries", asked)
    return seen


def test_a_file_that_others_could_read_is_its_owners_alone(ledger: Running, tmp_path: Path) -> None:
    """A copy that was there before, or made by another program, keeps no wider permission."""
    (tmp_path / "ledger-copy.db").touch(mode=0o644)
    read(ledger, tmp_path)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("ledger-copy*")} == {0o600}


def test_a_kept_copy_is_for_its_owner_and_only_the_new_is_fetched(
    ledger: Running, tmp_path: Path, effort: list[int]
) -> None:
    """The second command asks for nothing and replays nothing; then for one new entry alone."""
    folder = tmp_path / "own"
    assert standing(read(ledger, folder)) is ConsentState.WITHDRAWN
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    world = ledger.world
    effort.clear()
    assert read(ledger, folder).size == len(world.events)
    assert effort == []
    world.consent(world.council, SUBJECT)
    post_all(ledger, world.events[-1:])
    new = len(world.events) - 1
    effort.clear()
    assert standing(read(ledger, folder)) is ConsentState.GIVEN
    assert [index for index in effort if index >= 0] == [new]
    assert [index for index in effort if index < 0] == [-new]
    assert read(ledger, folder).consents.grants == read(ledger, None).consents.grants


def test_a_copy_of_another_owner_is_replayed(
    ledger: Running, tmp_path: Path, effort: list[int]
) -> None:
    """Its state is nobody else's; its entries are checked like any."""
    folder = tmp_path / "own"
    read(ledger, folder)
    effort.clear()
    assert standing(read(ledger, folder, "police")) is ConsentState.WITHDRAWN
    assert [index for index in effort if index >= 0] == list(range(len(ledger.world.events)))


def hide_withdrawal(folder: Path, _ledger: Running) -> None:
    """Put an older entry in the place of the withdrawal, as if nobody had taken anything back."""
    change(folder, "DELETE FROM mirror_leaf WHERE position = :last")
    change(
        folder,
        "INSERT INTO mirror_leaf SELECT :last, 'x', leaf, salt, payload "
        "FROM mirror_leaf WHERE position = :last - 1",
    )


def forge_nodes(folder: Path, _ledger: Running) -> None:
    """Change the hashes of the tree."""
    change(folder, "UPDATE mirror_node SET hash = zeroblob(32) WHERE number >= 0 AND :last > 0")


def forge_head(folder: Path, _ledger: Running) -> None:
    """Claim another tree."""
    change(folder, "UPDATE mirror_head SET frontier = zeroblob(length(frontier)) WHERE :last > 0")


def older_note(folder: Path, ledger: Running) -> None:
    """Put back what the log signed before the withdrawal."""
    with ledger.client(ledger.world.council) as client:
        note = str(client.checkpoint(len(ledger.world.events) - 1))
    change(folder, "UPDATE mirror_head SET note = :note WHERE :last > 0", note=note)


def hide_record(folder: Path, _ledger: Running) -> None:
    """Take a record's payload away: every hash still fits."""
    change(
        folder,
        "UPDATE mirror_leaf SET salt = NULL, payload = NULL WHERE position = :last - 1",
    )


def change(folder: Path, statement: str, **values: str) -> None:
    """Change the database beneath a copy."""
    database = Database(sqlite_url(folder / "ledger-copy.db"), "mirror")
    with database.writing() as connection:
        size = connection.execute(text("SELECT size FROM mirror_head")).scalar_one()
        connection.execute(text(statement), {"last": size - 1, **values})
    database.close()


@pytest.mark.invariant(5, "a person's own copy, changed on the disk")
@pytest.mark.parametrize("state_left", [True, False])
@pytest.mark.parametrize(
    "forge", [hide_withdrawal, hide_record, forge_nodes, forge_head, older_note]
)
def test_who_changes_a_copy_cannot_change_what_it_says(
    ledger: Running,
    tmp_path: Path,
    forge: Callable[[Path, Running], None],
    state_left: bool,
) -> None:
    """The withdrawal is there, or the command fails; it never says that the consent stands."""
    folder = tmp_path / "own"
    read(ledger, folder)
    forge(folder, ledger)
    if not state_left:
        (folder / "ledger-copy.state").unlink()
    try:
        found = standing(read(ledger, folder))
    except (AlteredEntryError, ForkError, WithheldPayloadError):
        return
    assert found is ConsentState.WITHDRAWN


@pytest.mark.invariant(18, "an erasure, followed by a person's own copy")
def test_a_copy_forgets_what_was_erased(ledger: Running, tmp_path: Path) -> None:
    """Neither the copy nor the state beside it holds the handle; who has no copy reads the same."""
    folder, world, handle = tmp_path / "own", ledger.world, "e" * 32
    then = NOON - KEPT
    said = world.consent(world.council, handle, then, captured=write_time(then), state="refused")
    post_all(ledger, [said])
    read(ledger, folder)
    assert len([path for path in folder.iterdir() if handle.encode() in path.read_bytes()]) == 2
    post_all(ledger, [world.erase(world.council, handle, said, now=NOON)])
    for state in (read(ledger, folder), read(ledger, folder), read(ledger, None)):
        current = state.consents.current("council", handle, ConsentKind.APPROACH)
        assert current is not None
        assert current.state(NOON) is ConsentState.WITHDRAWN
    assert [path for path in folder.iterdir() if handle.encode() in path.read_bytes()] == []


@pytest.mark.invariant(5, "a ledger that is smaller than a person saw it", double="rolls back")
def test_a_ledger_that_shows_less_than_last_time_is_noticed(
    ledger: Running, tmp_path: Path
) -> None:
    """A fresh copy could not know; one's own does."""
    folder = tmp_path / "own"
    read(ledger, folder)
    asked, less = LedgerClient.checkpoint, len(ledger.world.events) - 1
    with pytest.MonkeyPatch.context() as back:
        back.setattr(LedgerClient, "checkpoint", lambda client, *_: asked(client, less))
        with pytest.raises(RollbackError):
            read(ledger, folder)


def test_commands_take_a_copy_and_a_verification_takes_none(
    ledger: Running, tmp_path: Path
) -> None:
    """What a command says is the same with it; to verify is to replay everything."""
    key = tmp_path / "ledger.vkey"
    key.write_text(f"{ledger.key}\n", "ascii")
    words = ("--ledger", ledger.url, "--ledger-key", key, "--as", tmp_path / "council.secret")
    own = ("--copy", tmp_path / "own")
    for command in ("ledger show", "agreement list", "register show"):
        plain = invoke(*command.split(), *words)
        assert plain.exit_code == 0, plain.output
        for _ in range(2):
            kept = invoke(*command.split(), *words, *own)
            assert parse_json(kept.stdout.encode()) == parse_json(plain.stdout.encode())
    assert invoke("ledger", "verify", *words, *own).exit_code == 2
