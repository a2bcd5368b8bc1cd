"""Another implementation of the C2SP formats verifies ours and witnesses our log.

``make interop`` makes its environment (``scripts/interop.py``); what needs it is skipped without
it. The vectors of the specifications' own texts need nothing.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from examples.county.demo.processes import free_port
from governance.canonical import b64, unb64
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import (
    AnswerError,
    LedgerUnavailableError,
    NoteSignatureError,
    WitnessRefusedError,
)
from governance.ledger.note import (
    KeyKind,
    Note,
    VerifierKey,
    cosign,
    cosigned_message,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    verify_cosignature,
    witness_key,
)
from governance.ledger.outside import OutsideWitness, add_checkpoint_body
from governance.ledger.proof import EntryProof
from governance.ledger.service import LedgerService
from governance.ledger.store import LedgerStore
from tests.governance.ledger.serving import Front, serving
from tests.governance.world import NOON, ORIGIN, World

HOME: Final = Path(
    os.environ.get("HEARTHLINK_INTEROP", Path(tempfile.gettempdir()) / "hearthlink-interop")
)
PYTHON: Final = HOME / "bin" / "python"
interop = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"no other implementation at {HOME}: make interop makes it"
)
START_SECONDS: Final = 20


@dataclass
class Log:
    """A log that grows, served over HTTP, with two partners as witnesses."""

    world: World
    store: LedgerStore
    service: LedgerService
    front: Front
    client: LedgerClient

    def grow(self, until: int) -> None:
        """Append the world's events, up to so many."""
        for event in self.world.events[self.store.head().size : until]:
            self.store.append(event)

    def witnesses(self) -> list[VerifierKey]:
        """The partners' witness keys."""
        return [
            witness_key(ORIGIN, party.name, party.witness.public) for party in self.world.partners
        ]

    def cosigned(self) -> Note:
        """The newest checkpoint, cosigned by every partner now."""
        note = self.service.checkpoint()
        parties = zip(self.witnesses(), self.world.partners, strict=True)
        now = int(time.time())
        return note.with_signatures(
            cosign(note.text, key, party.witness, now) for key, party in parties
        )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log with three leaves of more."""
    world = World()
    store = LedgerStore(Database(sqlite_url(tmp_path / "log.db"), "log"), ORIGIN)
    service = LedgerService(store, SigningKey(b"\x01" * 32), ORIGIN, lambda: NOON)
    front = Front(service)
    with serving(front) as url, LedgerClient(url, service.log_key, httpx.Auth()) as client:
        found = Log(world, store, service, front, client)
        found.grow(3)
        yield found
    store.close()


class Witness:
    """``aics-witness`` as a process."""

    def __init__(self, folder: Path, log: VerifierKey) -> None:
        self._config = folder / "witness.json"
        port = free_port()
        words = ("init", "--name", "witness.example.org/w1", "--listen", f"127.0.0.1:{port}")
        self.key = parse_vkey(self._run(*words).strip())
        self._run("add-log", "--origin", log.name, "--vkey", str(log))
        self.url = f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[OutsideWitness]:
        """Run it until the block ends; our side of it."""
        command = [str(PYTHON), "-m", "aics_witness", "serve", "--config", str(self._config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            outside = OutsideWitness(self.url, self.key)
            try:
                deadline = time.monotonic() + START_SECONDS
                while not self._answers(outside):
                    assert time.monotonic() < deadline, "the witness did not start"
                    time.sleep(0.05)
                yield outside
            finally:
                outside.close()
                process.terminate()

    def _answers(self, outside: OutsideWitness) -> bool:
        with contextlib.suppress(LedgerUnavailableError):
            outside._send(b"nothing")
            return True
        return False

    def _run(self, command: str, *words: str) -> str:
        done = subprocess.run(
            [PYTHON, "-m", "aics_witness", command, "--config", self._config, *words],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


def verified_outside(**given: Any) -> dict[str, Any]:
    """What the other implementation makes of our bytes."""
    script = Path(__file__).with_name("outside_verifier.py")
    done = subprocess.run(
        [PYTHON, script], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def everything(log: Log) -> dict[str, Any]:
    """A cosigned checkpoint and proofs against it, as text."""
    log.grow(3)
    old = log.store.head()
    log.grow(len(log.world.events))
    size, index = log.store.head().size, 1
    note = log.cosigned()
    inclusion = log.service.inclusion_proof(index, size)
    return {
        "log": str(log.service.log_key),
        "witnesses": [str(key) for key in log.witnesses()],
        "note": str(note),
        "leaf": b64(log.world.events[index].leaf_bytes),
        "index": index,
        "inclusion": [b64(value) for value in inclusion],
        "old_size": old.size,
        "old_root": b64(old.root),
        "consistency": [b64(value) for value in log.service.consistency_proof(old.size, size)],
        "proof": str(EntryProof(index, tuple(inclusion), note)),
    }


@interop
def test_another_implementation_verifies_checkpoint_cosignatures_and_proofs(log: Log) -> None:
    """Signed note, three cosignatures, inclusion, consistency and tlog-proof."""
    found = verified_outside(**everything(log))
    size = len(log.world.events)
    assert found == {
        "checkpoint": True, "size": size, "inclusion": True, "consistency": True, "proof": True,
    }  # fmt: skip


@interop
@pytest.mark.parametrize("part", ["leaf", "old_root", "log"])
def test_another_implementation_refuses_what_we_would_refuse(log: Log, part: str) -> None:
    """Another leaf, another old root, another log's key."""
    given = everything(log)
    other = VerifierKey(ORIGIN, KeyKind.LOG, SigningKey(b"\x02" * 32).public)
    given[part] = {"leaf": b64(b"another"), "old_root": b64(bytes(32)), "log": str(other)}[part]
    fails = {"leaf": {"inclusion", "proof"}, "old_root": {"consistency"},
             "log": {"checkpoint", "proof"}}[part]  # fmt: skip
    found = verified_outside(**given)
    assert {name for name, value in found.items() if value is False} == fails


@interop
def test_a_witness_from_outside_cosigns_a_log_that_grows(log: Log, tmp_path: Path) -> None:
    """At first sight, the same size again, and with a consistency proof after growth."""
    with Witness(tmp_path, log.service.log_key).serving() as outside:
        for size in (3, 3, 5, len(log.world.events)):
            log.grow(size)
            note = parse_note(outside.cosign(log.client).encode())
            assert open_checkpoint(note, log.service.log_key).size == size
            _, line = note.signatures
            assert abs(verify_cosignature(note.text, line, outside.key) - time.time()) < 60


@interop
@pytest.mark.invariant(4, "a log that shows an outside witness two trees", double="forks")
@pytest.mark.parametrize("size", [3, 5])
def test_a_witness_from_outside_refuses_a_second_tree(log: Log, tmp_path: Path, size: int) -> None:
    """Of the size that it has seen, and of a larger one."""
    with Witness(tmp_path, log.service.log_key).serving() as outside:
        outside.cosign(log.client)
        other = LedgerStore(Database(sqlite_url(tmp_path / "other.db"), "log"), ORIGIN)
        key = SigningKey(b"\x01" * 32)
        for event in World().events[:size]:
            other.append(event)
        log.front.show(LedgerService(other, key, ORIGIN, lambda: NOON))
        with pytest.raises(WitnessRefusedError, match="not the one that it has seen"):
            outside.cosign(log.client)
        other.close()


@interop
@pytest.mark.invariant(6, "a log that shows an outside witness an older tree", double="rolls back")
def test_a_log_that_was_rolled_back_is_told_so(log: Log, tmp_path: Path) -> None:
    """The witness remembers the larger size."""
    with Witness(tmp_path, log.service.log_key).serving() as outside:
        older = log.service.checkpoint()
        log.grow(5)
        outside.cosign(log.client)
        log.front.twist = lambda path, status, body: (
            (status, older.encode()) if path.endswith("/checkpoint") else (status, body)
        )
        with pytest.raises(WitnessRefusedError, match="has seen 5"):
            outside.cosign(log.client)


@interop
def test_a_witness_that_does_not_know_the_log_says_so(log: Log, tmp_path: Path) -> None:
    """Another origin is 404, another key of the origin 403."""
    key = SigningKey(b"\x02" * 32).public
    for name, why in (("elsewhere.example.org/log", "this log"), (ORIGIN, "the key of this log")):
        folder = tmp_path / why.replace(" ", "-")
        folder.mkdir()
        known = VerifierKey(name, KeyKind.LOG, key)
        with (
            Witness(folder, known).serving() as outside,
            pytest.raises(WitnessRefusedError, match=why),
        ):
            outside.cosign(log.client)


# --- without another implementation -----------------------------------------------------------


ANSWERS = [
    (200, b"", NoteSignatureError),
    (200, "\u2014 witness.example.org/w1 AAAAAAAA\n".encode(), NoteSignatureError),
    (200, b"\xff\n", AnswerError),
    (409, b"03\n", WitnessRefusedError),
    (500, b"", WitnessRefusedError),
]


@pytest.mark.parametrize(("status", "body", "error"), ANSWERS)
def test_a_witness_that_answers_otherwise_is_not_believed(
    log: Log, status: int, body: bytes, error: type[Exception]
) -> None:
    """Nothing, a stranger's line, no text, a size without its type, a failure."""
    other = Front(log.service)
    other.twist = lambda _path, _status, _body: (status, body)
    key = VerifierKey("witness.example.org/w1", KeyKind.COSIGNATURE, SigningKey.generate().public)
    with serving(other) as url:
        outside = OutsideWitness(url, key)
        with pytest.raises(error):
            outside.cosign(log.client)
        outside.close()


@pytest.mark.parametrize(("body", "error"), [(b"03\n", AnswerError), (b"9\n", WitnessRefusedError)])
def test_a_size_has_one_spelling_and_is_not_beyond_the_log(
    log: Log, body: bytes, error: type[Exception]
) -> None:
    """c2sp.org/tlog-witness: decimal, no leading zeroes, a newline."""
    other = Front(log.service)
    other.twist = lambda _path, _status, _body: (409, body)
    other.headers = [(b"content-type", b"text/x.tlog.size")]
    key = VerifierKey("witness.example.org/w1", KeyKind.COSIGNATURE, SigningKey.generate().public)
    with serving(other) as url:
        outside = OutsideWitness(url, key)
        with pytest.raises(error):
            outside.cosign(log.client)
        outside.close()


CHECKPOINT = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""
"""c2sp.org/tlog-checkpoint, tlog-cosignature and tlog-witness use this one."""
LINE = (
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
    "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
WITNESS_LINE = (
    "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
    "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
PROOF = (
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=",
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=",
)


def test_the_specifications_own_checkpoint_and_cosignature_are_read() -> None:
    """Byte for byte what they print, the cosignature's time among it."""
    text = f"{CHECKPOINT}\n{LINE}{WITNESS_LINE}"
    note = parse_note(text.encode())
    assert str(note) == text
    tree = parse_checkpoint(note.text)
    assert (tree.origin, tree.size) == ("example.com/behind-the-sofa", 20852163)
    assert tree.text == CHECKPOINT
    line = note.signatures[1]
    seconds = int.from_bytes(line.value[:8], "big")
    assert seconds == 1679315147
    signed = f"cosignature/v1\ntime 1679315147\n{CHECKPOINT}"
    assert cosigned_message(note.text, seconds) == signed.encode()
    assert len(line.value) == 8 + 64


def test_the_specifications_own_request_is_written() -> None:
    """c2sp.org/tlog-witness, with two of its lines of proof and one signature."""
    note = parse_note(f"{CHECKPOINT}\n{LINE}".encode())
    body = add_checkpoint_body(20852014, [unb64(value) for value in PROOF], note)
    lines = "\n".join(PROOF)
    assert body.decode() == f"old 20852014\n{lines}\n\n{CHECKPOINT}\n{LINE}"
