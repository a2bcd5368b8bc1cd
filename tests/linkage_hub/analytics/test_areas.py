"""Areas stand beside counts and never beside a family, and small counts are not told."""

from collections.abc import Iterator
from typing import Any, Final, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select, update

from governance.agreements.models import Agreement
from governance.agreements.registry import _Record
from governance.disclosure.counts import least_shown, publish
from governance.exchange.release_api import FamilyQuery
from governance.identity.models import Role
from linkage_hub.analytics import areas
from linkage_hub.analytics.areas import AreaDesk, counted
from linkage_hub.analytics.needs import SEVERAL, SEVERAL_NAMES, UNSAID
from linkage_hub.releases.families import ApproachFor
from linkage_hub.store.tables import families, runs
from tests.governance.world import World, agreement_data
from tests.linkage_hub.analytics.risk.kept import cohort
from tests.linkage_hub.analytics.risk.shared_world import (
    AREAS,
    DAY,
    NEEDS,
    SharedWorld,
    learning,
    shared_world,
)

FAMILIES: Final = 400
EVERY: Final = FamilyQuery(flagged=False, limit=1_000)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedWorld]:
    """A run whose families live in two areas, in several, or nobody says where."""
    url = f"sqlite:///{tmp_path_factory.mktemp('areas') / 'hub.db'}"
    with shared_world(url) as found:
        random = np.random.default_rng(4)
        where = random.choice(
            np.array([*AREAS, SEVERAL_NAMES, ""], dtype=object), FAMILIES, p=(0.6, 0.3, 0.02, 0.08)
        )
        found.run(cohort(FAMILIES, len(NEEDS), 1), areas=where)
        yield found


def terms(areas: int = 4) -> Agreement:
    """An agreement with so many areas."""
    world = World()
    names = [f"area_{number}" for number in range(areas)]
    return Agreement.model_validate(
        agreement_data(world.partners) | learning(world.partners, names)
    )


TERMS: Final = terms()


@given(st.lists(st.tuples(st.integers(-2, 3), st.integers(2, 9)), max_size=150))
def test_every_family_is_counted_in_one_row_and_none_is_small(
    several: list[tuple[int, int]],
) -> None:
    """Rows part the areas, columns the numbers of needs; each number is its count as published."""
    of = np.array([each[0] for each in several], dtype=np.int64)
    met = np.array([each[1] for each in several], dtype=np.int64)
    found = counted("1" * 32, TERMS, of, met)
    threshold, names = TERMS.suppression_threshold, list(TERMS.used_as("area"))
    if len(several) < least_shown(threshold):
        assert found.rows == ()
        return
    assert sorted(area for row in found.rows for area in row.areas) == sorted(names)
    assert sum(row.several for row in found.rows) == sum(row.unknown for row in found.rows) == 1
    assert sorted(number for column in found.needs for number in column) in ([], [2, 3, 4])
    for row in found.rows:
        places = [names.index(area) for area in row.areas]
        places += [SEVERAL] * row.several + [UNSAID] * row.unknown
        here = np.isin(of, places)
        assert row.total == publish(int(here.sum()), threshold)
        assert row.total.about is not None
        assert len(row.by_needs) in (0, len(found.needs))
        for column, shown in zip(found.needs, row.by_needs, strict=False):
            count = int((here & np.isin(np.minimum(met, found.most), column)).sum())
            assert shown == publish(count, threshold)
            assert shown.about is not None


def test_counts_are_of_families_put_forward(hub: SharedWorld) -> None:
    """Both areas by name, rounded; what is small is put together with another."""
    (found,) = hub.areas.counts("council").agreements
    assert found.agreement == hub.terms.hash
    rows = {row.areas: row for row in found.rows}
    forward = hub.families.page(hub.world.state, ApproachFor("council", hub.now), FamilyQuery())
    threshold = hub.terms.suppression_threshold
    about = [row.total.about for row in found.rows]
    base = publish(1_000, threshold).base
    assert all(each is not None and each % base == 0 for each in about)
    assert abs(sum(each or 0 for each in about) - forward.total) <= base * len(about) / 2
    assert ("east_ward",) in rows
    assert any(row.several for row in found.rows)


def test_counts_are_worked_out_once_while_families_stay(
    hub: SharedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for again they are those of before; anew once a family is put forward no more."""
    worked: list[str] = []
    honest = areas._counts

    def counting(connection: Any, run: str, terms: Agreement) -> Any:
        worked.append(run)
        return honest(connection, run, terms)

    monkeypatch.setattr(areas, "_counts", counting)
    monkeypatch.setattr(hub, "areas", AreaDesk(hub.database, hub.areas._ledger, hub.areas._now))
    assert hub.areas.counts("council") == hub.areas.counts("council")
    assert len(worked) == 1
    hub.areas.forget()
    assert len(hub.areas.kept) == 1
    with hub.database.reading() as connection:
        here = select(families.c.family).where(families.c.flagged.is_(True)).limit(1)
        one = families.c.family == connection.scalar(here)
    with hub.database.writing() as connection:
        connection.execute(update(families).where(one).values(flagged=False))
    try:
        hub.areas.counts("council")
        assert len(worked) == 2
    finally:
        with hub.database.writing() as connection:
            connection.execute(update(families).where(one).values(flagged=True))
    hub.areas.forget()
    assert len(hub.areas.kept) == 0


def test_others_are_told_nothing(hub: SharedWorld) -> None:
    """Staff of another party, and of an agreement that is over."""
    assert hub.areas.counts("elsewhere").agreements == ()
    before, hub.now = hub.now, hub.now + 4_000 * DAY
    assert hub.areas.counts("council").agreements == ()
    hub.now = before


def test_the_processors_staff_are_told_nothing(hub: SharedWorld) -> None:
    """Who is named to run the hub has its machine, and no manager."""
    data = agreement_data([*hub.world.partners, hub.world.hub]) | learning(hub.world.partners)
    data["parties"][-1]["role"], data["recipients"] = "processor", ["council"]
    agreement = Agreement.model_validate(data)
    signed = dict.fromkeys((each.party for each in agreement.parties), cast("Any", None))
    hub.world.state.agreements._records[agreement.hash] = _Record(agreement, signed)
    own = update(runs).where(runs.c.agreement == hub.terms.hash)
    with hub.database.writing() as connection:
        connection.execute(own.values(agreement=agreement.hash))
    told = {party: len(hub.areas.counts(party).agreements) for party in ("council", "hub")}
    with hub.database.writing() as connection:
        connection.execute(update(runs).values(agreement=hub.terms.hash))
    assert told == {"council": 1, "hub": 0}


@pytest.mark.parametrize("name", ["area", "areas", "ward"])
def test_no_list_is_narrowed_by_an_area(hub: SharedWorld, name: str) -> None:
    """No parameter does it, nor an area in the place of a need."""
    with pytest.raises(ValidationError):
        FamilyQuery.model_validate({name: "east_ward"})
    for area in AREAS:
        asked = EVERY.model_copy(update={"need": area})
        assert hub.families.page(hub.world.state, ApproachFor("council", hub.now), asked).total == 0


def test_no_family_stands_beside_an_area(hub: SharedWorld) -> None:
    """Whatever the hub says of families, in whichever order, it names no area."""
    hub.books.share(hub.trained(hub.model()))
    approach = ApproachFor("council", hub.now)
    said = []
    for order in ("needs", "model"):
        page = hub.families.page(
            hub.world.state, approach, EVERY.model_copy(update={"order": order})
        )
        assert page.order == order
        said.append(page.model_dump_json())
    first = page.families[0].family
    said.append(hub.families.view(first, hub.world.state, approach).model_dump_json())
    (card,) = hub.desk.models("council", Role.ANALYST).models
    said += [card.model_dump_json(), hub.desk.families("council", card.id, 0, 9).model_dump_json()]
    assert not [area for area in AREAS for text in said if area in text]
    told = hub.areas.counts("council").model_dump_json()
    assert "f-0" not in told
    assert not [need for need in NEEDS if need in told]
