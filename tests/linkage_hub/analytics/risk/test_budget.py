"""The epsilon ledger: paid before, never handed back, never overspent, told to everybody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from governance.agreements.errors import (
    ActionNotAllowed,
    AgreementRefusal,
    PrivacyNotAgreed,
    PrivacySpent,
)
from governance.agreements.models import Agreement
from governance.errors import GovernanceError
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import EpsilonSpent, read_payload
from governance.privacy.registry import Spent
from linkage_hub.analytics.risk.budget import EpsilonLedger
from linkage_hub.cli import risk
from linkage_hub.cli.main import app
from linkage_hub.store.database import HubDatabase
from tests.governance.privacy.test_registry import accept, admit, agree, cost
from tests.governance.world import NOON, Party, World

DAY = timedelta(days=1)
NEXT_YEAR = 60 * DAY
MOST = {"epsilon": 3.0, "delta": 1e-5}


class Replica:
    """A party's pen on a ledger in memory, which refuses as the real one does."""

    def __init__(self, world: World, party: Party) -> None:
        self._world = world
        self.author = party.author()
        self.reachable = True

    @property
    def state(self) -> Any:
        """What the ledger says."""
        return self._world.state

    def append(self, event: Event) -> None:
        """Append, or say why not."""
        if not self.reachable:
            raise LedgerUnavailableError("the ledger does not answer")
        try:
            self._world.append(event)
        except GovernanceError as error:
            raise LedgerRefusedError(
                error.message, code=error.reason, status=HTTPStatus.UNPROCESSABLE_ENTITY
            ) from None


class Setting:
    """A ledger, an agreement with a budget, and hubs over databases of their own."""

    def __init__(self, database_url: str) -> None:
        self.world = World()
        self.agreement = agree(self.world, privacy_budget=MOST)
        self.ledger = Replica(self.world, self.world.hub)
        self._url = database_url
        self.opened: list[HubDatabase] = []

    def hub(self, later: timedelta = timedelta()) -> EpsilonLedger:
        """The hub's books, opened anew, so much later."""
        self.opened.append(HubDatabase(self._url))
        ledger: Any = self.ledger
        ledger.author = self.world.hub.author(NOON + later)
        return EpsilonLedger("hub", self.opened[-1], ledger, lambda: NOON + later)

    def spend(self, epsilon: float, delta: float = 1e-6, later: timedelta = timedelta()) -> None:
        """Pay under the agreement."""
        self.hub(later).spend(self.agreement.hash, "later-referral", epsilon, delta)

    def told(self) -> list[EpsilonSpent]:
        """What the ledger knows."""
        return [
            read_payload(event)
            for event in self.world.events
            if event.leaf.type is EventType.EPSILON_SPENT
        ]


@contextmanager
def _opened(database_url: str) -> Iterator[Setting]:
    found = Setting(database_url)
    yield found
    for each in found.opened:
        each.close()


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    """An agreement with the largest budget, nothing spent."""
    with _opened(f"sqlite:///{tmp_path / 'books.db'}") as found:
        yield found


@pytest.fixture
def either(database_url: str) -> Iterator[Setting]:
    """The same on each kind of database."""
    with _opened(database_url) as found:
        yield found


def test_a_year_is_never_overspent(either: Setting) -> None:
    """What would go past the budget is refused whole and costs nothing; a new year is new."""
    for _ in range(3):
        either.spend(1 - 1e-9)
    with pytest.raises(PrivacySpent, match="3 times"):
        either.spend(0.000_01)
    purse = either.hub().purse(either.agreement.hash)
    assert (purse.times, purse.left, purse.budget) == (3, 0, 3)
    assert purse.epsilon == 3
    assert purse.delta == pytest.approx(3e-6)
    assert [each.epsilon_millionths for each in either.told()] == [1_000_000] * 3
    assert either.hub(NEXT_YEAR).purse(either.agreement.hash).times == 0
    either.spend(1, later=NEXT_YEAR)


def test_the_agreements_budget_is_the_hubs(setting: Setting) -> None:
    """Less was agreed than the program allows: less is spent, and none where none was agreed."""
    for budget, most, refusal in (({"epsilon": 0.5, "delta": 1e-6}, 0.5, PrivacySpent),
                                  (None, 0, PrivacyNotAgreed)):  # fmt: skip
        setting.agreement = agree(setting.world, id=f"with-{most:g}".replace(".", "-"),
                                  privacy_budget=budget)  # fmt: skip
        with pytest.raises(refusal):
            setting.spend(most + 0.1)
        purse = setting.hub().purse(setting.agreement.hash)
        assert (purse.times, purse.budget, purse.left) == (0, most, most)
    assert setting.told() == []


def test_what_another_hub_has_told_is_not_there_to_spend(setting: Setting) -> None:
    """The purse is the project's; this hub knows of the other by the ledger."""
    (second,) = admit(setting.world, "second-hub")
    accept(setting.world, second, setting.agreement)
    setting.spend(1)
    setting.world.append(cost(second, setting.agreement, 1.5))
    assert setting.hub().purse(setting.agreement.hash).left == 0.5
    with pytest.raises(PrivacySpent):
        setting.spend(0.6)
    setting.spend(0.5)


def test_books_that_were_lost_open_no_new_purse(setting: Setting, tmp_path: Path) -> None:
    """A hub that is set up anew, or put back from a backup, spends what the ledger has left."""
    setting.spend(2)
    setting._url = f"sqlite:///{tmp_path / 'anew.db'}"
    assert setting.hub().purse(setting.agreement.hash).left == 1
    with pytest.raises(PrivacySpent):
        setting.spend(1.5)


def test_nothing_is_spent_under_an_agreement_that_has_ended(setting: Setting) -> None:
    """A model is a use of the families: it needs an agreement that is in force."""
    with pytest.raises(AgreementRefusal):
        setting.spend(1, later=3_660 * DAY)
    assert setting.hub(3_660 * DAY).purse(setting.agreement.hash).times == 0


def test_nothing_is_spent_under_an_agreement_for_linking_alone(setting: Setting) -> None:
    """Finding families is one use of them, and learning from what became of them another."""
    setting.agreement = agree(
        setting.world, id="linking", actions=["submit", "link"], privacy_budget=None
    )
    with pytest.raises(ActionNotAllowed, match="analysis"):
        setting.spend(1)
    assert setting.hub().purse(setting.agreement.hash).times == 0


def test_the_budget_is_shown(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what was agreed and what is left of the year."""
    setting.spend(1)
    ledger = SimpleNamespace(sync_if_possible=lambda: None)
    hub = SimpleNamespace(ledger=ledger, epsilon=setting.hub())

    @contextmanager
    def opened(_home: Path) -> Iterator[SimpleNamespace]:
        yield hub

    monkeypatch.setattr(risk, "open_hub", opened)
    result = CliRunner().invoke(app, ["--json", "risk", "budget", setting.agreement.hash])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert (shown["budget"], shown["left"], shown["times"]) == (3, 2, 1)


def test_delta_has_a_budget_too(setting: Setting) -> None:
    """Many cheap trainings end as well."""
    setting.spend(0.01, 1e-5)
    with pytest.raises(PrivacySpent):
        setting.spend(0.01, 1e-12)


def test_what_costs_nothing_is_no_training(setting: Setting) -> None:
    """A cost that would hand something back, or is none, never gets to the books."""
    for epsilon, delta in ((0, 1e-6), (-1, 1e-6), (float("nan"), 1e-6), (1, 0), (1, -1e-6)):
        with pytest.raises(ValueError, match="expected a cost"):
            setting.spend(epsilon, delta)
    assert setting.hub().purse(setting.agreement.hash).times == 0


def test_a_spend_stands_when_the_ledger_cannot_be_told(either: Setting) -> None:
    """It is spent before anything else; training stops, and the word goes out later, once."""
    either.ledger.reachable = False
    with pytest.raises(LedgerUnavailableError):
        either.spend(2)
    assert either.hub().purse(either.agreement.hash).epsilon == 2
    assert either.told() == []
    either.ledger.reachable = True
    either.hub().tell()
    either.hub().tell()
    assert len(either.told()) == 1
    assert either.hub().purse(either.agreement.hash).epsilon == 2


def test_what_the_ledger_refuses_is_not_trained_now_or_paid_for_later(
    either: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another hub was faster: no training; the word does not come back to empty the next year."""
    (second,) = admit(either.world, "second-hub")
    accept(either.world, second, either.agreement)
    slow, append = either.hub(), either.ledger.append

    def raced(event: Event) -> None:
        monkeypatch.undo()
        either.world.append(cost(second, either.agreement, 2.5))
        append(event)

    monkeypatch.setattr(either.ledger, "append", raced)
    with pytest.raises(LedgerRefusedError) as refused:
        slow.spend(either.agreement.hash, "later-referral", 1, 1e-6)
    assert refused.value.code == PrivacySpent.reason
    either.hub(NEXT_YEAR).tell()
    assert [each.party for each in either.told()] == ["second-hub"]
    either.spend(3, later=NEXT_YEAR)


def test_an_older_word_that_is_refused_holds_no_training_up(setting: Setting) -> None:
    """Paid for while the ledger was away, under a version that has ended since."""
    setting.ledger.reachable = False
    with pytest.raises(LedgerUnavailableError):
        setting.spend(1)
    setting.ledger.reachable = True
    older: Agreement = setting.agreement
    setting.agreement = agree(setting.world, version=2, supersedes=older.hash, privacy_budget=MOST)
    setting.spend(2)
    assert [each.agreement for each in setting.told()] == [setting.agreement.hash]


def test_two_trainings_at_once_share_one_purse(
    either: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same balance; only one is paid for."""
    slow = either.hub()
    either.spend(2)
    monkeypatch.setattr(slow, "_spent", lambda *_: Spent())
    monkeypatch.setattr(slow, "_own", lambda *_: Spent())
    with pytest.raises(HubDatabase.error):
        slow.spend(either.agreement.hash, "later-referral", 2, 1e-6)
    assert either.hub().purse(either.agreement.hash).epsilon == 2
