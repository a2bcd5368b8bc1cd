"""Tables of a run that may be published."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from governance.agreements.files import write_agreement
from governance.agreements.models import Agreement
from governance.canonical import sha256
from governance.disclosure.arithmetic import small_changes, worked_out
from governance.disclosure.errors import ReleasedOtherwise
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.held import all_categories_of, families_of
from linkage_hub.analytics.made import NotMadeSo
from linkage_hub.analytics.publishing import TableRegister
from linkage_hub.analytics.tables import counted, listed, published
from linkage_hub.errors import NotAnExport
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.runs.results import discard
from linkage_hub.store.tables import (
    families,
    family_categories,
    family_needs,
    released_tables,
    runs,
)
from tests.governance.world import Party, agreement_data
from tests.hub_world import HubWorld
from tests.linkage_hub.analytics import figures_world
from tests.linkage_hub.analytics.exports import RUN, write_export
from tests.linkage_hub.analytics.figures_world import figures_world_in, hub, keep_run

NEEDS = ["neet", "offence", "out_of_work"]


def write_terms(path: Path) -> None:
    """An agreement about three needs and the programme."""
    parties = [Party(name) for name in ("police", "council")]
    data = agreement_data(parties)
    data["indicators"] = [
        {"id": name, "description": name, "owners": ["council"], "window_months": 12}
        for name in [*NEEDS, "in_programme"]
    ]
    data["sources"] = [source | {"indicators": []} for source in data["sources"]]
    path.write_text(write_agreement(Agreement.model_validate(data)), "utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A hub with a run."""
    with figures_world_in(tmp_path_factory.mktemp("tables")) as found:
        yield found


def tables_of(world: HubWorld, run: str, out: Path) -> list[dict[str, Any]]:
    """What the command publishes."""
    result = hub(world, "tables", "publish", run, f"--out={out}")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["tables"]
    return found


def in_register(world: HubWorld, run: str) -> int:
    """How many tables of a run the hub has in its register."""
    with world.hub.database.reading() as connection:
        statement = select(released_tables.c.table).where(released_tables.c.run == run)
        return len(connection.execute(statement).all())


def test_no_published_cell_is_small(world: HubWorld, tmp_path: Path) -> None:
    """All tables of the list are there, each number rounded or hidden, and the register knows."""
    tables = tables_of(world, figures_world.RUN, tmp_path / "tables.csv")
    kinds = listed(world.agreement.needs, ("area", "engagement"))
    assert [table["table"] for table in tables] == [kind.id for kind in kinds]
    assert {"area-by-forward", "area-by-neet", "engagement-by-neet"} <= {k.id for k in kinds}
    with (tmp_path / "tables.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = {row["families"] for row in rows}
    assert "not shown" in numbers
    assert all(int(number) % 10 == 0 and int(number) >= 10 for number in numbers - {"not shown"})
    assert in_register(world, figures_world.RUN) == len(kinds)


@pytest.mark.invariant(21, "one run's tables, before and after a family was taken out of it")
def test_what_was_published_of_a_run_stays(world: HubWorld, tmp_path: Path) -> None:
    """The very same is handed out again, also when a family is gone by then."""
    run = "d" * 32
    keep_run(world.hub.database, world.agreement.hash, run, count=100, seed=2)
    first = tables_of(world, run, tmp_path / "first.csv")
    with world.hub.database.writing() as connection:
        gone = connection.scalars(
            select(families.c.family).where(families.c.run == run).limit(60)
        ).all()
        for table in (families, family_needs):
            connection.execute(delete(table).where(table.c.run == run, table.c.family.in_(gone)))
    assert tables_of(world, run, tmp_path / "second.csv") == first
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()


def test_a_file_is_what_it_is_said_to_be(world: HubWorld, tmp_path: Path) -> None:
    """Verified and rebuilt from the register by its hash; a changed one is found out."""
    out = tmp_path / "tables.csv"
    tables_of(world, figures_world.RUN, out)
    made = json.loads((tmp_path / "tables.csv.provenance.json").read_text("utf-8"))
    assert (made["run"], made["agreement"]) == (figures_world.RUN, world.agreement.hash)
    assert hub(world, "tables", "verify", str(out)).exit_code == 0
    again = hub(
        world, "tables", "rebuild", made["files"]["tables.csv"], f"--out={tmp_path / 'again.csv'}"
    )
    assert json.loads(again.stdout)["run"] == figures_world.RUN
    assert (tmp_path / "again.csv").read_bytes() == out.read_bytes()
    nothing = hub(world, "tables", "rebuild", "sha256:" + "0" * 64, f"--out={tmp_path / 'no.csv'}")
    assert isinstance(nothing.exception, NotMadeSo)
    whole = out.read_bytes()
    out.write_bytes(whole.replace(b"not shown", b"10", 1))
    assert isinstance(hub(world, "tables", "verify", str(out)).exception, NotMadeSo)
    made["files"]["tables.csv"] = sha256(out.read_bytes())
    (tmp_path / "tables.csv.provenance.json").write_text(json.dumps(made), "utf-8")
    refused = hub(world, "tables", "verify", str(out))
    assert isinstance(refused.exception, NotMadeSo)
    assert "otherwise" in str(refused.exception)


@pytest.mark.invariant(21, "a run's tables beside those of an earlier run, five families fewer")
def test_tables_that_tell_of_a_small_change_are_held_back(world: HubWorld, tmp_path: Path) -> None:
    """They are named and not written; what is left tells nothing small beside the earlier run's."""
    runs_ = "6" * 32, "7" * 32
    for run in runs_:
        keep_run(world.hub.database, world.agreement.hash, run, count=300, seed=21)
    first = tables_of(world, runs_[0], tmp_path / "first.csv")
    with world.hub.database.writing() as connection:
        gone = [f"f-{at:032x}" for at in range(5)]
        for table in (families, family_needs, family_categories):
            here = table.c.run == runs_[1], table.c.family.in_(gone)
            connection.execute(delete(table).where(*here))
    result = hub(world, "tables", "publish", runs_[1], f"--out={tmp_path / 'second.csv'}")
    found = json.loads(result.stdout)
    assert found["held_back"]
    assert not {table["table"] for table in found["tables"]} & set(found["held_back"])
    assert not any(
        name in (tmp_path / "second.csv").read_text("utf-8") for name in found["held_back"]
    )
    before, after = (
        worked_out([PublishedTable.model_validate_json(json.dumps(each)) for each in tables])
        for tables in (first, found["tables"])
    )
    assert not small_changes(before, after, 8)


@pytest.mark.invariant(21, "a run's tables after a family was taken out, and a register in a file")
def test_what_a_file_had_is_taken_in(world: HubWorld, tmp_path: Path) -> None:
    """Of a run published with a register in a file the same may be published, and nothing else."""
    run, terms, database = "e" * 32, world.agreement, world.hub.database
    keep_run(database, terms.hash, run, count=100, seed=3)
    with database.reading() as connection:
        found = families_of(connection, run, terms.needs)
        categories = all_categories_of(connection, run, terms, found)
    _, register = published(run, found, terms.suppression_threshold, ReleaseRegister(), categories)
    register.write(tmp_path / "register.json")
    for new in (len(register.released), 0):
        result = hub(world, "tables", "import", str(tmp_path / "register.json"))
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout) == {"tables": new}
    with database.writing() as connection:
        connection.execute(update(families).where(families.c.run == run).values(flagged=False))
    refused = hub(world, "tables", "publish", run, f"--out={tmp_path / 'tables.csv'}")
    assert isinstance(refused.exception, ReleasedOtherwise)
    assert not (tmp_path / "tables.csv").exists()
    with database.writing() as connection:
        for name, forward in zip(found.family.tolist(), found.flagged.tolist(), strict=True):
            here = families.c.run == run, families.c.family == name
            connection.execute(update(families).where(*here).values(flagged=forward))
    assert len(tables_of(world, run, tmp_path / "tables.csv")) == len(register.released)
    other = register.model_copy(
        update={
            "released": (register.released[0].model_copy(update={"hash": "sha256:" + "0" * 64}),)
        }
    )
    with pytest.raises(ReleasedOtherwise, match="in another form"):
        TableRegister(database, world.hub.now).take_in(other)


def test_true_counts_go_with_the_results(world: HubWorld, tmp_path: Path) -> None:
    """A run whose results are gone publishes nothing, and what it published tells no count."""
    run = "f" * 32
    keep_run(world.hub.database, world.agreement.hash, run, count=60, seed=4)
    tables_of(world, run, tmp_path / "tables.csv")
    with world.hub.database.writing() as connection:
        discard(connection, run)
        kept = connection.execute(select(released_tables).where(released_tables.c.run == run)).all()
    assert {row.numbers for row in kept} == {"[]"}
    refused = hub(world, "tables", "publish", run, f"--out={tmp_path / 'again.csv'}")
    assert isinstance(refused.exception, UnknownRun)


@pytest.mark.parametrize("command", ["tables publish", "needs figures"])
def test_only_a_run_of_an_agreement_that_allows_analysis(
    world: HubWorld, tmp_path: Path, command: str
) -> None:
    """A run that has not finished, and one that nobody knows, are refused."""
    run = "9" * 32
    if command.startswith("tables"):
        keep_run(world.hub.database, world.agreement.hash, run, count=60, seed=4)
    with world.hub.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(state="failed"))
    for each in (run, "8" * 32):
        refused = hub(world, *command.split(), each, f"--out={tmp_path / 'out'}")
        assert isinstance(refused.exception, UnknownRun)


def test_the_same_run_is_not_published_in_another_form(tmp_path: Path) -> None:
    """Under another threshold the same families' tables are refused, and the register stays."""
    write_export(tmp_path, NEEDS)
    found = read_families(tmp_path, NEEDS)
    _, register = published(RUN, found, 7, ReleaseRegister())
    with pytest.raises(ReleasedOtherwise):
        published(RUN, found, 20, register)


def test_what_is_unknown_is_not_published_as_no(world: HubWorld) -> None:
    """Where unknown is no category of its own, the heading says that what is known is counted."""
    with world.hub.database.reading() as connection:
        found = families_of(connection, figures_world.RUN, world.agreement.needs)
        categories = all_categories_of(connection, figures_world.RUN, world.agreement, found)
    kinds = listed(found.needs, categories.keys())
    whole = list(counted(RUN, found, kinds, categories))
    for kind, each in zip(kinds, whole, strict=True):
        divided = {kind.rows: each.rows, str(kind.columns): each.columns}
        for name, names in divided.items():
            assert "unknown" in names or "known" in name or name == "put forward"
    assert {int(each.cells.sum()) for each in whole} == {len(found)}


def test_every_family_is_in_one_cell(tmp_path: Path) -> None:
    """Each table counts all families; who is unknown is counted as unknown."""
    write_export(tmp_path, NEEDS)
    found = read_families(tmp_path, [*NEEDS, "never_said"])
    kinds = listed(found.needs)
    tables = {each.table: each for each in counted(RUN, found, kinds)}
    assert {int(each.cells.sum()) for each in tables.values()} == {len(found)}
    cells = tables["never_said-by-programme"].cells
    assert cells.sum(axis=1).tolist() == [len(found), 0, 0]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("families.csv", "family,", "name,"),
        ("families.csv", ",True,", ",maybe,"),
        ("families.csv", ",unmet,here,", ",maybe,here,"),
        ("families.csv", ",here,", ",maybe,"),
        ("needs.csv", "unmet", "perhaps"),
        ("needs.csv", f"f-{0:032x}", "f-stranger"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Files that the hub did not write so are refused, and their content is not repeated."""
    write_export(tmp_path, NEEDS)
    text = (tmp_path / file).read_text("utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(NotAnExport) as refused:
        read_families(tmp_path, NEEDS)
    assert "stranger" not in str(refused.value)
    assert "maybe" not in str(refused.value)


def test_files_of_before_referrals_are_read(tmp_path: Path) -> None:
    """Nobody knows then who was referred."""
    write_export(tmp_path, NEEDS)
    lines = (tmp_path / "families.csv").read_text("utf-8").splitlines()
    short = [line.rsplit(",", 3)[0] for line in lines]  # without what came since
    (tmp_path / "families.csv").write_text("\n".join(short) + "\n", "utf-8")
    assert not np.any(read_families(tmp_path, NEEDS).referred)
