"""The vault gives handles that stay, and opens rows for its own key only."""

import secrets
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import records, vault_check
from partner_agent.vault.keys import VaultKeyError, VaultKeys, make_key, read_key
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row, Vault, VaultError

DAY = date(2026, 11, 22)
KEY = bytes(range(32))


def row(record_id: str, name: str = "quixwald") -> Row:
    """A row with a name that can be searched for."""
    return Row(record_id, {"surname": name}, {"surname": name.title()}, protected=False)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """An empty vault."""
    return Vault(AgentDatabase(tmp_path / "agent.db"), VaultKeys.derive(KEY))


def test_a_row_comes_back_under_its_handle(vault: Vault) -> None:
    """What was put in is what is opened, with the source's own words."""
    (handle,) = vault.put("housing", [row("A1")], DAY, Occurrences())
    stored = vault.get(handle)
    assert (stored.source_id, stored.clean, stored.source) == (
        "housing",
        {"surname": "quixwald"},
        {"surname": "Quixwald"},
    )
    assert len(handle) == 16


def test_handles_stay_when_an_extract_is_prepared_again(vault: Vault) -> None:
    """The same record ids, repeated ones too, find their handles again; contents are renewed."""
    first = vault.put("housing", [row("A1"), row("A2"), row("A1")], DAY, Occurrences())
    again = vault.put("housing", [row("A1", "new"), row("A2"), row("A1")], DAY, Occurrences())
    assert first == again
    assert len(set(first)) == 3
    assert vault.get(first[0]).clean == {"surname": "new"}
    assert vault.find("housing", "A1") == [first[0], first[2]]
    assert vault.find("schools", "A1") == []
    assert vault.counts() == {"housing": 3}


def test_nothing_stands_in_clear(vault: Vault, tmp_path: Path) -> None:
    """Neither a name nor a record id can be found in the database's files."""
    vault.put("housing", [row("RECORD-77")], DAY, Occurrences())
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"uixwald" not in data
    assert b"RECORD-77" not in data


def test_another_key_or_another_place_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    """A wrong key, and a ciphertext moved to another handle, are refused."""
    one, two = vault.put("housing", [row("A1"), row("A2", "other")], DAY, Occurrences())
    database = AgentDatabase(tmp_path / "agent.db")
    with pytest.raises(VaultKeyError, match="another key"):
        Vault(database, VaultKeys.derive(secrets.token_bytes(32)))
    with database.writing() as connection:
        moved = connection.execute(select(records).where(records.c.handle == two)).one()
        connection.execute(
            update(records)
            .where(records.c.handle == one)
            .values(nonce=moved.nonce, ciphertext=moved.ciphertext)
        )
    with pytest.raises(VaultError):
        vault.get(one)
    with pytest.raises(VaultError):
        vault.get(bytes(16))


def test_a_vault_from_before_the_key_check_is_tried_by_its_rows(
    vault: Vault, tmp_path: Path
) -> None:
    """Where no check value is kept yet, a wrong key is not the one that gets kept."""
    vault.put("housing", [row("A1")], DAY, Occurrences())
    database = AgentDatabase(tmp_path / "agent.db")
    with database.writing() as connection:
        connection.execute(delete(vault_check))
    with pytest.raises(VaultKeyError):
        Vault(database, VaultKeys.derive(secrets.token_bytes(32)))
    Vault(database, VaultKeys.derive(KEY))
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(vault_check)) == 1


def test_a_forgotten_person_has_no_row(vault: Vault) -> None:
    """Forgetting takes every row of a record id in that source, and no other."""
    one, two, other = vault.put("housing", [row("A1"), row("A1"), row("A2")], DAY, Occurrences())
    (elsewhere,) = vault.put("schools", [row("A1")], DAY, Occurrences())
    assert vault.forget("housing", ["A1", "A1", "unknown"]) == 2
    assert vault.has([one, two, other, elsewhere]) == {other, elsewhere}


def test_old_rows_are_destroyed(vault: Vault) -> None:
    """Rows last prepared before the period are gone, later ones stay."""
    (old,) = vault.put("housing", [row("A1")], date(2025, 1, 1), Occurrences())
    (new,) = vault.put("housing", [row("A2")], DAY, Occurrences())
    assert vault.purge(DAY, 365) == 1
    assert vault.has([old, new]) == {new}


def test_keys_live_in_a_file_of_their_own(tmp_path: Path) -> None:
    """The key's file is private and made once; a key of another length is refused."""
    make_key(tmp_path, "file", "council", b"a passphrase")
    assert (tmp_path / "vault.key").stat().st_mode & 0o077 == 0
    keys = read_key(tmp_path, "file", "council", b"a passphrase")
    assert keys == read_key(tmp_path, "file", "council", b"a passphrase")
    assert "rows" not in repr(keys)
    with pytest.raises(VaultKeyError):
        VaultKeys.derive(b"short")
