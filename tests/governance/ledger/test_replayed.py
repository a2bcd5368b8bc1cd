"""A kept state saves replay and changes nothing; whatever is wrong with it, all is replayed."""

import hmac
import io
import pickle
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from benchmarks.ledger.county import ORIGIN, County, author, beginnings, found_county
from benchmarks.ledger.mix import Mix
from governance.identity.keys import SigningKey
from governance.ledger import replayed
from governance.ledger.errors import OutOfRangeError
from governance.ledger.events import Event, EventType
from governance.ledger.merkle import Frontier, leaf_hash
from governance.ledger.note import KeyKind, VerifierKey
from governance.ledger.payloads import RegisterMoved, RegisterWanted
from governance.ledger.replayed import KeptState
from governance.ledger.state import LedgerState

SEED = b"\x07" * 32
LOG_KEY = VerifierKey(ORIGIN, KeyKind.LOG, SigningKey(b"\x01" * 32).public)
EVENTS = 400


def registered(county: County) -> list[Event]:
    """A partner wants an item of its own, and has it located."""
    pen = author(county.partners["council"])
    named = {"party": "council", "item": "surname"}
    source = next(one.id for one in county.agreement.sources if one.party == "council")
    moved = {**named, "source": source, "step": "located", "ground": None, "document": None}
    return [
        pen.write(EventType.REGISTER_WANTED, RegisterWanted.model_validate(named)),
        pen.write(EventType.REGISTER_MOVED, RegisterMoved.model_validate(moved)),
    ]


class Log:
    """Events of every kind, and the roots of the tree over them."""

    def __init__(self, county: County) -> None:
        self.events = [*beginnings(county), *registered(county), *Mix(county, 5).events(EVENTS)]
        frontier = Frontier()
        self.roots = [frontier.root()]
        for event in self.events:
            frontier.append(leaf_hash(event.leaf_bytes))
            self.roots.append(frontier.root())

    def root(self, size: int) -> bytes:
        """As a mirror answers."""
        if size >= len(self.roots):
            raise OutOfRangeError("smaller")
        return self.roots[size]

    def state(self, size: int) -> LedgerState:
        """What replay of the first entries gives."""
        return LedgerState(ORIGIN).replay(self.events[:size])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log."""
    return Log(found_county(tmp_path_factory.mktemp("kept") / "county"))


@pytest.fixture
def kept(tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> KeptState:
    """A file that holds the state of the first half."""
    monkeypatch.setattr(replayed, "WORTH_EVENTS", 1)
    found = KeptState(tmp_path / "state", SEED, LOG_KEY)
    found.write(log.state(EVENTS // 2), log.root)
    return found


def plain(value: Any) -> Any:
    """Everything in a state, as plain data, so that two can be compared to the last field."""
    if isinstance(value, BaseModel):
        found: Any = value.model_dump(mode="json")
    elif is_dataclass(value) and not isinstance(value, type):
        found = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    elif isinstance(value, dict):
        found = {repr(key): plain(each) for key, each in value.items()}
    elif isinstance(value, set | frozenset):
        found = sorted(map(repr, value))
    elif isinstance(value, list | tuple):
        found = list(map(plain, value))
    elif type(value) in {LedgerState, *replayed._REGISTRIES}:
        found = {name: plain(each) for name, each in vars(value).items() if name != "_handlers"}
    else:
        assert isinstance(value, str | int | bytes | None), type(value)
        found = value
    return found


def test_whatever_a_state_consists_of_can_be_read_back(log: Log) -> None:
    """Or every start would replay the whole log; the class that is refused is named."""
    state = log.state(len(log.events))
    assert state.register.items
    read = replayed._Unpickler(io.BytesIO(pickle.dumps(state, protocol=5)), 0).load()
    assert plain(read) == plain(state)


def test_whatever_a_registry_may_come_to_hold_can_be_read_back() -> None:
    """Also what no event of this log makes: every class beside a registry is a record."""
    for module in sorted({registry.__module__ for registry in replayed._REGISTRIES}):
        for kind in vars(sys.modules[module]).values():
            if isinstance(kind, type) and kind.__module__ == module:
                name = f"{module}.{kind.__qualname__}"
                assert issubclass(kind, Exception) or replayed._is_record(kind), name


def test_a_class_of_no_state_is_named() -> None:
    """So that who adds one to a state reads which it is."""
    with pytest.raises(pickle.UnpicklingError, match=r"governance\.ledger\.merkle\.Frontier"):
        replayed._Unpickler(io.BytesIO(pickle.dumps(Frontier(), protocol=5)), 0).load()


def test_what_follows_a_kept_state_gives_what_a_whole_replay_gives(
    log: Log, kept: KeptState
) -> None:
    """To the last field of every registry; nothing is rejected."""
    state = kept.read(log.root)
    assert state is not None
    assert state.size == EVENTS // 2
    state.replay(log.events[state.size :])
    assert plain(state) == plain(log.state(len(log.events)))
    assert state.rejected == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_bit_of_it_can_be_changed(log: Log, kept: KeptState, at: float, bit: int) -> None:
    """Whoever can write to the disk and has no key only makes the start slower."""
    data = bytearray(kept._path.read_bytes())
    data[int(at * len(data))] ^= 1 << bit
    changed = KeptState(kept._path.with_name("changed"), SEED, LOG_KEY)
    changed._path.write_bytes(data)
    assert changed.read(log.root) is None


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 200])
def test_a_file_that_was_cut_is_not_read(log: Log, kept: KeptState, length: int) -> None:
    """A crash while it was written leaves no such file; a disk may."""
    kept._path.write_bytes(kept._path.read_bytes()[:length])
    assert kept.read(log.root) is None


def test_another_owner_or_log_or_tree_or_version_does_not_use_it(
    log: Log, kept: KeptState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each alone is enough."""
    other = VerifierKey(ORIGIN, KeyKind.LOG, SigningKey(b"\x02" * 32).public)
    assert KeptState(kept._path, b"\x08" * 32, LOG_KEY).read(log.root) is None
    assert KeptState(kept._path, SEED, other).read(log.root) is None
    assert kept.read(lambda _size: bytes(32)) is None
    assert kept.read(Shorter(log).root) is None
    with monkeypatch.context() as newer:
        newer.setattr(replayed, "_code", lambda: "f" * 64)
        assert kept.read(log.root) is None
    assert kept.read(log.root) is not None


class Shorter(Log):
    """A mirror that was restored from an older copy than the state."""

    def __init__(self, log: Log) -> None:
        self.roots = log.roots[: EVENTS // 4]


def test_an_older_one_that_is_put_back_changes_nothing(log: Log, kept: KeptState) -> None:
    """A withdrawal since then is in the mirror, and replayed from there."""
    old = kept._path.read_bytes()
    kept.write(log.state(len(log.events)), log.root)
    kept._path.write_bytes(old)
    state = kept.read(log.root)
    assert state is not None
    state.replay(log.events[state.size :])
    assert plain(state) == plain(log.state(len(log.events)))


class Call:
    """What a pickle may be made to do."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (io.open_code, ("/etc/hostname",))


@pytest.mark.parametrize("content", [Call(), LedgerState.replay, SigningKey(SEED), {"a": 1}])
def test_nothing_is_called_even_where_the_key_is_known(
    log: Log, kept: KeptState, content: object
) -> None:
    """A file that its own owner's key authenticates makes records, and nothing else is made."""
    data = kept._path.read_bytes()
    forged = data[: data.index(b"\n") + 1] + pickle.dumps(content, protocol=5)
    kept._path.write_bytes(forged + hmac.digest(kept._key, forged, "sha256"))
    assert kept.read(log.root) is None


def test_it_is_written_when_it_saves_something(
    log: Log, kept: KeptState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after each event; and an erasure drops it."""
    before = kept._path.read_bytes()
    kept.write(log.state(EVENTS // 2 + 1), log.root)
    assert kept._path.read_bytes() == before
    monkeypatch.setattr(replayed, "WORTH_EVENTS", 1_000)
    kept.write(log.state(len(log.events)), log.root)
    assert kept._path.read_bytes() == before
    assert kept._path.stat().st_mode & 0o777 == 0o600
    kept.drop()
    assert kept.read(log.root) is None


def test_a_full_disk_is_no_failure(log: Log, tmp_path: Path) -> None:
    """The state is in memory all the same."""
    lost = KeptState(tmp_path / "gone" / "state", SEED, LOG_KEY)
    lost.write(log.state(EVENTS), log.root)
    assert lost.read(log.root) is None
