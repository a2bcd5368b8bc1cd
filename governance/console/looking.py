"""How a page looks at the console's copy of the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from governance.console.access import signed_in
from governance.console.console import Console
from governance.oversight.state import Overseen


@contextmanager
def looking(console: Console, request: Request) -> Iterator[Overseen]:
    """What the ledger says, up to date, and unchanged until the block ends.

    Raises:
        NotEnrolled: the copy is empty, and the keys of who asks are not in the ledger.
        LedgerError: the ledger broke a promise.
    """
    console.outside.state(signed_in(request).account)
    with console.outside.ledger.looking() as state:
        yield state
