"""Families whose mother the police hold too, for tests of data subjects' requests.

Each test takes a family of its own, so that one world serves a whole module.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from governance.rights.models import RightsKind
from partner_agent.app import Agent
from partner_agent.rights.store import Request
from partner_agent.rights.view import RightsView
from tests.hub_world import HubWorld
from tests.partner_agent.releases.test_desk import consent
from tests.refinement_world import person, refining_world, send, start

FAMILIES = 24
HELD_BY_POLICE = 8
"""Mothers of the first families."""


def mother(family: int, **changes: str) -> tuple[str, ...]:
    """The mother's row; her record id is ``M`` and the family's number."""
    return person(family, id=f"M{family}", **changes)


def child(family: int) -> tuple[str, ...]:
    """The child's row, at the mother's address; its record id is ``C`` and the family's number."""
    row = person(family, id=f"C{family}", first=f"Kit{'abcdefghijklmnopqrstuvwx'[family]}")
    return (*row[:3], f"{1 + family:02}/06/2014", *row[4:])


def council_rows() -> list[tuple[str, ...]]:
    """Mothers and children."""
    return [row for n in range(FAMILIES) for row in (mother(n), child(n))]


def police_rows() -> list[tuple[str, ...]]:
    """Some of the mothers."""
    return [mother(n) for n in range(HELD_BY_POLICE)]


def _plain(_data: dict[str, Any]) -> None:
    """No refinement."""


@contextlib.contextmanager
def rights_world_in(
    root: Path, adjust: Callable[[dict[str, Any]], None] = _plain
) -> Iterator[HubWorld]:
    """Both partners have submitted, and a run has finished."""
    with refining_world(root, police_rows(), council_rows(), adjust) as world:
        assert start(world)["state"] == "finished"
        yield world


def resubmit(world: HubWorld, party: str, rows: list[tuple[str, ...]]) -> None:
    """A later extract of a party's source."""
    send(world, world.agents[party], rows)


def family_agrees(world: HubWorld, family: int) -> None:
    """The mother for herself and for her child, to the council."""
    consent(world, f"M{family}")
    parental = {"capacity": "parental_responsibility", "parental_basis": "birth_registration"}
    consent(world, f"C{family}", **parental)


def handle_of(agent: Agent, record_id: str) -> bytes:
    """The handle of one of a party's records."""
    return agent.vault.find(f"{agent.settings.party}_records", record_id)[0]


def opened(agent: Agent, kind: RightsKind, *record_ids: str) -> Request:
    """A request that came today."""
    agreement = agent.standing(agent.ledger.sync()).agreement
    source = f"{agent.settings.party}_records"
    records = [(source, record_id) for record_id in record_ids]
    return agent.rights.open(agreement, kind, records, agent.now().date())


def carried_out(agent: Agent, kind: RightsKind, *record_ids: str) -> Request:
    """A request that the partner has carried out; nobody else knows of it yet."""
    request = opened(agent, kind, *record_ids)
    return agent.rights.carry_out(request.id, agent.ledger.sync())


def seen(agent: Agent, request: Request) -> RightsView:
    """The request as its partner sees it now."""
    agent.ledger.sync()
    (view,) = agent.rights_views(request.id)
    return view
