"""The epsilon ledger: paid before, never handed back, never overspent, told to everybody."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.agreements.errors import ActionNotAllowed, AgreementRefusal
from governance.agreements.models import Action
from governance.agreements.registry import AgreementRegistry
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import EpsilonSpent, read_payload
from linkage_hub.analytics.risk.budget import YEAR_DELTA, YEAR_EPSILON, EpsilonLedger
from linkage_hub.analytics.risk.errors import BudgetSpent
from linkage_hub.app import Hub
from linkage_hub.cli import risk
from linkage_hub.cli.main import app
from linkage_hub.store.database import HubDatabase
from tests.hub_world import HubWorld
from tests.rights_world import rights_world_in

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A hub that has accepted two submissions under an agreement."""
    with rights_world_in(tmp_path_factory.mktemp("epsilon")) as found:
        yield found


@pytest.fixture
def opened(world: HubWorld, database_url: str) -> Iterator[Callable[[timedelta], EpsilonLedger]]:
    """The epsilon ledger over an empty database, so much later; opened anew each time."""
    databases: list[HubDatabase] = []

    def open_(later: timedelta = timedelta()) -> EpsilonLedger:
        databases.append(HubDatabase(database_url))
        now = world.hub.now()
        return EpsilonLedger("hub", databases[-1], world.hub.ledger, lambda: now + later)

    yield open_
    for each in databases:
        each.close()


def agreement(world: HubWorld) -> str:
    """Hash of the world's agreement."""
    return str(world.agreement.hash)


def told(world: HubWorld) -> list[EpsilonSpent]:
    """What the ledger knows."""
    world.hub.ledger.sync()
    return [
        read_payload(event)
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.EPSILON_SPENT
    ]


def test_a_year_is_never_overspent(world: HubWorld, opened: Callable[..., EpsilonLedger]) -> None:
    """What would go past the budget is refused whole and costs nothing; a new year is new."""
    before = len(told(world))
    for _ in range(3):
        opened().spend(agreement(world), "later-referral", YEAR_EPSILON / 3 - 1e-9, 1e-6)
    with pytest.raises(BudgetSpent, match="3 trainings"):
        opened().spend(agreement(world), "later-referral", 0.000_01, 1e-6)
    purse = opened().purse(agreement(world))
    assert (purse.times, purse.left) == (3, 0)
    assert purse.epsilon == YEAR_EPSILON
    assert purse.delta == pytest.approx(3e-6)
    assert [each.epsilon_millionths for each in told(world)[before:]] == [1_000_000] * 3
    assert opened(366 * DAY).purse(agreement(world)).times == 0


def test_nothing_is_spent_under_an_agreement_that_has_ended(
    world: HubWorld, opened: Callable[..., EpsilonLedger]
) -> None:
    """A model is a use of the families: it needs an agreement that is in force."""
    late = opened(3_660 * DAY)
    with pytest.raises(AgreementRefusal):
        late.spend(agreement(world), "later-referral", 1, 1e-6)
    assert late.purse(agreement(world)).times == 0


def test_nothing_is_spent_under_an_agreement_for_linking_alone(
    world: HubWorld, opened: Callable[..., EpsilonLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding families is one use of them, and learning from what became of them another."""
    found = world.hub.ledger.state.agreements.standing(agreement(world))
    terms = found.agreement.model_copy(update={"actions": (Action.SUBMIT, Action.LINK)})
    linking = replace(found, agreement=terms)
    monkeypatch.setattr(AgreementRegistry, "standing", lambda _registry, _hash: linking)
    with pytest.raises(ActionNotAllowed, match="analysis"):
        opened().spend(agreement(world), "later-referral", 1, 1e-6)
    assert opened().purse(agreement(world)).times == 0


def test_the_budget_is_shown(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what is left of the year."""

    @contextmanager
    def opened(_home: Path) -> Iterator[Hub]:
        yield world.hub

    monkeypatch.setattr(risk, "open_hub", opened)
    result = CliRunner().invoke(app, ["--json", "risk", "budget", agreement(world)])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["left"] == YEAR_EPSILON


def test_delta_has_a_budget_too(world: HubWorld, opened: Callable[..., EpsilonLedger]) -> None:
    """Many cheap trainings end as well."""
    opened().spend(agreement(world), "later-referral", 0.01, YEAR_DELTA)
    with pytest.raises(BudgetSpent):
        opened().spend(agreement(world), "later-referral", 0.01, 1e-12)


def test_what_costs_nothing_is_no_training(
    world: HubWorld, opened: Callable[..., EpsilonLedger]
) -> None:
    """A cost that would hand something back, or is none, never gets to the books."""
    for epsilon, delta in ((0, 1e-6), (-1, 1e-6), (float("nan"), 1e-6), (1, 0), (1, -1e-6)):
        with pytest.raises(ValueError, match="expected a cost"):
            opened().spend(agreement(world), "later-referral", epsilon, delta)
    assert opened().purse(agreement(world)).times == 0


def test_a_spend_stands_when_the_ledger_cannot_be_told(
    world: HubWorld, opened: Callable[..., EpsilonLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is spent before anything else; training stops, and the word goes out later, once."""
    before = len(told(world))

    def silent(_event: object) -> None:
        raise LedgerUnavailableError("the ledger does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.hub.ledger, "append", silent)
        with pytest.raises(LedgerUnavailableError):
            opened().spend(agreement(world), "later-referral", 2, 1e-6)
    assert opened().purse(agreement(world)).epsilon == 2
    assert len(told(world)) == before
    opened().tell()
    opened().tell()
    assert len(told(world)) == before + 1


def test_two_trainings_at_once_share_one_purse(
    world: HubWorld, opened: Callable[..., EpsilonLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same balance; only one is paid for."""
    slow = opened()
    opened().spend(agreement(world), "later-referral", 2, 1e-6)
    monkeypatch.setattr(slow, "_spent", lambda *_: (0, 0, 0))
    with pytest.raises(HubDatabase.error):
        slow.spend(agreement(world), "later-referral", 2, 1e-6)
    assert opened().purse(agreement(world)).epsilon == 2
