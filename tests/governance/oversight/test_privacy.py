"""What is shown of budgets of privacy is what the ledger adds up."""

from datetime import timedelta

from governance.oversight.privacy import purses
from governance.oversight.state import Overseen
from tests.governance.privacy.test_registry import NEXT_YEAR, admit, agree, cost
from tests.governance.world import NOON, World


def test_each_project_has_one_line_with_what_its_models_cost() -> None:
    """By the version that is in force, all versions' models beside it; nobody else's agreements."""
    world = World()
    first = agree(world)
    world.append(cost(world.hub, first, 0.5))
    newer = {"version": 2, "supersedes": first.hash}
    second = agree(world, **newer, privacy_budget={"epsilon": 1.25, "delta": 2e-6})
    world.append(cost(world.hub, second, 0.25))
    theirs = agree(world, *admit(world, "elsewhere", "nowhere"), id="of-strangers")
    world.append(cost(world.hub, theirs, 1))
    state = Overseen().replay(world.events)
    assert isinstance(state, Overseen)

    linking, learning = purses(state, "council", NOON)
    assert (linking.id, linking.allowed, linking.left) == ("county-families", False, 0)
    assert (learning.agreement, learning.version, learning.in_force) == (second.hash, 2, True)
    assert (learning.epsilon, learning.spent, learning.left) == (1.25, 0.75, 0.5)
    assert [(each.epsilon, each.year) for each in learning.paid] == [(0.25, 2026), (0.5, 2026)]
    assert world.events[learning.paid[0].index].leaf.time == learning.paid[0].time

    (_, later) = purses(state, "council", NEXT_YEAR)
    assert (later.spent, later.left, len(later.paid)) == (0, 1.25, 2)
    (_, ended) = purses(state, "council", NOON + timedelta(days=800))
    assert (ended.in_force, ended.left) == (False, 0)
    assert [each.id for each in purses(state, "elsewhere", NOON)] == ["of-strangers"]
