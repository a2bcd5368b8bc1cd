"""Copies of the ledger for one command: a party's own, or one that is fetched and verified anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from governance.exchange.http import RequestSigner
from governance.identity.files import PartySecrets, PersonSecrets, read_secrets
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.mirror import Mirror
from governance.ledger.note import VerifierKey, parse_vkey
from governance.ledger.state import LedgerState
from governance.terminal import passphrase, read_bytes

Url = Annotated[str, typer.Option("--ledger", help="the ledger's address")]
KeyFile = Annotated[Path, typer.Option("--ledger-key", help="ledger.vkey, as it was handed to you")]
Reader = Annotated[Path, typer.Option("--as", help="your person.secret, or the party.secret")]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="opens your keys")]


@contextmanager
def opened(path: Path, key: VerifierKey) -> Iterator[Mirror]:
    """A copy in a file, which is made if it is not there."""
    mirror = Mirror(Database(sqlite_url(path), "mirror"), key)
    try:
        yield mirror
    finally:
        mirror.close()


@contextmanager
def fetched(
    url: str, key: VerifierKey, who: PartySecrets | PersonSecrets, path: Path | None = None
) -> Iterator[tuple[Mirror, LedgerClient]]:
    """A copy that holds all that the ledger shows now, and the ledger itself.

    Args:
        url: the ledger's address.
        key: the log's verifier key.
        who: signs the requests.
        path: a copy to bring up to date; a fresh one for this command when None.

    Raises:
        LedgerError: it cannot be reached, refuses, or broke a promise.
    """
    signer = RequestSigner(who.keys.thumbprint, who.signing_key)
    with (
        TemporaryDirectory() as folder,
        LedgerClient(url, key, signer) as client,
        opened(path or Path(folder) / "mirror.db", key) as mirror,
    ):
        mirror.sync(client)
        yield mirror, client


def replayed(url: str, key_file: Path, as_: Path, passphrase_file: Path | None) -> LedgerState:
    """The whole ledger, fetched, verified and replayed."""
    key = read_vkey(key_file)
    with fetched(url, key, read_who(as_, passphrase_file)) as (mirror, _):
        return LedgerState(key.name).replay(mirror.entries())


def read_vkey(path: Path) -> VerifierKey:
    """The log's verifier key from a file.

    Raises:
        FileProblem, NoteFormatError: unreadable, or not a verifier key.
    """
    return parse_vkey(read_bytes(path).decode("utf-8", "replace").strip())


def read_who(path: Path, passphrase_file: Path | None) -> PartySecrets | PersonSecrets:
    """The caller's keys, a party's or a person's.

    Raises:
        SecretFileError, FileProblem: missing, exposed, or closed by another passphrase.
    """
    return read_secrets(path, passphrase(passphrase_file))
