"""A witness from outside, asked for its cosignature: the client's half of c2sp.org/tlog-witness.

Partners' agents witness by mirroring, of their own accord, and take no calls. A witness from
outside (a regulator, another county) runs any program that speaks the protocol, sees no event, and
needs to know the log's verifier key alone.

Rules, in order: the checkpoint is signed by the pinned log; the witness says which size it
cosigned last, and is given a proof from there; an answer has a largest size and a deadline; of the
answer only lines by the pinned witness count; each of them verifies.
"""

import re
from typing import Final

import httpx

from governance.canonical import b64
from governance.errors import plain
from governance.ledger.client import LedgerClient
from governance.ledger.errors import (
    AnswerError,
    LedgerUnavailableError,
    NoteSignatureError,
    WitnessRefusedError,
)
from governance.ledger.note import (
    NOTE_MAX_BYTES,
    Note,
    NoteSignature,
    VerifierKey,
    open_checkpoint,
    parse_signature_line,
    verify_cosignature,
)
from governance.web.addresses import safe_address
from governance.web.deadline import bounded_client, deadline

SIZE_TYPE: Final = "text/x.tlog.size"
PROOF_LINES_MAX: Final = 63  # c2sp.org/tlog-witness
TIMEOUT: Final = 10.0  # seconds for connecting and for each part of an answer
DEADLINE: Final = 60.0  # seconds for one question and its answer
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_OK, _CONFLICT = 200, 409
_WHY: Final = {
    403: "does not know the key of this log",
    404: "does not know this log",
    422: "finds that the log is not the one that it has seen before",
}


def add_checkpoint_body(old: int, proof: list[bytes], note: Note) -> bytes:
    """The body of ``add-checkpoint``: the size seen last, a proof from there, the checkpoint."""
    lines = "".join(f"{b64(value)}\n" for value in proof[: PROOF_LINES_MAX + 1])
    return f"old {old}\n{lines}\n{note}".encode()


class OutsideWitness:
    """One witness.

    Args:
        url: its submission prefix.
        key: its verifier key (type 0x04), pinned beforehand.
    """

    def __init__(self, url: str, key: VerifierKey) -> None:
        self._url = safe_address(url) + "/add-checkpoint"
        self.key = key
        self._http = bounded_client(TIMEOUT)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def cosign(self, ledger: LedgerClient) -> Note:
        """Have the log's newest checkpoint cosigned.

        Returns:
            The checkpoint with the log's signature and the witness's.

        Raises:
            WitnessRefusedError: it knows another log, or another tree of this one.
            NoteSignatureError: the log's signature or the witness's is missing or wrong.
            LedgerUnavailableError, AnswerError: one of the two is away or answers in another form.
        """
        note = ledger.checkpoint()
        checkpoint = open_checkpoint(note, ledger.log_key)
        signed = Note(note.text, tuple(one for one in note.signatures if one.by(ledger.log_key)))
        status, body = self._send(add_checkpoint_body(0, [], signed))
        if status == _CONFLICT:  # it has cosigned before, and says up to where
            old = _size(body)
            if old > checkpoint.size:
                raise WitnessRefusedError(
                    f"the witness has seen {old} entries and the ledger shows {checkpoint.size}",
                    next_step="tell the partners: the ledger was rolled back, or shows two trees",
                )
            proof = ledger.consistency_proof(old, checkpoint.size)
            status, body = self._send(add_checkpoint_body(old, proof, signed))
        if status != _OK:
            raise WitnessRefusedError(
                f"the witness {_WHY.get(status, f'answers with status {status}')}",
                next_step="ask its operator; where it speaks of another tree, tell the partners",
            )
        return signed.with_signatures(self._lines(signed.text, body))

    def _lines(self, text: str, body: bytes) -> list[NoteSignature]:
        """The pinned witness's lines of an answer, each verified."""
        try:
            lines = [parse_signature_line(f"{line}\n") for line in body.decode().splitlines()]
        except UnicodeDecodeError:
            raise AnswerError("the witness's answer is not UTF-8") from None
        own = [line for line in lines if line.by(self.key)]
        if not own:
            raise NoteSignatureError("the witness answered without its own signature")
        for line in own:
            verify_cosignature(text, line, self.key)
        return own

    def _send(self, body: bytes) -> tuple[int, bytes]:
        answer = bytearray()
        try:
            with (
                deadline(DEADLINE),
                self._http.stream(
                    "POST", self._url, content=body, headers={"accept-encoding": "identity"}
                ) as response,
            ):
                for part in response.iter_raw():
                    answer += part
                    if len(answer) > NOTE_MAX_BYTES:
                        raise AnswerError("the witness's answer is too large")
        except httpx.TransportError as error:
            raise LedgerUnavailableError(
                f"the witness does not answer ({plain(type(error).__name__)})",
                next_step="check its address, then try again",
            ) from None
        if response.status_code == _CONFLICT and response.headers.get("content-type") != SIZE_TYPE:
            return 422, b""  # the same size with another root: nothing to prove from
        return response.status_code, bytes(answer)


def _size(body: bytes) -> int:
    found = _SIZE.fullmatch(body)
    if found is None:
        raise AnswerError("the witness does not say which size it has seen")
    return int(found[1])
