"""The whole ledger as one file: nothing of it can be dropped, moved, altered, forged or hidden."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.canonical import b64, canonical_bytes, unb64
from governance.cli.main import app
from governance.consent.models import ConsentKind, place_of
from governance.evidence.errors import KeysMissing
from governance.evidence.keys import AuditKeys, read_keys
from governance.evidence.whole import WholeLedger, verify_whole
from governance.identity.keys import SigningKey
from governance.ledger.errors import (
    NoteFormatError,
    NoteSignatureError,
    ProofShapeError,
    QuorumError,
)
from governance.ledger.events import Event, EventType
from governance.ledger.export import (
    ExportAltered,
    ExportError,
    ExportTruncated,
    LedgerExport,
    PayloadsWithheld,
)
from governance.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from governance.ledger.note import Note, NoteSignature
from governance.ledger.payloads import AgreementStopped, ConsentErased
from governance.ledger.proof import EntryProof, parse_proof
from governance.ledger.tree import MemoryTree
from tests.governance.evidence.audit import Auditor, tree_of
from tests.governance.world import KEPT, NOON, Party


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """A ledger with consents and a suspension, exported."""
    found = Auditor(tmp_path)
    found.family()
    found.world.consent(found.world.council, "5" * 32)
    stopped = AgreementStopped(agreement=found.world.agreement_hash, reason="review")
    found.world.write(found.world.partners[0], EventType.AGREEMENT_SUSPENDED, stopped)
    found.export()
    return found


def lines_of(auditor: Auditor) -> list[bytes]:
    """The file's lines."""
    return (auditor.root / "ledger.jsonl").read_bytes().splitlines(keepends=True)


def verified(auditor: Auditor, lines: list[bytes], keys: AuditKeys | None = None) -> WholeLedger:
    """What verification says of other lines."""
    path = auditor.root / "other.jsonl"
    path.write_bytes(b"".join(lines))
    keys = keys or auditor.keys
    return verify_whole(LedgerExport(path, keys.log), keys)


def test_an_export_is_verified_with_nothing_but_it_and_public_keys(auditor: Auditor) -> None:
    """Size, root, witnesses and events are recomputed; every event counts."""
    found = verify_whole(LedgerExport(auditor.root / "ledger.jsonl", auditor.log), auditor.keys)
    assert found.checkpoint.root == tree_of(auditor.world.events).root()
    assert found.events["consent.recorded"] == 5
    assert set(found.witnessed) == {"police", "nhs", "council"}
    assert (found.inadmissible, found.erased) == ([], 0)


def test_a_packed_export_is_the_same(auditor: Auditor) -> None:
    """Gzip by name; made twice, it has the same bytes."""
    first = auditor.export(name="one.jsonl.gz")
    auditor.export(name="two.jsonl.gz")
    assert len(list(first.entries())) == len(auditor.world.events)
    assert (auditor.root / "one.jsonl.gz").read_bytes() == (
        auditor.root / "two.jsonl.gz"
    ).read_bytes()
    data = (auditor.root / "one.jsonl.gz").read_bytes()
    (auditor.root / "cut.jsonl.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(ExportError):
        list(LedgerExport(auditor.root / "cut.jsonl.gz", auditor.log).entries())


def _swap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:4], lines[5], lines[4], *lines[6:]]


def _payload_of_another(lines: list[bytes]) -> list[bytes]:
    one, two = json.loads(lines[9]), json.loads(lines[10])
    one |= {"payload": two["payload"], "salt": two["salt"]}
    return [*lines[:9], canonical_bytes(one) + b"\n", *lines[10:]]


def _another_leaf(lines: list[bytes]) -> list[bytes]:
    line = json.loads(lines[9])
    leaf = json.loads(unb64(line["leaf"])) | {"time": "2026-11-22T12:00:01Z"}
    line |= {"leaf": b64(canonical_bytes(leaf))}
    return [*lines[:9], canonical_bytes(line) + b"\n", *lines[10:]]


def _spaced(lines: list[bytes]) -> list[bytes]:
    return [*lines[:9], json.dumps(json.loads(lines[9])).encode() + b"\n", *lines[10:]]


def _smaller_header(lines: list[bytes]) -> list[bytes]:
    header = json.loads(lines[0])
    return [canonical_bytes(header | {"size": header["size"] - 1}) + b"\n", *lines[1:-1]]


ATTACKS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], type[Exception], str]] = {
    "a leaf is dropped": (lambda x: [*x[:5], *x[6:]], ExportTruncated, "withholds"),
    "the last leaf is dropped": (lambda x: x[:-1], ExportTruncated, "rolls back"),
    "the file ends within a line": (lambda x: [*x[:-1], x[-1][:-9]], ExportTruncated, "withholds"),
    "a leaf is repeated": (lambda x: [*x, x[-1]], ExportTruncated, "replays"),
    "one leaf is put in another's place": (
        lambda x: [*x[:5], x[6], *x[6:]], ExportAltered, "replays",
    ),
    "two leaves change places": (_swap, ExportAltered, "reorders"),
    "a leaf is altered": (_another_leaf, ExportAltered, "lies"),
    "a payload is another's": (_payload_of_another, ExportError, "lies"),
    "a line is spelled otherwise": (_spaced, ExportError, "lies"),
    "the header says less": (_smaller_header, ExportError, "rolls back"),
    "there is no header": (lambda x: x[1:], ExportError, "lies"),
    "the file is empty": (lambda _: [], ExportError, "withholds"),
}  # fmt: skip


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(
            attack, marks=pytest.mark.invariant(5, f"an export in which {attack}", double=double)
        )
        for attack, (_, _, double) in ATTACKS.items()
    ],
)
def test_no_leaf_can_be_dropped_moved_or_altered(auditor: Auditor, attack: str) -> None:
    """Each attack is refused with the error that says what it is."""
    change, expected, _ = ATTACKS[attack]
    with pytest.raises(expected):
        verified(auditor, change(lines_of(auditor)))


@pytest.mark.invariant(13, "an export that hides a suspension's payload", double="withholds")
def test_the_payload_of_a_suspension_cannot_be_hidden(auditor: Auditor) -> None:
    """Without its payload it would not count in replay: the export is refused."""
    lines = lines_of(auditor)
    kinds = [event.leaf.type for event in auditor.world.events]
    at = kinds.index(EventType.AGREEMENT_SUSPENDED) + 1
    lines[at] = canonical_bytes(json.loads(lines[at]) | {"payload": None, "salt": None}) + b"\n"
    with pytest.raises(PayloadsWithheld):
        verified(auditor, lines)


def _without_payload(lines: list[bytes], *indexes: int) -> list[bytes]:
    """The file without some payloads, each by its entry's index."""
    bare = {"payload": None, "salt": None}
    return [
        canonical_bytes(json.loads(line) | bare) + b"\n" if at - 1 in indexes else line
        for at, line in enumerate(lines)
    ]


@pytest.mark.invariant(18, "an export with an erased payload")
def test_the_payload_of_a_consent_may_be_missing_once_it_was_erased(auditor: Auditor) -> None:
    """Its leaf and the root stay; it is counted as erased, not as inadmissible."""
    world, grant = auditor.world, auditor.world.events[-2]
    world.erase(world.council, "5" * 32, grant)
    auditor.export()
    found = verified(auditor, _without_payload(lines_of(auditor), len(world.events) - 3))
    assert (found.erased, found.inadmissible) == (1, [])
    assert list(found.state.consents.erased) == [grant.leaf.id]


@pytest.mark.invariant(2, "an export that hides what a record says", double="withholds")
@pytest.mark.parametrize("said", ["nothing", "another's", "by another"])
def test_the_payload_of_a_consent_cannot_be_hidden(auditor: Auditor, said: str) -> None:
    """It may be a refusal: nobody says that it was erased, or somebody who may not."""
    world, grant = auditor.world, auditor.world.events[-2]
    hidden = len(world.events) - 2
    if said == "another's":
        world.erase(world.council, "1" * 32, next(_consents(auditor)))
    if said == "by another":
        place = place_of("police", "5" * 32, ConsentKind.APPROACH)
        erased = ConsentErased(agreement=world.agreement_hash, place=place)
        author = world.partners[0].author(NOON + KEPT)
        world.events.append(author.write(EventType.CONSENT_ERASED, erased, (grant.leaf.id,)))
    auditor.export()
    with pytest.raises(PayloadsWithheld, match=f"entry {hidden}"):
        verified(auditor, _without_payload(lines_of(auditor), hidden))


@pytest.mark.invariant(2, "an export that hides a withdrawal's payload", double="withholds")
def test_nothing_but_a_record_may_lack_its_payload(auditor: Auditor) -> None:
    """Not even a withdrawal, which would stand without it."""
    auditor.world.withdraw(auditor.world.council, auditor.world.events[-2])
    auditor.export()
    with pytest.raises(PayloadsWithheld):
        verified(auditor, _without_payload(lines_of(auditor), len(auditor.world.events) - 1))


def _consents(auditor: Auditor) -> Iterator[Event]:
    return (one for one in auditor.world.events if one.leaf.type is EventType.CONSENT_RECORDED)


@pytest.mark.invariant(4, "an export with a forged cosignature", double="lies")
def test_a_forged_cosignature_refuses_the_whole_export(auditor: Auditor) -> None:
    """A line that claims a known witness and was not made by it is no missing line."""
    police, nhs, _ = auditor.world.partners
    forger = Party("police", police.signing, SigningKey.generate(), police.sealing)
    note, _ = auditor.note(auditor.world.events, [forger, nhs])
    log, made, other = note.signatures
    claimed = NoteSignature(made.name, auditor.witness(police).key_id, made.value)
    forged = Note(note.text, (log, claimed, other))
    header = json.loads(lines_of(auditor)[0]) | {"checkpoint": str(forged)}
    lines = [canonical_bytes(header) + b"\n", *lines_of(auditor)[1:]]
    with pytest.raises(NoteSignatureError):
        verified(auditor, lines)


@pytest.mark.invariant(6, "an export that too few partners cosigned", double="lies")
def test_too_few_cosignatures_are_refused(auditor: Auditor) -> None:
    """The agreement's quorum is two; one partner, or a stranger beside it, is not enough."""
    stranger = Party("stranger")
    auditor.export(witnesses=[auditor.world.council, stranger], name="few.jsonl")
    with pytest.raises(QuorumError):
        verify_whole(LedgerExport(auditor.root / "few.jsonl", auditor.log), auditor.keys)
    alone = verify_whole(LedgerExport(auditor.root / "few.jsonl", auditor.log), auditor.keys, 1)
    assert list(alone.witnessed) == ["council"]


@pytest.mark.invariant(5, "an export under another log's key", double="swaps keys")
def test_another_logs_key_opens_nothing(auditor: Auditor) -> None:
    """The log's key is the auditor's own, never the file's."""
    other = Auditor(auditor.root)
    with pytest.raises(NoteSignatureError):
        LedgerExport(auditor.root / "ledger.jsonl", other.log)


@pytest.mark.invariant(5, "an export that names a partner with other keys", double="swaps keys")
def test_parties_bear_the_keys_that_were_handed_over(auditor: Auditor) -> None:
    """A ledger that names a partner with keys of its own making is refused."""
    keys = auditor.keys
    other = AuditKeys(keys.log, keys.parties | {"council": Party("council").keys})
    with pytest.raises(KeysMissing):
        verified(auditor, lines_of(auditor), other)


def test_keys_are_read_from_a_folder_and_each_signed_by_itself(auditor: Auditor) -> None:
    """One vkey, each party once; a document that its own key did not sign is refused."""
    folder = auditor.keys_folder()
    assert read_keys([folder]) == auditor.keys
    with pytest.raises(KeysMissing):
        read_keys([folder, folder / "ledger.vkey"])
    (folder / "ledger.vkey").unlink()
    with pytest.raises(KeysMissing):
        read_keys([folder])


def test_the_command_says_what_the_ledger_holds(auditor: Auditor) -> None:
    """Governance verify prints size, root, witnesses, events, and fails on a cut file."""
    run, keys = CliRunner(), auditor.keys_folder()
    file = auditor.root / "ledger.jsonl"
    done = run.invoke(app, ["--json", "verify", str(file), "--keys", str(keys)])
    assert json.loads(done.stdout)["events"]["agreement.suspended"] == 1
    file.write_bytes(b"".join(lines_of(auditor)[:-1]))
    assert isinstance(
        run.invoke(app, ["verify", str(file), "--keys", str(keys)]).exception, ExportTruncated
    )


def test_a_file_of_boundless_lines_is_refused(auditor: Auditor) -> None:
    """No line is read beyond the largest entry, also when a small file unpacks to a huge one."""
    path = auditor.root / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(b"[" * 30_000_000))
    with pytest.raises(ExportError):
        LedgerExport(path, auditor.log)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21])
def test_a_tree_in_memory_proves_what_it_holds(size: int) -> None:
    """Inclusion of each leaf and consistency with each earlier size, by the verifiers."""
    tree = MemoryTree()
    for number in range(size):
        tree.append(b"%d" % number)
    for index in range(size):
        digest = leaf_hash(b"%d" % index)
        verify_inclusion(digest, index, size, tree.inclusion(index), tree.root())
        first = index + 1
        verify_consistency(first, size, tree.consistency(first), tree.root(first), tree.root())


def test_a_proof_is_text_in_its_one_spelling(auditor: Auditor) -> None:
    """It reads back as it was written; other headers, lines and numbers are refused."""
    export = LedgerExport(auditor.root / "ledger.jsonl", auditor.log)
    list(export.entries())
    proof = EntryProof(3, tuple(export.tree.inclusion(3)), export.note)
    assert parse_proof(proof.encode()) == proof
    text = str(proof)
    for wrong in (
        text.replace("@v1", "@v2"),
        text.replace("index 3", "index 03"),
        text.replace("index 3", "extra AAAA\nindex 3"),
        text.replace("index 3\n", "index 3\nAAAB=\n"),
        text.split("\n\n", maxsplit=1)[0],
        "",
    ):
        with pytest.raises((ProofShapeError, NoteFormatError)):
            parse_proof(wrong.encode())
