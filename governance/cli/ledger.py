"""``governance ledger``: begin, serve, inspect and verify the consent ledger."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import unb64, utc_now, write_time
from governance.cli.admit import admit
from governance.cli.copies import (
    Copy,
    KeyFile,
    Passphrase,
    Reader,
    Url,
    counted,
    fetched,
    opened,
    read_vkey,
    read_who,
    replayed,
)
from governance.cli.witness import witness
from governance.durable import OWNER_ONLY
from governance.errors import FormatError, GovernanceError
from governance.identity.envelope import Envelope
from governance.identity.files import read_party_secrets
from governance.identity.models import publish_party_keys, read_party_keys, require_plain_name
from governance.ledger.app import init_ledger
from governance.ledger.app import serve as serve_ledger
from governance.ledger.client import LedgerClient
from governance.ledger.database import sqlite_url
from governance.ledger.errors import ForkError
from governance.ledger.events import Author, EventType
from governance.ledger.export import write_export
from governance.ledger.merkle import Frontier
from governance.ledger.mirror import Mirror
from governance.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    witness_key,
)
from governance.ledger.payloads import Genesis, read_payload
from governance.ledger.quorum import witness_times
from governance.ledger.settings import LedgerSettings
from governance.ledger.state import LedgerState
from governance.terminal import (
    Terminal,
    passphrase,
    read_document,
    terminal,
    whole_file,
    write_bytes,
)

app = typer.Typer(no_args_is_help=True, help="The consent ledger.")
app.command("admit")(admit)
app.command("witness")(witness)

Home = Annotated[Path, typer.Option(envvar="HEARTHLINK_LEDGER_HOME", help="the ledger's folder")]


class LedgerDistrustedError(GovernanceError):
    """The ledger holds events that may not count."""

    reason = "ledger.holds_inadmissible_events"
    exit_code = 76  # EX_PROTOCOL


@app.command()
def init(
    context: typer.Context,
    home: Home,
    origin: Annotated[str, typer.Option(help="the log's name, for example ledger.example.org/x")],
    operator: Annotated[Path, typer.Option(help="party.secret of the ledger's operator")],
    party: Annotated[list[Path], typer.Option(help=".keys.json of each party")],
    passphrase_file: Annotated[Path | None, typer.Option(help="opens the operator's keys")] = None,
) -> None:
    """Begin a ledger with its first parties. Compare every thumbprint by phone before you do."""
    secrets = read_party_secrets(operator, passphrase(passphrase_file))
    own = publish_party_keys(secrets.keys, secrets.signing_key)
    genesis = Genesis(
        origin=origin, parties=(own, *(read_document(path, Envelope) for path in party))
    )
    for published in genesis.parties:
        require_plain_name(read_party_keys(published))
    author = Author(secrets.keys.thumbprint, secrets.signing_key, utc_now, origin)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _settings(home, origin)
    if settings.genesis_file is not None and settings.genesis_file.exists():
        raise FormatError("this folder holds a ledger already", next_step="governance ledger serve")
    vkey = init_ledger(settings, author.write(EventType.GENESIS, genesis))
    write_bytes(home / "ledger.vkey", f"{vkey}\n".encode())
    write_bytes(home / "origin", f"{origin}\n".encode())
    screen = terminal(context)
    screen.result(
        {"origin": origin, "vkey": str(vkey), "key_file": str(home / "ledger.vkey")},
        lambda out: out.print(str(vkey), soft_wrap=True),
    )
    screen.hint(f"governance ledger serve --home {home}; hand ledger.vkey to every party")


@app.command()
def serve(
    home: Home,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen at")] = 8300,
) -> None:
    """Run the ledger service."""
    try:
        origin = (home / "origin").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise FormatError(
            "this folder holds no ledger", next_step="governance ledger init"
        ) from None
    serve_ledger(_settings(home, origin).model_copy(update={"host": host, "port": port}))


@app.command()
def show(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Size, newest checkpoint, and when each partner last witnessed it."""
    key, screen = read_vkey(key_file), terminal(context)
    state, checkpoint = replayed(screen, url, key, read_who(as_, passphrase_file), copy)
    witnesses = tuple(
        witness_key(key.name, keys.party, unb64(keys.witness))
        for keys in state.identities.parties.values()
    )
    with LedgerClient(url, key, httpx.Auth()) as client:  # what is open is unsigned
        times = witness_times(client.checkpoint(), witnesses)
    names = {witness.name: witness.name.rsplit("/", 1)[-1] for witness in witnesses}
    data = {
        "origin": key.name,
        "size": checkpoint.size,
        "witnessed": {
            names[name]: write_time(times[name]) if name in times else None for name in names
        },
    }

    def table(out: Console) -> None:
        out.print(f"{key.name}: {checkpoint.size} entries")
        shown = Table("witness", "saw the newest checkpoint at")
        for name, label in names.items():
            shown.add_row(label, write_time(times[name]) if name in times else "not yet")
        out.print(shown)

    screen.result(data, table)


@app.command()
def verify(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
) -> None:
    """Fetch the whole ledger, recompute its root from the leaves, and replay every event.

    Nothing that was kept from before is used, so it takes minutes at a million entries.
    """
    key, screen = read_vkey(key_file), terminal(context)
    kinds, state = Counter[str](), LedgerState(key.name)
    with fetched(screen, url, key, read_who(as_, passphrase_file)) as (mirror, _, checkpoint):
        events = mirror.verified(Frontier(), checkpoint)
        for event in counted(screen, events, checkpoint.size):
            kinds[event.leaf.type.value] += 1
            state.apply(event)
    state.consents.require_opened()
    data = {
        "origin": key.name,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "events": dict(sorted(kinds.items())),
        "inadmissible": [
            {"index": rejected.index, "reason": rejected.reason} for rejected in state.rejected
        ],
    }

    def table(out: Console) -> None:
        out.print(f"{checkpoint.size} entries lead to the signed root {checkpoint.root.hex()}")
        shown = Table("event", "how often")
        for kind, count in sorted(kinds.items()):
            shown.add_row(kind, str(count))
        out.print(shown)

    screen.result(data, table)
    if state.rejected:
        raise LedgerDistrustedError(
            f"{len(state.rejected)} events in the ledger may not count",
            next_step="tell the ledger's operator and every partner",
        )


@app.command("export")
def export(
    context: typer.Context,
    key_file: KeyFile,
    out: Annotated[Path, typer.Option(help="ledger.jsonl, or ledger.jsonl.gz to pack it")],
    url: Annotated[str | None, typer.Option("--ledger", help="the ledger's address")] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="a party's own copy, for example agent/mirror.db")
    ] = None,
    witnesses: Annotated[
        int | None, typer.Option(min=1, help="cosignatures wanted; the agreement's quorum if left")
    ] = None,
    as_: Annotated[
        Path | None, typer.Option("--as", help="with --ledger: your person.secret or party.secret")
    ] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Write the whole ledger to one file of yours, with the newest checkpoint of enough parties."""
    key, screen = read_vkey(key_file), terminal(context)
    with _copy(screen, key, url, mirror, as_, passphrase_file) as (copy, client):
        note, checkpoint = _cosigned(copy, client, witnesses)
        with whole_file(out, OWNER_ONLY) as file:
            packed = out.suffix == ".gz"
            write_export(file, note, checkpoint, copy.entries(0, checkpoint.size), packed=packed)
    screen.result(
        {"file": str(out), "size": checkpoint.size, "root": checkpoint.root.hex()},
        lambda console: console.print(f"{checkpoint.size} entries in {out}"),
    )
    screen.hint(f"governance verify {out} --keys FOLDER")


@contextmanager
def _copy(
    screen: Terminal,
    key: VerifierKey,
    url: str | None,
    mirror: Path | None,
    as_: Path | None,
    passphrase_file: Path | None,
) -> Iterator[tuple[Mirror, LedgerClient | None]]:
    """A party's own copy of the ledger, or a fresh one, and the ledger where it is named."""
    if mirror is not None and not mirror.is_file():
        raise FormatError(f"{mirror.name} is no mirror", next_step="name an agent's mirror.db")
    if url is not None and as_ is not None:
        who = read_who(as_, passphrase_file)
        with fetched(screen, url, key, who, mirror) as (copy, client, _):
            yield copy, client
    elif url is not None:
        raise FormatError(
            "the ledger gives its events to those whom it knows",
            next_step="name your person.secret or party.secret with --as",
        )
    elif mirror is not None:
        with opened(mirror, key) as copy:
            yield copy, None
    else:
        raise FormatError("expected --ledger URL, --mirror FILE, or both")


def _cosigned(
    copy: Mirror, client: LedgerClient | None, witnesses: int | None
) -> tuple[Note, Checkpoint]:
    """The newest checkpoint of this very copy that so many parties cosigned.

    Raises:
        ForkError: the ledger has cosignatures of another tree than the copy.
    """
    if client is None:
        return copy.cosigned()
    if witnesses is None:
        proposed = (
            read_payload(event).agreement.witnessing.quorum
            for event in copy.entries()
            if event.leaf.type is EventType.AGREEMENT_PROPOSED
        )
        witnesses = max(proposed, default=0)
    note = client.checkpoint(witnesses=witnesses)
    checkpoint = open_checkpoint(note, copy.log_key)
    if copy.root(checkpoint.size) != checkpoint.root:
        raise ForkError(
            f"the ledger signed a second tree of {checkpoint.size} entries",
            next_step="tell the other partners: release nothing until it is resolved",
        )
    return note, checkpoint


def _settings(home: Path, origin: str) -> LedgerSettings:
    """Settings for a folder; the environment may name another database."""
    url = os.environ.get("HEARTHLINK_LEDGER_DATABASE_URL", sqlite_url(home / "ledger.db"))
    return LedgerSettings(
        origin=origin,
        database_url=url,
        key_file=home / "ledger.key",
        genesis_file=home / "genesis.json",
    )
