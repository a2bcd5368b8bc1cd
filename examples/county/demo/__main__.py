"""``python -m examples.county.demo``: the main job, told step by step."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from examples.county.cycle.standing import begin, first_story
from examples.county.demo.again import COUNCIL, STAFF, Ports
from examples.county.demo.agreement import PARTNERS
from examples.county.demo.search import find
from examples.county.demo.site import Site, agents, audited, found, place, services
from examples.county.demo.story import Story
from examples.county.demo.truth import Referee, as_figures
from examples.county.generate import DEFAULT_SEED, generate

Result = TypeVar("Result")
SAID = 3
"""Needs that are named of an area."""
app = typer.Typer(add_completion=False)


class Teller:
    """Says what happens, and how long it took."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._number = 0
        self.began = time.monotonic()

    def step(self, words: str, do: Callable[[], Result]) -> Result:
        """Say a step, do it, say its time."""
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {words}[/bold]")
        began = time.monotonic()
        result = do()
        self._console.print(f"   ({time.monotonic() - began:.1f} s)", style="dim")
        return result

    def say(self, words: str) -> None:
        """Say what came out."""
        self._console.print(f"   {words}", markup=False)


class DemoFailed(Exception):
    """Something is not as the demo promises."""


@app.command()
def demo(
    persons: Annotated[int, typer.Option(help="people in the county", min=600)] = 6_000,
    seed: Annotated[int, typer.Option(help="another seed, another county")] = DEFAULT_SEED,
    keep: Annotated[Path | None, typer.Option(help="keep everything in this new folder")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write figures here")] = None,
    questions: Annotated[
        bool, typer.Option(help="let the hub ask the agents about pairs of records")
    ] = True,
    programme: Annotated[
        bool, typer.Option(help="with the council's cases, so that make cycle can go on with it")
    ] = False,
) -> None:
    """Run the main job on a synthetic county, every program as a process of its own."""
    with place(keep) as site:
        figures = tell(
            site, persons, seed, questions=questions, programme=programme, kept=keep is not None
        )
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def tell(
    site: Site,
    persons: int,
    seed: int,
    *,
    questions: bool = True,
    programme: bool = False,
    kept: bool = False,
) -> dict[str, Any]:
    """The whole story; returns its figures.

    Raises:
        DemoFailed, CommandFailed: a promise was not kept.
    """
    teller = Teller()
    figures: dict[str, Any] = {}
    summary = teller.step(
        "A synthetic county is made, with four partners and twenty source systems.",
        lambda: generate(persons, seed, site.county),
    )
    teller.say(
        f"{summary.persons} people at {summary.addresses} addresses; {summary.records} records"
    )
    if programme:
        begin(site, persons, seed)
    teller.step("Every party makes its keys; a consent ledger begins.", lambda: found(site))
    with services(site) as addresses:
        begun = first_story if programme else Story
        story = begun(site, addresses, refine=questions)
        _set_up(teller, story)
        with agents(site):
            figures |= _process(teller, story)
            opened = _release(teller, story)
            _withdraw(teller, story, opened)
        ledger = story.verify_ledger()
        teller.say(f"the ledger holds {ledger['size']} events, and every one of them counts")
        teller.step(
            "The lead makes a pack of evidence about the approach, and exports the whole ledger.",
            lambda: story.make_evidence(opened["request"]),
        )
    figures["evidence"] = _audit(teller, site)
    figures["canaries_found"] = _search(teller, site, opened["sheet"])
    figures["ledger_events"] = ledger["size"]
    figures["seconds"] = round(time.monotonic() - teller.began, 1)
    teller.say(f"\nDone in {figures['seconds']} s.")
    _say_what_next(teller, site, kept=kept)
    return figures


def _say_what_next(teller: Teller, site: Site, *, kept: bool) -> None:
    """Which address to open, and how to sign in as each of the users."""
    home = site.root if kept else Path("county")
    if not kept:
        teller.say(
            f"make demo KEEP={home}: the same, with every file and log kept in {home}/. Then"
        )
    teller.say(
        f"make serve KEEP={home}: brings it up again, with the council's pages at "
        f"http://localhost:{Ports().console}"
    )
    for role, name in STAFF.items():
        teller.say(
            f"  {name}, {role.replace('_', ' ')}: by the link that it prints, with a passkey"
        )
    teller.say(
        f"  the public register, without signing in: http://localhost:{Ports().console}/register"
    )
    teller.say(
        f"  a data officer, beside it: .venv/bin/partner-agent --home {home}/partners/{COUNCIL} "
        "console"
    )


def _set_up(teller: Teller, story: Story) -> None:
    teller.step("Each partner pins the ledger's key and mirrors the ledger.", story.connect)
    teller.step(
        "The partners read the data-sharing agreement, and each signs its hash.", story.agree
    )
    teller.say(f"agreement {story.agreement}, in force and in the ledger")
    teller.step(
        "The police make the linkage secret and seal it to each partner; the hub relays it blind.",
        story.share_secret,
    )
    teller.step(
        "The council enrols an information-governance lead, a service manager, an analyst.",
        story.enrol_staff,
    )


def _process(teller: Teller, story: Story) -> dict[str, Any]:
    prepared = teller.step(
        "Each partner cleans its extracts and hashes them, on its own machine.", story.prepare
    )
    counts = {
        name: sum(source[name] for source in prepared)
        for name in ("rows", "submitted", "rejected", "opted_out")
    }
    teller.say(
        f"{counts['rows']} rows: {counts['submitted']} encoded, {counts['rejected']} rejected, "
        f"{counts['opted_out']} left out by opt-out"
    )
    submitted = teller.step(
        "The encodings go to the hub, signed; the hub verifies each submission.", story.submit
    )
    teller.say(f"{len(submitted)} of {len(prepared)} submissions accepted")
    consents = teller.step(
        "Each partner records in the ledger what the people whom it met decided.",
        story.record_consents,
    )
    teller.say(
        f"{sum(c['recorded'] for c in consents)} decisions recorded, "
        f"{sum(c['withdrawn'] for c in consents)} withdrawn since"
    )
    traffic = story.site.logs / "hub-traffic.bin"
    before = traffic.stat().st_size
    linked = teller.step(
        "The hub asks the partners' agents about pairs that encodings leave open, and links "
        "records into persons and families."
        if story.refine
        else "The hub links the encodings into persons and families.",
        story.link,
    )
    asked = None
    if story.refine:
        asked = _questions(teller, story, linked, traffic.stat().st_size - before)
    referee = Referee.of(story.site, *story.truths)
    teller.say(
        f"{linked['records']} records became {linked['persons']} persons and "
        f"{linked['families']} families; {linked['flagged']} have at least two needs"
    )
    measured = teller.step(
        "The partners have told which rows stood for nobody; those are gone, and measured by.",
        story.quality,
    )[0]
    teller.say(
        f"{sum(item['synthetic'] for item in prepared)} rows were of people who do not exist; of "
        f"{measured['sentinel_pairs']} pairs of them {measured['sentinel_recall']['value']:.1%} "
        "were found"
    )
    areas = by_area(
        teller.step("The analyst counts needs by area, team and length of engagement.", story.needs)
    )
    for line in areas:
        teller.say(line)
    record = teller.step(
        "The council writes the tool's Algorithmic Transparency Record from what was agreed.",
        story.transparency,
    )
    teller.say(
        f"its list is named by hash; {len(record['missing'])} fields are left to the council to say"
    )
    persons = as_figures(referee.persons(story.site.root / "exports"))
    flags = referee.flags(story.site.root / "exports")
    teller.say(
        f"against the truth: pairs of records precision {persons['precision']:.3f}, recall "
        f"{persons['recall']:.3f} (the hub's own estimate, without truth: "
        f"{linked['estimated_precision']:.3f}, {linked['estimated_recall']:.3f})"
    )
    teller.say(
        f"of {flags['should_be']} families in the county whose records show two needs, "
        f"{flags['found']} were put forward; of {flags['flagged']} put forward, "
        f"{flags['have_needs']} have two needs, {flags['have_left']} of them have left the county "
        "though some record still places them there"
    )
    return {
        "rows": counts,
        "persons": persons,
        "questions": asked,
        "flags": flags,
        "areas": len(areas),
        "run": linked,
    }


def by_area(tables: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What the needs' tables say of each area, one line each; what they hide is not there."""
    often: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in tables["area-needs"]:
        if isinstance(row["met"], int):
            often[row["area"]].append((row["met"], row["need"]))
    lines = []
    for row in tables["area-families"]:
        most = sorted(often[row["area"]], reverse=True)[:SAID]
        needs = "".join(f"; {need} {met}" for met, need in most)
        name = "area " + row["area"].replace("area_", "")
        forward = row["put forward"]
        lines.append(f"{name}: {row['families']} families, put forward: {forward}{needs}")
    return lines


def _questions(
    teller: Teller, story: Story, linked: dict[str, Any], traffic_bytes: int
) -> dict[str, Any]:
    """Say what the partners were asked in a run; returns the figures."""
    notes = [note for note in story.questions() if note["run"] == linked["id"]]
    refused: Counter[str] = Counter()
    for note in notes:
        refused.update(note["refused"])
    asked, answered = linked["pairs_asked"], linked["pairs_answered"]
    a_record = asked / linked["records"] if linked["records"] else 0.0
    teller.say(
        f"{asked} questions in {len({note['kind'] for note in notes})} rounds, "
        f"{a_record:.1f} a record; {answered} answered, "
        f"{traffic_bytes / 1_000_000:.1f} MB on the wire; "
        f"{linked['pairs_undecided']} pairs stay undecided"
    )
    if refused:
        words = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
        teller.say(f"the agents refused {words}")
    return {
        "asked": asked,
        "answered": answered,
        "refused": dict(refused),
        "a_record": round(a_record, 2),
        "bytes": traffic_bytes,
        "undecided": linked["pairs_undecided"],
    }


def _release(teller: Teller, story: Story) -> dict[str, Any]:
    families = teller.step(
        "The service manager looks at families under pseudonyms.", story.families
    )
    willing = [family for family in families if family["may_be_approached"]]
    teller.say(f"{len(families)} families put forward; {len(willing)} have agreed to be approached")
    if not willing:
        raise DemoFailed("no family may be approached")
    family = max(willing, key=lambda item: (item["members"], item["needs_met"]))["family"]
    request = teller.step(
        "The manager asks for one of them; the IG lead reads the request and approves.",
        lambda: _asked(story, family),
    )
    view = teller.step(
        "The partners that captured the consents check the ledger themselves, and seal.",
        lambda: story.wait_for(request, {"answered", "refused"}),
    )
    sealed = [answer["party"] for answer in view["answers"] if answer["state"] == "sealed"]
    if view["state"] != "answered":
        raise DemoFailed(f"the release was refused: {view['reason']}")
    sheet, records = story.open(request)
    names = sorted({record["items"].get("surname", "") for record in records} - {""})
    teller.say(
        f"{', '.join(sealed)} sealed {len(records)} records; only the manager's key opened them: "
        f"the {' / '.join(names)} family"
    )
    return {"family": family, "request": request, "sheet": sheet, "view": view}


def _asked(story: Story, family: str) -> str:
    request: str = story.ask(family)["id"]
    story.approve(request)
    return request


def _withdraw(teller: Teller, story: Story, opened: dict[str, Any]) -> None:
    party, grant = story.one_grant(opened["view"])
    request = teller.step(
        "The manager asks once more. Before the partners are asked, one person of the family "
        "withdraws; the lead, who has not heard, approves.",
        lambda: story.ask_then_withdraw(opened["family"], party, grant),
    )
    view = story.wait_for(request, {"answered", "refused"})
    refusals = {a["party"]: a["reason"] for a in view["answers"] if a["state"] == "refused"}
    if view["state"] != "refused" or not refusals:
        raise DemoFailed("the withdrawal did not stop the release")
    teller.say(
        f"withdrawn at {PARTNERS[party]}; refused by "
        + ", ".join(f"{name} ({reason})" for name, reason in refusals.items())
    )
    answer = story.ask(opened["family"], fails=True)
    teller.say(f"asked again, the hub says: {answer['refused'].splitlines()[0]}")


def _audit(teller: Teller, site: Site) -> dict[str, Any]:
    """Say what an auditor has proved; returns its figures."""
    pack, ledger = teller.step(
        "Every program has ended. An auditor verifies both, from files and public keys alone.",
        lambda: audited(site),
    )
    teller.say(
        f"the pack's {pack['entries']} entries are in the ledger that {len(pack['witnessed'])} "
        "partners cosigned, and none about this approach was left out"
    )
    teller.say(
        f"the export's {ledger['size']} events lead to the root that "
        f"{len(ledger['witnessed'])} partners cosigned, and every one of them counts"
    )
    return {
        "entries": pack["entries"],
        "compared": pack["compared_with_whole_ledger"],
        "events": ledger["size"],
        "witnesses": len(ledger["witnessed"]),
    }


def _search(teller: Teller, site: Site, sheet: Path) -> int:
    needles = json.loads((site.county / "canaries.json").read_text("utf-8"))["needles"]
    places = [site.hub, site.ledger, site.logs, site.audit, site.root / "exports"]
    leaks = teller.step(
        "Names planted in every extract are searched for: hub, ledger, logs, recorded traffic, "
        "evidence.",
        lambda: find(needles, places),
    )
    control = {text for _, text in find(needles, [site.county / "partners", sheet])}
    if not control:
        raise DemoFailed("the search does not even find the names in the extracts")
    if leaks:
        where = sorted({str(path.relative_to(site.root)) for path, _ in leaks})
        raise DemoFailed(f"names leaked into {', '.join(where)}")
    teller.say(
        f"{len(needles)} strings sought in every form; none found there, {len(control)} found in "
        "the extracts and the opened release"
    )
    return len(leaks)


if __name__ == "__main__":
    app()
