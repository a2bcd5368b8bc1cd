"""A real ledger and a real hub in one process, for the hub's tests; HTTP is real on loopback."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import canonical_bytes, utc_now, write_time
from governance.exchange.http import RequestSigner
from governance.identity.envelope import sign, sign_bytes
from governance.identity.files import PartySecrets, new_party, write_secret
from governance.identity.keys import SigningKey
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    Role,
    publish_party_keys,
)
from governance.ledger.app import create_app as create_ledger
from governance.ledger.app import init_ledger
from governance.ledger.database import sqlite_url
from governance.ledger.events import Author, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    Genesis,
    PersonEnrolled,
)
from governance.ledger.settings import LedgerSettings
from linkage_hub.app import Hub, create_app
from linkage_hub.settings import HubSettings
from partner_agent.app import Agent, init_agent
from partner_agent.encoding.person import schema_for
from partner_agent.settings import AgentSettings
from tests import http_server
from tests.governance.world import Party, Staff, agreement_data
from tests.soft_authenticator import SoftAuthenticator

ORIGIN = "ledger.example.org/test"


@contextlib.contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The app on a free loopback port; its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on")
    with http_server.running(config) as port:
        yield f"http://127.0.0.1:{port}"


def as_party(secrets: PartySecrets) -> Party:
    """A test party with the keys of a secrets file."""
    return Party(secrets.keys.party, secrets.signing_key, secrets.witness_key, secrets.sealing_key)


@dataclass
class HubWorld:
    """Ledger and its operator, hub, agents of police and council, staff, a signed agreement."""

    root: Path
    ledger_url: str
    hub_url: str
    hub: Hub
    app: FastAPI
    agents: dict[str, Agent]
    agreement: Agreement
    staff: dict[str, Staff]
    operator: PartySecrets
    http: httpx.Client = field(default_factory=httpx.Client)

    def call(self, kind: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A signed request as a party or as a person of a role."""
        if kind == "party":
            keys = self.agents["council"].secrets
            thumbprint, key = keys.keys.thumbprint, keys.signing_key
        else:
            staff = self.staff[kind]
            thumbprint, key = staff.keys.thumbprint, staff.signing
        return self.request(thumbprint, key, method, path, **arguments)

    def request(
        self, thumbprint: str, key: SigningKey, method: str, path: str, **arguments: Any
    ) -> httpx.Response:
        """A request signed with any key."""
        return self.http.request(method, path, auth=RequestSigner(thumbprint, key), **arguments)

    def witness(self) -> None:
        """Every agent mirrors and cosigns."""
        for agent in self.agents.values():
            agent.ledger.sync()
            agent.ledger.witness()

    def work(self) -> None:
        """Do every job that waits."""
        worker = self.hub.worker()
        while worker.step():
            pass


@contextlib.contextmanager
def hub_world_in(
    root: Path,
    adjust: Callable[[dict[str, Any]], None] = lambda _agreement: None,
    *,
    passkeys: Collection[Role] = (),
    ledger_database: str | None = None,
    hub_database: str | None = None,
) -> Iterator[HubWorld]:
    """Found a world in a folder.

    Args:
        root: an empty folder.
        adjust: may change the agreement before it is signed.
        passkeys: roles whose holders have a passkey.
        ledger_database: URL of the ledger's database; SQLite in the folder where none is given.
        hub_database: URL of the hub's, likewise.
    """
    operator, hub_keys = new_party("ledger", "Ledger"), new_party("hub", "Hub")
    hub_home = root / "hub"
    hub_home.mkdir()
    write_secret(hub_home / "party.secret", canonical_bytes(hub_keys))
    parties = {}
    for name in ("police", "council"):
        parties[name], _ = init_agent(root / name, name, name.title(), "file", None)
    everyone = [operator, hub_keys, *parties.values()]
    settings = LedgerSettings(
        origin=ORIGIN,
        database_url=ledger_database or sqlite_url(root / "ledger.db"),
        key_file=root / "ledger.key",
    )
    author = Author(operator.keys.thumbprint, operator.signing_key, utc_now, ORIGIN)
    genesis = Genesis(
        origin=ORIGIN,
        parties=tuple(publish_party_keys(s.keys, s.signing_key) for s in everyone),
    )
    vkey = init_ledger(settings, author.write(EventType.GENESIS, genesis))
    with contextlib.ExitStack() as stack:
        ledger_url = stack.enter_context(running(create_ledger(settings)))
        hub = Hub(
            hub_home,
            HubSettings(ledger_url=ledger_url, ledger_key=str(vkey), database_url=hub_database),
        )
        hub.ledger.sync()
        app = create_app(hub)
        hub_url = stack.enter_context(running(app))
        agents = {}
        for name in parties:
            agent = Agent(root / name, AgentSettings(party=name))
            agent.remember(ledger_url=ledger_url, ledger_key=str(vkey), hub_url=hub_url)
            stack.callback(agent.close)
            agents[name] = agent
        world = HubWorld(
            root, ledger_url, hub_url, hub, app, agents, _agreement(parties, adjust), {},
            operator, httpx.Client(base_url=hub_url),
        )  # fmt: skip
        stack.callback(world.http.close)
        _agree(world)
        _enrol(world, passkeys)
        world.witness()
        yield world


def _agreement(
    parties: dict[str, PartySecrets], adjust: Callable[[dict[str, Any]], None]
) -> Agreement:
    data = agreement_data([as_party(secrets) for secrets in parties.values()])
    items = ["first_name", "surname", "date_of_birth", "address", "postcode"]
    data["items"] = [
        {
            "id": item,
            "description": item.replace("_", " "),
            "releasable": item != "date_of_birth",
        }
        for item in items
    ]
    for source in data["sources"]:
        source["items"] = items
        source["indicators"] = []
    data["indicators"] = [
        {"id": "neet", "description": "NEET", "owners": ["council"], "window_months": 12}
    ]
    data["sources"][1]["indicators"] = ["neet"]
    data["encoding"]["linkage_schema"] = schema_for(items)
    today = utc_now().date()
    data["valid_from"] = today.replace(year=today.year - 1).isoformat()
    data["review_by"] = today.replace(year=today.year + 1).isoformat()
    data["expires"] = today.replace(year=today.year + 2).isoformat()
    data["retention"]["consent_payload_days"] = 30
    adjust(data)
    return Agreement.model_validate(data)


def _agree(world: HubWorld) -> None:
    council = world.agents["council"]
    council.ledger.sync()
    council.ledger.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=world.agreement))
    for agent in world.agents.values():
        signature = sign_bytes(
            AGREEMENT,
            canonical_bytes(world.agreement),
            agent.secrets.signing_key,
            agent.secrets.keys.thumbprint,
        )
        payload = AgreementSigned(agreement=world.agreement.hash, signature=signature)
        agent.ledger.write(EventType.AGREEMENT_SIGNED, payload)
        agent.remember(agreement=world.agreement.hash)
    world.hub.ledger.sync()


def _enrol(world: HubWorld, passkeys: Collection[Role]) -> None:
    council = world.agents["council"]
    for number, role in enumerate((Role.IG_LEAD, Role.SERVICE_MANAGER, Role.ANALYST)):
        staff = Staff("council", role, f"{number:032x}")
        staff.authenticator = SoftAuthenticator() if role in passkeys else None
        enrolment = PersonEnrolment(
            keys=staff.keys.thumbprint, role=role, party="council", created=write_time(utc_now())
        )
        if role is Role.IG_LEAD:
            own = council.secrets
            signed = sign(PERSON_ENROLMENT, enrolment, own.signing_key, own.keys.thumbprint)
        else:
            signed = world.staff[Role.IG_LEAD].sign(PERSON_ENROLMENT, enrolment)
        payload = PersonEnrolled(keys=staff.published(), enrolment=signed)
        council.ledger.write(EventType.PERSON_ENROLLED, payload)
        world.staff[role.value] = staff
    world.hub.ledger.sync()
