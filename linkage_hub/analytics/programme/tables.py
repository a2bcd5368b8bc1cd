"""A report as tables, the same on its page, in its workbook and in its CSV file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from linkage_hub.analytics.programme.claims import BARS
from linkage_hub.analytics.programme.models import (
    ClaimsFigures,
    DistanceFigures,
    ForwardFigures,
    ListedFamily,
    Membership,
    Named,
    ProgrammeReport,
    SourceFacts,
)
from linkage_hub.analytics.programme.words import words

Cell = str | int
_MOVED: Final = {
    "nearer": "now nearer",
    "same": "now in the same band",
    "farther": "now farther",
    "unknown": "not known, then or now",
}
_NOBODY: Final = "no month before"


@dataclass(frozen=True)
class Figures:
    """One table.

    Attributes:
        id: short, a sheet's name.
        note: what it counts.
        listed: whether its lines are families, and not counts.
    """

    id: str
    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    listed: bool = False


def tables_of(report: ProgrammeReport) -> list[Figures]:
    """Every table of a report, in order."""
    found = [_membership(report.membership), *_claims(report.claims)]
    found += [_distance(each) for each in report.distances]
    if report.forward is not None:
        found += _forward(report.forward)
    return [*found, _sources(report.sources)]


def _membership(found: Membership) -> Figures:
    lines = {
        "In the programme": found.worked_with,
        "of these, also the month before": found.stayed,
        "of these, joined since": found.joined,
        "of these, families not known before": found.new_families,
        "In the programme the month before": found.before,
        "of these, still in it": found.still_in,
        "of these, left": found.left,
        "of these, nobody says any more": found.not_told,
        "of these, no record any more": found.gone,
        "Left it lately, as its own source says": found.left_lately,
    }
    rows = [(words_, _number(count)) for words_, count in lines.items()]
    rows += [(f"In it now, joined {words_}", count) for words_, count in _spelt(found.time)]
    return Figures(
        "membership",
        "Families worked with",
        "Families are followed by their people, also where two became one or one became two.",
        ("", "families"),
        tuple(rows),
    )


def _claims(found: ClaimsFigures) -> Iterator[Figures]:
    lines = {
        "In the programme, or left it lately": found.scope,
        "of these, a claim may be made": found.full,
        "of these, one need stands in the way": found.one_bar,
        "of these, several needs stand in the way": found.several_bars,
        "of these, no need was there at the start": found.nothing_at_start,
        "A claim may be made that could not be the month before": found.new,
        "Without a claim, but a distance has become less": found.travelled,
    }
    yield Figures(
        "claims",
        "Claims",
        "A claim needs each need of the start to be known as resolved, and to have stayed so. "
        "What is not known is never taken for resolved.",
        ("", "families"),
        tuple((words_, _number(count)) for words_, count in lines.items()),
    )
    yield Figures(
        "claims-by-need",
        "What is claimed for, and what stands in the way",
        "A family with several needs in the way is in several lines.",
        ("need", "at the start", "claimed for", *map(words, BARS), "distance has become less"),
        tuple(
            (each.title, each.at_start, each.claimed, *each.bars.values(), each.travelled)
            for each in found.needs
        ),
    )
    yield Figures(
        "sole-reason",
        "The one thing that stands in the way",
        "Families of which one need, and nothing else, stands in the way: each is in one cell.",
        ("need", *map(words, BARS), "all"),
        tuple((each.title, *each.sole.values(), sum(each.sole.values())) for each in found.needs),
    )


def _distance(found: DistanceFigures) -> Figures:
    bands = [
        (words(name), found.at_start[name], _number(_of(found.before, name)), count)
        for name, count in found.now.items()
    ]
    moved = [
        (
            _MOVED[name],
            count,
            _number(_of(found.since_before, name)),
            "",
        )
        for name, count in found.since_start.items()
    ]
    return Figures(
        f"distance-{found.need}"[:31],
        f"{found.title}: {found.measure} ({found.unit})",
        "Families in the programme by band; a family is as far as the farthest of its members. No "
        "partner sends a number.",
        ("", "when it joined", "the month before", "now"),
        (*bands, *moved),
    )


def _forward(found: ForwardFigures) -> Iterator[Figures]:
    rows: list[tuple[Cell, ...]] = [
        ("Put forward now", found.now),
        ("of these, also the month before", found.stayed),
        *((f"of these, new: {name}", count) for name, count in _spelt(found.added)),
        ("Put forward the month before", found.before),
        ("of these, still", found.kept),
        *((f"of these, no longer: {name}", count) for name, count in _spelt(found.dropped)),
    ]
    yield Figures(
        "change",
        "Families put forward, and what changed",
        "For professional consideration; nothing is decided by this list.",
        ("", "families"),
        tuple(rows),
    )
    yield Figures(
        "needs",
        "Needs that changed",
        "All families that both months know of, put forward or not.",
        ("need", "met now", "of these, nobody spoke of it before", "met no longer",
         "of these, nobody speaks of it now"),
        tuple(
            (each.title, each.came, each.known_since, each.went, each.silent)
            for each in found.needs
        ),
    )  # fmt: skip
    for id_, title, families in (
        ("put-forward", "Families put forward that were not", found.added_families),
        ("no-longer", "Families no longer put forward", found.dropped_families),
    ):
        yield Figures(
            id_, title, "", ("family", "why", "needs that changed", "of these, not known"),
            tuple(_family(each) for each in families), listed=True,
        )  # fmt: skip


def _family(each: ListedFamily) -> tuple[Cell, ...]:
    return (each.family, words(each.reason), ", ".join(each.needs), ", ".join(each.unknown))


def _sources(found: Sequence[SourceFacts]) -> Figures:
    return Figures(
        "sources",
        "How fresh the data are",
        "Days are counted on the day of this report.",
        ("source", "party", "extracted on", "days old", "records", "in the newest run",
         "since the month before"),
        tuple(
            (
                each.source, each.party, each.extracted_on or "", _number(each.age_days, ""),
                _number(each.records, ""), "yes" if each.in_newest_run else "no",
                {True: "new", False: "the same", None: ""}[each.new],
            )
            for each in found
        ),
    )  # fmt: skip


def _spelt(named: Named) -> Iterator[tuple[str, int]]:
    for code, count in named.items():
        yield words(code), count


def _of(named: Named | None, name: str) -> int | None:
    return None if named is None else named[name]


def _number(count: int | None, nothing: str = _NOBODY) -> Cell:
    return nothing if count is None else count
