"""Pages that make keys, sign and open, without a console around them; and a manager at them."""

import json
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, PrefixLoader
from playwright.sync_api import Page
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.types import ASGIApp
from webauthn.helpers import base64url_to_bytes

from governance.canonical import b64, canonical_bytes, sha256, unb64
from governance.identity.ceremonies import read_assertion, read_registration
from governance.identity.envelope import Envelope, parse_model, sign
from governance.identity.keys import SigningKey, seal
from governance.identity.models import (
    PERSON_ENROLMENT,
    PERSON_KEYS,
    PersonEnrolment,
    PersonKeys,
    Role,
    publish_person_keys,
)
from governance.identity.wrapped import WrappedKey
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled
from governance.ledger.state import LedgerState
from governance.release.models import (
    REQUEST,
    SEALED,
    CheckpointRef,
    ReleasedRecord,
    SealedItems,
)
from governance.release.models import Request as Asked
from governance.release.seal import _info, seal_records, verify_sealed
from governance.ui.browser import enrolling_data, opening_data, signing_data
from governance.ui.forms import posted
from governance.ui.pages import Frame, Pages
from governance.ui.problems import status_page
from governance.ui.security import Guard
from governance.ui.static_files import static_routes
from tests.browsing import check_page
from tests.chromium import VirtualAuthenticator
from tests.governance.passkey_world import PasskeyWorld

CREATED: Final = "2026-11-22T12:00:00Z"
PERSON: Final = "d" * 32
MOTHER: Final = "p-" + "1" * 32
NAME: Final = "Zoë </script><img src=x onerror=alert(1)> O'Brien"
PAGE: Final = """{% extends "ui/page.html" %}
{% from "ui/keys.html" import enrolling_form, opening_part, signing_form with context %}
{% block title %}Keys{% endblock %}
{% block content %}
{% if part == "enrol" %}{{ enrolling_form("/made", data) }}
{% elif part == "sign" %}{{ signing_form("/signed", data) }}
{% else %}{{ opening_part(data) }}{% endif %}
{% endblock %}
{% block scripts %}{{ script("keys.js") }}{% endblock %}"""
STORED: Final = """async () => JSON.stringify([{...localStorage}, {...sessionStorage},
  document.cookie, await indexedDB.databases(), location.href, history.length])"""


class Site:
    """A console that shows one part of a page at a time, and keeps what is sent to it."""

    origin: str

    def __init__(self) -> None:
        self.pages = Pages([], service="ui.pages", frame=lambda _request: Frame(csrf="token"))
        loader = self.pages._environment.loader
        assert isinstance(loader, PrefixLoader)
        self.pages._environment.loader = PrefixLoader(
            {**loader.mapping, "test": DictLoader({"keys.html": PAGE})}
        )
        self.words = self.pages.words
        self.sent: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}

    def make(self, origin: str) -> ASGIApp:
        """The application."""
        self.origin = origin
        app = FastAPI(openapi_url=None)
        app.include_router(static_routes())

        @app.get("/page")
        def page(request: Request) -> HTMLResponse:
            return self.pages.page(request, "test/keys.html", **self.shown)

        @app.post("/{path}")
        def sent(path: str, fields: Annotated[FormData, Depends(posted)]) -> HTMLResponse:
            self.sent = dict(fields)
            return HTMLResponse(f"<!doctype html><title>{path}</title>")

        return Guard(app, origin, lambda request, status: status_page(self.pages, request, status))

    def show(self, page: Page, part: str, data: dict[str, Any]) -> None:
        """Show a part in a page."""
        self.shown = {"part": part, "data": data}
        page.goto(f"{self.origin}/page")


class Manager:
    """A manager at the browser, whose keys, request and release are made by pages."""

    def __init__(self, page: Page, site: Site, **options: Any) -> None:
        self.page, self.site = page, site
        self.world = PasskeyWorld()
        self.heard: list[str] = []
        self.authenticator = VirtualAuthenticator(page, **options)
        page.on("request", lambda asked: self.heard.append(f"{asked.url} {asked.post_data}"))
        page.on("console", lambda said: self.heard.append(said.text))
        page.on("pageerror", lambda error: self.heard.append(f"error {error}"))
        self.signing = SigningKey.generate()

    def make_keys(self, phrase: str | None = None) -> None:
        """Make passkey and sealing key on a page, and enrol them."""
        page, site = self.page, self.site
        data = enrolling_data(site.words, "localhost", PERSON)
        site.show(page, "enrol", data)
        check_page(page)
        page.locator("main").get_by_role("button").click()
        if phrase is not None:
            self._choose(phrase)
        page.wait_for_url("**/made")
        challenge = base64url_to_bytes(data["options"]["challenge"])
        answer = json.loads(site.sent["registration"])
        self.wrapped = parse_model(json.loads(site.sent["wrapped"]), WrappedKey)
        self.keys = PersonKeys(
            person=PERSON,
            party="council",
            role=Role.SERVICE_MANAGER,
            signing=b64(self.signing.public),
            sealing=self.wrapped.public,
            created=CREATED,
            passkey=read_registration(answer, challenge, "localhost", site.origin),
        )
        self._enrol()

    def _choose(self, phrase: str) -> None:
        page = self.page
        page.get_by_label("Choose a passphrase").fill("too short")
        page.locator("main").get_by_role("button").click()
        assert "15 characters" in page.get_by_role("alert").inner_text()
        page.get_by_label("Choose a passphrase").fill(phrase)
        page.get_by_label("Type it again").fill(phrase + "r")
        page.locator("main").get_by_role("button").click()
        assert "not the same" in page.get_by_role("alert").inner_text()
        page.get_by_label("Type it again").fill(phrase)
        page.locator("main").get_by_role("button").click()

    def _enrol(self) -> None:
        world, document = self.world, canonical_bytes(self.keys)
        self.show(PERSON_KEYS, document)
        assert self.site.origin in self.page.locator("dl").inner_text()
        assertion = read_assertion(self.sign(), self.keys.thumbprint)
        enrolment = PersonEnrolment(
            keys=self.keys.thumbprint, role=self.keys.role, party="council", created=CREATED
        )
        payload = PersonEnrolled(
            keys=publish_person_keys(self.keys, self.signing, assertion),
            enrolment=world.lead.sign(PERSON_ENROLMENT, enrolment),
        )
        world.write(world.council, EventType.PERSON_ENROLLED, payload)

    def show(self, kind: str, payload: bytes, **named: BaseModel) -> None:
        """Show a document to sign."""
        passkey = self.keys.passkey
        assert passkey is not None
        documents = {name: canonical_bytes(each) for name, each in named.items()}
        data = signing_data(self.site.words, kind, payload, passkey, named=documents)
        self.site.show(self.page, "sign", data)

    def sign(self) -> Any:
        """Sign what is shown; the browser's answer."""
        self.page.locator("main").get_by_role("button").click()
        self.page.wait_for_url("**/signed")
        return json.loads(self.site.sent["signature"])

    def document(self) -> Asked:
        """A request to these keys for the family that agreed."""
        world = self.world
        envelope = world.request(world.family(), recipient=self.keys.thumbprint)
        return Asked.model_validate_json(envelope.payload_bytes)

    def ask(self) -> str:
        """Sign a request on a page; its hash. An agent takes it."""
        world, asked = self.world, self.document()
        payload = canonical_bytes(asked)
        self.show(REQUEST, payload, members=world.family())
        check_page(self.page)
        said = self.page.locator("dl").inner_text()
        assert "1 of 1" in said
        assert asked.family in said
        assert sha256(payload) in said
        assertion = read_assertion(self.sign(), self.keys.thumbprint)
        self.request = Envelope(payload_type=REQUEST, payload=b64(payload), signatures=(assertion,))
        order = world.order(self.request)
        world.log_release(order.request, order.approval)
        replayed = LedgerState().replay(world.events)
        assert world.verify(order, replayed).recipient == self.keys
        return self.request.payload_hash

    def sealed(self, **changes: Any) -> SealedItems:
        """The council's answer to the request."""
        about: dict[str, Any] = {
            "request": self.request.payload_hash,
            "order": sha256(b"order"),
            "party": "council",
            "recipient": self.keys,
            "checkpoint": CheckpointRef(size=7, root=b64(bytes(32))),
            "created": CREATED,
        }
        items = changes.pop("items", {"first_name": NAME})
        person = changes.pop("person", MOTHER)
        records = [ReleasedRecord(person=person, source="council_records", items=items)]
        return seal_records(records, **(about | changes))

    def swapped(self) -> SealedItems:
        """Sealed in the name of these keys, to a key of somebody else's."""
        sealed, other = self.sealed(), unb64(self.world.manager.keys.sealing)
        info = _info(sealed.request, sealed.party, sealed.recipient, sealed.checkpoint)
        return sealed.model_copy(update={"ciphertext": b64(seal(b"[]", other, info))})

    def verified(self, sealed: SealedItems) -> tuple[SealedItems, bytes]:
        """As the console hands it to the page: signed by the council, and verified."""
        council = self.world.council
        envelope = sign(SEALED, sealed, council.signing, council.keys.thumbprint)
        found = verify_sealed(
            envelope,
            recipient=self.keys.thumbprint,
            request=self.request.payload_hash,
            holders=self.world.family().holders,
            party_key=self.world.state.identities.party_key,
        )
        return found, envelope.payload_bytes

    def opening(self, *sealed: tuple[SealedItems, bytes], **changes: Any) -> dict[str, Any]:
        """What the opening page is given."""
        about: dict[str, Any] = {
            "request": self.request.payload_bytes,
            "request_hash": self.request.payload_hash,
            "members": self.world.family(),
            "keys": self.keys,
            "wrapped": self.wrapped,
            "sealed": sealed,
            "items": ["first_name", "surname"],
            "labels": {"items": {"first_name": "First name"}, "persons": {MOTHER: "Parent"}},
        }
        return opening_data(self.site.words, **(about | changes))

    def open(self, data: dict[str, Any], phrase: str | None = None) -> str:
        """Open a release on its page; what is read there."""
        self.site.show(self.page, "open", data)
        if phrase is not None:
            self.page.get_by_label("Your passphrase").fill(phrase)
        self.page.get_by_role("button", name="Open").click()
        self.page.locator("[data-hearthlink]:not([aria-busy])").wait_for()
        return self.page.locator("main").inner_text()

    def left_behind(self) -> str:
        """All that the browser asked, logged or stored."""
        return "\n".join([*self.heard, self.page.evaluate(STORED), json.dumps(self.site.sent)])


def altered(sealed: SealedItems) -> SealedItems:
    """One bit of the ciphertext is another."""
    data = bytearray(unb64(sealed.ciphertext))
    data[-1] ^= 1
    return sealed.model_copy(update={"ciphertext": b64(bytes(data))})
