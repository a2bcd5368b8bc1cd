"""Clerical review by an analyst's own commands, over HTTP, from a run's doubts to the next run."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from governance.canonical import b64, canonical_bytes, hash_of
from governance.exchange.hub_api import EXPORTS
from governance.identity.files import PersonSecrets, write_secret
from governance.transparency.code import installed
from linkage_hub.analytics.provenance import PROVENANCE
from linkage_hub.cli.main import app
from linkage_hub.cli.rebuilding import NotRebuilt
from linkage_hub.cli.review import NotListed
from tests.hub_world import HubWorld
from tests.refinement_world import answer, person, refining_world, start, view

SAME = range(12)
POLICE = [person(n) for n in SAME] + [person(n) for n in range(40, 45)]
COUNCIL = [person(n, first="Zed") for n in SAME] + [person(n) for n in range(50, 55)]


def review(world: HubWorld, secret: Path, *words: str, as_json: bool = True) -> Any:
    """A command of ``linkage-hub review`` as the analyst."""
    who = ("--hub", world.hub_url, "--as", str(secret), "--agreement", world.agreement.hash)
    options = ("--json",) if as_json else ()
    result = CliRunner().invoke(app, [*options, "--no-input", "review", *words, *who])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout) if as_json else result.stdout


def test_an_analyst_rules_on_a_pair_and_the_next_run_follows(tmp_path: Path) -> None:
    """The list leads to two records side by side, a ruling, and what the next run did with it."""
    with refining_world(tmp_path, POLICE, COUNCIL) as world:
        staff, secret = world.staff["analyst"], tmp_path / "analyst.secret"
        keys = PersonSecrets(
            keys=staff.keys, signing=b64(staff.signing.seed), sealing=b64(staff.sealing.seed)
        )
        write_secret(secret, canonical_bytes(keys))
        run = start(world)
        answer(world, "police", "council")
        answer(world, "police", "council")
        assert view(world, run["id"])["state"] == "finished"
        pair = next(each for each in review(world, secret, "list")["pairs"] if each["views"])
        ends = (pair["left"], pair["right"])
        shown = review(world, secret, "show", *ends, as_json=False)
        assert pair["left_source"] in shown
        assert "the run holds them for" in shown
        assert str(pair["views"][0]["similarity"]) in shown
        with pytest.raises(NotListed) as refused:
            review(world, secret, "show", pair["left"], pair["left"])
        assert pair["left"] not in str(refused.value)
        same = not pair["together"]
        (ruling,) = review(world, secret, "decide", *ends, "--same" if same else "--different")[
            "rulings"
        ]
        assert (ruling["followed"], ruling["contradicted"]) == (None, False)
        run = start(world)
        if view(world, run["id"])["state"] == "waiting":
            answer(world, "police", "council")
        assert view(world, run["id"])["state"] == "finished"
        (ruling,) = review(world, secret, "rulings")["rulings"]
        assert (ruling["same"], ruling["followed"]) == (same, True)
        assert "yes" in review(world, secret, "rulings", as_json=False)
        _households_and_history(world, secret, run["id"], tmp_path / "out")


def _households_and_history(world: HubWorld, secret: Path, run: str, out: Path) -> None:
    """Single files of a run, by name; a name that no run has is refused before any is written."""
    words = ["runs", "export", run, "--hub", world.hub_url, "--as", str(secret), "--out", str(out)]
    refused = CliRunner().invoke(app, [*words, "--file", "history.csv", "--file", "names.csv"])
    assert (refused.exit_code, out.exists()) == (2, False)
    names = ("history.csv", "households.csv")
    done = CliRunner().invoke(app, ["--json", *words, *(w for n in names for w in ("--file", n))])
    assert sorted(path.name for path in out.iterdir()) == [*names, "provenance.json"], done.output
    lines = (out / "households.csv").read_text().splitlines()
    assert lines[0].split(",")[:4] == ["person", "household", "first_month", "last_month"]
    assert len(lines) > 1
    kinds = {line.split(",")[3] for line in (out / "history.csv").read_text().splitlines()[1:]}
    assert kinds <= {"merge", "split"}
    assert kinds
    _rebuilt_from_its_hash(words, out.with_name("again"))


def _rebuilt_from_its_hash(words: list[str], out: Path) -> None:
    """A run's files are named by their hashes, and the hub gives the same again, or it is said."""
    run, who = words[2], words[3:-1]

    def call(*more: str) -> Result:
        return CliRunner().invoke(app, ["--json", "runs", *more])

    exported = call("export", run, *who, str(out))
    provenance = json.loads((out / PROVENANCE).read_bytes())
    assert json.loads(exported.stdout)["hash"] == hash_of(provenance)
    assert (provenance["run"], sorted(provenance["files"])) == (run, sorted(EXPORTS))
    done = call("verify", str(out), *who[:-1])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert all((e["here"], e["again"]) == ("as written", "the same") for e in found["files"])
    assert found["results"] == "as in the receipt"
    figures = json.loads((out / "quality.json").read_bytes())
    assert figures["program"] == provenance["program"] == installed().model_dump()
    flags = provenance["files"]["flags.csv"]
    before = (out / "flags.csv").read_bytes()
    (out / "flags.csv").write_bytes(before + b"f-0,offence,1\n")
    (out / "needs.csv").unlink()
    members = (out / "members.csv").read_text("utf-8").splitlines()
    (out / "members.csv").write_text("\n".join(members[:-1]) + "\n", "utf-8")
    done = call("verify", str(out), *who[:-1])
    assert isinstance(done.exception, NotRebuilt)
    said = {e["name"]: e["here"] for e in json.loads(done.stdout)["files"]}
    assert (said["flags.csv"], said["needs.csv"]) == ("changed", "not here")
    assert json.loads(done.stdout)["results"] == "differ"
    done = call("rebuild", flags, *who, str(out.with_name("rebuilt")))
    assert json.loads(done.stdout)["run"] == run
    assert (out.with_name("rebuilt") / "flags.csv").read_bytes() == before
    done = call("rebuild", "sha256:" + "0" * 64, *who, str(out))
    assert isinstance(done.exception, NotRebuilt)
    assert call("rebuild", "flags.csv", *who, str(out)).exit_code == 2
