"""A hub that keeps two runs of made-up families, and criteria of its own to report them by."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update

from linkage_hub.runs.results import discard
from linkage_hub.store.tables import families, family_members, person_records, runs
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.analytics.figures_world import RUN, keep_run, with_areas
from tests.linkage_hub.analytics.programme.test_two_months import catalogue

NEWER: Final = RUN
OLDER: Final = "b" * 32
COUNT: Final = 120
"""Families of each run."""


@contextlib.contextmanager
def reports_world(
    root: Path, adjust: Callable[[dict[str, Any]], None] = lambda _data: None
) -> Iterator[HubWorld]:
    """Two finished runs whose families are of one person each, known to the council."""

    def agree(data: dict[str, Any]) -> None:
        with_areas(data)
        data["minimum_needs"] = 2
        adjust(data)

    with hub_world_in(root, agree) as world:
        keep_two(world)
        folder = world.hub.home / "catalogues"
        folder.mkdir()
        catalogue(folder / "mine.yaml")
        mine = json.loads((folder / "mine.yaml").read_text("utf-8"))
        fewer = mine | {"id": "one-need", "title": "One need", "minimum": 1}
        (folder / "one-need.yaml").write_text(json.dumps(fewer), "utf-8")
        (folder / "broken.yaml").write_text(json.dumps({"format": "criteria/v1"}), "utf-8")
        yield world


def keep_two(world: HubWorld) -> None:
    """Put both runs into the hub's database."""
    database, hash_ = world.hub.database, world.agreement.hash
    for number, run in enumerate((OLDER, NEWER)):
        keep_run(database, hash_, run, count=COUNT, seed=number + 1)
        with database.writing() as connection:
            flagged = (
                select(func.count())
                .select_from(families)
                .where(families.c.run == run, families.c.flagged.is_(True))
            )
            connection.execute(
                update(runs).where(runs.c.id == run).values(flagged=connection.scalar(flagged))
            )
            names = list(connection.scalars(select(families.c.family).where(families.c.run == run)))
            connection.execute(insert(family_members), [_member(run, name) for name in names])
            connection.execute(insert(person_records), [_record(run, name) for name in names])
    with database.writing() as connection:
        connection.execute(
            update(runs)
            .where(runs.c.id == OLDER)
            .values(is_current=False, finished="2026-10-02T00:00:00Z")
        )


def keep_two_anew(world: HubWorld) -> None:
    """Forget both runs with their reports, as if they had never been, and put them in again."""
    with world.hub.database.writing() as connection:
        for run in (OLDER, NEWER):
            discard(connection, run)
        connection.execute(delete(runs))
    keep_two(world)


def _member(run: str, family: str) -> dict[str, Any]:
    return {
        "run": run, "family": family, "person": f"p{family[1:]}", "role": "other_adult",
        "adult": True, "confidence": 1.0, "is_primary": True,
    }  # fmt: skip


def _record(run: str, family: str) -> dict[str, Any]:
    return {
        "run": run, "handle": family.removeprefix("f-"), "person": f"p{family[1:]}",
        "party": "council", "source": "council_records",
    }  # fmt: skip
