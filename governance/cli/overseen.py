"""The copy of the ledger that commands of ``governance oversight`` read, with its indexes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from governance.cli.copies import VerifiedCopy, read_vkey, read_who, verified_copy
from governance.oversight.state import Overseen
from governance.terminal import Terminal

Party = Annotated[str | None, typer.Option(help="of this party only")]


@contextmanager
def overseen(
    screen: Terminal,
    url: str,
    key_file: Path,
    as_: Path,
    passphrase_file: Path | None,
    copy: Path | None,
) -> Iterator[VerifiedCopy[Overseen]]:
    """The ledger, fetched, verified, and replayed with the indexes."""
    key, who = read_vkey(key_file), read_who(as_, passphrase_file)
    with verified_copy(screen, url, key, who, copy, Overseen) as found:
        yield found
