"""The page of a pack: one HTML file without script or outside files, made for print as well.

It is a function of the pack's evidence and entries alone, so that a verifier makes it anew and
compares it byte for byte.
"""

from collections.abc import Sequence

from jinja2 import Template

from governance.evidence.case import Placed
from governance.evidence.models import Approach, Evidence
from governance.evidence.period_models import PeriodEvidence
from governance.evidence.words import words
from governance.pages import page_template


def render(evidence: Evidence, entries: Sequence[Placed], note: str) -> str:
    """The page of one approach."""
    return _template("approach.html").render(
        evidence=evidence,
        approach=evidence.approach,
        verdict=_verdict(evidence.approach),
        unknown=any(
            check.erased for moment in evidence.approach.moments for check in moment.checks
        ),
        entries=entries,
        note=note,
    )


def render_period(evidence: PeriodEvidence, note: str) -> str:
    """The page of a period."""
    period = evidence.period
    released = sum(
        answer.released > 0 for approach in period.approaches for answer in approach.answers
    )
    return _template("period.html").render(
        evidence=evidence, period=period, released=released, note=note
    )


def _template(name: str) -> Template:
    """A template of this package."""
    return page_template(
        "governance.evidence", name, words=words, day=_day, spaced=_spaced, counts=_counts
    )


def _day(time: str) -> str:
    """A time as an auditor reads it."""
    return time.replace("T", " ").removesuffix("Z") + " UTC"


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {_spaced(name)}" for name, number in counts.items()) or "nothing"


def _verdict(approach: Approach) -> tuple[bool, list[str]]:
    """Whether every answer agrees with the rules looked at again, and where one does not."""
    doubts = []
    for moment in approach.moments:
        failed = [check for check in moment.checks if check.reason]
        sealed = any(
            answer.party == moment.party and answer.answer == "sealed"
            for answer in approach.answers
        )
        if failed and (moment.what == "approval" or sealed):
            what = "approved" if moment.what == "approval" else "released"
            doubts += [f"{moment.party} {what} although {words(each.reason)}" for each in failed]
    return not doubts, doubts
