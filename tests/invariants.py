"""``make invariants``: what is promised (DESIGN, section 10), what tried to break it, how often.

A test names what it guards by ``@pytest.mark.invariant(number, "what was tried")``, and, where hub
or ledger is the attacker, what it does by ``double="lies"``. The report has a line for each
invariant, and fails where one that is due has no test, or one of its tests failed; then a table of
how often each invariant was held to each kind of dishonest hub.
"""

from collections import defaultdict
from typing import Any, Final

import pytest

INVARIANTS: Final = {
    1: "nothing that hub and ledger store ties a record to a name without a partner's key",
    2: "no release unless every required grant is live at the checkpoint used",
    3: "no release after merge delay and freshness once a partner accepted a withdrawal",
    4: "a hub that shows two partners different trees gets no quorum",
    5: "an altered, dropped or moved leaf breaks the next consistency check",
    6: "stale, rolled-back and under-witnessed checkpoints are refused",
    7: "requester and approver differ, and the agent proves it itself",
    8: "a swapped recipient key yields nothing that opens",
    9: "a replayed request, or one byte changed after approval, is refused",
    10: "a partner never releases a record whose consent it did not capture",
    11: "added or merged members void earlier approvals",
    12: "nothing outside a valid agreement is hashed",
    13: "expired, unreviewed, unsigned or suspended agreements stop everything",
    14: "an opted-out NHS row never enters an encoder",
    15: "the linkage secret is in no hub memory, log, message or backup",
    16: "no log, error, metric, leaf or hub table holds anything about a person",
    17: "kill -9 loses no acknowledged withdrawal and makes no double release",
    18: "an erased payload leaves the leaf unopenable and every proof valid",
    19: "quota, duplicates and bit density bound probing by crafted encodings",
    20: "link results tell a partner nothing of who is held elsewhere",
    21: "two permitted aggregate answers differ by 0 or by the threshold at least",
    22: "attack success on the reference set stays within the published bound",
    23: "every refusal carries a reason code and is in the ledger",
}
DOUBLES: Final = (
    "lies", "replays", "reorders", "withholds", "swaps keys", "forks", "rolls back", "slow",
)  # fmt: skip
"""What a dishonest hub or ledger does."""
LATER: Final[dict[int, str]] = {}

_tried: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
_doubles: dict[tuple[int, str], int] = defaultdict(int)
_failed: dict[int, int] = defaultdict(int)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "invariant(number, tried, double): a promise that it guards")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--invariants``: only marked tests, and the report at the end."""
    parser.addoption("--invariants", action="store_true", help="run and report invariants")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what guards no invariant, when only they are asked for; know every double."""
    for item in items:
        for mark in item.iter_markers("invariant"):
            if mark.kwargs.get("double", DOUBLES[0]) not in DOUBLES:
                raise pytest.UsageError(f"{item.nodeid}: no such double")
    if config.getoption("--invariants"):
        marked = [item for item in items if item.get_closest_marker("invariant")]
        config.hook.pytest_deselected(items=[item for item in items if item not in marked])
        items[:] = marked


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Count what passed and what failed."""
    report = yield
    for mark in item.iter_markers("invariant"):
        number, tried = mark.args
        if report.when == "call" and report.passed:
            _tried[number][tried] += 1
            if double := mark.kwargs.get("double"):
                _doubles[number, double] += 1
        elif report.failed:
            _failed[number] += 1
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A line for each invariant."""
    if not config.getoption("--invariants"):
        return
    for number, promise in INVARIANTS.items():
        tried = ", ".join(f"{what} ({times})" for what, times in _tried[number].items())
        state = "FAILED" if _failed[number] else tried or LATER.get(number, "NOT TESTED")
        terminalreporter.write_line(f"{number:>2}  {promise}: {state}")
    terminalreporter.write_line("    a hub or ledger that")
    terminalreporter.write_line("    " + "".join(f"{double:>12}" for double in DOUBLES))
    for number in INVARIANTS:
        counts = [_doubles[number, double] for double in DOUBLES]
        if any(counts):
            cells = "".join(f"{count or '-':>12}" for count in counts)
            terminalreporter.write_line(f"{number:>2}  {cells}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where an invariant that is due has no passed test."""
    if session.config.getoption("--invariants") and session.exitstatus == pytest.ExitCode.OK:
        missing = [n for n in INVARIANTS if n not in LATER and not _tried[n]]
        if missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
