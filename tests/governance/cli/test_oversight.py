"""``governance oversight`` against a ledger that runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.canonical import parse_json
from governance.errors import FormatError
from tests.governance.cli.test_ledger import invoke, secret_of
from tests.governance.ledger.test_service import Running, post_all, started

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Running]:
    """A ledger in which somebody has agreed and taken it back, and its key in a file."""
    with started(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as running:
        world = running.world
        world.withdraw(world.council, world.consent(world.council, "c" * 32))
        post_all(running, world.events[1:])
        (tmp_path / "ledger.vkey").write_text(f"{running.key}\n", "ascii")
        secret_of(world.council, tmp_path)
        yield running


def told(ledger: Running, *words: str) -> Any:
    """What a command says, as JSON."""
    folder = ledger.settings.key_file.parent
    done = invoke(
        "oversight", *words, "--ledger", ledger.url, "--ledger-key", folder / "ledger.vkey",
        "--as", folder / "council.secret", "--copy", folder / "copy",
    )  # fmt: skip
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return parse_json(done.stdout.encode())


def test_a_lead_searches_and_counts(ledger: Running) -> None:
    """Each command fetches, verifies and replays; what search finds it proves."""
    size = len(ledger.world.events)
    found = told(ledger, "search", "--type", "consent.withdrawn", "--party", "council")
    assert (found["total"], found["entries"][0]["index"]) == (1, size - 1)
    assert found["entries"][0]["proof"].startswith("c2sp.org/tlog-proof@v1\n")
    consents = told(ledger, "consents")
    (council,) = consents["states"]
    assert {state: count for state, count in council["states"].items() if count} == {"withdrawn": 1}
    assert consents["months"][0]["recorded"] == {"given": 1}
    assert told(ledger, "refusals") == {"refusals": []}


def test_a_lead_sees_what_waits_and_what_is_late(ledger: Running) -> None:
    """Each command answers from the same copy; the public register needs nothing of a lead."""
    assert set(told(ledger, "due")) == {"due"}  # the agreement's next step, by today's clock
    assert told(ledger, "requests") == {"requests": []}
    assert told(ledger, "rights") == {"rights": []}
    assert told(ledger, "retention") == {"kept": [], "destroyed": []}
    health = told(ledger, "witnesses")
    assert {each["state"] for each in health["witnesses"]} == {"never"}
    assert health["size"] == len(ledger.world.events)
    public = told(ledger, "public")
    assert [each["title"] for each in public["agreements"]] == ["Families with several needs"]


def test_the_risks_need_no_ledger() -> None:
    """The assessment and recorded runs are files."""
    done = invoke("oversight", "risks", "--dpia", ROOT / "docs/DPIA.md")
    assert done.exit_code == 0, done.output
    first, *_ = parse_json(done.stdout.encode())["risks"]
    assert (first["id"], first["guards"][0]["state"]) == ("R1", "not run")


def test_a_condition_of_another_form_gets_a_message(ledger: Running) -> None:
    """The message names the condition and not its value."""
    with pytest.raises(FormatError, match="id") as refusal:
        told(ledger, "search", "--id", "Smith")
    assert "Smith" not in refusal.value.message
