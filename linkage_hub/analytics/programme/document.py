"""A programme's month as a report to read: the same figures, a part each."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from governance.canonical import hash_of
from governance.reports.models import Bar, Bars, Cell, Highlight, Part, Report, Table
from linkage_hub.analytics.programme.claims import BARS
from linkage_hub.analytics.programme.models import (
    ClaimsFigures,
    DistanceFigures,
    ForwardFigures,
    ListedFamily,
    Membership,
    Named,
    NeedClaims,
    ProgrammeReport,
    SourceFacts,
)
from linkage_hub.analytics.programme.words import words

NOTE: Final = (
    "Exact figures and pseudonyms, for staff whom the agreement allows to analyse; not for "
    "publication. What is not known is never counted as unmet."
)
_MOVED: Final = {
    "nearer": "now nearer",
    "same": "now in the same band",
    "farther": "now farther",
    "unknown": "not known, then or now",
}
_CLAIMED, _CAME, _WENT = "claimed for", "met now", "met no longer"
_TIMES: Final = ("when it joined", "the month before", "now")
_LONGEST: Final = 1_000  # characters of a heading


def document_of(report: ProgrammeReport) -> Report:
    """A report to read, of a programme's report."""
    runs = [each for each in (report.before, report.run) if each is not None]
    return Report(
        kind="programme",
        title="Programme report",
        lead=(_lead(report), NOTE),
        agreement=report.agreement,
        runs=tuple(each.id for each in runs),
        made_on=report.written_on,
        program=report.program.code,
        inputs={"criteria": report.catalogue_hash, "report.json": hash_of(report)},
        highlights=(
            Highlight(name="families worked with", count=report.membership.worked_with),
            Highlight(name="claims that may be made", count=report.claims.full),
            Highlight(name="one need in the way", count=report.claims.one_bar),
            Highlight(name="put forward", count=report.run.put_forward),
        ),
        parts=tuple(_parts(report)),
    )


def _lead(report: ProgrammeReport) -> str:
    said = (
        f"{report.title}. Written on {report.written_on} of run {report.run.id[:8]}, finished "
        f"{report.run.finished[:10]}"
    )
    if report.before is not None:
        said += f", beside run {report.before.id[:8]}, finished {report.before.finished[:10]}"
    return f"{said}. Criteria: {report.catalogue}."


def _parts(report: ProgrammeReport) -> Iterator[Part]:
    yield _membership(report.membership)
    yield from _claims(report.claims)
    for each in report.distances:
        yield _distance(each)
    if report.forward is not None:
        yield from _forward(report.forward)
    yield _sources(report.sources)
    if report.forward is not None:  # at the end, for whoever prints without them
        yield from _lists(report.forward)


def _membership(found: Membership) -> Part:
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
    return _part(
        "membership",
        "Families worked with",
        note="Families are followed by their people, also where two became one or one became two.",
        headings=("", "families"),
        rows=tuple(rows),
    )


def _claims(found: ClaimsFigures) -> Iterator[Part]:
    lines = {
        "In the programme, or left it lately": found.scope,
        "of these, a claim may be made": found.full,
        "of these, one need stands in the way": found.one_bar,
        "of these, several needs stand in the way": found.several_bars,
        "of these, no need was there at the start": found.nothing_at_start,
        "A claim may be made that could not be the month before": found.new,
        "Without a claim, but a distance has become less": found.travelled,
    }
    yield _part(
        "claims",
        "Claims",
        note=(
            "A claim needs each need of the start to be known as resolved, and to have stayed "
            "so. What is not known is never taken for resolved."
        ),
        headings=("", "families"),
        rows=tuple((words_, _number(count)) for words_, count in lines.items()),
    )
    bars = tuple(map(words, BARS))
    yield _part(
        "claims-by-need",
        "What is claimed for, and what stands in the way",
        note="A family with several needs in the way is in several lines.",
        headings=("need", "at the start", _CLAIMED, *bars, "distance has become less"),
        rows=tuple(
            (each.title, each.at_start, each.claimed, *_bars_of(each.bars), each.travelled)
            for each in found.needs
        ),
        chart=_claims_chart(found.needs),
    )
    yield _part(
        "sole-reason",
        "The one thing that stands in the way",
        note=(
            "Families of which one need, and nothing else, stands in the way: each is in one cell."
        ),
        headings=("need", *bars, "all"),
        rows=tuple(
            (each.title, *_bars_of(each.sole), sum(each.sole.values())) for each in found.needs
        ),
    )


def _claims_chart(needs: Sequence[NeedClaims]) -> Bars:
    return _bars(
        "What is claimed for and what stands in the way, by need",
        {each.title: (each.claimed, *_bars_of(each.bars)) for each in needs},
        (_CLAIMED, *map(words, BARS)),
        stacked=True,
    )


def _bars_of(named: Named) -> Iterator[int]:
    """In the order of headings, which a report that was read from JSON does not have."""
    return (named[name] for name in BARS)


def _distance(found: DistanceFigures) -> Part:
    bands = [
        (words(name), found.at_start[name], _number(_of(found.before, name)), count)
        for name, count in found.now.items()
    ]
    moved = [
        (_MOVED[name], count, _number(_of(found.since_before, name)), "")
        for name, count in found.since_start.items()
    ]
    return _part(
        f"distance-{found.need}",
        textwrap.shorten(f"{found.title}: {found.measure} ({found.unit})", _LONGEST),
        note=(
            "Families in the programme by band; a family is as far as the farthest of its members. "
            "No partner sends a number."
        ),
        headings=("", *_TIMES),
        rows=(*bands, *moved),
        chart=_distance_chart(found),
    )


def _distance_chart(found: DistanceFigures) -> Bars:
    times = dict(zip(_TIMES, (found.at_start, found.before, found.now), strict=True))
    shown = {name: counts for name, counts in times.items() if counts is not None}
    return _bars(
        f"{found.title} by band",
        {words(band): [counts[band] for counts in shown.values()] for band in found.now},
        tuple(shown),
    )


def _forward(found: ForwardFigures) -> Iterator[Part]:
    rows: list[tuple[Cell, ...]] = [
        ("Put forward now", found.now),
        ("of these, also the month before", found.stayed),
        *((f"of these, new: {name}", count) for name, count in _spelt(found.added)),
        ("Put forward the month before", found.before),
        ("of these, still", found.kept),
        *((f"of these, no longer: {name}", count) for name, count in _spelt(found.dropped)),
    ]
    yield _part(
        "change",
        "Families put forward, and what changed",
        note="For professional consideration; nothing is decided by this list.",
        headings=("", "families"),
        rows=tuple(rows),
    )
    yield _part(
            "needs",
            "Needs that changed",
            note="All families that both months know of, put forward or not.",
            headings=(
                "need", _CAME, "of these, nobody spoke of it before", _WENT,
                "of these, nobody speaks of it now",
            ),
            rows=tuple(
                (each.title, each.came, each.known_since, each.went, each.silent)
                for each in found.needs
            ),
        chart=_bars(
            "Needs that changed since the month before",
            {each.title: (each.came, each.went) for each in found.needs},
            (_CAME, _WENT),
        ),
    )  # fmt: skip


def _lists(found: ForwardFigures) -> Iterator[Part]:
    for id_, title, families in (
        ("put-forward", "Families put forward that were not", found.added_families),
        ("no-longer", "Families no longer put forward", found.dropped_families),
    ):
        yield _part(
            id_,
            title,
            headings=("family", "why", "needs that changed", "of these, not known"),
            rows=tuple(_family(each) for each in families),
            listed=True,
        )


def _family(each: ListedFamily) -> tuple[Cell, ...]:
    needs, unknown = (", ".join(ids).replace("_", " ") for ids in (each.needs, each.unknown))
    return (each.family, words(each.reason), needs, unknown)


def _sources(found: Sequence[SourceFacts]) -> Part:
    return _part(
        "sources",
        "How fresh the data are",
        note="Days are counted on the day of this report.",
        headings=(
            "source", "party", "extracted on", "days old", "records", "in the newest run",
            "since the month before",
        ),
        rows=tuple(
            (
                each.source, each.party, each.extracted_on, each.age_days, each.records,
                "yes" if each.in_newest_run else "no",
                {True: "new", False: "the same", None: ""}[each.new],
            )
            for each in found
        ),
    )  # fmt: skip


def _part(
    id_: str,
    title: str,
    headings: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    *,
    note: str = "",
    chart: Bars | None = None,
    listed: bool = False,
) -> Part:
    """A part with one table, under one name."""
    table = Table(
        id=id_,
        title=title,
        notes=(note,) if note else (),
        headings=headings,
        rows=tuple(rows),
        listed=listed,
    )
    return Part(id=id_, heading=title, chart=chart, tables=(table,))


def _bars(
    label: str,
    lines: Mapping[str, Sequence[int]],
    series: tuple[str, ...],
    *,
    stacked: bool = False,
) -> Bars:
    """Families by line: a count a series."""
    points = tuple(
        Bar(line=line, series=name, value=count)
        for line, counts in lines.items()
        for name, count in zip(series, counts, strict=True)
    )
    return Bars(label=label, axis="families", series=series, stacked=stacked, points=points)


def _spelt(named: Named) -> Iterator[tuple[str, int]]:
    for code, count in named.items():
        yield words(code), count


def _of(named: Named | None, name: str) -> int | None:
    return None if named is None else named[name]


def _number(count: int | None) -> Cell:
    return "no month before" if count is None else count
