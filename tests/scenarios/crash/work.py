"""What staff do while programs are killed around them, and what they were told.

A person whose command fails repeats it, as a person does: a manager and a lead half of the time
with the very document that they had signed, and half of the time with a new one. Only what was
answered counts as told.
"""

import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from governance.canonical import b64, sha256, utc_now, write_time
from governance.errors import ReasonedError
from governance.exchange.http import RequestSigner
from governance.exchange.hub_client import HubClient, HubRefused, HubUnavailable
from governance.exchange.release_api import OutcomePost, RequestView
from governance.identity.envelope import Envelope, parse_canonical
from governance.ledger.client import LedgerClient
from governance.ledger.note import open_checkpoint, parse_vkey
from governance.release.models import (
    APPROVAL,
    REQUEST,
    Approval,
    CheckpointRef,
    Request,
    SealedItems,
)
from tests.governance.world import Staff
from tests.scenarios.crash.world import CrashWorld, Family

FINISH_SECONDS: Final = 120
ITEMS: Final = ("address", "first_name")
_FINAL: Final = {"answered", "refused", "expired"}


class NotFinished(AssertionError):
    """Something that began does not end although everything runs."""


@dataclass
class Told:
    """Everything that somebody was told has been done."""

    consents: dict[str, str] = field(default_factory=dict)
    """Party by grant."""
    withdrawn: set[str] = field(default_factory=set)
    requests: dict[str, str] = field(default_factory=dict)
    """State by request, as last seen."""
    approved: set[str] = field(default_factory=set)
    withdrawn_before: dict[str, set[str]] = field(default_factory=dict)
    """Parties that had accepted a withdrawal of a request's family before it was approved."""
    received: dict[tuple[str, str], str] = field(default_factory=dict)
    """Hash of the sealed answer, by request and party."""
    outcomes: dict[str, str] = field(default_factory=dict)
    stories: Counter[str] = field(default_factory=Counter)


class Worker:
    """One desk of manager, lead and data officers, with families of its own.

    Args:
        world: where it works.
        families: whom it works for.
        seed: of what it does.
        told: where it writes down what it was told.
    """

    def __init__(
        self, world: CrashWorld, families: tuple[Family, ...], seed: int, told: Told
    ) -> None:
        self._world = world
        self._families = families
        self._random = random.Random(seed)
        self._told = told
        self._live: set[tuple[str, str]] = set()
        self._manager, self._lead = world.staff["service_manager"], world.staff["ig_lead"]
        self._hub = {
            who.keys.thumbprint: HubClient(
                world.hub_url, who.keys.thumbprint, who.signing, wait=_shortly
            )
            for who in (self._manager, self._lead)
        }
        self._log_key = parse_vkey(world.vkey)
        auth = RequestSigner(self._lead.keys.thumbprint, self._lead.signing)
        self._ledger = LedgerClient(world.ledger_url, self._log_key, auth, wait=_shortly)

    def close(self) -> None:
        """Close connections."""
        for hub in self._hub.values():
            hub.close()
        self._ledger.close()

    def story(self) -> None:
        """One family: consents, a request, perhaps a withdrawal, a release, an outcome."""
        family = self._random.choice(self._families)
        self._consent(family)
        request = self._ask(family)
        if request is None:
            self._told.stories["refused at once"] += 1
            return
        withdrawal = self._choose("before approval", "while it waits", "", "", "", "")
        if withdrawal == "before approval":
            party = self._withdraw(family)
            self._told.withdrawn_before[request] = {party}
        self._approve(request)
        if withdrawal == "while it waits":
            time.sleep(self._random.uniform(0, 0.5))
            self._withdraw(family)
        state = self._await(request)
        self._told.stories[state] += 1
        if state == "answered":
            self._receive(request)
            if self._random.random() < 0.7:
                self._conclude(request)

    def receive_again(self) -> None:
        """Fetch every answer once more: it is the same."""
        for request in {request for request, _ in self._told.received}:
            self._receive(request)

    # --- data officers ----------------------------------------------------------------------

    def _consent(self, family: Family) -> None:
        """Record every consent of the family that does not stand."""
        expires = (utc_now() + timedelta(days=30)).date().isoformat()
        for party, record_id, adult in family.records:
            if (party, record_id) in self._live:
                continue
            words: tuple[object, ...] = (
                "consent", "record", "--source", f"{party}_records", "--record-id", record_id,
                "--expires", expires, "--method", "in_person",
                "--notice", self._world.root / "notice.txt",
            )  # fmt: skip
            if not adult:
                words += ("--capacity", "parental_responsibility",
                          "--parental-basis", "birth_registration")  # fmt: skip
            answer = self._until_answered(party, words)
            self._told.consents.update(dict.fromkeys(answer["grants"], party))
            self._live.add((party, record_id))

    def _withdraw(self, family: Family) -> str:
        """The mother withdraws at one of the partners; which."""
        party, record_id, _ = self._random.choice([one for one in family.records if one[2]])
        words = ("consent", "withdraw", "--source", f"{party}_records", "--record-id", record_id)
        answer = self._until_answered(party, words)
        self._told.withdrawn |= {item["grant"] for item in answer["withdrawn"]}
        self._live.discard((party, record_id))
        return party

    def _until_answered(self, party: str, words: tuple[object, ...]) -> dict[str, list[Any]]:
        deadline = time.monotonic() + FINISH_SECONDS
        while (answer := self._world.command(party, *words)) is None:
            if time.monotonic() > deadline:
                raise NotFinished(f"{party} cannot {words[1]} a consent")
        return answer

    # --- manager and lead -------------------------------------------------------------------

    def _ask(self, family: Family) -> str | None:
        """The manager's request, until the hub answers; None where it refuses."""
        signed: Envelope | None = None
        while True:
            try:
                if signed is None:
                    view = self._as(self._manager).family(family.id)
                    signed = self._request(family, view.digest)
                answer = self._as(self._manager).post_request(signed)
            except HubUnavailable:
                signed = signed if self._random.random() < 0.5 else None
            except HubRefused as refusal:
                if refusal.status >= 500:  # the hub's ledger is away
                    continue
                return None
            else:
                self._told.requests[answer.id] = answer.state
                return answer.id

    def _request(self, family: Family, members: str) -> Envelope:
        now = utc_now()
        request = Request(
            id=secrets.token_hex(16),
            agreement=self._world.agreement,
            purpose="offer-help",
            family=family.id,
            members=members,
            without=(),
            items=ITEMS,
            recipient=self._manager.keys.thumbprint,
            created=write_time(now),
            expires=write_time(now + timedelta(hours=12)),
        )
        return self._manager.sign(REQUEST, request)

    def _approve(self, request: str) -> None:
        """The lead's approval, until the hub says that it is decided."""
        signed: Envelope | None = None
        while True:
            try:
                signed = signed or self._approval(request)
                self._as(self._lead).post_approval(request, signed)
            except HubRefused as refusal:
                if refusal.status >= 500:
                    continue
                if refusal.hub_reason != "release.decided":
                    raise
                if self._view(request).approval is None:  # refused meanwhile
                    return
            except ReasonedError:  # hub or ledger is away
                signed = signed if self._random.random() < 0.5 else None
                continue
            self._told.approved.add(request)
            return

    def _approval(self, request: str) -> Envelope:
        checkpoint = open_checkpoint(self._ledger.checkpoint(), self._log_key)
        approval = Approval(
            request=request,
            decision="approve",
            reason="proportionate",
            checkpoint=CheckpointRef(size=checkpoint.size, root=b64(checkpoint.root)),
            created=write_time(utc_now()),
        )
        return self._lead.sign(APPROVAL, approval)

    def _await(self, request: str) -> str:
        """The state in which a request ends."""
        deadline = time.monotonic() + FINISH_SECONDS
        while (view := self._view(request)).state not in _FINAL:
            self._told.requests[request] = view.state
            if time.monotonic() > deadline:
                raise NotFinished(f"request {request} stays {view.state}: {view.answers}")
            time.sleep(0.05)
        self._told.requests[request] = view.state
        return view.state

    def _receive(self, request: str) -> None:
        """What the partners sealed is what it was when it was first seen."""
        while True:
            try:
                release = self._as(self._manager).release(request)
            except HubUnavailable:
                continue
            break
        for envelope in release.sealed:
            items = parse_canonical(envelope.payload_bytes, SealedItems)
            digest = sha256(items.ciphertext.encode())
            assert self._told.received.setdefault((request, items.party), digest) == digest

    def _conclude(self, request: str) -> None:
        outcome = self._choose("helped", "declined")
        while True:
            try:
                self._as(self._manager).post_outcome(
                    request, OutcomePost.model_validate({"outcome": outcome})
                )
            except HubUnavailable:
                continue
            except HubRefused as refusal:
                if refusal.status < 500:
                    raise
                continue
            self._told.outcomes[request] = outcome
            return

    def _view(self, request: str) -> RequestView:
        while True:
            try:
                return self._as(self._manager).request(request)
            except HubUnavailable:
                continue

    def _as(self, who: Staff) -> HubClient:
        return self._hub[who.keys.thumbprint]

    def _choose(self, *among: str) -> str:
        return self._random.choice(among)


def _shortly(_seconds: float) -> None:
    """Wait a moment before another attempt, whatever the client would wait."""
    time.sleep(0.1)
