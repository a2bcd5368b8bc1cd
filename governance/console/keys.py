"""The keys of the console and of its accounts, at rest.

Rules: the console's own secret and each account's Ed25519 key are secret files of their own
(``identity/files.py``), encrypted under the console's passphrase; an account's key is made when it
is first needed, signs HTTP requests, and goes into the account's key documents until one of them is
revoked, since the ledger takes revoked keys never again: then there is another; a key document is
kept only when it is of this account, party, role and newest key, signed by each of its own keys; of
a sealing key the console has what only its owner can unwrap.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, insert, select

from governance.canonical import Slug, b64, canonical_bytes, parse_json, write_time
from governance.console.accounts import Account
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, parse_model
from governance.identity.files import SecretFileError, read_secret, write_secret
from governance.identity.keys import SigningKey
from governance.identity.models import PersonKeys, read_person_keys
from governance.identity.wrapped import WrappedKey

OWN: Final = "console.secret"
_FOLDER: Final = "keys"


class KeyDocument(NamedTuple):
    """A key document of an account.

    Attributes:
        envelope: as it is signed, for an IG lead to countersign.
        keys: what it says.
        wrapped: its sealing key, for its owner's browser; None for keys made elsewhere.
    """

    envelope: Envelope
    keys: PersonKeys
    wrapped: WrappedKey | None


class KeyRing:
    """Keys by account.

    Args:
        home: the console's folder.
        passphrase: opens them; None where they are not encrypted.
        party: whose staff this is.
        database: keeps key documents.
        now: the clock.
    """

    def __init__(
        self,
        home: Path,
        passphrase: bytes | None,
        party: Slug,
        database: ConsoleDatabase,
        now: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._passphrase = passphrase
        self._party = party
        self._database = database
        self._now = now
        self._opened: dict[Path, SigningKey] = {}  # opening one takes a good part of a second
        self._lock = threading.Lock()

    def own(self) -> SigningKey:
        """The console's own secret; the ledger does not know it.

        Raises:
            SecretFileError: missing, exposed, or closed by another passphrase.
        """
        return SigningKey(read_secret(self._home / OWN, self._passphrase))

    def signing(self, account: Account) -> SigningKey:
        """An account's newest key, which goes into its next key document.

        Raises:
            SecretFileError: exposed, or closed by another passphrase.
        """
        with self._lock:
            return self._key(self._files(account)[-1])

    def signing_of(self, account: Account, keys: PersonKeys) -> SigningKey:
        """The key of a key document of an account.

        Raises:
            SecretFileError: as above, or it is not here.
        """
        with self._lock:
            for path in reversed(self._files(account)):
                if b64((key := self._key(path)).public) == keys.signing:
                    return key
        raise SecretFileError("the key of this key document is not in this console's folder")

    def renew(self, account: Account) -> SigningKey:
        """Make another key for an account, whose newest was revoked.

        Raises:
            SecretFileError: it cannot be written.
        """
        with self._lock:
            return self._key(self._make(account, len(self._files(account)) + 1))

    def add(self, account: Account, envelope: Envelope, wrapped: WrappedKey | None) -> PersonKeys:
        """Keep a new key document of an account.

        Raises:
            FormatError: not a key document.
            SignatureError: not of this account, or not signed by each of its own keys.
        """
        keys = read_person_keys(envelope)
        expected = (account.id, self._party, account.role, b64(self.signing(account).public))
        if (keys.person, keys.party, keys.role, keys.signing) != expected:
            raise SignatureError("this key document is not of the account that is signed in")
        if wrapped is not None and wrapped.public != keys.sealing:
            raise SignatureError("the wrapped key is not the sealing key of this document")
        with self._database.writing() as connection:
            connection.execute(
                insert(tables.key_document).values(
                    thumbprint=keys.thumbprint,
                    account=account.id,
                    document=canonical_bytes(envelope).decode(),
                    wrapped=None if wrapped is None else canonical_bytes(wrapped).decode(),
                    created=write_time(self._now()),
                )
            )
        return keys

    def documents(self, account: Account) -> list[KeyDocument]:
        """The key documents of an account, newest first."""
        table = tables.key_document
        return self._read(select(table).where(table.c.account == account.id))

    def every_document(self) -> list[KeyDocument]:
        """The key documents of all accounts, newest first."""
        return self._read(select(tables.key_document))

    def _read(self, statement: Select[Any]) -> list[KeyDocument]:
        table = tables.key_document
        ordered = statement.order_by(table.c.created.desc(), table.c.thumbprint)
        with self._database.reading() as connection:
            rows = connection.execute(ordered).mappings().all()
        return [_document(row["document"], row["wrapped"]) for row in rows]

    def _files(self, account: Account) -> list[Path]:
        """The files of an account's keys, the newest last; at least one."""
        found = list((self._home / _FOLDER).glob(f"{account.id}.*.secret"))
        if not found:
            return [self._make(account, 1)]
        return sorted(found, key=lambda path: int(path.name.split(".")[1]))

    def _make(self, account: Account, number: int) -> Path:
        folder = self._home / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{account.id}.{number}.secret"
        try:
            write_secret(path, SigningKey.generate().seed, self._passphrase)
        except SecretFileError:
            if not path.exists():  # else another process was first
                raise
        return path

    def _key(self, path: Path) -> SigningKey:
        if path not in self._opened:
            self._opened[path] = SigningKey(read_secret(path, self._passphrase))
        return self._opened[path]


@lru_cache(maxsize=1024)  # signatures are verified, which is the same each time
def _document(document: str, wrapped: str | None) -> KeyDocument:
    envelope = parse_model(parse_json(document.encode()), Envelope)
    kept = None if wrapped is None else parse_model(parse_json(wrapped.encode()), WrappedKey)
    return KeyDocument(envelope, read_person_keys(envelope), kept)
