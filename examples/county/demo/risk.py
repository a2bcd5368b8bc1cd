"""``python -m examples.county.demo.risk``: a year between two runs, and a model that is paid for.

The county's story as far as a run (no questions, no release). The council's extract of council tax
also says who is in the programme. Then the families that were referred later by the usual route
(``truth/referrals.csv``, which hangs on their true needs) are in it too, the council sends that
extract anew, and the hub links again. From both runs' exports a private model is trained, paid for
in the ledger, and lists the families of the later run. Needs ``make dp``, and 10,000 families that
live in the county and are not in the programme: some 60,000 people. ``--again`` trains once more
over a folder that was kept, for what that costs.

What is counted at the end, of families that the model learnt from, no hub would publish: it is an
answer that nobody has paid for. These people do not exist.
"""

import csv
import io
import json
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from examples.county.demo.__main__ import Teller
from examples.county.demo.processes import run
from examples.county.demo.site import Site, agents, found, services
from examples.county.demo.story import Story
from examples.county.generate import DEFAULT_SEED, generate
from examples.county.sources.categories import USED_AS
from governance.agreements.files import read_agreement

EXTRACT: Final = "council_tax"
COLUMN: Final = "EARLY_HELP"
PERSONS: Final = 62_000
RULE: Final = {"outcome_rate": 0.05, "mean_needs": 0.5, "mean_unknown": 7.0}
"""What the council expects, before anything was linked."""

app = typer.Typer(add_completion=False)


@app.command()
def main(
    keep: Annotated[Path, typer.Option(help="a new folder, which is kept")],
    persons: Annotated[int, typer.Option(min=600)] = PERSONS,
    seed: int = DEFAULT_SEED,
    profile: Annotated[str, typer.Option(help="of encodings: clk, hardened")] = "clk",
    json_file: Annotated[Path | None, typer.Option("--json", help="write figures here")] = None,
    again: Annotated[bool, typer.Option("--again", help="train over a kept folder")] = False,
) -> None:
    """Two runs, a training and a list, every program a process of its own."""
    keep.mkdir(parents=True, exist_ok=again)
    site, teller = Site(keep), Teller()
    if not again:
        _found(teller, site, persons, seed)
    county = Programme(site.county)
    with services(site) as addresses:
        story = Story(site, addresses, profile=profile)
        if again:
            story.connect()
            story.agreement = read_agreement(site.root / "agreement.yaml").hash
        else:
            teller.step("Mirrors, agreement, linkage secret, staff.", lambda: _set_up(story))
        with agents(site):
            figures = {} if again else _two_runs(teller, story, county)
            figures |= _learn(teller, story, county.needs)
        ledger = teller.step("The lead verifies the ledger.", story.verify_ledger)
    figures |= {"ledger_events": ledger["size"], "seconds": round(time.monotonic() - teller.began)}
    teller.say(f"the ledger holds {ledger['size']} events, and every one of them counts")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def _found(teller: Teller, site: Site, persons: int, seed: int) -> None:
    teller.step("A synthetic county is made.", lambda: generate(persons, seed, site.county))
    county = Programme(site.county)
    teller.step("The council's extract says who is in the programme.", county.now)
    teller.step("Every party makes its keys; a consent ledger begins.", lambda: found(site))


class Programme:
    """Who is in the programme, as the council's extract says it.

    Args:
        county: the generated county's folder.
    """

    def __init__(self, county: Path) -> None:
        self._truth = county / "truth"
        self._folder = county / "partners" / "council"
        self._family = {
            person["person_id"]: person["family_id"]
            for person in _rows(self._truth / "persons.csv")
        }
        self._accounts = {
            record["record_id"]: self._family[record["person_id"]]
            for record in _rows(self._truth / "records.csv")
            if record["source"] == EXTRACT
        }

    @property
    def extract(self) -> Path:
        """The file that says it."""
        return self._folder / f"{EXTRACT}.csv"

    @property
    def needs(self) -> list[str]:
        """Indicators of all mappings that are needs."""
        mappings = self._folder.parent.glob("*/*.yaml")
        named = {
            indicator
            for path in mappings
            for indicator in yaml.safe_load(path.read_text("utf-8")).get("indicators", {})
        }
        return sorted(named - {"in_programme", *USED_AS})

    def now(self) -> None:
        """At first: who joined before the extracts; the mapping learns of the column."""
        mapping = self._folder / f"{EXTRACT}.yaml"
        data = yaml.safe_load(mapping.read_text("utf-8"))
        data["indicators"]["in_programme"] = {"column": COLUMN, "equals": ["Y"]}
        mapping.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
        self._write(self._joined())

    def later(self) -> None:
        """A year on: also who was referred by the usual route."""
        referred = {row["family_id"] for row in _rows(self._truth / "referrals.csv")}
        self._write(self._joined() | referred)

    def _joined(self) -> set[str]:
        rows = _rows(self._truth / "family_needs.csv")
        return {row["family_id"] for row in rows if row["in_programme"] == "y"}

    def _write(self, families: set[str]) -> None:
        rows, text = _rows(self.extract), io.StringIO()
        columns = [*(name for name in rows[0] if name != COLUMN), COLUMN]
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            helped = self._accounts.get(row["ACCOUNT"]) in families
            writer.writerow(row | {COLUMN: "Y" if helped else "N"})
        self.extract.write_text(text.getvalue(), "utf-8")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _set_up(story: Story) -> None:
    for step in (story.connect, story.agree, story.share_secret, story.enrol_staff):
        step()


def _two_runs(teller: Teller, story: Story, county: Programme) -> dict[str, Any]:
    teller.step("Each partner cleans and encodes its extracts.", story.prepare)
    teller.step("The encodings go to the hub.", story.submit)
    first = teller.step("The hub links.", lambda: _linked(story, "then"))
    teller.say(f"{first['families']:,} families, {first['flagged']:,} put forward")
    teller.step("A year on: families were referred by the usual route.", county.later)
    again = ("council", "prepare", county.extract)
    teller.step("The council sends that extract anew.", lambda: story.agent(*again))
    teller.step("It goes to the hub.", lambda: story.agent("council", "submit", "--all"))
    second = teller.step("The hub links again.", lambda: _linked(story, "now"))
    teller.say(f"{second['families']:,} families, {second['flagged']:,} put forward")
    return {"then": first, "now": second}


def _linked(story: Story, name: str) -> dict[str, Any]:
    """A run, and what an analyst exports of it."""
    done = story.person("analyst", "linkage-hub", "runs", "start", "--agreement", story.agreement,
                        "--no-questions", "--mode", "fast", "--wait")  # fmt: skip
    out = story.site.root / name
    story.person("analyst", "linkage-hub", "runs", "export", done["id"], "--out", out)
    return done


def _learn(teller: Teller, story: Story, needs: list[str]) -> dict[str, Any]:
    root = story.site.root
    rule = root / "rule.yaml"
    rule.write_text(yaml.safe_dump({"needs": needs} | RULE), "utf-8")
    under = ("--agreement", root / "agreement.yaml", "--rule", rule)

    def risk(*words: object) -> dict[str, Any]:
        return run("linkage-hub", "--home", story.site.hub, "--json", "risk", *words)

    model = teller.step(
        "A model is paid for in the ledger, then trained once.",
        lambda: risk("train", root / "then", root / "now", *under, "--outcome", "in_programme",
                     "--out", root / "model.json"),
    )  # fmt: skip
    teller.say(f"{model['families']:,} families, epsilon {model['privacy']['epsilon']:g}")
    joined = {row["family"] for row in _rows(root / "now/families.csv") if _yes(row)}
    lists = {}
    for name, more in (("rule", ()), ("model", ("--model", root / "model.json"))):
        for when in ("then", "now"):
            risk("list", root / when, *under, *more, "--out", root / f"{when}-{name}.csv")
        listed = _rows(root / f"then-{name}.csv")
        came = sum(row["family"] in joined for row in listed)
        lists[name] = {"listed": len(listed), "came": came}
        teller.say(f"of {len(listed)} families that the {name} would have listed, {came} came")
    purse = risk("budget", story.agreement)
    teller.say(f"{purse['year']}: epsilon {purse['epsilon']:g} of {purse['budget']:g} spent")
    return {"model": model, "lists": lists, "purse": purse}


def _yes(row: dict[str, str]) -> bool:
    """Whether a family of an export is in the programme."""
    return row["in_programme"] in {"1", "True"}


if __name__ == "__main__":
    app()
