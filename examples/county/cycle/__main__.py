"""``python -m examples.county.cycle``: the programme's months, every program a real process."""

import json
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from examples.county.cycle.county import County, next_county, write_month
from examples.county.cycle.kept import families_kept, persons_kept
from examples.county.cycle.standing import (
    begin,
    criteria_of,
    exports_of,
    first_story,
    is_kept,
    month_of,
    resumed,
    stands,
)
from examples.county.demo.__main__ import Teller
from examples.county.demo.site import Site, agents, found, place, services
from examples.county.demo.story import Story
from examples.county.demo.truth import Referee, as_figures
from examples.county.generate import DEFAULT_SEED, generate

LEAST_KEPT = {"persons": 0.95, "families": 0.90}
"""Shares of ids that have to be kept; at 6,000 persons .998 and .993 were."""
app = typer.Typer(add_completion=False)


class CycleFailed(Exception):
    """Something is not as the cycle promises."""


@app.command()
def cycle(
    persons: Annotated[int, typer.Option(help="people in a new county", min=600)] = 6_000,
    months: Annotated[
        int | None, typer.Option(help="how many; without it 2, or 1 more", min=1, max=12)
    ] = None,
    seed: Annotated[int, typer.Option(help="another seed, another county")] = DEFAULT_SEED,
    keep: Annotated[
        Path | None,
        typer.Option(help="keep everything in this new folder, or go on with a county kept there"),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write figures here")] = None,
    questions: Annotated[
        bool, typer.Option(help="let the hub ask the agents about pairs of records")
    ] = True,
) -> None:
    """New extracts every month: link again, ids kept, the report, the change since last month."""
    if keep is not None and is_kept(keep):
        figures = go_on(Site(keep), months or 1, questions=questions)
    else:
        with place(keep) as site:
            figures = tell(site, persons, seed, months or 2, questions=questions)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def tell(
    site: Site, persons: int, seed: int, months: int, *, questions: bool = True
) -> list[dict[str, Any]]:
    """All months; returns the figures of each.

    Raises:
        CycleFailed, CommandFailed: a promise was not kept.
    """
    teller = Teller()
    county = teller.step(
        "A synthetic county, with the council's cases of families in the programme.",
        lambda: _generated(site, persons, seed),
    )
    teller.step("Every party makes its keys; a consent ledger begins.", lambda: found(site))
    with services(site) as addresses:
        story = first_story(site, addresses, refine=questions)
        teller.step("Partners connect and mirror the ledger.", story.connect)
        teller.step("They sign the agreement, details of the programme in it.", story.agree)
        teller.step("They share the linkage secret.", story.share_secret)
        teller.step("The council enrols its staff.", story.enrol_staff)
        with agents(site):
            figures = [month(teller, story, county)]
            for _ in range(1, months):
                county = next_county(county)
                figures.append(month(teller, story, county))
    teller.say(f"\nDone in {time.monotonic() - teller.began:.1f} s.")
    return figures


def go_on(site: Site, months: int, *, questions: bool = True) -> list[dict[str, Any]]:
    """Further months of a county that was kept; returns the figures of each. Raises as `tell`."""
    teller = Teller()
    county = teller.step("A county that was kept.", lambda: stands(site))
    figures = []
    with services(site) as addresses:
        story = resumed(site, addresses, refine=questions)
        teller.step("Partners connect to where ledger and hub are now.", story.connect)
        with agents(site):
            for _ in range(months):
                county = next_county(county)
                figures.append(month(teller, story, county))
    teller.say(f"\nDone in {time.monotonic() - teller.began:.1f} s.")
    return figures


def _generated(site: Site, persons: int, seed: int) -> County:
    """The county of ``make demo``, its extracts with what is told beside needs."""
    generate(persons, seed, site.county)
    return begin(site, persons, seed)


def month(teller: Teller, story: Story, county: County) -> dict[str, Any]:
    """Extracts to report; returns what was measured.

    Raises:
        CycleFailed, CommandFailed: a promise was not kept.
    """
    site, number = story.site, county.number
    began = time.monotonic()
    files = None
    if number:
        folder = month_of(site, number)
        files = write_month(county, folder / "partners", folder / "truth", date.today())  # noqa: DTZ011
    prepared = teller.step(
        f"Month {number}: {len(county.due)} of {len(county.extracts)} sources send an extract, "
        "cleaned and hashed by their partners.",
        lambda: story.prepare(files),
    )
    teller.step("The encodings go to the hub.", story.submit)
    linked = teller.step(
        "The hub links them again." if number else "The hub links them.",
        lambda: story.link(f"month-{number}/exports"),
    )
    teller.say(
        f"{linked['records']} records became {linked['persons']} persons and "
        f"{linked['families']} families; {linked['flagged']} are put forward"
    )
    report = teller.step("The analyst's report of the month.", lambda: _report(story, number))
    truths = [month_of(site, each) / "truth" for each in range(number + 1)]
    referee = Referee.of(site, *truths)
    figures: dict[str, Any] = {
        "month": number,
        "rows": sum(source["rows"] for source in prepared),
        "run": linked,
        "persons": as_figures(referee.persons(month_of(site, number) / "exports")),
        "report": report,
    }
    if number:
        figures |= _kept(teller, site, number, referee)
    _say(teller, report)
    figures["seconds"] = round(time.monotonic() - began, 1)
    return figures


def _report(story: Story, number: int) -> dict[str, Any]:
    """``linkage-hub programme report``, as a county's own job would run it every month."""
    answer = story.person(
        "analyst", "linkage-hub", "programme", "report", "--run", story.run_id,
        "--agreement", story.site.root / "agreement.yaml", "--catalogue", criteria_of(story.site),
        "--out", month_of(story.site, number) / "report",
    )  # fmt: skip
    found: dict[str, Any] = answer["report"]
    return found


def _kept(teller: Teller, site: Site, number: int, now: Referee) -> dict[str, Any]:
    """Say how many ids were kept, by the truth."""
    exports = [exports_of(site, each) for each in (number - 1, number)]
    people = persons_kept(exports[0], exports[1], now)
    then = now.families_in(month_of(site, number - 1) / "truth")
    families = families_kept(exports[0], exports[1], now, then)
    for what, each in (("persons", people), ("families of the same people", families)):
        teller.say(
            f"of {each.both} {what} with records in both months {each.share:.2%} kept their id; "
            f"{each.merged} ids took in others, {each.split} were split, {each.new} are new"
        )
    kept = {"persons": people, "families": families}
    for what, which in kept.items():
        if which.share < LEAST_KEPT[what]:
            raise CycleFailed(f"too few {what} kept their id: {which.share:.1%}")
    return {"kept": {what: asdict(each) | {"share": each.share} for what, each in kept.items()}}


def _say(teller: Teller, report: dict[str, Any]) -> None:
    members, claims, forward = report["membership"], report["claims"], report["forward"]
    if forward is not None:
        teller.say(
            f"in the programme {members['worked_with']}: {members['stayed']} as before, "
            f"{members['joined']} joined, {members['new_families']} not known before; of "
            f"{members['before']} the month before {members['left']} left, of "
            f"{members['not_told']} nobody says any more"
        )
        added, dropped = (sum(forward[name].values()) for name in ("added", "dropped"))
        teller.say(
            f"put forward {forward['now']}: {added} that were not, {dropped} no longer "
            f"({forward['dropped']['joined_programme']} joined the programme, "
            f"{forward['dropped']['needs_resolved']} by needs that are known to be met no longer, "
            f"{forward['dropped']['needs_unknown']} of which nobody speaks any more)"
        )
    else:
        teller.say(f"in the programme {members['worked_with']}; no month before")
    teller.say(
        f"{claims['full']} claims may be made of {claims['scope']} families; one need stands in "
        f"the way of {claims['one_bar']}, several of {claims['several_bars']}; without a claim a "
        f"distance has become less for {claims['travelled']}"
    )


if __name__ == "__main__":
    app()
