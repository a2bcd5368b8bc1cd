"""A hub with a finished run of made-up families, under an agreement with areas and lengths."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from governance.agreements.models import Agreement
from governance.canonical import sha256
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from linkage_hub.analytics.needs import SEVERAL_NAMES, STATES
from linkage_hub.cli.main import app
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_categories, family_needs, runs
from tests.hub_world import HubWorld, hub_world_in

NEEDS = ("neet", "offence", "out_of_work")
AREAS = ("area_hill", "area_lake", "area_moor", "area_vale")
LENGTHS = ("under_6_months", "over_6_months")
RUN = "c" * 32


def with_areas(data: dict[str, Any]) -> None:
    """Three needs, four areas (one of them tiny), two lengths, a referral, the programme."""
    uses = dict.fromkeys(AREAS, "area") | dict.fromkeys(LENGTHS, "engagement")
    names = (*NEEDS, "in_programme", *AREAS, *LENGTHS, "referred")
    data["indicators"] = [
        {"id": name, "description": name, "owners": ["council"], "window_months": 12}
        | ({"used_as": (uses | {"referred": "referral"})[name]} if name in uses | {"referred": ""}
           else {})
        for name in names
    ]  # fmt: skip
    data["sources"][1]["indicators"] = list(names)


@contextlib.contextmanager
def figures_world_in(root: Path, *, epsilon: float | None = None) -> Iterator[HubWorld]:
    """A hub whose commands can be called (``hub``), with one run; a budget, where one is named."""

    def adjust(data: dict[str, Any]) -> None:
        with_areas(data)
        if epsilon is not None:
            data["privacy_budget"] = {"epsilon": epsilon, "delta": 1e-5}

    with hub_world_in(root, adjust) as world:
        world.hub.settings.save(world.hub.home)
        if epsilon is not None:  # a hub that has taken something is the one that may pay
            world.hub.ledger.write(EventType.SUBMISSION_ACCEPTED, _accepted(world.agreement))
        keep_run(world.hub.database, world.agreement.hash)
        yield world


def _accepted(terms: Agreement) -> SubmissionOutcome:
    source = terms.sources[1]
    return SubmissionOutcome(
        submission="2" * 32, manifest=sha256(b"manifest"), agreement=terms.hash,
        party=source.party, source=source.id, records=3, reason=None,
    )  # fmt: skip


def keep_run(
    database: HubDatabase, agreement: str, run: str = RUN, *, count: int = 600, seed: int = 1
) -> None:
    """Families of a finished run."""
    rng = np.random.default_rng(seed)
    state = rng.choice(3, (count, len(NEEDS)), p=[0.3, 0.4, 0.3])
    enrolled, children = rng.random(count) < 0.1, np.minimum(rng.poisson(1.2, count), 3)
    area = rng.choice(len(AREAS) + 2, count, p=[0.4, 0.3, 0.195, 0.005, 0.05, 0.05])
    length = rng.choice(2, count)
    about, said, where = [], [], []
    for at in range(count):
        name = f"f-{at:032x}"
        met, unknown = int((state[at] == 2).sum()), int((state[at] == 0).sum())
        about.append(
            {
                "run": run, "family": name, "confidence": 0.9, "reasons": "[]",
                "members": 2 + int(children[at]), "adults": 2, "children": int(children[at]),
                "needs_met": met, "needs_unknown": unknown, "in_programme": bool(enrolled[at]),
                "is_resident": True, "flagged": met >= 2 and not enrolled[at],
                "referred": STATES[int(rng.choice(3, p=[0.1, 0.8, 0.1]))],
            }
        )  # fmt: skip
        said += [
            {"run": run, "family": name, "need": need, "state": STATES[code], "sources": 1}
            for need, code in zip(NEEDS, state[at].tolist(), strict=True)
            if code
        ]
        if area[at] <= len(AREAS):
            category = (*AREAS, SEVERAL_NAMES)[area[at]]
            where.append({"run": run, "family": name, "use": "area", "category": category})
        if enrolled[at]:
            category = LENGTHS[length[at]]
            where.append({"run": run, "family": name, "use": "engagement", "category": category})
    with database.writing() as connection:
        connection.execute(
            insert(runs).values(
                id=run, agreement=agreement, state="finished", is_current=True,
                created="2026-11-01T00:00:00Z", finished="2026-11-02T00:00:00Z", sources=1,
                records=count, persons=count, families=count, flagged=0, quality=json.dumps([]),
            )
        )  # fmt: skip
        for table, rows in ((families, about), (family_needs, said), (family_categories, where)):
            connection.execute(insert(table), rows)


def hub(world: HubWorld, *words: str) -> Result:
    """A command of the hub."""
    home = str(world.hub.home)
    return CliRunner().invoke(app, ["--json", "--home", home, *words])
