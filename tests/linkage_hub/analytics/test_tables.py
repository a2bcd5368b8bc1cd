"""Tables of a run that may be published."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.files import write_agreement
from governance.agreements.models import Agreement
from governance.disclosure.errors import ReleasedOtherwise
from governance.disclosure.register import ReleaseRegister
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.tables import counted, listed, published
from linkage_hub.cli.main import app
from linkage_hub.errors import NotAnExport
from tests.governance.world import Party, agreement_data
from tests.linkage_hub.analytics.exports import RUN, write_export

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


def run(folder: Path, *words: str) -> Result:
    """The command, on the files of a folder."""
    names = {"agreement": "agreement.yaml", "register": "register.json", "out": "tables.csv"}
    options = [word for name, file in names.items() for word in (f"--{name}", str(folder / file))]
    return CliRunner().invoke(app, ["--json", "tables", str(folder), *options, *words])


def test_no_published_cell_is_small(tmp_path: Path) -> None:
    """All tables of the list are there, each number rounded or hidden, and the register knows."""
    write_export(tmp_path, NEEDS)
    write_terms(tmp_path / "agreement.yaml")
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    tables = json.loads(result.stdout)["tables"]
    kinds = listed([*NEEDS, "in_programme"])
    assert [table["table"] for table in tables] == [kind.id for kind in kinds]
    with (tmp_path / "tables.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = {row["families"] for row in rows}
    assert "not shown" in numbers
    assert all(int(number) % 10 == 0 and int(number) >= 10 for number in numbers - {"not shown"})
    assert len(ReleaseRegister.read(tmp_path / "register.json").released) == len(kinds)
    again = run(tmp_path)
    assert (again.exit_code, again.stdout) == (0, result.stdout)


def test_tables_need_an_agreement_that_allows_analysis(tmp_path: Path) -> None:
    """Linking alone finds families; what they need is more. Nothing is written."""
    write_export(tmp_path, NEEDS)
    write_terms(tmp_path / "agreement.yaml")
    terms = (tmp_path / "agreement.yaml").read_text("utf-8")
    assert "- analyse\n" in terms
    (tmp_path / "agreement.yaml").write_text(terms.replace("- analyse\n", ""), "utf-8")
    result = run(tmp_path)
    assert isinstance(result.exception, ActionNotAllowed)
    assert not {"register.json", "tables.csv"} & {path.name for path in tmp_path.iterdir()}


def test_the_same_run_is_not_published_in_another_form(tmp_path: Path) -> None:
    """Under another threshold the same families' tables are refused, and the register stays."""
    write_export(tmp_path, NEEDS)
    families = read_families(tmp_path, NEEDS)
    _, register = published(RUN, families, NEEDS, 7, ReleaseRegister())
    with pytest.raises(ReleasedOtherwise):
        published(RUN, families, NEEDS, 20, register)


@pytest.mark.invariant(21, "one run's files, before and after a family was taken out of them")
def test_a_run_is_one_population_whatever_its_files_hold_by_now(tmp_path: Path) -> None:
    """Tables of the files without one family are refused, and so is a folder without its run."""
    write_export(tmp_path, NEEDS)
    write_terms(tmp_path / "agreement.yaml")
    assert run(tmp_path).exit_code == 0
    register = (tmp_path / "register.json").read_bytes()
    for name in ("families.csv", "needs.csv"):
        lines = (tmp_path / name).read_text("utf-8").splitlines()
        held = [line for line in lines if not line.startswith(f"f-{7:032x}")]
        assert len(held) < len(lines)
        (tmp_path / name).write_text("\n".join(held) + "\n", "utf-8")
    again = run(tmp_path)
    assert isinstance(again.exception, ReleasedOtherwise)
    assert (tmp_path / "register.json").read_bytes() == register
    for figures in ("{}", '{"run": "another"}', "["):
        (tmp_path / "quality.json").write_text(figures, "utf-8")
        refused = run(tmp_path)
        assert isinstance(refused.exception, NotAnExport)
        assert "another" not in str(refused.exception)


def test_what_is_unknown_is_not_published_as_no(tmp_path: Path) -> None:
    """Where unknown is no category of its own, the heading says that what is known is counted."""
    write_export(tmp_path, NEEDS)
    families = read_families(tmp_path, NEEDS)
    for kind, each in zip(listed(NEEDS), counted(RUN, families, listed(NEEDS)), strict=True):
        divided = {kind.rows: each.rows, str(kind.columns): each.columns}
        for name, categories in divided.items():
            assert "unknown" in categories or "known" in name or name == "put forward"


def test_every_family_is_in_one_cell(tmp_path: Path) -> None:
    """Each table counts all families; who is unknown is counted as unknown."""
    write_export(tmp_path, NEEDS)
    families = read_families(tmp_path, [*NEEDS, "never_said"])
    kinds = listed(families.needs)
    tables = {each.table: each for each in counted(RUN, families, kinds)}
    assert {int(each.cells.sum()) for each in tables.values()} == {len(families.family)}
    cells = tables["never_said-by-programme"].cells
    assert cells.sum(axis=1).tolist() == [len(families.family), 0, 0]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("families.csv", "family,", "name,"),
        ("families.csv", ",True,", ",maybe,"),
        ("needs.csv", "unmet", "perhaps"),
        ("needs.csv", f"f-{0:032x}", "f-stranger"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Files that the hub did not write so are refused, and their content is not repeated."""
    write_export(tmp_path, NEEDS)
    text = (tmp_path / file).read_text("utf-8")
    (tmp_path / file).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(NotAnExport) as refused:
        read_families(tmp_path, NEEDS)
    assert "stranger" not in str(refused.value)
    assert "maybe" not in str(refused.value)
