"""The ledger service as its callers meet it: real HTTP, signed requests, real state."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from governance.canonical import b64
from governance.errors import SignatureError
from governance.exchange.http import RequestSigner
from governance.identity import files
from governance.identity.files import SecretFileError, read_secret
from governance.identity.keys import SigningKey
from governance.ledger.app import SetupError, create_app, init_ledger
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database
from governance.ledger.errors import (
    LedgerRefusedError,
    LedgerUnavailableError,
    NoteSignatureError,
    RateLimitError,
)
from governance.ledger.events import PAYLOAD_MAX_BYTES, Author, Event, EventType, WireEvent
from governance.ledger.limits import RateLimit
from governance.ledger.mirror import Mirror
from governance.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    cosign,
    open_checkpoint,
    parse_note,
    sign_checkpoint,
    witness_key,
)
from governance.ledger.payloads import Refused, read_payload
from governance.ledger.quorum import WitnessPolicy, verify_cosigned
from governance.ledger.settings import LedgerSettings
from governance.ledger.state import LedgerState
from governance.web.logs import JsonFormatter
from tests.governance.ledger.serving import serving
from tests.governance.world import NOON, Party, World

ORIGIN = "ledger.example.org/county"


@dataclass
class Running:
    """A ledger that runs, and the world whose events it holds."""

    world: World
    url: str
    key: VerifierKey
    settings: LedgerSettings

    def client(self, party: Party, url: str | None = None) -> LedgerClient:
        """A client that signs as a party."""
        auth = RequestSigner(party.keys.thumbprint, party.signing)
        return LedgerClient(url or self.url, self.key, auth, wait=lambda _seconds: None)

    def witness(self, party: Party) -> VerifierKey:
        """A party's witness key."""
        return witness_key(ORIGIN, party.name, party.witness.public)


def make_event(party: Party, reason: str = "test.reason", **changes: object) -> Event:
    """An event that any known party may append."""
    payload = Refused(party=party.name, action="prepare", reason=reason, about=None)
    author = party.author(NOON)
    return Author(**{**vars(author), **changes}).write(EventType.REFUSED, payload)


def post_all(running: Running, events: list[Event]) -> None:
    """Append events as the council."""
    with running.client(running.world.council) as client:
        for event in events:
            client.append(event)


@contextmanager
def started(database_url: str, folder: Path, now: datetime = NOON) -> Iterator[Running]:
    """A ledger with its genesis, whose clock stands."""
    world = World()
    settings = LedgerSettings(
        database_url=database_url,
        key_file=folder / "ledger.key",
        origin=ORIGIN,
        genesis_file=folder / "genesis.json",
        request_burst=200,
    )
    key = init_ledger(settings, world.events[0])
    with serving(create_app(settings, lambda: now)) as url:
        yield Running(world, url, key, settings)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A ledger on SQLite."""
    with started(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as found:
        yield found


@pytest.fixture
def running_on_both(database_url: str, tmp_path: Path) -> Iterator[Running]:
    """A ledger on SQLite, and again on PostgreSQL."""
    with started(database_url, tmp_path) as found:
        yield found


def reason_of(caught: pytest.ExceptionInfo[LedgerRefusedError]) -> str:
    """The reason that the ledger gave."""
    return caught.value.code


def test_a_whole_story_is_accepted_and_mirrored(running_on_both: Running, tmp_path: Path) -> None:
    """Staff, agreement, consent and withdrawal are appended, mirrored and replayed alike."""
    running = running_on_both
    world = running.world
    grant = world.consent(world.council, "c" * 32)
    world.withdraw(world.council, grant)
    with running.client(world.council) as client:
        for at, event in enumerate(world.events[1:], start=1):
            receipt = client.append(event)
            assert (receipt.index, receipt.checkpoint.size) == (at, at + 1)
        assert client.log().vkey == str(running.key)
        mirror = Mirror(Database(f"sqlite:///{tmp_path / 'mirror.db'}", "mirror"), running.key)
        assert mirror.sync(client).size == len(world.events)
        assert list(mirror.entries()) == world.events
        assert client.checkpoint(3).text == client.checkpoint(3).text
        proof = client.inclusion_proof(2, 5)
        assert proof == mirror.inclusion_proof(2, 5)
        assert LedgerState().replay(mirror.entries()).rejected == []
        mirror.close()


def test_an_append_may_be_repeated(running_on_both: Running) -> None:
    """After a lost answer the same event again is answered with its place; a changed one is not."""
    running = running_on_both
    council = running.world.council
    event = make_event(council)
    with running.client(council) as client:
        first = client.append(event)
        client.append(make_event(council))
        again = client.append(event)
        assert (again.index, client.log().size) == (first.index, 3)
        payload = Refused(party="council", action="prepare", reason="other", about=None)
        changed = council.author().write(EventType.REFUSED, payload, id_=event.leaf.id)
        with pytest.raises(LedgerRefusedError) as caught:
            client.append(changed)
    assert (reason_of(caught), caught.value.status) == ("ledger.event.duplicate", 409)


def test_what_replay_would_not_admit_is_not_appended(running: Running) -> None:
    """Unknown authors, false signatures, a second genesis and inadmissible events are refused."""
    world = running.world
    stranger = Party("stranger")
    forged = make_event(world.council, key=stranger.signing)
    posted = {
        "unknown author": make_event(stranger),
        "false signature": forged,
        "second genesis": world.operator.author().write(
            EventType.GENESIS, read_payload(world.events[0])
        ),
        "early consent": world.consent(world.council, "c" * 32),
        "from the future": make_event(world.council, now=lambda: NOON + timedelta(minutes=6)),
    }
    expected = {
        "unknown author": "signature.invalid",
        "false signature": "signature.invalid",
        "second genesis": "ledger.not_admissible",
        "early consent": "agreement.unknown",
        "from the future": "ledger.event.time",
    }
    found = {}
    with running.client(world.council) as client:
        for name, event in posted.items():
            with pytest.raises(LedgerRefusedError) as caught:
                client.append(event)
            found[name] = reason_of(caught)
        assert client.log().size == 1
    assert found == expected


def test_requests_must_be_signed_by_someone_known(running: Running) -> None:
    """Unsigned posts, posts by strangers and replayed posts are refused before they are read."""
    council = running.world.council
    body = WireEvent.of(make_event(council)).model_dump_json().encode()
    plain = httpx.post(f"{running.url}/v1/events", content=body)
    assert (plain.status_code, plain.json()["reason"]) == (401, "request.signature")
    assert plain.headers["content-type"] == "application/problem+json"
    stranger = Party("stranger")
    with running.client(stranger) as client, pytest.raises(LedgerRefusedError) as caught:
        client.append(make_event(council))
    assert (reason_of(caught), caught.value.status) == ("request.signature", 401)
    signer = RequestSigner(council.keys.thumbprint, council.signing)
    with httpx.Client() as client:
        request = client.build_request("POST", f"{running.url}/v1/events", content=body)
        signed = next(signer.auth_flow(request))
        assert client.send(signed).status_code == 201
        assert client.send(signed).json()["reason"] == "request.signature"
        signed.headers.pop("content-length")
        altered = httpx.Request("POST", signed.url, headers=signed.headers, content=body + b" ")
        assert client.send(altered).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "format.invalid"),
        (b"{}", 400, "format.invalid"),
        (b"[1]", 400, "format.invalid"),
        (b'{"leaf":"e30=","salt":null,"payload":null}', 400, "format.invalid"),
        (b"x" * (2 * PAYLOAD_MAX_BYTES), 413, "ledger.event.size"),
    ],
)
def test_malformed_events_are_refused_with_a_reason(
    running: Running, body: bytes, status: int, reason: str
) -> None:
    """Bytes that are no event get a problem+json with a reason, and no value is echoed."""
    council = running.world.council
    auth = RequestSigner(council.keys.thumbprint, council.signing)
    answer = httpx.post(f"{running.url}/v1/events", content=body, auth=auth)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_an_event_needs_its_payload(running: Running) -> None:
    """A leaf alone is not taken: nobody could judge it."""
    council = running.world.council
    event = make_event(council)
    with running.client(council) as client, pytest.raises(LedgerRefusedError) as caught:
        client.append(Event(event.leaf, None, None))
    assert reason_of(caught) == "ledger.event.format"


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/v1/entries?start=0&end=99", 404, "ledger.range"),
        ("/v1/entries?start=2&end=1", 404, "ledger.range"),
        ("/v1/entries?start=-1&end=1", 400, "format.invalid"),
        ("/v1/entries", 400, "format.invalid"),
        ("/v1/entries?start=0&end=99999999999999999999", 400, "format.invalid"),
        ("/v1/proofs/inclusion?index=1&size=1", 404, "ledger.range"),
        ("/v1/proofs/consistency?first=2&second=1", 404, "ledger.range"),
        ("/v1/checkpoint?size=2", 404, "ledger.range"),
        ("/v1/checkpoint?witnesses=1", 404, "ledger.range"),
        ("/v1/nothing", 404, "http"),
    ],
)
def test_reads_outside_the_log_are_refused(
    running: Running, path: str, status: int, reason: str
) -> None:
    """Every wrong read has a reason code."""
    council = running.world.council
    auth = RequestSigner(council.keys.thumbprint, council.signing)
    answer = httpx.get(running.url + path, auth=auth)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_events_are_read_by_those_whom_the_ledger_knows(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Strangers, revoked people and repeated requests read no event; checkpoints are open."""
    caplog.set_level(logging.INFO, logger="governance.ledger.routes")
    url, council = f"{running.url}/v1/entries?start=0&end=1", running.world.council
    stranger = SigningKey.generate()
    signed = httpx.Request("GET", url)
    known = RequestSigner(council.keys.thumbprint, council.signing)
    next(known.auth_flow(signed))
    with httpx.Client() as http:
        assert len(http.send(signed).json()["entries"]) == 1
        refused = [
            http.send(signed),
            http.get(url),
            http.get(url, auth=RequestSigner("sha256:" + "0" * 64, stranger)),
            http.get(url, auth=RequestSigner(council.keys.thumbprint, stranger)),
            http.get(url.replace("end=1", "end=2"), headers=signed.headers),
            http.request("GET", url, content=b"more", auth=known),
        ]
        assert {(each.status_code, each.json()["reason"]) for each in refused[:5]} == {
            (401, "request.signature")
        }
        assert refused[5].status_code == 413
        assert not any("entries" in each.json() for each in refused)
        assert http.get(f"{running.url}/v1/checkpoint").status_code == 200
        assert {http.get(running.url + path).status_code for path in ("/docs", "/", "/v1")} == {404}
    (line,) = [each for each in caplog.records if each.message == "read"]
    assert (line.asked, line.caller) == ("start=0&end=1", council.keys.thumbprint)  # type: ignore[attr-defined]


def test_cosignatures_of_known_witnesses_are_kept(running_on_both: Running, tmp_path: Path) -> None:
    """Partners cosign from their mirrors; the checkpoint is then served with a fresh quorum."""
    running = running_on_both
    partners = running.world.partners
    for party in partners[:2]:
        url = f"sqlite:///{tmp_path / party.name}.db"
        mirror = Mirror(Database(url, "mirror"), running.key)
        with running.client(party) as client:
            mirror.sync(client)
            note = mirror.cosign(running.witness(party), party.witness, NOON)
            assert client.cosign(note) == (f"{ORIGIN}/witness/{party.name}",)
        mirror.close()
    post_all(running, [make_event(running.world.council)])
    policy = WitnessPolicy(
        running.key, tuple(map(running.witness, partners)), 2, timedelta(minutes=15)
    )
    with running.client(partners[0]) as client:
        assert client.checkpoint().signatures[1:] == ()
        found = verify_cosigned(client.checkpoint(witnesses=2), policy, NOON)
    assert found.checkpoint.size == 1
    assert len(found.witnessed) == 2


def test_cosignatures_that_prove_nothing_are_refused(running: Running) -> None:
    """Strangers, other trees, false lines and times from the future are refused with reasons."""
    council = running.world.council
    stranger = Party("stranger")
    log = SigningKey(read_secret(running.settings.key_file))
    witness = running.witness(council)
    ours = parse_note(httpx.get(f"{running.url}/v1/checkpoint").content)
    foreign = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), running.key, log)
    larger = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), running.key, log)
    now = int(NOON.timestamp())

    def by(note: Note, key: VerifierKey, party: Party, time: int = now) -> Note:
        return note.with_signatures([cosign(note.text, key, party.witness, time)])

    unsigned = Note(ours.text, by(ours, witness, council).signatures[1:])
    cases = {
        "no witness": (ours, "ledger.witness.unknown"),
        "stranger": (by(ours, running.witness(stranger), stranger), "ledger.witness.unknown"),
        "wrong key": (by(ours, witness, stranger), "ledger.note.signature"),
        "another tree": (by(foreign, witness, council), "ledger.checkpoint.foreign"),
        "larger tree": (by(larger, witness, council), "ledger.checkpoint.foreign"),
        "not by the log": (unsigned, "ledger.note.signature"),
        "future": (by(ours, witness, council, now + 3600), "ledger.event.time"),
    }
    found = {}
    with running.client(council) as client:
        for name, (note, _reason) in cases.items():
            with pytest.raises(LedgerRefusedError) as caught:
                client.cosign(note)
            found[name] = reason_of(caught)
        assert client.checkpoint().signatures == ours.signatures
    assert found == {name: reason for name, (_note, reason) in cases.items()}


def test_the_log_survives_a_restart(running_on_both: Running) -> None:
    """A second service on the same database knows the state and goes on."""
    running = running_on_both
    council = running.world.council
    post_all(running, [make_event(council)])
    with serving(create_app(running.settings, lambda: NOON)) as url:
        with running.client(council, url) as client:
            assert client.append(make_event(council)).index == 2
        assert httpx.get(f"{url}/healthz").json() == {"size": 3}
        post_all(running, [make_event(council)])  # the first service saw what the second wrote


def test_initialisation_may_be_repeated_and_not_mixed_up(running: Running) -> None:
    """The same genesis again changes nothing; another genesis or origin is refused."""
    settings = running.settings
    assert init_ledger(settings, running.world.events[0]) == running.key
    with pytest.raises(SetupError):
        init_ledger(settings, World().events[0])
    with pytest.raises(SetupError):
        init_ledger(settings, make_event(running.world.council))
    other = settings.model_copy(update={"origin": "other.example.org/log"})
    with pytest.raises(Exception, match="origin"):
        create_app(other)


def test_a_ledger_without_key_or_genesis_does_not_start(tmp_path: Path) -> None:
    """Each missing part is named with the next step."""
    settings = LedgerSettings(
        database_url=f"sqlite:///{tmp_path / 'log.db'}",
        key_file=tmp_path / "ledger.key",
        origin=ORIGIN,
    )
    with pytest.raises(SecretFileError):
        create_app(settings)
    with pytest.raises(SetupError):
        init_ledger(settings, World().events[1])
    with pytest.raises(SetupError, match="no genesis"):
        create_app(settings)
    named = settings.model_copy(update={"genesis_file": tmp_path / "missing.json"})
    with pytest.raises(SetupError, match="genesis file"):
        create_app(named)


def test_the_logs_key_is_closed_by_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its file is named; the ledger starts with it and not without."""
    monkeypatch.setattr(files, "_SCRYPT_N", 2)  # a test need not wait
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse\n")
    settings = LedgerSettings(
        database_url=f"sqlite:///{tmp_path / 'log.db'}",
        key_file=tmp_path / "ledger.key",
        passphrase_file=phrase,
        origin=ORIGIN,
        genesis_file=tmp_path / "genesis.json",
    )
    genesis = World().events[0]
    assert init_ledger(settings, genesis) == init_ledger(settings, genesis)
    with pytest.raises(SecretFileError, match="passphrase"):
        create_app(settings.model_copy(update={"passphrase_file": None}))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting has the prefix HEARTHLINK_LEDGER_."""
    monkeypatch.setenv("HEARTHLINK_LEDGER_ORIGIN", ORIGIN)
    monkeypatch.setenv("HEARTHLINK_LEDGER_DATABASE_URL", "sqlite:///other.db")
    settings = LedgerSettings()
    assert (settings.origin, settings.database_url) == (ORIGIN, "sqlite:///other.db")


@pytest.mark.parametrize(("rate", "shown"), [(2_000_000.0, "2000000"), (0.5, "0.5")])
def test_the_rate_is_told_plainly(rate: float, shown: str) -> None:
    """Without an exponent, and with all its digits."""
    limit = RateLimit(rate, 1, lambda: 0.0)
    limit.take("a")
    with pytest.raises(RateLimitError, match=f"more than {shown} requests a second"):
        limit.take("a")


def test_a_caller_is_slowed_down() -> None:
    """A burst is allowed, then the long-run rate, for each key by itself."""
    now = 0.0
    limit = RateLimit(2.0, 3, lambda: now)
    for _ in range(3):
        limit.take("a")
    with pytest.raises(RateLimitError):
        limit.take("a")
    limit.take("b")
    now = 0.5
    limit.take("a")
    with pytest.raises(RateLimitError):
        limit.take("a")
    now = 1000.0
    for _ in range(3):
        limit.take("a")
    with pytest.raises(RateLimitError):
        limit.take("a")


def test_callers_who_stay_away_are_forgotten() -> None:
    """A bucket that is full again is forgotten, and nobody's who comes often."""
    now = 0.0
    limit = RateLimit(2.0, 3, lambda: now)
    for number in range(100):
        limit.take(str(number))
    now = 1.0
    limit.take("0", 3)
    now = 1.5
    limit.take("new")
    assert list(limit._buckets) == ["0", "new"]
    with pytest.raises(RateLimitError):
        limit.take("0", 2)


@pytest.mark.invariant(16, "the ledger's log")
def test_logs_hold_no_payload(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """What is logged of an append is index, type and thumbprints, as one JSON object a line."""
    council = running.world.council
    with caplog.at_level(logging.INFO, logger="governance"):
        post_all(running, [make_event(council, "canary.reason")])
    lines = [JsonFormatter().format(record) for record in caplog.records]
    (line,) = [json.loads(text) for text in lines if "appended" in text]
    assert set(line) == {"time", "level", "message", "index", "type", "author", "caller"}
    assert "canary" not in " ".join(lines)


@pytest.mark.invariant(16, "a failure of the ledger")
def test_an_unforeseen_failure_gives_nothing_away(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken database is a plain 500 or 503 with a reason, without any of its text."""
    app = create_app(running.settings, lambda: NOON)

    @app.get("/broken")
    def broken() -> None:
        raise ValueError("canary")

    with serving(app) as url, caplog.at_level(logging.ERROR):
        answer = httpx.get(f"{url}/broken")
    assert (answer.status_code, answer.json()["reason"]) == (500, "internal")
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "canary" not in answer.text


def test_a_client_tries_again_and_then_says_what_to_do(running: Running) -> None:
    """A connection that fails is tried again with growing pauses; then a next step is named."""
    waits: list[float] = []
    app = FastAPI()
    failures = iter([503, 502])

    @app.get("/v1/log")
    def log() -> object:
        status = next(failures, 200)
        return JSONResponse({"origin": ORIGIN, "vkey": "x", "size": 0}, status)

    council = running.world.council
    auth = RequestSigner(council.keys.thumbprint, council.signing)
    with serving(app) as url, LedgerClient(url, running.key, auth, wait=waits.append) as client:
        assert client.log().size == 0
    assert waits == [0.25, 0.5]
    with (
        LedgerClient(url, running.key, auth, wait=waits.append) as client,
        pytest.raises(LedgerUnavailableError) as caught,
    ):
        client.log()
    assert caught.value.next_step
    assert waits == [0.25, 0.5, 0.25, 0.5, 1.0]


def test_a_receipt_that_proves_nothing_is_refused(running: Running) -> None:
    """An append counts only when the pinned log proves that it holds the event."""
    council = running.world.council
    other = VerifierKey(ORIGIN, running.key.kind, council.signing.public)
    auth = RequestSigner(council.keys.thumbprint, council.signing)
    with LedgerClient(running.url, other, auth) as client, pytest.raises(NoteSignatureError):
        client.append(make_event(council))
    answer = httpx.get(f"{running.url}/v1/checkpoint")
    assert open_checkpoint(parse_note(answer.content), running.key).size == 2
    assert answer.headers["content-type"].startswith("text/plain")


def test_revoked_and_unknown_keys_resolve_to_nothing(running: Running) -> None:
    """The state that checks requests is the ledger's own."""
    state = LedgerState().replay(running.world.events)
    with pytest.raises(SignatureError):
        state.identities.key("sha256:" + "0" * 64)
    assert b64(state.identities.key(running.world.hub.keys.thumbprint))
