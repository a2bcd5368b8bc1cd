"""What ``make serve`` prints can be done as printed; programs run in this process, to be fast."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from examples.county.demo import again
from examples.county.demo.processes import CommandFailed
from examples.county.demo.site import Site
from governance.canonical import b64, canonical_bytes
from governance.cli.main import app as governance
from governance.identity.files import PersonSecrets, write_secret
from governance.identity.models import Role
from governance.terminal import run_cli
from partner_agent.cli.main import app as partner_agent
from tests.governance.world import Staff
from tests.hub_world import HubWorld
from tests.soft_authenticator import SoftAuthenticator

PROGRAMS = {"governance": governance, "partner-agent": partner_agent}


def run_here(name: str, *words: object) -> dict[str, Any]:
    """As ``processes.run``, without a process; nothing that runs asks what it answered."""
    with pytest.raises(SystemExit) as ended:
        run_cli(PROGRAMS[name], list(map(str, words)))
    assert ended.value.code == 0
    return {}


@pytest.fixture
def site(hub_world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A county as the demo leaves it: the council's home, and its lead's key file."""
    monkeypatch.setattr(again, "run", run_here)
    found, lead = Site(tmp_path), hub_world.staff["ig_lead"]
    found.agent(again.COUNCIL).parent.mkdir(parents=True)
    found.agent(again.COUNCIL).symlink_to(hub_world.agents["council"].home)
    own = PersonSecrets(
        keys=lead.keys, signing=b64(lead.signing.seed), sealing=b64(lead.sealing.seed)
    )
    found.staff("ig_lead").mkdir(parents=True)
    write_secret(found.staff("ig_lead") / "person.secret", canonical_bytes(own))
    return found


def started(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a start prints until Ctrl+C; the services are not started."""

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(again, "reopened", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr("examples.county.demo.again.time.sleep", stop)
    told = CliRunner().invoke(again.app, ["serve", str(site.root)])
    assert told.exit_code == 0, told.output
    return told.stdout


def test_keys_are_confirmed_by_the_command_that_is_printed(
    site: Site, hub_world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start prints a link for each member of staff, and the command: it enrols them."""
    monkeypatch.setattr(again, "invite", lambda _site, role: f"http://localhost/join/{role}")
    told = started(site, monkeypatch)
    assert all(f"{name}, {role.replace('_', ' ')}: http" in told
               for role, name in again.STAFF.items())  # fmt: skip

    new = Staff("council", Role.SERVICE_MANAGER, "7" * 32, authenticator=SoftAuthenticator())
    keys = site.root / "person.keys.json"
    keys.write_bytes(canonical_bytes(new.published()))
    (command,) = [line for line in told.splitlines() if "again confirm" in line]
    words = command.replace("person.keys.json", str(keys)).partition("demo.again ")[2].split()
    assert CliRunner().invoke(again.app, words).exit_code == 0
    identities = hub_world.agents["council"].ledger.sync().identities
    assert identities.person(new.keys.thumbprint) == new.keys


def test_a_second_start_says_how_to_sign_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is invited anew."""
    again.console_home(site).mkdir()
    monkeypatch.setattr(again, "invite", lambda *_: pytest.fail("invited again"))
    assert "Sign in with the passkeys that you made" in started(site, monkeypatch)


def test_make_runs_it() -> None:
    """The target names this very module and command."""
    makefile = (Path(again.__file__).parents[3] / "Makefile").read_text("utf-8")
    assert "-m examples.county.demo.again serve $(KEEP)" in makefile


def test_programs_come_up_in_their_order_and_none_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds what it needs; where the last does not start, those before it are ended."""
    done: list[str] = []

    @contextlib.contextmanager
    def running(name: str, arguments: Sequence[object] = (), **_: object) -> Iterator[None]:
        done.append(f"+ {name}{' console' if 'console' in arguments else ''}")
        if done.count("+ governance console") == 2:
            raise CommandFailed
        try:
            yield
        finally:
            done.append(f"- {name}")

    def command(name: str, *words: object) -> dict[str, Any]:
        done.append(f"{name} {'console init' if 'console' in words else 'init'}")
        return {}

    monkeypatch.setattr(again, "Server", running)
    monkeypatch.setattr(again, "run", command)
    monkeypatch.setattr(again, "agents", lambda _site: running("agents"))
    monkeypatch.setattr(
        "examples.county.demo.again.Story.connect", lambda _story: done.append("connect")
    )
    site = Site(tmp_path)
    (site.root / "ledger").mkdir(exist_ok=True)
    with again.reopened(site, again.Ports()):
        assert done == [
            "+ governance", "linkage-hub init", "+ linkage-hub", "connect", "+ agents",
            "governance console init", "+ governance console",
        ]  # fmt: skip
    again.console_home(site).mkdir()
    done.clear()
    done.append("+ governance console")
    with pytest.raises(CommandFailed), again.reopened(site, again.Ports()):
        pytest.fail("it did not start")
    assert "governance console init" not in done
    assert done[-3:] == ["- agents", "- linkage-hub", "- governance"]
