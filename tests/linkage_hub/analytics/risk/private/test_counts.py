"""Tables with noise: paid for before, of the mechanism that they are said to be of."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("opendp", reason="make dp installs it")

from governance.agreements.errors import AgreementRefusal
from governance.disclosure.errors import NotListed
from linkage_hub.analytics.held import all_categories_of, families_of
from linkage_hub.analytics.private_tables import DELTA, chosen, noised
from linkage_hub.analytics.risk.private import counts
from linkage_hub.analytics.risk.private.counts import SHARE, mechanism, noisy
from linkage_hub.analytics.tables import counted, listed
from tests.hub_world import HubWorld
from tests.linkage_hub.analytics.figures_world import RUN, figures_world_in, hub


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A hub with a run, under an agreement with a budget."""
    with figures_world_in(tmp_path_factory.mktemp("noise"), epsilon=1.5) as found:
        yield found


@pytest.mark.parametrize(("tables", "epsilon"), [(1, 0.1), (1, 1), (3, 1), (7, 0.3)])
def test_noise_is_the_discrete_laplace_of_what_is_paid(tables: int, epsilon: float) -> None:
    """Its cost by OpenDP's map, its spread and its error as the distribution has them."""
    by = mechanism(tables, epsilon)
    assert by.epsilon == pytest.approx(epsilon, rel=1e-9)
    assert mechanism(2 * tables, epsilon).scale == pytest.approx(2 * by.scale)
    drawn = np.array(noisy([100] * 20_000, by)) - 100
    q = np.exp(-epsilon / tables)
    assert abs(drawn.mean()) < 5 * by.scale * np.sqrt(2 / len(drawn))
    assert drawn.var() == pytest.approx(2 * q / (1 - q) ** 2, rel=0.1)
    off = float((np.abs(drawn) > by.error).mean())
    assert off < 1 - SHARE + 0.006
    assert float((np.abs(drawn) > by.error - 1).mean()) > 1 - SHARE - 0.006


def test_one_family_changes_one_cell_a_table(world: HubWorld) -> None:
    """What the guarantee rests on: without any one family, by one a table in all."""
    with world.hub.database.reading() as connection:
        families = families_of(connection, RUN, world.agreement.needs)
        categories = all_categories_of(connection, RUN, world.agreement, families)
    kinds = listed(world.agreement.needs, world.agreement.uses)
    whole = [table.cells for table in counted(RUN, families, kinds, categories)]
    for at in (0, 17, len(families) - 1):
        fewer = type(families)(
            family=np.delete(families.family, at),
            needs=families.needs,
            state=np.delete(families.state, at, axis=0),
            **{
                name: np.delete(getattr(families, name), at)
                for name in ("children", "in_programme", "resident", "flagged", "referred")
            },
        )
        without = {
            use: type(found)(found.names, np.delete(found.of, at))
            for use, found in categories.items()
        }
        for one, other in zip(whole, counted(RUN, fewer, kinds, without), strict=True):
            assert np.abs(one - other.cells).sum() == 1


def test_what_is_written_is_paid_for(world: HubWorld, tmp_path: Path) -> None:
    """The spend is in the ledger's budget; beyond it nothing is drawn and nothing is written."""
    words = ["tables", "private", RUN, "--table=needs-by-forward", "--table=area-by-neet"]
    result = hub(world, *words, "--epsilon=1", f"--out={tmp_path / 'first.csv'}")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["epsilon"], told["scale"]) == (1, 2)
    with (tmp_path / "first.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} == {"needs-by-forward", "area-by-neet"}
    assert len(rows) == 4 * 2 + 6 * 3
    assert all(int(row["families"]) >= 0 for row in rows)
    assert {row["off_by_at_most_in_95_of_100"] for row in rows} == {str(told["error"])}
    purse = world.hub.epsilon.purse(world.agreement.hash)
    assert (purse.times, purse.delta) == (1, DELTA)
    assert purse.epsilon == pytest.approx(1, abs=2e-6)
    (spent,) = world.agents["council"].ledger.sync().privacy.spends(world.agreement)
    assert (spent.hub, spent.outcome) == ("hub", "tables")
    refused = hub(world, *words, "--epsilon=1", f"--out={tmp_path / 'second.csv'}")
    assert isinstance(refused.exception, AgreementRefusal)
    assert not (tmp_path / "second.csv").exists()
    assert world.hub.epsilon.purse(world.agreement.hash).times == 1


def test_a_table_off_the_list_costs_nothing(world: HubWorld, tmp_path: Path) -> None:
    """Neither one that is not listed nor one named twice is paid for."""
    before = world.hub.epsilon.purse(world.agreement.hash).times
    for tables in (["--table=by-surname"], ["--table=area-by-neet"] * 2):
        refused = hub(
            world, "tables", "private", RUN, *tables, "--epsilon=.1", f"--out={tmp_path / 'x.csv'}"
        )
        assert isinstance(refused.exception, NotListed)
    assert world.hub.epsilon.purse(world.agreement.hash).times == before


def test_noise_below_nought_is_written_as_nought(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is above stays as it was drawn; noise for another number of tables is refused."""
    with world.hub.database.reading() as connection:
        families = families_of(connection, RUN, world.agreement.needs)
    kinds = chosen(["needs-by-forward"], listed(world.agreement.needs))
    monkeypatch.setattr(counts, "_laplace", lambda _scale: _Fixed())
    found = [cell.families for cell in noised(families, kinds, {}, counts.Mechanism(1, 1, 1))]
    assert found[0] == 0
    assert min(found) == 0 < max(found)
    with pytest.raises(ValueError, match="paid for"):
        noised(families, kinds, {}, counts.Mechanism(2, 1, 1))


class _Fixed:
    """The first count below nought, the others with one family more."""

    def __call__(self, held: list[int]) -> list[int]:
        return [-3, *(each + 1 for each in held[1:])]
