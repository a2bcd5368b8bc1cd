"""``partner-agent rights`` as a data officer types it."""

import json
import stat
from pathlib import Path

from typer.testing import CliRunner

from partner_agent.cli.main import app
from tests.hub_world import HubWorld


def call(home: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    done = CliRunner().invoke(app, ["--home", str(home), *words])
    return done.exit_code, done.stdout, done.stderr


def asked(home: Path, *words: str) -> dict[str, object]:
    """What a command says as JSON."""
    done = CliRunner().invoke(app, ["--home", str(home), "--json", *words])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def opened(home: Path, kind: str, record_id: str) -> str:
    """A request; its id."""
    words = ("--kind", kind, "--source", "council_records", "--record-id", record_id)
    return str(asked(home, "rights", "open", *words)["id"])


def test_access_from_receipt_to_answer(world: HubWorld) -> None:
    """The report is readable by its owner alone, and gone once the request is closed."""
    home = world.agents["council"].home
    request = opened(home, "access", "M6")
    files = [Path(name) for name in asked(home, "rights", "report", request)["files"]]  # type: ignore[attr-defined]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    page, data = (path.read_text("utf-8") for path in files)
    assert "Gus" in page
    assert json.loads(data)["rows"][0]["as_received"]["first_name"] == "Gus"
    assert "<script" not in page
    code, out, _ = call(home, "rights", "list")
    assert (code, request in out) == (0, True)
    closed = asked(home, "rights", "close", request)
    assert closed["outcome"] == "done"
    assert not any(path.exists() for path in files)
    assert asked(home, "rights", "list")["requests"] == [
        each
        for each in asked(home, "rights", "list", "--all")["requests"]  # type: ignore[attr-defined]
        if each["closed"] is None
    ]


def test_what_cannot_be_undone_is_asked_for(world: HubWorld) -> None:
    """Without --yes nothing is destroyed; with it the hub's proof is still missing."""
    home = world.agents["council"].home
    request = opened(home, "erasure", "C6")
    code, _, _ = call(home, "--no-input", "rights", "carry-out", request)
    assert code != 0
    assert asked(home, "rights", "show", request)["carried_out"] is None
    done = asked(home, "rights", "carry-out", request, "--yes")
    assert (done["unproven"], done["proven"]) == (["hub"], {})
    code, out, _ = call(home, "rights", "show", request)
    assert "not proven by hub" in out
    world.hub.rights.carry_out_all()
    code, out, _ = call(home, "rights", "show", request)
    assert "hub has confirmed" in out
    assert asked(home, "rights", "close", request)["outcome"] == "done"
    lifted = asked(home, "rights", "lift", request, "--reason", "person_asked")
    assert lifted["lifted"] is not None


def test_more_time_is_taken_once(world: HubWorld) -> None:
    """``extend`` moves the day; ``status`` counts what is open."""
    home = world.agents["council"].home
    request = opened(home, "access", "C6")
    longer = asked(home, "rights", "extend", request, "--reason", "complex")
    assert longer["extended"] is True
    status = asked(home, "status")["rights"]
    assert status["open"] >= 1  # type: ignore[index]
    code, _, _ = call(home, "rights", "extend", request, "--reason", "complex")
    assert code != 0
    code, _, _ = call(home, "rights", "close", request, "--outcome", "perhaps")
    assert code != 0
    refusal = ("--outcome", "refused", "--reason", "excessive")
    assert asked(home, "rights", "close", request, *refusal)["outcome"] == "refused"
