"""Submissions from announcement to verdict.

Rules at the announcement, in order: the manifest is signed by the calling party's own keys and
names it; the agreement permits it to submit this source, and names this hub if it names any; the
day's quota is not used up. The same manifest again is answered with where it stands.

Rules at the verdict, in order: the agreement still permits it; schema and epoch are the
agreement's; the file is the one that was signed, and expands to no more than its records may take;
its records are plausible, and no submission of another source holds one of their handles; key
check value and test vectors are those of the partners' earlier submissions. The verdict is logged
in the ledger before it counts here.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import and_, func, insert, or_, select, update

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import permits
from governance.canonical import canonical_bytes, write_time
from governance.errors import ReasonedError, SignatureError
from governance.exchange.hub_api import SubmissionView
from governance.exchange.submission import Manifest, NewManifest
from governance.identity.envelope import Envelope, open_envelope
from governance.ledger.errors import LedgerError, LedgerRefusedError
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import SubmissionOutcome
from governance.storage.database import StoreError
from linkage_hub.jobs.queue import JobQueue, enqueue
from linkage_hub.store.database import HubDatabase, HubStoreError
from linkage_hub.store.tables import submissions
from linkage_hub.submissions.content import (
    check_bands,
    check_content,
    check_synthetic,
)
from linkage_hub.submissions.errors import (
    ContentMismatch,
    ForeignHandles,
    HubNotNamed,
    QuotaExceeded,
    SchemaMismatch,
    SecretMismatch,
    TooManyBytes,
    UnknownSubmission,
    WrongOffset,
)
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.manifests import manifest_of
from linkage_hub.submissions.reading import check_size, read_content, read_handles

SUBMISSION: Final = "submission/v1"
VERIFY: Final = "verify"
CONTENT_MOST: Final = 8 * 1024**3  # bytes
_PASSING: Final = (LedgerError, StoreError, HubStoreError)


class Submissions:
    """The submissions desk."""

    def __init__(
        self,
        database: HubDatabase,
        files: ContentFiles,
        ledger: PartyLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._ledger = ledger
        self._now = now
        self._queue = JobQueue(database)

    def announce(self, party: str, envelope: Envelope) -> SubmissionView:
        """Take a manifest; may be repeated.

        Raises:
            SignatureError, FormatError, AgreementRefusal, SubmissionError: by the first rule that
                fails.
        """
        state = self._ledger.sync()

        def own_key(thumbprint: str) -> bytes:
            name, key = state.identities.party_key(thumbprint)
            if name != party:
                raise SignatureError("a manifest is signed by the party that sends it")
            return key

        manifest, _ = open_envelope(envelope, SUBMISSION, NewManifest, own_key)
        if manifest.party != party:
            raise SignatureError("a manifest names the party that sends it")
        known = self._row(manifest.id)
        if known is not None:
            if known.manifest_hash != envelope.payload_hash:
                raise ContentMismatch("this id was announced with another manifest")
            self._note_size(known)
            return self.view(party, manifest.id)
        agreement = self._permitted(manifest)
        if manifest.content_bytes > CONTENT_MOST:
            raise TooManyBytes(f"a submission has at most {CONTENT_MOST} bytes")
        self._check_quota(manifest, agreement)
        with self._database.writing() as connection:
            connection.execute(
                insert(submissions).values(
                    id=manifest.id,
                    party=party,
                    source=manifest.source,
                    agreement=manifest.agreement,
                    epoch=manifest.epoch,
                    state="receiving",
                    reason=None,
                    message="",
                    next_step="",
                    manifest=canonical_bytes(envelope),
                    manifest_hash=envelope.payload_hash,
                    key_check_value=manifest.key_check_value,
                    test_vectors=manifest.test_vectors,
                    content_sha256=manifest.content_sha256,
                    size=manifest.content_bytes,
                    received_bytes=0,
                    records=manifest.counts.submitted,
                    received=write_time(self._now()),
                    created=manifest.created,
                )
            )
        return self.view(party, manifest.id)

    def append(self, party: str, id_: str, offset: int, data: bytes) -> SubmissionView:
        """Take the next bytes; with the last of them, verification is queued.

        Raises:
            UnknownSubmission, WrongOffset, TooManyBytes, DiskFull: what was taken before is kept.
        """
        row = self._own(party, id_)
        if row.state != "receiving":
            raise WrongOffset("the hub holds the whole file", next_step="ask where it stands")
        self._files.append(id_, offset, data, row.size)
        self._note_size(row)
        return self.view(party, id_)

    def _note_size(self, row: Any) -> None:
        """Note how much of a file is here, also after a crash, and queue its verification."""
        size = self._files.size(row.id)
        if row.state != "receiving":
            return
        with self._database.writing() as connection:
            complete = size == row.size
            connection.execute(
                update(submissions)
                .where(submissions.c.id == row.id, submissions.c.state == "receiving")
                .values(received_bytes=size, state="verifying" if complete else "receiving")
            )
            if complete:
                enqueue(connection, VERIFY, row.id, time.time())

    def view(self, party: str, id_: str) -> SubmissionView:
        """Where one of the caller's submissions stands.

        Raises:
            UnknownSubmission: it announced no such one.
        """
        return self._view(self._own(party, id_))

    def of(self, party: str) -> list[SubmissionView]:
        """The caller's submissions, newest first."""
        statement = (
            select(submissions)
            .where(submissions.c.party == party)
            .order_by(submissions.c.received.desc(), submissions.c.id)
        )
        with self._database.reading() as connection:
            return [self._view(row) for row in connection.execute(statement)]

    def verify(self, id_: str, progress: Callable[[float, str], None]) -> None:
        """Job handler: verify a submission and log the verdict; may run again after a crash."""
        row = self._row(id_)
        if row is None or row.state != "verifying":
            return
        manifest = manifest_of(row)
        progress(0.1, "verifying")
        try:
            self._ledger.sync()
            self._verify(row, manifest)
        except _PASSING:
            raise
        except ReasonedError as refusal:
            self._conclude(manifest, row, refusal)
            return
        progress(0.9, "logging the verdict")
        self._conclude(manifest, row, None)

    def abandon(self, id_: str, reason: str) -> None:
        """Note that verification failed for good."""
        with self._database.writing() as connection:
            connection.execute(
                update(submissions)
                .where(submissions.c.id == id_, submissions.c.state == "verifying")
                .values(
                    state="refused",
                    reason=reason,
                    message="the hub could not verify the submission",
                    next_step="tell the hub's operator",
                )
            )

    def _verify(self, row: Any, manifest: Manifest) -> None:
        agreement = self._permitted(manifest)
        encoding = agreement.encoding
        if (manifest.schema_hash, manifest.epoch) != (encoding.schema_hash, encoding.epoch):
            raise SchemaMismatch(
                "the records were encoded with another schema or epoch than the agreement's"
            )
        check_synthetic(manifest, agreement.quality)
        path = self._files.path(row.id)
        with path.open("rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if digest != manifest.content_sha256:
            self._files.remove(row.id)
            raise ContentMismatch(
                "the file is not the one that the manifest's signature covers",
                next_step="prepare the extract again and submit it",
            )
        source = agreement.source(manifest.source)
        check_size(path, manifest.counts.in_file, encoding.hardening)
        table = read_content(path)
        check_content(
            table,
            manifest,
            source.indicators if source else (),
            encoding.hardening,
        )
        check_bands(table, agreement.quality)
        self._check_handles(row, table)
        self._check_secret(row)

    def _check_handles(self, row: Any, table: pa.Table) -> None:
        """Handles are random and stay with their source: a common one was copied."""
        others = and_(
            submissions.c.state == "accepted",
            or_(submissions.c.party != row.party, submissions.c.source != row.source),
        )
        with self._database.reading() as connection:
            ids = list(connection.scalars(select(submissions.c.id).where(others)))
        own = table.column("handle").combine_chunks()
        for id_ in ids:
            found = pc.sum(pc.is_in(read_handles(self._files.path(id_)), value_set=own)).as_py()
            if found:
                raise foreign_handles(found)

    def _check_secret(self, row: Any) -> None:
        same = and_(
            submissions.c.agreement == row.agreement,
            submissions.c.epoch == row.epoch,
            submissions.c.state == "accepted",
        )
        statement = select(submissions.c.key_check_value, submissions.c.test_vectors).where(same)
        with self._database.reading() as connection:
            others = {(found[0], found[1]) for found in connection.execute(statement)}
        if others and (row.key_check_value, row.test_vectors) not in others:
            raise SecretMismatch(
                "the partners' earlier submissions have another linkage secret or encoder",
                next_step="compare key check values by phone: partner-agent secret accept",
            )

    def _conclude(self, manifest: Manifest, row: Any, refusal: ReasonedError | None) -> None:
        accepted = refusal is None
        outcome = SubmissionOutcome(
            submission=manifest.id,
            manifest=row.manifest_hash,
            agreement=manifest.agreement,
            party=manifest.party,
            source=manifest.source,
            records=manifest.counts.submitted,
            reason=None if refusal is None else refusal.reason,
        )
        kind = EventType.SUBMISSION_ACCEPTED if accepted else EventType.SUBMISSION_REFUSED
        log_once(self._ledger, kind, outcome, f"{kind.value}:{manifest.id}")
        replaced: list[str] = []
        with self._database.writing() as connection:
            if accepted:
                older = and_(
                    submissions.c.agreement == row.agreement,
                    submissions.c.source == row.source,
                    submissions.c.state == "accepted",
                )
                replaced = list(connection.scalars(select(submissions.c.id).where(older)))
                connection.execute(update(submissions).where(older).values(state="replaced"))
            connection.execute(
                update(submissions)
                .where(submissions.c.id == row.id)
                .values(
                    state="accepted" if accepted else "refused",
                    reason=None if refusal is None else refusal.reason,
                    message="" if refusal is None else refusal.message,
                    next_step="" if refusal is None else refusal.next_step,
                )
            )
        for id_ in replaced if accepted else [row.id]:
            self._files.remove(id_)

    def _permitted(self, manifest: Manifest) -> Agreement:
        agreement = permits(
            self._ledger.state.agreements.standing(manifest.agreement),
            party=manifest.party,
            action=Action.SUBMIT,
            purpose=manifest.purpose,
            now=self._now(),
            source=manifest.source,
            records=manifest.counts.submitted,
        )
        own, _ = self._ledger.state.identities.party_key(self._ledger.author.thumbprint)
        if agreement.processors and own not in agreement.processors:
            raise HubNotNamed(
                "the agreement names its processors, and this hub is none of them",
                next_step="submit to the hub that it names, or agree a version that names this one",
            )
        return agreement

    def _check_quota(self, manifest: Manifest, agreement: Agreement) -> None:
        since = write_time(self._now() - timedelta(days=1))
        statement = (
            select(func.count())
            .select_from(submissions)
            .where(submissions.c.source == manifest.source, submissions.c.received > since)
        )
        with self._database.reading() as connection:
            count = int(connection.scalar(statement) or 0)
        most = agreement.limits.submissions_per_source_per_day
        if count >= most:
            raise QuotaExceeded(
                f"{count} submissions of {manifest.source} within a day; agreed: {most}",
                next_step="submit again tomorrow",
            )

    def _row(self, id_: str) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(submissions).where(submissions.c.id == id_)).first()

    def _own(self, party: str, id_: str) -> Any:
        row = self._row(id_)
        if row is None or row.party != party:
            raise UnknownSubmission("no such submission of this party was announced")
        return row

    def _view(self, row: Any) -> SubmissionView:
        # The file itself is the truth about what arrived: a crash may come before the row's update.
        receiving = row.state == "receiving"
        return SubmissionView(
            id=row.id,
            source=row.source,
            agreement=row.agreement,
            state=row.state,
            offset=self._files.size(row.id) if receiving else row.size,
            size=row.size,
            records=row.records,
            reason=row.reason,
            message=row.message,
            next_step=row.next_step,
            received=row.received,
        )


def foreign_handles(count: int) -> ForeignHandles:
    """The refusal of a submission that holds so many handles of another source's."""
    return ForeignHandles(
        f"{count} record handles are also in a submission of another source",
        next_step="tell the other partners: handles are random, so one of the two was copied",
    )


def log_once(ledger: PartyLedger, kind: EventType, payload: Any, about: str) -> None:
    """Log an event whose id follows from what it is about, so that a repetition is no second one.

    Nobody but the hub foresees the id, or they could use it up and keep the event out; and a ledger
    that calls the event a repetition has to show it.

    Raises:
        LedgerError: it is not in the ledger.
    """
    id_ = ledger.own_id(about)
    try:
        ledger.write(kind, payload, id_=id_)
    except LedgerRefusedError as refused:
        if refused.code != "ledger.event.duplicate":
            raise
        ledger.require_own(id_)
