"""A ledger that is away, or a crash, neither stops a right from holding nor tells it twice."""

import pytest

from governance.ledger.errors import LedgerUnavailableError
from governance.rights.models import RightsKind
from partner_agent.app import Agent
from partner_agent.rights.files import OutboxFiles
from tests.hub_world import HubWorld
from tests.partner_agent.releases.test_desk import approve, ask
from tests.rights_world import family_agrees, handle_of, opened, seen


def cut_off(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the agent's ledger be away."""

    def away(_event: object) -> None:
        raise LedgerUnavailableError("away")

    monkeypatch.setattr(agent.ledger, "append", away)
    monkeypatch.setattr(agent.ledger, "append_batch", away)


@pytest.mark.invariant(3, "a ledger that is away while somebody objects", double="withholds")
def test_it_holds_here_before_the_ledger_knows(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened and carried out while the ledger is away: the partner refuses; later all is told."""
    agent = world.agents["council"]
    family_agrees(world, 22)
    asked = ask(world, "M22").json()["id"]
    approve(world, asked)
    with monkeypatch.context() as away:
        cut_off(agent, away)
        agreement = agent.standing(agent.ledger.state).agreement
        request = agent.rights.open(
            agreement, RightsKind.OBJECTION, [("council_records", "M22")], agent.now().date()
        )
        agent.rights.carry_out(request.id, agent.ledger.state)
        (view,) = agent.rights_views(request.id)
        assert (view.in_ledger, view.carried_out is not None) == (False, True)
    given, _ = agent.desk.answer_all(agent.hub)
    assert [each.sealed for each in given if each.request == asked] == [False]
    for _ in range(2):
        agent.rights.tell()
        agent.consents.log_withdrawals()
    logged = agent.ledger.sync().rights.requests[request.id]
    assert logged.carried_out is not None
    assert world.hub.rights.carry_out_all() == 1
    assert seen(agent, request).unproven == ()


@pytest.mark.invariant(17, "a partner that fails in the middle of carrying out")
def test_a_crash_leaves_the_record_blocked_and_the_same_command_goes_on(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocked comes first; nothing is told until all is done."""
    agent = world.agents["council"]
    family_agrees(world, 23)
    asked = ask(world, "M23").json()["id"]
    approve(world, asked)
    handle = handle_of(agent, "M23")
    request = opened(agent, RightsKind.RESTRICTION, "M23")

    def broken(*_arguments: object) -> int:
        raise LookupError

    with monkeypatch.context() as patched:
        patched.setattr(OutboxFiles, "take_out", broken)
        with pytest.raises(LookupError):
            agent.rights.carry_out(request.id, agent.ledger.sync())
    assert seen(agent, request).carried_out is None
    given, _ = agent.desk.answer_all(agent.hub)
    assert [each.sealed for each in given if each.request == asked] == [False]
    agent.rights.carry_out(request.id, agent.ledger.sync())
    assert agent.vault.has([handle]) == {handle}
    assert world.hub.rights.carry_out_all() == 1
    assert seen(agent, request).unproven == ()
