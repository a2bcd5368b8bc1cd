"""From the outbox to the hub, in pieces, from where the hub's copy ends.

Rules: the agreement still permits it; the file is the one that the manifest names; the hub's word
on how much it holds decides where sending goes on; whatever fails, the outbox keeps the file, and
the next ``submit`` resumes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import literal_column, select, update

from governance.canonical import parse_json
from governance.exchange.hub_api import SubmissionView
from governance.exchange.hub_client import HubClient, HubRefused
from governance.exchange.submission import Manifest
from governance.identity.envelope import Envelope, parse_canonical, parse_model
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import submissions
from partner_agent.submissions.digest import digest_of
from partner_agent.submissions.errors import (
    OutboxError,
    StillVerifyingError,
    SubmissionRefusedError,
)

CHUNK_BYTES: Final = 1024 * 1024
VERIFY_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.2
_CONFLICT: Final = 409
_FINAL: Final = {"accepted", "refused", "replaced", "purged"}


@dataclass(frozen=True)
class OutboxItem:
    """A prepared submission."""

    id: str
    source: str
    state: str
    reason: str | None
    records: int
    created: str
    envelope: Envelope
    content: Path

    @property
    def manifest(self) -> Manifest:
        """What was signed."""
        return parse_canonical(self.envelope.payload_bytes, Manifest)


class Outbox:
    """Submissions that were prepared here."""

    def __init__(self, home: Path, database: AgentDatabase) -> None:
        self._folder = home / "outbox"
        self._database = database

    def newest(self) -> list[OutboxItem]:
        """The newest submission of each source, by source."""
        with self._database.reading() as connection:
            rows = connection.execute(
                # SQLite's own row number: two may be prepared within one second
                select(submissions).order_by(literal_column("rowid"))
            ).all()
        found = {row.source: row for row in rows if row.state != "replaced"}
        return [
            OutboxItem(
                id=row.id,
                source=row.source,
                state=row.state,
                reason=row.reason,
                records=row.records,
                created=row.created,
                envelope=parse_model(parse_json(row.manifest), Envelope),
                content=self._folder / f"{row.id}.arrow",
            )
            for _, row in sorted(found.items())
        ]

    def mark(self, id_: str, state: str, reason: str | None = None) -> None:
        """Note what became of a submission."""
        with self._database.writing() as connection:
            connection.execute(
                update(submissions)
                .where(submissions.c.id == id_)
                .values(state=state, reason=reason)
            )


def submit(
    hub: HubClient,
    outbox: Outbox,
    item: OutboxItem,
    *,
    progress: Callable[[int, int], None] = lambda _sent, _size: None,
    wait: Callable[[float], None] = time.sleep,
) -> SubmissionView:
    """Send one submission and wait for the hub's verdict.

    Raises:
        OutboxError: the file is gone or is not the one that was signed.
        HubUnavailable: the hub is away; what it has is kept.
        SubmissionRefusedError: the hub refused it, with its reason.
        StillVerifyingError: the hub needs longer; ask again later.
    """
    manifest = item.manifest
    _check_file(item.content, manifest)
    view = hub.post_submission(item.envelope)
    outbox.mark(item.id, "sent")
    with item.content.open("rb") as file:
        while view.state == "receiving" and view.offset < manifest.content_bytes:
            progress(view.offset, manifest.content_bytes)
            file.seek(view.offset)
            view = _next_bytes(hub, item.id, view, file.read(CHUNK_BYTES))
    progress(manifest.content_bytes, manifest.content_bytes)
    view = _verdict(hub, view, wait)
    outbox.mark(item.id, view.state, view.reason)
    if view.state == "refused":
        raise SubmissionRefusedError(
            f"the hub refused {item.source}: {view.message} ({view.reason})",
            next_step=view.next_step or "prepare the extract again",
        )
    return view


def _check_file(path: Path, manifest: Manifest) -> None:
    try:
        digest, size = digest_of(path)
    except OSError as error:
        raise OutboxError(
            f"the prepared file of {manifest.source} cannot be read: {error.strerror}",
            next_step="prepare the extract again",
        ) from None
    if (digest, size) != (manifest.content_sha256, manifest.content_bytes):
        raise OutboxError(
            f"the prepared file of {manifest.source} is not the one that was signed",
            next_step="prepare the extract again",
        )


def _next_bytes(hub: HubClient, id_: str, view: SubmissionView, data: bytes) -> SubmissionView:
    try:
        return hub.append_bytes(id_, view.offset, data)
    except HubRefused as refusal:
        if refusal.status != _CONFLICT:
            raise
        return hub.submission(id_)  # another attempt got through: go on from there


def _verdict(hub: HubClient, view: SubmissionView, wait: Callable[[float], None]) -> SubmissionView:
    waited = 0.0
    while view.state not in _FINAL:
        if waited > VERIFY_SECONDS:
            raise StillVerifyingError(
                f"the hub has the file of {view.source} and is still verifying it",
                next_step="partner-agent submit, later: it asks again",
            )
        wait(_POLL_SECONDS)
        waited += _POLL_SECONDS
        view = hub.submission(view.id)
    return view
