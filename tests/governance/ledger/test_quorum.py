"""When enough witnesses have seen a checkpoint lately enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.identity.keys import SigningKey
from governance.ledger.errors import NoteSignatureError, QuorumError, StaleCheckpointError
from governance.ledger.note import (
    Checkpoint,
    KeyKind,
    Note,
    NoteSignature,
    VerifierKey,
    cosign,
    sign_checkpoint,
    witness_key,
)
from governance.ledger.quorum import FUTURE_TOLERANCE, WitnessPolicy, verify_cosigned

ORIGIN = "ledger.example/county"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LOG = SigningKey(b"\x01" * 32)
LOG_KEY = VerifierKey(ORIGIN, KeyKind.LOG, LOG.public)
PARTIES = {name: SigningKey(bytes([at]) * 32) for at, name in enumerate("abc", start=2)}
KEYS = {name: witness_key(ORIGIN, name, key.public) for name, key in PARTIES.items()}
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(32))
POLICY = WitnessPolicy(LOG_KEY, tuple(KEYS.values()), 2, timedelta(minutes=15))


def cosigned(**ages: int) -> Note:
    """The checkpoint, cosigned by the named parties this many seconds before NOW."""
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG)
    return note.with_signatures(
        cosign(note.text, KEYS[name], PARTIES[name], int(NOW.timestamp()) - age)
        for name, age in ages.items()
    )


def test_a_fresh_quorum_is_accepted() -> None:
    """Two fresh witnesses of three meet a quorum of two, and their times are returned."""
    result = verify_cosigned(cosigned(a=10, b=900), POLICY, NOW)
    assert result.checkpoint == CHECKPOINT
    assert result.witnessed == {
        KEYS["a"].name: NOW - timedelta(seconds=10),
        KEYS["b"].name: NOW - timedelta(seconds=900),
    }


def test_a_witness_counts_by_its_newest_time() -> None:
    """An old cosignature beside a fresh one of the same witness does no harm."""
    note = cosigned(a=10, b=5000).with_signatures(cosigned(b=20).signatures[1:])
    assert verify_cosigned(note, POLICY, NOW).witnessed[KEYS["b"].name] == NOW - timedelta(
        seconds=20
    )


@pytest.mark.invariant(4, "too few witnesses", double="withholds")
@pytest.mark.invariant(6, "too few witnesses", double="withholds")
def test_too_few_witnesses_are_refused() -> None:
    """One witness, or one twice, is no quorum of two."""
    for note in (
        cosigned(),
        cosigned(a=1),
        cosigned(a=1).with_signatures(cosigned(a=2).signatures[1:]),
    ):
        with pytest.raises(QuorumError) as caught:
            verify_cosigned(note, POLICY, NOW)
        assert caught.value.reason == "ledger.quorum"


@pytest.mark.invariant(6, "old cosignatures", double="rolls back")
def test_old_cosignatures_are_refused() -> None:
    """A quorum that is one second too old is stale."""
    with pytest.raises(StaleCheckpointError):
        verify_cosigned(cosigned(a=10, b=901), POLICY, NOW)


@pytest.mark.invariant(3, "witnesses of the hub's choice", double="withholds")
def test_a_required_witness_is_not_outvoted() -> None:
    """However many others cosigned, the one who is required has to have done so, and lately."""
    policy = replace(POLICY, required=frozenset({KEYS["c"].name}))
    assert verify_cosigned(cosigned(a=10, c=20), policy, NOW).checkpoint == CHECKPOINT
    with pytest.raises(QuorumError) as caught:
        verify_cosigned(cosigned(a=10, b=10), policy, NOW)
    assert caught.value.reason == "ledger.quorum"
    with pytest.raises(StaleCheckpointError):
        verify_cosigned(cosigned(a=10, b=10, c=901), policy, NOW)
    with pytest.raises(QuorumError):
        replace(POLICY, required=frozenset({"a stranger"}))


@pytest.mark.invariant(6, "times from the future", double="lies")
def test_times_from_the_future_do_not_count() -> None:
    """A witness whose clock is far ahead cannot make a checkpoint fresh for ever."""
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(a=10, b=-3600), POLICY, NOW)
    impossible = cosign("x\n", KEYS["b"], PARTIES["b"], 2**62).value[:8]
    note = sign_checkpoint(CHECKPOINT, LOG_KEY, LOG)
    far = cosign(note.text, KEYS["b"], PARTIES["b"], 2**62)
    assert far.value[:8] == impossible
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(a=10).with_signatures([far]), POLICY, NOW)


def test_strangers_do_not_count_and_do_no_harm() -> None:
    """Cosignatures by keys outside the policy are ignored."""
    stranger = SigningKey(b"\x77" * 32)
    key = witness_key(ORIGIN, "stranger", stranger.public)
    line = cosign(CHECKPOINT.text, key, stranger, int(NOW.timestamp()))
    assert verify_cosigned(cosigned(a=1, b=1).with_signatures([line]), POLICY, NOW)
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(a=1).with_signatures([line]), POLICY, NOW)


def test_a_false_line_of_a_known_witness_refuses_the_note() -> None:
    """A cosignature moved from another checkpoint does not pass."""
    moved = cosign("another\n1\n", KEYS["b"], PARTIES["b"], int(NOW.timestamp()))
    with pytest.raises(NoteSignatureError):
        verify_cosigned(cosigned(a=1).with_signatures([moved]), POLICY, NOW)


def test_the_logs_signature_is_needed() -> None:
    """Witnesses alone do not make a checkpoint."""
    note = cosigned(a=1, b=1)
    with pytest.raises(NoteSignatureError):
        verify_cosigned(Note(note.text, note.signatures[1:]), POLICY, NOW)
    false = NoteSignature(LOG_KEY.name, LOG_KEY.key_id, bytes(64))
    with pytest.raises(NoteSignatureError):
        verify_cosigned(Note(note.text, (false, *note.signatures[1:])), POLICY, NOW)


@pytest.mark.invariant(4, "cosignatures of one tree under another of its size", double="replays")
def test_cosignatures_of_one_tree_do_not_vouch_for_another() -> None:
    """Fresh, and by the right witnesses: the log's own signature over a fork does not help."""
    fork = sign_checkpoint(replace(CHECKPOINT, root=b"\x01" * 32), LOG_KEY, LOG)
    with pytest.raises(NoteSignatureError):
        verify_cosigned(fork.with_signatures(cosigned(a=1, b=1).signatures[1:]), POLICY, NOW)


@pytest.mark.invariant(4, "another log of the same name", double="swaps keys")
def test_another_log_of_the_same_name_is_not_the_log() -> None:
    """Witnesses may even have cosigned it: the key is pinned, not the name."""
    thief = SigningKey(b"\x66" * 32)
    note = sign_checkpoint(CHECKPOINT, VerifierKey(ORIGIN, KeyKind.LOG, thief.public), thief)
    with pytest.raises(NoteSignatureError):
        verify_cosigned(note.with_signatures(cosigned(a=1, b=1).signatures[1:]), POLICY, NOW)


def test_impossible_policies_are_refused() -> None:
    """A quorum of none, of more than there are, or of one key twice is refused when made."""
    witnesses = tuple(KEYS.values())
    twice = (KEYS["a"], witness_key(ORIGIN, "d", PARTIES["a"].public))
    for keys, quorum in [(witnesses, 0), (witnesses, 4), ((), 1), (twice, 2)]:
        with pytest.raises(QuorumError):
            WitnessPolicy(LOG_KEY, keys, quorum, timedelta(minutes=15))


def test_a_second_line_of_a_witness_counts_wherever_it_stands() -> None:
    """The newest time of a witness counts whether it comes first or last."""
    fresh, old = cosigned(b=20), cosigned(a=10, b=5000)
    note = fresh.with_signatures(old.signatures[1:])
    assert verify_cosigned(note, POLICY, NOW).witnessed[KEYS["b"].name] == NOW - timedelta(
        seconds=20
    )


def test_clocks_may_differ_by_the_tolerance_exactly() -> None:
    """A time two minutes ahead still counts, one second more does not."""
    ahead = int(FUTURE_TOLERANCE.total_seconds())
    assert len(verify_cosigned(cosigned(a=-ahead, b=0), POLICY, NOW).witnessed) == 2
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(a=-ahead - 1, b=0), POLICY, NOW)


@pytest.mark.parametrize("quorum", [1, 2, 3])
def test_a_quorum_of_one_to_all_is_possible(quorum: int) -> None:
    """As many as asked for are enough, and one fewer is not."""
    policy = replace(POLICY, quorum=quorum)
    names = dict.fromkeys("abc"[:quorum], 1)
    assert len(verify_cosigned(cosigned(**names), policy, NOW).witnessed) == quorum
    del names["abc"[quorum - 1]]
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(**names), policy, NOW)


@pytest.mark.parametrize("quorum", [0, -1, 4])
def test_a_quorum_of_none_or_of_more_than_all_is_no_policy(quorum: int) -> None:
    """A policy that nobody or everybody could meet is refused when it is made."""
    with pytest.raises(QuorumError):
        replace(POLICY, quorum=quorum)


def test_every_witness_may_be_required() -> None:
    """All may be asked for; somebody unknown may not."""
    policy = replace(POLICY, required=frozenset(key.name for key in KEYS.values()))
    assert len(verify_cosigned(cosigned(a=1, b=1, c=1), policy, NOW).witnessed) == 3
    with pytest.raises(QuorumError, match="not cosigned by"):
        verify_cosigned(cosigned(a=1, b=1), policy, NOW)
    with pytest.raises(QuorumError, match="not one of the policy"):
        replace(POLICY, required=frozenset({"stranger"}))
