"""No project spends more privacy in a year than it has agreed, whatever a hub says or when.

Every mirror holds the ledger to this by replay: a ledger that admitted more is seen through.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.agreements.errors import (
    ActionNotAllowed,
    AgreementRefusal,
    AgreementSuperseded,
    PrivacyNotAgreed,
    PrivacySpent,
)
from governance.agreements.models import Agreement
from governance.agreements.privacy import MOST_DELTA, MOST_EPSILON, PrivacyBudget
from governance.canonical import sha256
from governance.errors import GovernanceError
from governance.identity.models import publish_party_keys
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementStopped,
    EpsilonSpent,
    PartyAdmitted,
    RegisterWanted,
    SubmissionOutcome,
)
from governance.ledger.state import LedgerState
from governance.privacy.registry import Spent
from tests.governance.world import NOON, Party, World, agreement_data

MICRO = 1_000_000
DAY = timedelta(days=1)
NEXT_YEAR = datetime(2027, 1, 2, tzinfo=UTC)
BUDGET = {"epsilon": 2.0, "delta": 5e-6}


@contextmanager
def _agreed(world: World, agreement: Agreement) -> Iterator[None]:
    before, world.agreement = world.agreement, agreement
    yield
    world.agreement = before


def agree(world: World, *signing: Party, **changes: Any) -> Agreement:
    """Another agreement, or another version, that partners have signed and the hub works under."""
    partners = list(signing) or world.partners
    data = agreement_data(partners) | {"id": "learning", "privacy_budget": BUDGET} | changes
    agreement = Agreement.model_validate(data)
    proposed = AgreementProposed(agreement=agreement)
    world.write(partners[0], EventType.AGREEMENT_PROPOSED, proposed)
    with _agreed(world, agreement):
        for party in partners:
            world.sign_agreement(party)
    accept(world, world.hub, agreement)
    return agreement


def accept(world: World, hub: Party, agreement: Agreement) -> None:
    """A hub says that it has accepted a submission."""
    source = agreement.sources[0]
    outcome = SubmissionOutcome(
        submission="2" * 32, manifest=sha256(f"{hub.name} {agreement.hash}".encode()),
        agreement=agreement.hash, party=source.party, source=source.id, records=3, reason=None,
    )  # fmt: skip
    world.write(hub, EventType.SUBMISSION_ACCEPTED, outcome)


def admit(world: World, *names: str) -> list[Party]:
    """Parties that the ledger gets to know."""
    parties = [Party(name) for name in names]
    for party in parties:
        keys = publish_party_keys(party.keys, party.signing)
        world.write(world.operator, EventType.PARTY_ADMITTED, PartyAdmitted(keys=keys))
    return parties


def cost(
    hub: Party, agreement: Agreement, epsilon: float, *, delta: float = 1e-6, at: datetime = NOON
) -> Event:
    """A hub's word that it spends."""
    payload = EpsilonSpent(
        agreement=agreement.hash, party=hub.name, outcome="later-referral",
        epsilon_millionths=round(epsilon * MICRO), delta_trillionths=round(delta * 1e12),
    )  # fmt: skip
    return hub.author(at).write(EventType.EPSILON_SPENT, payload)


def spent(state: LedgerState, agreement: Agreement, year: int | None = None) -> float:
    """What a project has spent, in one year or ever."""
    return Spent.of(state.privacy.spends(agreement, year)).epsilon / MICRO


@pytest.fixture
def world() -> World:
    """Partners with an agreement about linking, and a hub."""
    return World()


def test_a_hub_says_itself_what_a_private_model_costs(world: World) -> None:
    """A partner spends nothing, nobody spends for another, and a cost is more than nothing."""
    agreement = agree(world)
    world.append(cost(world.hub, agreement, 1))
    for author, name in (
        (world.council, "council"), (world.council, "hub"), (world.hub, "council"),
    ):  # fmt: skip
        told = EpsilonSpent(
            agreement=agreement.hash, party=name, outcome="later-referral",
            epsilon_millionths=1, delta_trillionths=1,
        )  # fmt: skip
        with pytest.raises(NotAdmissible, match="costs"):
            world.write(author, EventType.EPSILON_SPENT, told)
    for nothing in ({"epsilon_millionths": 0}, {"epsilon_millionths": -MICRO}, {"outcome": ""}):
        with pytest.raises(ValidationError):
            EpsilonSpent.model_validate(told.model_dump() | nothing)


def test_a_year_is_never_overdrawn(world: World) -> None:
    """The budget to its last millionth and not one more, of epsilon and of delta; then a new year.

    The refusal says what is left to do, and what was refused has cost nothing.
    """
    agreement = agree(world)
    world.append(cost(world.hub, agreement, 1.5))
    world.append(cost(world.hub, agreement, 0.5))
    with pytest.raises(PrivacySpent, match="2 times"):
        world.append(cost(world.hub, agreement, 1e-6))
    world.append(cost(world.hub, agreement, 2, at=NEXT_YEAR, delta=4e-6))
    assert spent(world.state, agreement, 2026) == spent(world.state, agreement, 2027) == 2
    other = agree(world, id="of-delta")
    world.append(cost(world.hub, other, 0.1, delta=5e-6, at=NEXT_YEAR))
    with pytest.raises(PrivacySpent):
        world.append(cost(world.hub, other, 0.1, delta=1e-12, at=NEXT_YEAR))


def test_without_a_budget_nothing_is_trained(world: World) -> None:
    """An agreement that says nothing of models, and one that does not allow analysis."""
    accept(world, world.hub, world.agreement)
    with pytest.raises(PrivacyNotAgreed, match="no model"):
        world.append(cost(world.hub, world.agreement, 0.1))
    linking = agree(world, id="linking", actions=["submit", "link"], privacy_budget=None)
    with pytest.raises(ActionNotAllowed):
        world.append(cost(world.hub, linking, 0.1))


def test_a_hub_that_dates_back_finds_no_fuller_purse(world: World) -> None:
    """What comes in January counts in January, whatever day its hub writes on it."""
    agreement = agree(world)
    world.append(cost(world.hub, agreement, 1.5, at=NEXT_YEAR))
    for back in (1, 10, 40):
        with pytest.raises(PrivacySpent):
            world.append(cost(world.hub, agreement, 1, at=NEXT_YEAR - back * DAY))
    with pytest.raises(PrivacySpent):  # before the agreement began: it is in force by the log
        world.append(cost(world.hub, agreement, 1, at=NEXT_YEAR - 4_000 * DAY))
    world.append(cost(world.hub, agreement, 0.5, at=NOON))
    assert spent(world.state, agreement, 2026) == 0
    assert spent(world.state, agreement, 2027) == 2


def test_any_partners_entry_tells_the_year(world: World) -> None:
    """The hub's own silence does not keep the old year open."""
    agreement = agree(world)
    world.append(cost(world.hub, agreement, 2))
    world.consent(world.council, "1" * 32, now=NEXT_YEAR)
    world.append(cost(world.hub, agreement, 2, at=NOON))
    with pytest.raises(PrivacySpent):
        world.append(cost(world.hub, agreement, 2, at=NOON))


@pytest.mark.invariant(13, "a model under an agreement that has ended, dated back", double="lies")
def test_nothing_is_spent_under_what_is_not_in_force(world: World) -> None:
    """Unsigned, suspended, expired; and expired by the log while the hub's word is dated back."""
    agreement = agree(world)
    stop = AgreementStopped(agreement=agreement.hash, reason="review")
    world.write(world.council, EventType.AGREEMENT_SUSPENDED, stop)
    with pytest.raises(AgreementRefusal, match="suspended"):
        world.append(cost(world.hub, agreement, 1))
    world.write(world.council, EventType.AGREEMENT_RESUMED, stop)
    unsigned = Agreement.model_validate(
        agreement_data(world.partners) | {"id": "unsigned", "privacy_budget": BUDGET}
    )
    proposed = AgreementProposed(agreement=unsigned)
    world.write(world.council, EventType.AGREEMENT_PROPOSED, proposed)
    accept(world, world.hub, unsigned)
    with pytest.raises(AgreementRefusal, match="not signed"):
        world.append(cost(world.hub, unsigned, 1))
    wanted = RegisterWanted(party="council", item="surname")
    world.write(
        world.council, EventType.REGISTER_WANTED, wanted, now=datetime(2028, 1, 1, tzinfo=UTC)
    )
    for at in (NOON, datetime(2028, 2, 1, tzinfo=UTC)):
        with pytest.raises(AgreementRefusal, match="expired"):
            world.append(cost(world.hub, agreement, 1, at=at))


def test_a_new_version_opens_no_new_purse(world: World) -> None:
    """What all versions have spent counts under the newest one's budget, and under no older's."""
    first = agree(world)
    world.append(cost(world.hub, first, 1))
    later = {"version": 2, "supersedes": first.hash}
    smaller = agree(world, **later, privacy_budget={"epsilon": 1.25, "delta": 5e-6})
    with pytest.raises(AgreementSuperseded):
        world.append(cost(world.hub, first, 0.5))
    with pytest.raises(PrivacySpent):
        world.append(cost(world.hub, smaller, 0.5))
    world.append(cost(world.hub, smaller, 0.25))
    beside = agree(world, version=3, privacy_budget={"epsilon": 3, "delta": 1e-5})
    with pytest.raises(PrivacySpent):  # supersedes nothing, and is the same project all the same
        world.append(cost(world.hub, beside, 2))
    assert spent(world.state, first) == spent(world.state, beside) == 1.25


def test_two_hubs_share_one_purse(world: World) -> None:
    """Whoever spends, it is the same families' privacy."""
    (second,) = admit(world, "second-hub")
    agreement = agree(world)
    accept(world, second, agreement)
    world.append(cost(world.hub, agreement, 1))
    world.append(cost(second, agreement, 1))
    for hub in (world.hub, second):
        with pytest.raises(PrivacySpent):
            world.append(cost(hub, agreement, 0.1))


def test_strangers_of_the_same_name_empty_no_purse(world: World) -> None:
    """An agreement of one's own under another's id is another project, until a partner joins it."""
    own = agree(world)
    strangers = admit(world, "elsewhere", "nowhere")
    theirs = agree(world, *strangers)
    world.append(cost(world.hub, theirs, 2))
    assert spent(world.state, own) == 0
    world.append(cost(world.hub, own, 2))
    shared = agree(world, world.council, strangers[0])
    with pytest.raises(PrivacySpent):
        world.append(cost(world.hub, shared, 0.1))


def test_a_word_counts_once(world: World) -> None:
    """Sent again, it is the same word; written anew, it is another model."""
    agreement = agree(world)
    word = cost(world.hub, agreement, 1)
    world.append(word)
    with pytest.raises(NotAdmissible, match="once"):
        world.append(word)
    world.append(cost(world.hub, agreement, 1))
    assert spent(world.state, agreement) == 2


def test_a_mirror_sees_what_a_ledger_should_not_have_admitted(world: World) -> None:
    """The overdraft is named with its reason, counts for nothing, and hides no later one."""
    agreement = agree(world)
    world.append(cost(world.hub, agreement, 1.5))
    overdraft = [cost(world.hub, agreement, 1), cost(world.hub, agreement, 0.6)]
    log = [*world.events, *overdraft, cost(world.hub, agreement, 0.5)]
    mirror = LedgerState().replay(log)
    at = len(world.events)
    assert [(each.index, each.reason) for each in mirror.rejected] == [
        (at, "agreement.privacy_spent"), (at + 1, "agreement.privacy_spent"),
    ]  # fmt: skip
    assert spent(mirror, agreement) == 2


def test_a_word_of_another_ledger_counts_in_none_but_that(world: World) -> None:
    """A hub cannot empty a purse here with what it has said elsewhere."""
    agreement = agree(world)
    elsewhere = replace(world.hub.author(), origin="ledger.example.org/other")
    told = EpsilonSpent(
        agreement=agreement.hash, party="hub", outcome="later-referral",
        epsilon_millionths=MICRO, delta_trillionths=1,
    )  # fmt: skip
    with pytest.raises(GovernanceError):
        world.append(elsewhere.write(EventType.EPSILON_SPENT, told))
    assert spent(world.state, agreement) == 0


@pytest.fixture(scope="module")
def shared() -> tuple[World, list[Party], list[Agreement]]:
    """Two hubs, two versions in force beside each other, and another project."""
    world = World()
    hubs = [world.hub, *admit(world, "second-hub")]
    agreements = [
        agree(world),
        agree(world, version=2, privacy_budget={"epsilon": 1, "delta": 1e-5}),
        agree(world, id="another"),
    ]
    for agreement in agreements:
        accept(world, hubs[1], agreement)
    return world, hubs, agreements


WORDS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2),
        st.sampled_from([0.1, 0.3, 0.5, 1.0, 2.5]),
        st.sampled_from([NOON, NOON + DAY, NEXT_YEAR, NEXT_YEAR + 90 * DAY]),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(words=WORDS)
def test_no_order_of_words_overdraws(
    shared: tuple[World, list[Party], list[Agreement]],
    words: list[tuple[int, int, float, datetime]],
) -> None:
    """Any hubs, versions and dates: what is admitted is what a rule written a second time admits.

    No year of a project is ever over its largest budget, and replay gives the same.
    """
    world, hubs, agreements = shared
    state, log = copy.deepcopy(world.state), list(world.events)
    years, newest = {("learning", 2026): 0.0}, NOON
    for hub, which, epsilon, at in words:
        agreement = agreements[which]
        event = cost(hubs[hub], agreement, epsilon, at=at, delta=1e-9)
        year = agreement.id, max(at, newest).year
        assert agreement.privacy_budget is not None
        fits = round(years.get(year, 0) + epsilon, 6) <= agreement.privacy_budget.epsilon
        state.apply(event)
        log.append(event)
        assert fits == (not state.rejected or state.rejected[-1].index != state.size - 1)
        if fits:
            years[year] = round(years.get(year, 0) + epsilon, 6)
            newest = max(at, newest)
    for (project, number), epsilon in years.items():
        (of,) = [each for each in agreements if each.id == project and each.version == 1]
        assert spent(state, of, number) == pytest.approx(epsilon, abs=1e-9)
        assert epsilon <= BUDGET["epsilon"]
    assert LedgerState().replay(log).rejected == state.rejected


def test_a_budget_is_counted_by_its_written_digits() -> None:
    """A third of a binary fraction gives nobody a millionth more; nothing past the bounds."""
    for epsilon in (0.1, 0.3, 0.7, 1.1, 2.3, 2.999999):
        budget = PrivacyBudget(epsilon=epsilon, delta=1.1e-6)
        assert budget.epsilon_millionths == round(epsilon * MICRO)
        assert budget.delta_trillionths == 1_100_000
    assert PrivacyBudget(epsilon=MOST_EPSILON, delta=MOST_DELTA).words == (
        "epsilon 3 and delta 0.00001"
    )
    for wrong in ({"epsilon": 3.01}, {"epsilon": float("nan")}, {"delta": 1e-4}, {"delta": 0}):
        with pytest.raises(ValidationError):
            PrivacyBudget.model_validate({"epsilon": 1, "delta": 1e-6} | wrong)
