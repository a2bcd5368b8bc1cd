"""The ledger as its callers see it over HTTP.

Rules: an answer has a largest size, and with all attempts at it a deadline, also when it drips
(``web/deadline.py``); nothing is decompressed and no redirection followed; a request is repeated
after a failed connection, since an event and a cosignature may arrive twice without harm; what the
ledger says about its own tree is verified by the caller's mirror, and an append's receipt here.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

import httpx
from pydantic import BaseModel, Field

from governance.canonical import Base64, Frozen, parse_json, unb64
from governance.errors import FormatError, plain
from governance.identity.envelope import Model, parse_model
from governance.ledger.batch import BatchAnswer, PlacedInBatch, WireBatch
from governance.ledger.errors import (
    AnswerError,
    LedgerRefusedError,
    LedgerUnavailableError,
    ProofError,
)
from governance.ledger.events import Event, WireEvent
from governance.ledger.merkle import leaf_hash, verify_inclusion
from governance.ledger.note import (
    NOTE_MAX_BYTES,
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_note,
)
from governance.web.addresses import safe_address
from governance.web.deadline import bounded_client, deadline

SMALL_ANSWER_BYTES: Final = 64 * 1024
ENTRIES_ANSWER_BYTES: Final = 16 * 1024 * 1024
ATTEMPTS: Final = 4
FIRST_WAIT: Final = 0.25  # seconds; doubled after each attempt
TIMEOUT: Final = 10.0  # seconds for connecting and for each part of an answer
DEADLINE: Final = 60.0  # seconds for all attempts together
BATCH_ANSWER_BYTES: Final = 2 * 1024 * 1024
_NO_BATCH: Final = frozenset({400, 404, 405, 413})
"""A ledger that is older than batches, or one that some event in it keeps from reading it."""
_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})


class LogInfo(Frozen):
    """What the ledger says of itself; nothing here is verified."""

    origin: str
    vkey: str
    size: int = Field(ge=0)


@dataclass(frozen=True)
class Receipt:
    """Proof that an event is in the log: where, in which signed tree, and by which path."""

    index: int
    note: Note
    checkpoint: Checkpoint
    proof: tuple[bytes, ...]


class _Proof(Frozen):
    hashes: tuple[Base64, ...] = Field(max_length=64)


class _Entry(WireEvent):
    index: int


class _Entries(Frozen):
    entries: tuple[_Entry, ...] = Field(max_length=1_000)


class _Appended(Frozen):
    index: int = Field(ge=0)
    size: int = Field(ge=1)
    checkpoint: str
    hashes: tuple[Base64, ...] = Field(max_length=64)


class _Cosigned(Frozen):
    witnesses: tuple[str, ...]


class _Problem(BaseModel):
    reason: str = Field(default="unknown", max_length=100)
    detail: str = Field(default="no detail was given", max_length=500)
    next_step: str = Field(default="", max_length=500)


class LedgerClient:
    """One ledger.

    Args:
        base_url: for example ``https://ledger.example.gov.uk``.
        log_key: the log's verifier key, pinned beforehand.
        auth: signs requests as a party or person (``governance.exchange.http.RequestSigner``).
        wait: how to pause between attempts.
        within: seconds for a whole question and answer; large ones earn more.
    """

    def __init__(
        self,
        base_url: str,
        log_key: VerifierKey,
        auth: httpx.Auth,
        *,
        wait: Callable[[float], None] = time.sleep,
        within: float = DEADLINE,
    ) -> None:
        self.log_key = log_key
        self._base = safe_address(base_url)
        self._http = bounded_client(TIMEOUT)
        self._auth = auth
        self._wait = wait
        self._within = within

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def log(self) -> LogInfo:
        """What the ledger says of itself, to be compared with what is pinned."""
        return _read(self._get("/v1/log"), LogInfo)

    def checkpoint(
        self, size: int | None = None, witnesses: int = 0, by: Collection[str] = ()
    ) -> Note:
        """A checkpoint, not yet verified: the newest, that of a size, or the largest cosigned.

        Args:
            size: of the tree.
            witnesses: instead of a size, so many cosignatures at least.
            by: parties whose cosignatures must be among them.

        Raises:
            NoteFormatError: not a signed note.
        """
        parameters: dict[str, int | list[str]] = {} if size is None else {"size": size}
        if witnesses:
            parameters |= {"witnesses": witnesses, "by": sorted(by)}
        return parse_note(self._get("/v1/checkpoint", parameters, NOTE_MAX_BYTES))

    def entries(self, start: int, end: int) -> list[Event]:
        """Events from ``start`` on, at least one; fewer than asked when they are large.

        Raises:
            FormatError: an entry is no event, or its payload is not what its leaf commits to.
            AnswerError: other entries than asked for.
        """
        body = self._get("/v1/entries", {"start": start, "end": end}, ENTRIES_ANSWER_BYTES)
        entries = _read(body, _Entries).entries
        indexes = [entry.index for entry in entries]
        if not indexes or indexes != list(range(start, start + len(indexes))) or indexes[-1] >= end:
            raise AnswerError("the ledger answered with other entries than asked for")
        return [entry.event() for entry in entries]

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """RFC 9162 inclusion proof, to be verified by the caller."""
        return self._proof("/v1/proofs/inclusion", {"index": index, "size": size})

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """RFC 9162 consistency proof, to be verified by the caller."""
        return self._proof("/v1/proofs/consistency", {"first": first, "second": second})

    def append(self, event: Event) -> Receipt:
        """Append an event; it may be repeated after any failure.

        Raises:
            LedgerRefusedError: with the ledger's reason.
            NoteSignatureError, ProofError: the ledger did not prove that it holds the event.
        """
        body = WireEvent.of(event).model_dump_json().encode()
        answer = _read(self._post("/v1/events", body), _Appended)
        signed = self._tree(answer.checkpoint, answer.size)
        return _receipt(event, answer.index, answer.hashes, *signed)

    def append_batch(self, events: Sequence[Event]) -> list[Receipt | LedgerRefusedError]:
        """Append consents and withdrawals (``batch.py``); it may be repeated after any failure.

        Returns:
            For each event, in order, its receipt or why the ledger refused it.

        Raises:
            LedgerRefusedError: the whole batch was refused, and nothing of it taken.
            NoteSignatureError, ProofError, AnswerError: the ledger did not prove that it holds
                every event which it says it took; which of them it holds is not known.
        """
        body = WireBatch(events=tuple(map(WireEvent.of, events))).model_dump_json().encode()
        try:
            data = self._post("/v1/events/batch", body, most=BATCH_ANSWER_BYTES)
        except LedgerRefusedError as refusal:
            if refusal.status not in _NO_BATCH:
                raise
            return [self._append_or_refusal(event) for event in events]
        answer = _read(data, BatchAnswer)
        if len(answer.events) != len(events):
            raise AnswerError("the ledger answered about more or fewer events than it was sent")
        signed = self._tree(answer.checkpoint, answer.size)
        return [
            _receipt(event, said.index, said.hashes, *signed)
            if isinstance(said, PlacedInBatch)
            else _refused(said.reason, said.detail, said.next_step, HTTPStatus.OK)
            for event, said in zip(events, answer.events, strict=True)
        ]

    def _append_or_refusal(self, event: Event) -> Receipt | LedgerRefusedError:
        """One event of a batch that was not taken for one, so that none holds up another."""
        try:
            return self.append(event)
        except LedgerRefusedError as refusal:
            return refusal

    def _tree(self, signed: str, size: int) -> tuple[Note, Checkpoint]:
        """The tree that the log signed for an answer's proofs."""
        note = parse_note(signed.encode())
        checkpoint = open_checkpoint(note, self.log_key)
        if checkpoint.size != size:
            raise ProofError("the ledger's receipt names another size than its checkpoint")
        return note, checkpoint

    def cosign(self, note: Note) -> tuple[str, ...]:
        """Hand in a cosigned checkpoint; the names of the witnesses whose lines were kept."""
        body = self._post("/v1/cosignatures", note.encode(), kind="text/plain; charset=utf-8")
        return _read(body, _Cosigned).witnesses

    def _proof(self, path: str, parameters: Mapping[str, int]) -> list[bytes]:
        return [unb64(value) for value in _read(self._get(path, parameters), _Proof).hashes]

    def _get(
        self,
        path: str,
        parameters: Mapping[str, int | list[str]] | None = None,
        most: int = SMALL_ANSWER_BYTES,
    ) -> bytes:
        request = {"method": "GET", "url": self._base + path, "params": parameters}
        return self._send(request, most)

    def _post(
        self,
        path: str,
        content: bytes,
        *,
        kind: str = "application/json",
        most: int = SMALL_ANSWER_BYTES,
    ) -> bytes:
        request = {
            "method": "POST",
            "url": self._base + path,
            "content": content,
            "headers": {"content-type": kind},
        }
        return self._send(request, most)

    def _send(self, request: dict[str, Any], most: int) -> bytes:
        with deadline(self._within):
            return self._attempts(request, most)

    def _attempts(self, request: dict[str, Any], most: int) -> bytes:
        headers = {"accept-encoding": "identity", **request.pop("headers", {})}
        pause = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, body = self._once(request, headers, most)
            except httpx.TransportError as error:
                failure = f"the ledger does not answer ({type(error).__name__})"
            else:
                if status < 300:  # noqa: PLR2004 - success
                    return body
                if status not in _TRY_AGAIN:
                    raise _refusal(status, body)
                failure = f"the ledger answers with status {status}"
            if attempt < ATTEMPTS:
                self._wait(pause)
                pause *= 2
        raise LedgerUnavailableError(
            failure, next_step="check the network and the ledger's address, then try again"
        )

    def _once(
        self, request: dict[str, Any], headers: dict[str, str], most: int
    ) -> tuple[int, bytes]:
        body = bytearray()
        with self._http.stream(**request, headers=headers, auth=self._auth) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise AnswerError("the ledger's answer is compressed, which was not asked for")
            for part in response.iter_raw():
                body += part
                if len(body) > most:
                    raise AnswerError(f"the ledger's answer is larger than {most} bytes")
            return response.status_code, bytes(body)


def _read(body: bytes, model: type[Model]) -> Model:
    try:
        return parse_model(parse_json(body), model)
    except FormatError as error:
        raise AnswerError(
            f"the ledger's answer has another form than agreed: {error.message}"
        ) from None


def _receipt(
    event: Event, index: int, hashes: Sequence[str], note: Note, checkpoint: Checkpoint
) -> Receipt:
    """A receipt for this very event.

    Raises:
        ProofError: the tree does not hold it there.
    """
    proof = tuple(unb64(value) for value in hashes)
    digest = leaf_hash(event.leaf_bytes)
    verify_inclusion(digest, index, checkpoint.size, proof, checkpoint.root)
    return Receipt(index, note, checkpoint, proof)


def _refusal(status: int, body: bytes) -> LedgerRefusedError:
    try:
        problem = parse_model(parse_json(body), _Problem)
    except FormatError:
        problem = _Problem()
    return _refused(problem.reason, problem.detail, problem.next_step, status)


def _refused(reason: str, detail: str, step: str, status: int) -> LedgerRefusedError:
    reason, detail, step = map(plain, (reason, detail, step))
    return LedgerRefusedError(
        f"the ledger refused: {detail} ({reason})", code=reason, status=status, next_step=step
    )
