"""Copies of the ledger for one command: fetched anew, or kept in a folder of one's own.

Nothing is taken on trust from a kept copy. Rules, in order: the checkpoint is the one that the
ledger shows now, and a ledger that shows another history than before is noticed; the state that an
earlier command left is used only where it is the caller's own and of this very tree
(``ledger/replayed.py``); every entry after it is hashed from its stored bytes, and all of them lead
to the root that the log signed; what they say was erased is erased in the copy too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, Generic, TypeVar

import typer

from governance.durable import OWNER_ONLY
from governance.exchange.http import RequestSigner
from governance.identity.files import PartySecrets, PersonSecrets, read_secrets
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import OutOfRangeError
from governance.ledger.merkle import Frontier
from governance.ledger.mirror import Mirror
from governance.ledger.note import Checkpoint, VerifierKey, parse_vkey
from governance.ledger.replayed import KeptState
from governance.ledger.state import LedgerState
from governance.terminal import FileProblem, Terminal, passphrase, read_bytes

Url = Annotated[str, typer.Option("--ledger", help="the ledger's address")]
KeyFile = Annotated[Path, typer.Option("--ledger-key", help="ledger.vkey, as it was handed to you")]
Reader = Annotated[Path, typer.Option("--as", help="your person.secret, or the party.secret")]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="opens your keys")]
Copy = Annotated[
    Path | None,
    typer.Option(
        "--copy",
        envvar="HEARTHLINK_LEDGER_COPY",
        help="a folder of yours that keeps what was fetched, so that next time only the new is",
    ),
]
MANY: Final = 20_000  # entries that are worth a copy of one's own
_COPY: Final = "ledger-copy.db"
_STATE: Final = "ledger-copy.state"
_Item = TypeVar("_Item")
_State = TypeVar("_State", bound=LedgerState)


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
    screen: Terminal,
    url: str,
    key: VerifierKey,
    who: PartySecrets | PersonSecrets,
    path: Path | None = None,
) -> Iterator[tuple[Mirror, LedgerClient, Checkpoint]]:
    """A copy that holds all that the ledger shows now, the ledger itself, and what it signed.

    Args:
        screen: shows how far it is.
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
        with screen.progress() as bar:
            task = bar.add_task("fetching the ledger", total=None)
            checkpoint = mirror.sync(
                client, lambda held, of: bar.update(task, completed=held, total=of)
            )
        yield mirror, client, checkpoint


def replayed(
    screen: Terminal,
    url: str,
    key: VerifierKey,
    who: PartySecrets | PersonSecrets,
    folder: Path | None,
) -> tuple[LedgerState, Checkpoint]:
    """The whole ledger, fetched, verified and replayed, and the checkpoint that it leads to.

    For arguments and errors see ``verified_copy``.
    """
    with verified_copy(screen, url, key, who, folder, LedgerState) as found:
        return found.state, found.checkpoint


@dataclass(frozen=True)
class VerifiedCopy(Generic[_State]):
    """A copy, the ledger that it is of, what it says, and the checkpoint that it leads to."""

    mirror: Mirror
    client: LedgerClient
    state: _State
    checkpoint: Checkpoint


@contextmanager
def verified_copy(
    screen: Terminal,
    url: str,
    key: VerifierKey,
    who: PartySecrets | PersonSecrets,
    folder: Path | None,
    kind: type[_State],
) -> Iterator[VerifiedCopy[_State]]:
    """The whole ledger, fetched, verified and replayed, while its copy is open.

    Args:
        screen: shows how far it is.
        url: the ledger's address.
        key: the log's verifier key.
        who: signs the requests; what is kept is authenticated under a key of theirs.
        folder: keeps copy and state for the next command; nothing is kept when None.
        kind: what replay fills.

    Raises:
        LedgerError: it cannot be reached, refuses, or broke a promise.
        AlteredEntryError: what the folder keeps is not what the log signed.
        WithheldPayloadError: a payload is missing that nobody who may has erased.
        FileProblem: the folder cannot be made.
    """
    path = None if folder is None else _own_file(folder)
    kept = None if folder is None else KeptState(folder / _STATE, who.signing_key.seed, key, kind)
    with fetched(screen, url, key, who, path) as (mirror, client, checkpoint):
        state, frontier = _begin(mirror, kept, checkpoint.size, kind)
        since = state.size
        fresh = checkpoint.size - since
        for event in counted(screen, mirror.verified(frontier, checkpoint), fresh):
            state.apply(event)
        if kept is not None:
            kept.forget(state, since, mirror.erase)
        state.consents.require_opened()
        if kept is not None:
            kept.write(state, lambda _size: checkpoint.root)
        elif fresh >= MANY:
            screen.say(
                f"all {fresh} entries were fetched; --copy FOLDER keeps them for the next time"
            )
        yield VerifiedCopy(mirror, client, state, checkpoint)


def counted(screen: Terminal, events: Iterable[_Item], total: int) -> Iterator[_Item]:
    """Events that are replayed, with a bar on a terminal."""
    with screen.progress() as bar:
        yield from bar.track(events, total=total, description="replaying the ledger")


def _begin(
    mirror: Mirror, kept: KeptState | None, most: int, kind: type[_State]
) -> tuple[_State, Frontier]:
    """Where replay begins: see ``KeptState.begin``; at nothing where nothing is kept."""

    def frontier_at(size: int) -> Frontier:
        if size > most:
            raise OutOfRangeError("another command has brought this copy further meanwhile")
        return mirror.frontier(size)

    if kept is not None:
        state, frontier = kept.begin(frontier_at)
        if isinstance(state, kind):
            return state, frontier
    return kind(mirror.log_key.name), Frontier()


def _own_file(folder: Path) -> Path:
    """The file of a copy, for its owner's eyes only.

    Raises:
        FileProblem: it cannot be made.
    """
    path = folder / _COPY
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=OWNER_ONLY, exist_ok=True)
        path.chmod(OWNER_ONLY)  # also when it was there; another's file is refused
    except OSError as error:
        raise FileProblem(f"{folder} cannot keep a copy: {error.strerror}") from None
    return path


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
