"""A model is shared once it was trained here and paid for, and then orders the current run."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from governance.agreements.errors import AgreementRefusal, AgreementUnknown
from governance.exchange.release_api import FamilyQuery
from governance.identity.models import Role
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped
from linkage_hub.analytics.forgetting import forgetting
from linkage_hub.analytics.remembered import Remembered
from linkage_hub.analytics.risk.books import forget_models, oldest
from linkage_hub.analytics.risk.documents import ModelDocument, NotAModel
from linkage_hub.analytics.risk.errors import ModelNotPaid, NoSuchOutcome, NothingShared
from linkage_hub.releases.families import ApproachFor
from linkage_hub.rights.records import out_of_run
from linkage_hub.store.tables import (
    families,
    family_members,
    family_needs,
    person_records,
    risk_models,
    runs,
)
from tests.governance.privacy.test_registry import agree
from tests.hub_world import hub_world_in
from tests.linkage_hub.analytics.risk.kept import cohort
from tests.linkage_hub.analytics.risk.shared_world import (
    DAY,
    KEPT_DAYS,
    NEEDS,
    WEIGHTS,
    SharedWorld,
    learning,
    shared_world,
)

FAMILIES = 300
ALL = FamilyQuery(flagged=False, limit=1_000)
BY_MODEL = ALL.model_copy(update={"order": "model"})
HEAVIER = (0.1, 0.2, 0.9, 0.0, 0.0, 0.0)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SharedWorld]:
    """A hub without a run and without a model."""
    with shared_world(f"sqlite:///{tmp_path / 'hub.db'}") as found:
        yield found


@pytest.fixture
def county(hub: SharedWorld) -> SharedWorld:
    """With a run, a paid model, and the model shared; for a test that changes something."""
    return settled(hub)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedWorld]:
    """The same, for tests that only look."""
    folder = tmp_path_factory.mktemp("seen")
    with shared_world(f"sqlite:///{folder / 'hub.db'}") as found:
        yield settled(found)


def settled(hub: SharedWorld) -> SharedWorld:
    """Give it a run and a shared model."""
    hub.run(cohort(FAMILIES, len(NEEDS), 1))
    hub.books.share(hub.trained(hub.model()))
    return hub


def listed(hub: SharedWorld, query: FamilyQuery, party: str = "council") -> Any:
    """The manager's list."""
    return hub.families.page(hub.world.state, ApproachFor(party, hub.now), query)


def test_a_model_that_was_paid_for_is_shared_and_replaced(hub: SharedWorld) -> None:
    """One at a time; what is taken back or replaced is destroyed, and known as trained still."""
    first, second = hub.trained(hub.model()), hub.trained(hub.model(HEAVIER))
    assert hub.books.shared() == []
    one = hub.books.share(first)
    assert [each.id for each in hub.books.shared()] == [one]
    two = hub.books.share(second)
    (found,) = hub.books.shared()
    assert (found.id, found.document) == (two, second)
    with hub.database.reading() as connection:
        kept = dict(connection.execute(select(risk_models.c.hash, risk_models.c.document)).all())
    assert kept[one] is None
    with pytest.raises(NothingShared):
        hub.books.withdraw(one)
    hub.books.withdraw(two)
    assert hub.books.shared() == []
    assert hub.books.share(first) == one  # it was paid for


def test_either_database_keeps_a_shared_model(database_url: str) -> None:
    """Entered, shared, a list in its order, a family, a card; destroyed when its time is over."""
    with shared_world(database_url) as hub:
        settled(hub)
        found = listed(hub, BY_MODEL)
        approach = ApproachFor("council", hub.now)
        view = hub.families.view(found.families[0].family, hub.world.state, approach)
        assert view.risk is not None
        assert view.risk.rank.band == "first_1"
        (card,) = hub.desk.models("council", Role.ANALYST).models
        assert hub.desk.families("council", card.id, 0, 5).total == card.ranked > 100
        with hub.database.writing() as connection:
            later = oldest(hub.terms, hub.now + 400 * DAY)
            assert forget_models(connection, hub.terms.hash, later) == 1
        assert hub.books.shared() == []


def edited(document: ModelDocument) -> ModelDocument:
    """The first need weighs a little more."""
    weights = (document.model.coefficients[0] + 1e-6, *document.model.coefficients[1:])
    return document.model_copy(
        update={"model": document.model.model_copy(update={"coefficients": weights})}
    )


def praised(document: ModelDocument) -> ModelDocument:
    """It says that it cost less."""
    privacy = document.privacy.model_copy(update={"epsilon": 0.1, "opacus": 0.1})
    return document.model_copy(update={"privacy": privacy})


@pytest.mark.parametrize("change", [edited, praised])
def test_an_edited_model_is_anothers(hub: SharedWorld, change: Any) -> None:
    """By its last digit, or by what it says of itself."""
    document = hub.trained(hub.model())
    with pytest.raises(ModelNotPaid, match="edited"):
        hub.books.share(change(document))
    assert hub.books.shared() == []


def test_a_model_that_nobody_paid_for_is_not_shared(hub: SharedWorld) -> None:
    """Not trained here; entered with a spend that is nowhere, too small, or of something else."""
    with pytest.raises(ModelNotPaid, match="trained no such"):
        hub.books.share(hub.model())
    nowhere = hub.model(HEAVIER)
    hub.books.enter(nowhere, "e" * 32)
    small = hub.trained(hub.model((0.3,) * 6), epsilon=0.5)
    other = hub.model((0.4,) * 6)
    hub.books.enter(other, hub.epsilon.spend(hub.terms.hash, "debt", 1, 1e-6))
    for document in (nowhere, small, other):
        with pytest.raises(ModelNotPaid, match="ledger does not hold"):
            hub.books.share(document)


def test_what_is_in_the_hubs_own_books_alone_has_paid_for_nothing(hub: SharedWorld) -> None:
    """The ledger was away when it was spent; once it has the word, the model may be shared."""
    hub.ledger.reachable = False
    with pytest.raises(LedgerUnavailableError):
        hub.trained(hub.model())
    with hub.database.reading() as connection:
        assert connection.execute(select(risk_models)).first() is None


def test_another_hubs_spend_pays_for_nothing_here(hub: SharedWorld) -> None:
    """Its books are told under another name."""
    document = hub.trained(hub.model())
    hub.books._party = "other-hub"
    with pytest.raises(ModelNotPaid, match="ledger does not hold"):
        hub.books.share(document)


def test_a_model_of_another_agreement_is_not_shared(hub: SharedWorld) -> None:
    """One that the ledger does not know; another one's hash on a model that is paid for."""
    with pytest.raises(AgreementUnknown):
        hub.books.share(hub.model(agreement="sha256:" + "e" * 64))
    elsewhere = agree(hub.world, id="elsewhere", privacy_budget={"epsilon": 3.0, "delta": 1e-5})
    document = hub.trained(hub.model())
    with pytest.raises(NotAModel, match="needs that the agreement lacks"):
        hub.books.share(document.model_copy(update={"agreement": elsewhere.hash}))


def test_what_is_no_private_model_of_the_agreement_is_not_shared(hub: SharedWorld) -> None:
    """The rule, a model without privacy, one of an outcome that no run says."""
    for kind in ("rule", "logistic"):
        plain = hub.model().model.model_copy(update={"kind": kind})
        with pytest.raises(NotAModel, match="private"):
            hub.books.share(hub.model(model=plain))
    with pytest.raises(NoSuchOutcome):
        hub.books.share(hub.model(outcome="arrest"))


def test_a_model_goes_when_results_would(county: SharedWorld) -> None:
    """A day before it is there; then nobody is shown it, it is not shared, and it is destroyed."""
    (shared,) = county.books.shared()
    with county.database.writing() as connection:
        before = oldest(county.terms, county.now + KEPT_DAYS * DAY)
        assert forget_models(connection, county.terms.hash, before) == 0
    county.now += (KEPT_DAYS + 1) * DAY
    with county.database.writing() as connection:
        assert county.books.shared_of(connection, county.terms) is None
        gone = forget_models(connection, county.terms.hash, oldest(county.terms, county.now))
    assert gone == 1
    assert county.books.shared() == []
    with pytest.raises(ModelNotPaid, match="older"):
        county.books.share(shared.document)


def test_an_agreement_that_is_suspended_has_no_model(county: SharedWorld) -> None:
    """Nothing is shared under it, and what was is not shown."""
    document = county.books.shared()[0].document
    stopped = AgreementStopped(agreement=county.terms.hash, reason="inquiry")
    county.world.write(county.world.partners[0], EventType.AGREEMENT_SUSPENDED, stopped)
    assert county.desk.models("council", Role.ANALYST).models == ()
    assert listed(county, BY_MODEL).families == ()
    with pytest.raises(AgreementRefusal):
        county.books.share(document)


def test_without_a_model_there_is_no_trace_of_one(hub: SharedWorld) -> None:
    """The list is by needs whatever is asked, and nothing of a model is in it or in a family."""
    hub.run(cohort(FAMILIES, len(NEEDS), 1))
    found = listed(hub, BY_MODEL)
    assert (found.order, found.models, found.too_little_known) == ("needs", (), 0)
    assert found == listed(hub, ALL)
    assert {each.rank for each in found.families} == {None}
    view = hub.families.view(
        found.families[0].family, hub.world.state, ApproachFor("council", hub.now)
    )
    assert view.risk is None
    assert hub.desk.models("council", Role.ANALYST).models == ()


def test_a_list_by_the_model_has_its_order_and_says_who_has_no_place(seen: SharedWorld) -> None:
    """First those in the order, by their needs' weights; then the others, by their needs."""
    by_needs, found = listed(seen, ALL), listed(seen, BY_MODEL)
    assert {each.family for each in found.families} == {each.family for each in by_needs.families}
    assert by_needs.order == "needs"
    assert {each.rank for each in by_needs.families} == {None}
    assert (found.order, len(found.models)) == ("model", 1)
    placed = [each for each in found.families if each.rank.band]
    assert found.families[: len(placed)] == tuple(placed)
    weight = dict(zip(NEEDS, WEIGHTS, strict=False))
    for one, other in pairwise(placed):
        if (one.needs_unknown, other.needs_unknown) == (0, 0):
            assert sum(map(weight.get, one.met)) >= sum(map(weight.get, other.met)) - 1e-9  # type: ignore[arg-type]
    bands = ["first_1", "first_5", "first_20", "other"]
    places = [bands.index(each.rank.band) for each in placed]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2, 3}
    rest = found.families[len(placed) :]
    assert {each.rank.why for each in rest} == {"in_programme", "too_little_known"}
    little = [each for each in rest if each.rank.why == "too_little_known"]
    assert found.too_little_known == len(little) > 10
    assert all(each.needs_unknown >= 2 for each in little)
    met = [each.needs_met for each in rest]
    assert met == sorted(met, reverse=True)


def test_the_models_pages_are_parts_of_one_list(seen: SharedWorld) -> None:
    """Each by itself, with what narrows the list; the total is of all."""
    query = BY_MODEL.model_copy(update={"need": "debt"})
    whole = listed(seen, query)
    assert all("debt" in each.met for each in whole.families)
    parts = [
        listed(seen, query.model_copy(update={"offset": at, "limit": 7})).families
        for at in range(0, whole.total, 7)
    ]
    assert tuple(each for part in parts for each in part) == whole.families
    asked = listed(seen, BY_MODEL.model_copy(update={"approachable": False, "limit": 9}))
    assert asked.families == listed(seen, BY_MODEL).families[:9]
    assert asked.order == "model"


def test_a_family_says_what_makes_its_place(seen: SharedWorld) -> None:
    """Each need that is met or unknown with its weight; the first of the list and the last."""
    found = listed(seen, BY_MODEL).families
    approach = ApproachFor("council", seen.now)
    first = seen.families.view(found[0].family, seen.world.state, approach)
    assert first.risk is not None
    assert first.risk.rank == found[0].rank
    state = {need.id: need.state for need in first.needs}
    assert {(part.need, part.state) for part in first.risk.parts} == {
        (need, word) for need, word in state.items() if word != "unmet"
    }
    adds = [part.adds for part in first.risk.parts]
    assert adds == sorted(adds, reverse=True)
    last = seen.families.view(found[-1].family, seen.world.state, approach)
    assert last.risk is not None
    assert last.risk.parts == ()
    assert last.risk.rank.band is None


def test_what_was_taken_out_of_a_run_is_out_of_its_order(county: SharedWorld) -> None:
    """A person's record, and with it what was known of the family; then its last person's."""
    first = listed(county, BY_MODEL).families[0].family
    run, other = f"{1:032x}", {"person": f"p-{'e' * 32}", "handle": "e" * 32}
    with county.database.writing() as connection:
        member = connection.execute(
            select(family_members).where(family_members.c.family == first)
        ).one()
        record = connection.execute(
            select(person_records).where(person_records.c.person == member.person)
        ).one()
        for table, row in ((family_members, member), (person_records, record)):
            more = {name: value for name, value in other.items() if name in table.c}
            connection.execute(insert(table).values(row._asdict() | more))
        out_of_run(connection, run, "council", [record.handle])
    ranks = {each.family: each.rank for each in listed(county, BY_MODEL).families}
    assert ranks[first].band is None
    assert ranks[first].why == "too_little_known"  # and not that it has moved away
    view = county.families.view(first, county.world.state, ApproachFor("council", county.now))
    assert view.risk is not None
    assert view.risk.parts == ()
    with county.database.writing() as connection:
        for table in (family_needs, families):
            connection.execute(delete(table).where(table.c.family == first))
    assert first not in {each.family for each in listed(county, BY_MODEL).families}


def test_nothing_is_kept_in_memory_of_what_is_gone(county: SharedWorld) -> None:
    """Of a family that was taken out, of a model that was taken back; what holds stays."""
    listed(county, BY_MODEL)
    kept = county.orders._orders
    county.orders.forget()
    assert len(kept) == 1
    with county.database.writing() as connection:
        for table in (family_needs, families):
            connection.execute(delete(table).where(table.c.family == f"f-{3:032x}"))
    county.orders.forget()
    assert len(kept) == 0
    listed(county, BY_MODEL)
    assert len(kept) == 1
    county.books.withdraw(county.books.shared()[0].id)
    county.orders.forget()
    assert len(kept) == 0


def test_an_order_goes_when_all_that_was_known_was_a_referral(county: SharedWorld) -> None:
    """A record is taken out of a family of whom no need was known: its row alone says so."""
    silent, run = f"f-{3:032x}", f"{1:032x}"
    here = families.c.family == silent
    with county.database.writing() as connection:
        connection.execute(delete(family_needs).where(family_needs.c.family == silent))
        connection.execute(
            update(families).where(here).values(
                in_programme=False, is_resident=True, needs_unknown=len(NEEDS), referred="met",
            )
        )  # fmt: skip
    listed(county, BY_MODEL)
    assert len(county.orders._orders) == 1
    with county.database.writing() as connection:
        handle = connection.scalar(
            select(person_records.c.handle)
            .join(family_members, family_members.c.person == person_records.c.person)
            .where(family_members.c.family == silent)
        )
        more = connection.execute(select(family_members).where(family_members.c.family == silent))
        other = more.one()._asdict() | {"person": f"p-{'e' * 32}"}
        connection.execute(insert(family_members).values(other))
        out_of_run(connection, run, "council", [str(handle)])
        assert connection.scalar(select(families.c.referred).where(here)) == "unknown"
    county.orders.forget()
    assert len(county.orders._orders) == 0


def test_staff_of_others_see_no_model(seen: SharedWorld) -> None:
    """Neither a card, nor a list, nor a family's place."""
    (model,) = seen.desk.models("council", Role.ANALYST).models
    assert seen.desk.models("elsewhere", Role.ANALYST).models == ()
    with pytest.raises(NothingShared):
        seen.desk.families("elsewhere", model.id, 0, 10)
    assert listed(seen, BY_MODEL, "elsewhere").families == ()
    assert listed(seen, BY_MODEL, "elsewhere").models == ()


def test_a_card_says_what_the_document_holds_and_how_far_it_goes(seen: SharedWorld) -> None:
    """Weights, cost and reach; every family of the run is counted once."""
    (card,) = seen.desk.models("council", Role.ANALYST).models
    (shared,) = seen.books.shared()
    assert card.id == shared.id
    assert [(each.met, each.unknown) for each in card.weights] == [
        (0.9, 0.0), (0.5, 0.1), (0.2, -0.1),
    ]  # fmt: skip
    assert (card.epsilon, card.opacus, card.steps) == (1, 0.99, 100)
    assert card.ranked + sum(card.left_out.values()) == FAMILIES
    assert card.left_out["too_little_known"] == listed(seen, BY_MODEL).too_little_known
    assert card.least_known == seen.terms.minimum_needs


def test_a_list_is_that_of_the_figures(seen: SharedWorld) -> None:
    """Highest first, by pseudonym among equals, in parts; figures are those of the model."""
    (card,) = seen.desk.models("council", Role.ANALYST).models
    whole = seen.desk.families("council", card.id, 0, 1_000)
    assert whole.total == len(whole.families) == card.ranked
    key = [(-each.probability, each.family) for each in whole.families]
    assert [one[0] for one in key] == sorted(one[0] for one in key)
    part = seen.desk.families("council", card.id, 5, 4)
    assert part.families == whole.families[5:9]
    for each in whole.families[:5]:
        assert 0 < each.probability < 1
        assert each.parts[0].need == "offence"
    assert seen.desk.families("council", card.id, 10_000, 4).families == ()


def test_a_hub_that_reorders_is_seen_by_who_has_its_exports(seen: SharedWorld) -> None:
    """The card's numbers and a family's needs give its figure again: a list at odds shows."""
    (card,) = seen.desk.models("council", Role.ANALYST).models
    honest = seen.desk.families("council", card.id, 0, 1_000).families
    needs: dict[str, dict[str, str]] = {each.family: {} for each in honest}
    with seen.database.reading() as connection:  # what an analyst exports as needs.csv
        for row in connection.execute(select(family_needs)):
            if row.family in needs:
                needs[row.family][row.need] = row.state

    def figure(family: str) -> float:
        state = needs[family]
        assert card.intercept is not None
        odds = card.intercept + sum(
            {"met": each.met, "unmet": 0.0, "unknown": each.unknown}[
                state.get(each.need, "unknown")
            ]
            for each in card.weights
        )
        return float(1 / (1 + np.exp(-odds)))

    def consistent(lines: Any) -> bool:
        figures = [figure(each.family) for each in lines]
        near = all(
            abs(found - each.probability) < 0.006
            for found, each in zip(figures, lines, strict=True)
        )
        return near and all(a >= b - 1e-9 for a, b in pairwise(figures))

    assert consistent(honest)
    moved = (honest[-1].model_copy(update={"probability": honest[0].probability}), *honest[:-1])
    assert not consistent(moved)
    assert not consistent((honest[-1], *honest[:-1]))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_who_may_ask_who_a_family_is_has_no_probability(seen: SharedWorld, role: Role) -> None:
    """Weights and a family's needs, and not what they are added to."""
    (card,) = seen.desk.models("council", role).models
    (whole,) = seen.desk.models("council", Role.ANALYST).models
    assert card.intercept is None
    assert whole.intercept == -3
    assert card == whole.model_copy(update={"intercept": None})


def test_families_of_an_agreement_without_a_model_come_after(county: SharedWorld) -> None:
    """They have no place and no reason for none: nothing is said of them."""
    elsewhere = agree(county.world, id="elsewhere", **learning(county.world.partners))
    with county.database.writing() as connection:
        connection.execute(update(runs).values(id="9" * 32, agreement=elsewhere.hash))
        connection.execute(update(families).values(run="9" * 32))
    county.run(cohort(40, len(NEEDS), 9), 2)
    found = listed(county, BY_MODEL)
    assert found.total == FAMILIES + 40
    assert {each.rank is None for each in found.families[:10]} == {False}
    placed = [each.rank is not None and each.rank.band is not None for each in found.families]
    assert placed == sorted(placed, reverse=True)
    assert sum(each.rank is None for each in found.families) == FAMILIES


def test_the_service_forgets_orders_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run that is gone, or nobody's: within seconds, and nobody has to ask."""
    monkeypatch.setattr("linkage_hub.app.forgetting", partial(forgetting, seconds=0.01))
    with hub_world_in(tmp_path) as world:
        kept: Remembered[Any] = world.hub.orders_of_risk._orders
        kept.get((("9" * 32, (1, 2)),), lambda: "an order")
        deadline = time.monotonic() + 10
        while len(kept) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(kept) == 0


def test_a_newer_run_has_its_own_order(county: SharedWorld) -> None:
    """The same model, other families; a run that is not the agreement's current one has none."""
    before = listed(county, BY_MODEL)
    found = cohort(40, len(NEEDS), 9)
    with county.database.writing() as connection:
        connection.execute(update(runs).values(is_current=False))
    county.run(found, 2)
    after = listed(county, BY_MODEL)
    assert after.total == 40 != before.total
    assert after.models == before.models
