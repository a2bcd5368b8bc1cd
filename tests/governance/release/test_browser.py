"""Passkeys made and used by a real browser: what its pages sign is what an agent verifies."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from playwright.sync_api import Frame, Page
from webauthn.helpers import base64url_to_bytes

from governance.canonical import b64, canonical_bytes
from governance.errors import SignatureError
from governance.identity.ceremonies import (
    creation_options,
    read_assertion,
    read_registration,
    signing_options,
)
from governance.identity.envelope import Envelope, challenge_of
from governance.identity.keys import SealingKey, SigningKey
from governance.identity.models import (
    PERSON_ENROLMENT,
    PERSON_KEYS,
    PersonEnrolment,
    PersonKeys,
    Role,
    publish_person_keys,
)
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled
from governance.ledger.state import LedgerState
from governance.release.models import REQUEST, Request
from tests.chromium import VirtualAuthenticator, browser_page
from tests.governance.passkey_world import PasskeyWorld

CREATED: Final = "2026-11-22T12:00:00Z"
CREATE: Final = """async options => (await navigator.credentials.create({
  publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
SIGN: Final = """async options => (await navigator.credentials.get({
  publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""


class _Pages(BaseHTTPRequestHandler):
    """An empty page at /, and one that frames the page of another site at /frame?ADDRESS."""

    def do_GET(self) -> None:
        body = "<!doctype html><title>console</title>"
        if self.path.startswith("/frame?"):
            body += f'<iframe src="{self.path[7:]}" allow="publickey-credentials-get *"></iframe>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server of pages, on this computer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def port() -> Iterator[int]:
    """The port of the console's page."""
    with serving() as number:
        yield number


@pytest.fixture
def page(port: int) -> Iterator[Page]:
    """A browser on the console's page."""
    with browser_page() as page:
        page.goto(f"http://localhost:{port}/")
        yield page


class Console:
    """A manager at a browser: enrolled by the lead, asking for the family that agreed."""

    def __init__(self, page: Page, port: int, **options: Any) -> None:
        self.authenticator = VirtualAuthenticator(page, **options)
        self.world = PasskeyWorld()
        person, origin = "d" * 32, f"http://localhost:{port}"
        asked = creation_options("localhost", person)
        answer = page.evaluate(CREATE, asked)
        challenge = base64url_to_bytes(asked["challenge"])
        self.signing = SigningKey.generate()
        self.keys = PersonKeys(
            person=person,
            party="council",
            role=Role.SERVICE_MANAGER,
            signing=b64(self.signing.public),
            sealing=b64(SealingKey.generate().public),
            created=CREATED,
            passkey=read_registration(answer, challenge, "localhost", origin),
        )
        self._enrol(page)
        self.request = self._request()

    def options(self, kind: str, payload: bytes) -> dict[str, Any]:
        """What the page asks the browser to sign."""
        assert self.keys.passkey is not None
        return signing_options(self.keys.passkey, challenge_of(kind, payload))

    def _enrol(self, page: Page) -> None:
        document = canonical_bytes(self.keys)
        answer = page.evaluate(SIGN, self.options(PERSON_KEYS, document))
        assertion = read_assertion(answer, self.keys.thumbprint)
        enrolment = PersonEnrolment(
            keys=self.keys.thumbprint, role=self.keys.role, party="council", created=CREATED
        )
        payload = PersonEnrolled(
            keys=publish_person_keys(self.keys, self.signing, assertion),
            enrolment=self.world.lead.sign(PERSON_ENROLMENT, enrolment),
        )
        self.world.write(self.world.council, EventType.PERSON_ENROLLED, payload)

    def _request(self) -> bytes:
        """The bytes of a request to these keys."""
        world = self.world
        changes: dict[str, Any] = {"recipient": self.keys.thumbprint}
        envelope = world.request(world.family(), **changes)
        return canonical_bytes(Request.model_validate_json(envelope.payload_bytes))

    def signed(self, answer: dict[str, Any]) -> Envelope:
        """The request with what the browser answered as its signature."""
        assertion = read_assertion(answer, self.keys.thumbprint)
        return Envelope(payload_type=REQUEST, payload=b64(self.request), signatures=(assertion,))

    def refused(self, answer: dict[str, Any], what: str) -> None:
        """The agent refuses an order over the request as it was signed."""
        request = self.signed(answer)
        with pytest.raises(SignatureError, match=what):
            self.world.verify(self.world.order(request))


@pytest.mark.parametrize("synced", [False, True])
def test_an_agent_takes_what_a_browser_signed(page: Page, port: int, synced: bool) -> None:
    """Passkey made, enrolled and used in Chromium; the agent verifies by replay of the ledger."""
    console = Console(page, port, defaultBackupEligibility=synced, defaultBackupState=synced)
    assert console.keys.passkey is not None
    assert console.keys.passkey.backup_eligible is synced
    request = console.signed(page.evaluate(SIGN, console.options(REQUEST, console.request)))
    world = console.world
    order = world.order(request)
    world.log_release(order.request, order.approval)
    replayed = LedgerState().replay(world.events)
    assert not replayed.rejected
    assert world.verify(order, replayed).recipient == console.keys


@pytest.mark.invariant(9, "a browser's assertion over other bytes")
@pytest.mark.invariant(7, "a browser whose owner was not verified, another page, a frame")
def test_an_agent_refuses_what_a_browser_signed_otherwise(page: Page, port: int) -> None:
    """Other bytes, no verification, another port, a frame of another site, as Chromium signs."""
    console = Console(page, port)
    options = console.options(REQUEST, console.request)
    other = console.options(REQUEST, console.request[:-1] + b" ")
    console.refused(page.evaluate(SIGN, other), "another document")

    console.authenticator.verifies(owner=False)
    careless = options | {"userVerification": "discouraged"}
    console.refused(page.evaluate(SIGN, careless), "not verified")
    console.authenticator.verifies(owner=True)

    page.goto(f"http://127.0.0.1:{port}/frame?http://localhost:{port}/")
    frame: Frame = page.frames[1]
    console.refused(frame.evaluate(SIGN, options), "another site")

    with serving() as elsewhere:
        page.goto(f"http://localhost:{elsewhere}/")
        console.refused(page.evaluate(SIGN, options), "another address")
