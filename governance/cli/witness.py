"""``governance ledger witness``: a witness from outside cosigns the newest checkpoint."""

from pathlib import Path
from typing import Annotated

import httpx
import typer

from governance.canonical import write_time
from governance.cli.copies import KeyFile, Url, read_vkey
from governance.ledger.client import LedgerClient
from governance.ledger.note import open_checkpoint
from governance.ledger.outside import OutsideWitness
from governance.ledger.quorum import witness_times
from governance.terminal import terminal, write_bytes


def witness(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    witness_url: Annotated[str, typer.Option("--witness", help="the witness's address")],
    witness_key: Annotated[Path, typer.Option(help="its verifier key, as it was handed to you")],
    out: Annotated[Path, typer.Option(help="where to put the cosigned checkpoint")],
) -> None:
    """Have a witness from outside (c2sp.org/tlog-witness) cosign the newest checkpoint."""
    outside = OutsideWitness(witness_url, read_vkey(witness_key))
    with LedgerClient(url, read_vkey(key_file), httpx.Auth()) as client:  # what is open is unsigned
        try:
            note = outside.cosign(client)
        finally:
            outside.close()
        checkpoint = open_checkpoint(note, client.log_key)
    (seen,) = witness_times(note, (outside.key,)).values()
    write_bytes(out, note.encode())
    screen = terminal(context)
    screen.result(
        {"size": checkpoint.size, "witness": outside.key.name, "at": write_time(seen)},
        lambda shown: shown.print(f"{checkpoint.size} entries, cosigned at {write_time(seen)}"),
    )
    screen.hint(f"keep {out.name}: whoever holds both keys can verify it")
