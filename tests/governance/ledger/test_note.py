"""Signed notes, checkpoints and cosignatures against the C2SP specifications."""

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import FormatError, ReasonedError
from governance.identity.keys import SigningKey
from governance.ledger.errors import NoteFormatError, NoteSignatureError
from governance.ledger.note import (
    NOTE_MAX_BYTES,
    SIGNATURES_MAX,
    TIMESTAMP_MAX,
    Checkpoint,
    KeyKind,
    Note,
    VerifierKey,
    cosign,
    cosigned_message,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_signature_line,
    parse_vkey,
    sign_checkpoint,
    verify_cosignature,
    witness_key,
)

ORIGIN = "ledger.example/county"
LOG = SigningKey(bytes(range(32)))
WITNESS = SigningKey(bytes(range(1, 33)))
LOG_KEY = VerifierKey(ORIGIN, KeyKind.LOG, LOG.public)
WITNESS_KEY = witness_key(ORIGIN, "police", WITNESS.public)
CHECKPOINT = Checkpoint(ORIGIN, 20852163, bytes(range(64, 96)))

# The example of Go's golang.org/x/mod/sumdb/note, whose format signed-note specifies.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""  # noqa: E501 - a vector

# The example of c2sp.org/tlog-cosignature: its structure, since its keys are not published there.
SPEC_NOTE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501 - a vector


def test_an_independent_implementations_note_verifies() -> None:
    """A note signed by Go's implementation parses, verifies and is written back byte for byte."""
    key = parse_vkey(GO_KEY)
    note = parse_note(GO_NOTE.encode())
    assert str(key) == GO_KEY
    assert note.encode() == GO_NOTE.encode()
    assert note.signatures[0].by(key)
    with pytest.raises(NoteFormatError, match="three lines"):
        open_checkpoint(note, key)  # its signature is right; its text is no checkpoint


def test_the_specifications_example_has_our_structure() -> None:
    """The specification's cosigned checkpoint parses to its origin, size and signing time."""
    note = parse_note(SPEC_NOTE.encode())
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.signatures[1].name == "witness.example.com/w1"
    assert struct.unpack(">Q", note.signatures[1].value[:8])[0] == 1679315147
    assert len(note.signatures[1].value) == 8 + 64
    assert note.encode() == SPEC_NOTE.encode()
    assert cosigned_message(note.text, 1679315147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_a_signed_checkpoint_has_pinned_bytes() -> None:
    """The bytes of a cosigned checkpoint are those that the specifications' words give."""
    text = f"{ORIGIN}\n20852163\n{base64.b64encode(CHECKPOINT.root).decode()}\n"
    log_id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + LOG.public).digest()[:4]
    name = f"{ORIGIN}/witness/police"
    witness_id = hashlib.sha256(name.encode() + b"\n\x04" + WITNESS.public).digest()[:4]
    log_signature = Ed25519PrivateKey.from_private_bytes(LOG.seed).sign(text.encode())
    stamped = struct.pack(">Q", 1700000000) + Ed25519PrivateKey.from_private_bytes(
        WITNESS.seed
    ).sign(b"cosignature/v1\ntime 1700000000\n" + text.encode())
    expected = (
        f"{text}\n"
        f"\u2014 {ORIGIN} {base64.b64encode(log_id + log_signature).decode()}\n"
        f"\u2014 {name} {base64.b64encode(witness_id + stamped).decode()}\n"
    )
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG).with_signatures(
        [cosign(text, WITNESS_KEY, WITNESS, 1700000000)]
    )
    assert note.encode() == expected.encode()
    assert (
        hashlib.sha256(note.encode()).hexdigest()
        == "e705093f733718079c13e45caec287b61ad7ad939ec46b2be6d75eec34868454"
    )


def test_the_last_second_that_a_cosignature_can_name_is_a_time_like_any_other() -> None:
    """c2sp.org/tlog-cosignature: times are below 2^63."""
    line = cosign(CHECKPOINT.text, WITNESS_KEY, WITNESS, TIMESTAMP_MAX)
    assert verify_cosignature(CHECKPOINT.text, line, WITNESS_KEY) == TIMESTAMP_MAX


def test_a_cosigned_checkpoint_opens() -> None:
    """What was signed and cosigned opens with both keys and gives the witness's time."""
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG)
    line = cosign(note.text, WITNESS_KEY, WITNESS, 1700000000).line
    signature = parse_signature_line(line)
    assert open_checkpoint(parse_note(note.encode()), LOG_KEY) == CHECKPOINT
    assert verify_cosignature(note.text, signature, WITNESS_KEY) == 1700000000


def test_no_altered_bit_of_a_note_opens_to_something_else() -> None:
    """Any one bit changed in a signed checkpoint is refused, whatever it turns into."""
    data = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG).encode()
    for at in range(len(data)):
        for bit in range(8):
            altered = data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
            with pytest.raises(ReasonedError):
                open_checkpoint(parse_note(altered), LOG_KEY)


def test_no_altered_bit_of_a_cosignature_verifies() -> None:
    """Any one bit changed in a cosignature line, its time included, is refused."""
    text = CHECKPOINT.text
    data = cosign(text, WITNESS_KEY, WITNESS, 1700000000).line.encode()
    for at in range(len(data)):
        for bit in range(8):
            altered = data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
            with pytest.raises((ReasonedError, UnicodeDecodeError)):
                verify_cosignature(text, parse_signature_line(altered.decode()), WITNESS_KEY)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    """A note with lines of strangers, even under the log's name, still opens."""
    stranger = SigningKey(b"\x09" * 32)
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG).with_signatures(
        sign_checkpoint(
            CHECKPOINT, VerifierKey(ORIGIN, KeyKind.LOG, stranger.public), stranger
        ).signatures
    )
    assert open_checkpoint(note, LOG_KEY) == CHECKPOINT


def test_a_wrong_line_of_a_known_key_refuses_the_note() -> None:
    """A second, false line under the log's key refuses the note although the first is right."""
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG)
    other = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), LOG_KEY, LOG)
    with pytest.raises(NoteSignatureError):
        open_checkpoint(note.with_signatures(other.signatures), LOG_KEY)


def test_a_cosignature_is_no_log_signature() -> None:
    """The same key under type 0x04 never passes for the log's own signature, nor the reverse."""
    as_witness = VerifierKey(ORIGIN, KeyKind.COSIGNATURE, LOG.public)
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG)
    cosigned = Note(note.text, (cosign(note.text, as_witness, LOG, 1),))
    with pytest.raises(NoteSignatureError):
        open_checkpoint(cosigned, LOG_KEY)
    with pytest.raises(NoteSignatureError):
        open_checkpoint(note, as_witness)
    with pytest.raises(NoteSignatureError):
        verify_cosignature(note.text, note.signatures[0], LOG_KEY)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """A key that signs under another origin than its name is refused."""
    note = sign_checkpoint(Checkpoint("other.example/log", 1, bytes(32)), LOG_KEY, LOG)
    with pytest.raises(NoteFormatError, match="another log"):
        open_checkpoint(note, LOG_KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one\n1\n",
        "one\n01\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "one\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "one\n\u0661\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "one\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "one\n1\n" + base64.b64encode(bytes(32)).decode() + "\nextension\n",
        "one\n1\n" + base64.b64encode(bytes(32)).decode(),
        "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "a b\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "one\n99999999999999999999\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "one\n1\n" + base64.b64encode(bytes(32)).decode()[:-2] + "B=\n",
    ],
)
def test_texts_that_are_no_checkpoint_are_refused(text: str) -> None:
    """Every departure from three lines in their one spelling is refused."""
    with pytest.raises(NoteFormatError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text only\n",
        b"text\n\nno signature\n",
        "text\n\n\u2014 name\n".encode(),
        "text\n\n\u2014 na+me AAAAAAA=\n".encode(),
        "text\n\n\u2014 na\u00a0me AAAAAAA=\n".encode(),
        "text\n\n\u2014 name AAAA\n".encode(),
        "text\n\n\u2014 name AAAAAAA=".encode(),
        "te\rxt\n\n\u2014 name AAAAAAA=\n".encode(),
        "text\n\n\u2014 name AAAAAAB=\n".encode(),
        b"\xff\n\n",
        b"x" * 70_000,
        ("text\n\n" + "\u2014 name AAAAAAA=\n" * 129).encode(),
    ],
)
def test_bytes_that_are_no_note_are_refused(data: bytes) -> None:
    """Every departure from the signed note's one spelling is refused."""
    with pytest.raises(NoteFormatError):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("+ARpc", "+Ahpc"),
        GO_KEY.replace("Peter", "Pe ter"),
        GO_KEY + "=",
    ],
)
def test_texts_that_are_no_verifier_key_are_refused(text: str) -> None:
    """A verifier key with a wrong id, type, name or length is refused."""
    with pytest.raises(NoteFormatError):
        parse_vkey(text)


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused_with_a_reason(data: bytes) -> None:
    """Parsing never fails in any other way, and what parses is written back unchanged."""
    try:
        note = parse_note(data)
    except FormatError:
        return
    assert note.encode() == data


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1))
def test_checkpoints_and_cosignatures_round_trip(size: int, root: bytes, time: int) -> None:
    """Any checkpoint and time survive signing, writing, parsing and opening."""
    checkpoint = Checkpoint(ORIGIN, size, root)
    note = sign_checkpoint(checkpoint, LOG_KEY, LOG)
    note = note.with_signatures([cosign(note.text, WITNESS_KEY, WITNESS, time)])
    read = parse_note(note.encode())
    assert open_checkpoint(read, LOG_KEY) == checkpoint
    assert verify_cosignature(read.text, read.signatures[1], WITNESS_KEY) == time
    assert parse_vkey(str(WITNESS_KEY)) == WITNESS_KEY


def test_times_that_the_format_cannot_carry_are_refused() -> None:
    """A time below zero or past 2^63 - 1 is neither signed nor accepted."""
    for time in (-1, 2**63):
        with pytest.raises(NoteFormatError):
            cosign(CHECKPOINT.text, WITNESS_KEY, WITNESS, time)
    late = cosign(CHECKPOINT.text, WITNESS_KEY, WITNESS, 1)
    value = b"\xff" * 8 + late.value[8:]
    line = type(late)(late.name, late.key_id, value)
    with pytest.raises(NoteSignatureError, match="impossible"):
        verify_cosignature(CHECKPOINT.text, line, WITNESS_KEY)


def test_a_notes_limits_are_what_they_say() -> None:
    """The largest note and the most signatures are read, one more is refused."""
    line = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG).signatures[0].line
    frame = len(f"\n\n{line}".encode())
    largest = "a" * (NOTE_MAX_BYTES - frame) + f"\n\n{line}"
    assert len(parse_note(largest.encode()).signatures) == 1
    with pytest.raises(NoteFormatError, match="bytes"):
        parse_note(b"a" + largest.encode())
    full = "a\n\n" + line * SIGNATURES_MAX
    assert len(parse_note(full.encode()).signatures) == SIGNATURES_MAX
    with pytest.raises(NoteFormatError, match="signatures"):
        parse_note((full + line).encode())


def test_a_notes_text_may_have_empty_lines() -> None:
    """The last empty line ends the text, as the specification says."""
    line = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG).signatures[0].line
    note = parse_note(f"one\n\ntwo\n\n{line}".encode())
    assert note.text == "one\n\ntwo\n"
    assert str(note) == f"one\n\ntwo\n\n{line}"


def test_a_signature_line_holds_more_than_a_key_id() -> None:
    """Four bytes are the id alone, five have something behind it."""
    value = base64.b64encode(b"12345").decode()
    assert parse_signature_line(f"\u2014 name {value}\n").value == b"5"
    with pytest.raises(NoteFormatError, match="and a signature"):
        parse_signature_line(f"\u2014 name {base64.b64encode(b'1234').decode()}\n")


def test_a_tree_is_as_large_as_its_format_allows() -> None:
    """The largest size is a checkpoint's, the next and a negative one are not."""
    assert parse_checkpoint(Checkpoint(ORIGIN, TIMESTAMP_MAX, bytes(32)).text).size == 2**63 - 1
    for size in (-1, TIMESTAMP_MAX + 1):
        with pytest.raises(NoteFormatError):
            Checkpoint(ORIGIN, size, bytes(32))


def test_a_witness_is_named_below_its_log() -> None:
    """The same party is another witness of another log."""
    assert witness_key(ORIGIN, "police", WITNESS.public).name == f"{ORIGIN}/witness/police"
