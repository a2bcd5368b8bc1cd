"""A county whose months can go on: what is told beside needs, its catalogue, where it stands."""

import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

from examples.county.cycle.cases import with_details
from examples.county.cycle.county import County, first_county, next_county, write_month
from examples.county.demo.site import Addresses, Site
from examples.county.demo.story import Story
from governance.agreements.files import read_agreement
from linkage_hub.cli.catalogue import PACKAGE

CATALOGUE: Final = "local-example"


def month_of(site: Site, number: int) -> Path:
    """Folder of a month's extracts, its truth and its report."""
    return site.root / f"month-{number}"


def exports_of(site: Site, number: int) -> Path:
    """A month's exported files; those of the first may be the demo's."""
    own = month_of(site, number) / "exports"
    return own if number or own.exists() else site.root / "exports"


def criteria_of(site: Site) -> Path:
    """The catalogue as a file of the council's own, which the agreement names by its hash."""
    return site.root / "criteria.yaml"


def is_kept(folder: Path) -> bool:
    """Whether a folder holds a county whose months can go on."""
    return _note(Site(folder)).is_file()


def begin(site: Site, persons: int, seed: int) -> County:
    """A generated county's extracts, with what is told beside needs."""
    county = first_county(persons, seed)
    write_month(county, site.county / "partners", month_of(site, 0) / "truth", date.today())  # noqa: DTZ011
    shipped = files(PACKAGE) / "catalogues" / f"{CATALOGUE}.yaml"
    criteria_of(site).write_bytes(shipped.read_bytes())
    _note(site).write_text(json.dumps({"persons": persons, "seed": seed}) + "\n", "utf-8")
    return county


def first_story(site: Site, at: Addresses, *, refine: bool) -> Story:
    """The story of a county that was begun."""
    return Story(
        site,
        at,
        refine=refine,
        adjust=with_details,
        criteria=criteria_of(site),
        truths=(month_of(site, 0) / "truth",),
    )


def stands(site: Site) -> County:
    """The county as it is after the last month that has a report."""
    note = json.loads(_note(site).read_text("utf-8"))
    county = first_county(note["persons"], note["seed"])
    while (month_of(site, county.number + 1) / "report").exists():
        county = next_county(county)
    return county


def resumed(site: Site, at: Addresses, *, refine: bool) -> Story:
    """The story of a kept county, whose agreement is in force."""
    story = first_story(site, at, refine=refine)
    story.agreement = read_agreement(site.root / "agreement.yaml").hash
    return story


def _note(site: Site) -> Path:
    return site.root / "cycle.json"
