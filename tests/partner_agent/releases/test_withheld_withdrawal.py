"""Invariant 3: a ledger or hub that keeps a withdrawal back stops releases, not the withdrawal."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from governance.canonical import utc_now
from governance.ledger.errors import WithdrawalMissingError
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    consent,
    submit_and_link,
    withdraw_unseen,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world in which one witness of two would be a quorum, and a family that agreed."""
    with hub_world_in(tmp_path, lambda data: data["witnessing"].update(quorum=1)) as found:
        submit_and_link(found)
        both_agree(found)
        yield found


@pytest.mark.invariant(3, "a ledger that withholds a withdrawal", double="withholds")
def test_a_witness_waits_for_the_merge_delay_and_no_longer(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five minutes are agreed; once the ledger has the withdrawal the partner cosigns again."""
    agent = withdraw_unseen(world, utc_now() - timedelta(minutes=4), monkeypatch)
    agent.ledger.sync()
    agent.ledger.witness()
    monkeypatch.setattr(agent, "now", lambda: utc_now() + timedelta(minutes=2))
    monkeypatch.setattr(agent.ledger, "_now", agent.now)
    with pytest.raises(WithdrawalMissingError):
        agent.ledger.witness()
    assert agent.consents.log_withdrawals() == 1
    agent.ledger.sync()
    monkeypatch.setattr(agent.ledger, "_now", utc_now)  # the ledger's clock has not moved
    assert agent.ledger.witness()


@pytest.mark.invariant(3, "a hub that chooses its witnesses", double="withholds")
@pytest.mark.invariant(6, "a hub that chooses its witnesses", double="withholds")
def test_a_partner_who_holds_a_record_is_not_outvoted(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub may not choose witnesses who know nothing of the family; an honest one does not."""
    request = ask(world).json()["id"]
    approve(world, request)
    council, police = world.agents["council"], world.agents["police"]
    consent(world, "B1")  # the log grows, and the police alone see it
    police.ledger.sync()
    police.ledger.witness()
    lone = world.hub.ledger.client.checkpoint(witnesses=1)
    assert [line.name.rsplit("/")[-1] for line in lone.signatures[1:]] == ["police"]
    honest = council.hub.orders()
    (item,) = honest.orders
    order = item.order.model_copy(update={"checkpoint": str(lone)})
    lying = honest.model_copy(update={"orders": (item.model_copy(update={"order": order}),)})
    with monkeypatch.context() as hub:
        hub.setattr(council.hub, "orders", lambda: lying)
        given, later = council.desk.answer_all(council.hub)
    assert given == []
    assert [each.reason for each in later] == ["ledger.quorum"]
    given, later = council.desk.answer_all(council.hub)
    assert [answer.sealed for answer in given] == [True]
