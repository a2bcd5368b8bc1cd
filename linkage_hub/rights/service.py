"""The hub's part in data subjects' requests, read from its own mirror of the ledger.

Rules: the hub does what a partner has put into the ledger, sealed to the hub, and only about that
partner's own records; records take no part from the first moment, whatever runs meanwhile; then
requests for releases are voided, and results, files and decisions are cleared; it confirms, once,
when nothing holds the records any more: no run goes on that began with them, no submission waits
for its verdict. What it confirms counts the partner's own records and nothing that depends on who
else is held. Every step may be repeated after a crash.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select

from governance.canonical import write_time
from governance.errors import ReasonedError
from governance.identity.files import PartySecrets
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import RightsConfirmed
from governance.ledger.state import LedgerState
from governance.rights.models import RightsKind
from governance.rights.registry import RightsRequest
from governance.rights.seal import open_handles
from governance.web.logs import where
from linkage_hub.releases.voiding import void_requests
from linkage_hub.rights.corrected import corrected_since, older_runs
from linkage_hub.rights.errors import StillHeld
from linkage_hub.rights.files import FilesWithout
from linkage_hub.rights.records import held_in_runs, lift, mark, out_of_run, take_out
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import left_out, rights_requests

_LOG: Final = logging.getLogger(__name__)


class HubRights:
    """Carries requests out.

    Args:
        secrets: the hub's keys.
        database: the hub's.
        ledger: its mirror and pen.
        files: submissions' files and what hangs on them.
        now: the clock.
    """

    def __init__(
        self,
        secrets: PartySecrets,
        database: HubDatabase,
        ledger: PartyLedger,
        files: FilesWithout,
        now: Callable[[], datetime],
    ) -> None:
        self._secrets = secrets
        self._database = database
        self._ledger = ledger
        self._files = files
        self._now = now
        self._cleared: set[str] = set()

    def carry_out_all(self) -> int:
        """Do what the ledger holds for this hub; how many requests were confirmed.

        Raises:
            LedgerError: it cannot be reached.
        """
        state, done = self._ledger.sync(), 0
        own = self._secrets.keys.thumbprint
        self._lift(state)
        for request in list(state.rights.requests.values()):
            if own not in request.unproven:
                continue
            try:
                self._carry_out(request)
                done += 1
            except LedgerUnavailableError:
                raise
            except ReasonedError as error:
                _LOG.info("later", extra={"request": request.id, "reason": error.reason})
            except Exception as error:  # noqa: BLE001 - one request holds no other up
                _LOG.error("failed", extra={"request": request.id} | where(error))
        if done:
            self._ledger.sync()
        return done

    def _carry_out(self, request: RightsRequest) -> None:
        handles = self._handles(request)
        party = request.opened.party
        if request.opened.kind is RightsKind.RECTIFICATION:
            row = self._begin(request, handles, taken_out=False)
            self._forget_older(request, handles)
        else:
            row = self._begin(request, handles, taken_out=True)
            void_requests(
                self._database,
                self._ledger,
                self._secrets.keys.party,
                party,
                {handle.hex() for handle in handles},
            )
            self._clear(request.id, handles, row)
        payload = RightsConfirmed(records=row.records, files=row.files, runs=row.runs)
        self._ledger.write(EventType.RIGHTS_CONFIRMED, payload, (request.id,))

    def _handles(self, request: RightsRequest) -> list[bytes]:
        sealed = () if request.carried_out is None else request.carried_out.sealed
        own = self._secrets.keys.thumbprint
        (ciphertext,) = (each.ciphertext for each in sealed if each.recipient == own)
        return open_handles(ciphertext, self._secrets.sealing_key, request.id, request.opened.party)

    def _begin(self, request: RightsRequest, handles: Collection[bytes], *, taken_out: bool) -> Any:
        """From this moment the records take no part; what the hub held of them is counted once."""
        party = request.opened.party
        here = rights_requests.c.id == request.id
        names = {handle.hex() for handle in handles}
        with self._database.reading() as connection:
            known = connection.execute(select(rights_requests).where(here)).first()
        files = [] if known is not None else self._files.holding(party, handles)
        with self._database.writing() as connection:
            row = connection.execute(select(rights_requests).where(here)).first()
            if row is None:
                held = held_in_runs(connection, party, names)
                found = {each.hex() for part in files for each in part}.union(*held.values())
                connection.execute(
                    insert(rights_requests).values(
                        id=request.id,
                        party=party,
                        begun=write_time(self._now()),
                        records=len(found),
                        files=len(files),
                        runs=len(held),
                    )
                )
                row = connection.execute(select(rights_requests).where(here)).one()
            if taken_out:
                mark(connection, party, request.id, names)
        return row

    def _forget_older(self, request: RightsRequest, handles: Collection[bytes]) -> None:
        """Destroy what is kept of the records as they were before they were corrected.

        Raises:
            StillHeld: the corrected submission is not in use yet.
        """
        party = request.opened.party
        source, since = corrected_since(self._database, request)
        with self._database.writing() as connection:
            for run in older_runs(connection, source, since):
                out_of_run(connection, run, party, {handle.hex() for handle in handles})
        self._files.take_out(party, handles, before=since)

    def _clear(self, request: str, handles: Collection[bytes], row: Any) -> None:
        """Destroy what is kept of the records: at once, and again when nothing can add to it.

        Raises:
            StillHeld: something goes on that holds them.
        """
        if request in self._cleared:
            self._require_no_user(row)
        with self._database.writing() as connection:
            take_out(connection)
        self._database.truncate_wal()
        self._files.refuse_uploads(row.party, row.begun)
        self._files.take_out(row.party, handles)
        self._cleared.add(request)
        self._require_no_user(row)

    def _require_no_user(self, row: Any) -> None:
        if self._files.used_by_runs(row.party, row.begun):
            raise StillHeld("a run that began with the records goes on")
        if self._files.being_verified(row.party, row.begun):
            raise StillHeld("a submission of the partner waits for its verdict")

    def _lift(self, state: LedgerState) -> None:
        with self._database.reading() as connection:
            standing = set(connection.scalars(select(left_out.c.request).distinct()))
        for id_ in standing:
            request = state.rights.requests.get(id_)
            if request is not None and request.lifted:
                with self._database.writing() as connection:
                    lift(connection, id_)
