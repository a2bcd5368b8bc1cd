"""A programme's report (``programme-report/v1``).

Rules: figures are exact, for the staff of an agreement that allows analysis, and never for
publication; families stand under their pseudonyms; every count says what it is a part of, and the
parts add up; unknown is a part of its own.
"""

from typing import Annotated, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128
from governance.exchange.hub_api import Count
from governance.transparency.models import Program

Named = dict[str, Count]


class RunFacts(Frozen):
    """The run that a month is read from."""

    id: Hex128
    finished: str
    families: Count
    put_forward: Count


class Membership(Frozen):
    """Families in the programme.

    Attributes:
        worked_with: in it now; the sum of ``stayed``, ``joined`` and ``new_families`` where there
            is a month before.
        joined: were known before, and not in it.
        new_families: no record of whose people there was before.
        before: in it the month before; the sum of the four below.
        left: known not to be in it now.
        not_told: nobody says any more that they are.
        gone: no record of whose people there is any more.
        left_lately: known by the programme's own source to have left it within its months.
        time: families in it now by the months since they joined, and those of which that is not
            known; the sum is ``worked_with``.
    """

    worked_with: Count
    stayed: Count | None
    joined: Count | None
    new_families: Count | None
    before: Count | None
    still_in: Count | None
    left: Count | None
    not_told: Count | None
    gone: Count | None
    left_lately: Count
    time: Named


class NeedClaims(Frozen):
    """One need, over the families in scope.

    Attributes:
        at_start: families that had it when they joined; ``unknown_at_start``: nobody says.
        claimed: full claims that are made for it, among others.
        bars: families of which it stands in the way, by reason.
        sole: of these, families of which nothing else does, by reason.
        travelled: families without a full claim whose distance is known to have become less.
    """

    need: str
    title: str
    at_start: Count
    unknown_at_start: Count
    claimed: Count
    bars: Named
    sole: Named
    travelled: Count


class ClaimsFigures(Frozen):
    """What may be claimed.

    Attributes:
        scope: families in the programme, and those that left it lately; the sum of the four below.
        full: a claim may be made; ``new``: could not be the month before.
        one_bar, several_bars: needs that stand in the way.
        nothing_at_start: nothing stands in the way, and no need was there to claim for.
        travelled: without a full claim, and a distance has become less.
    """

    scope: Count
    full: Count
    new: Count | None
    one_bar: Count
    several_bars: Count
    nothing_at_start: Count
    travelled: Count
    needs: tuple[NeedClaims, ...]


class DistanceFigures(Frozen):
    """How far families in the programme are from a need's target, by band; ``unknown`` among them.

    Attributes:
        before: the month before; null without one.
        since_start, since_before: nearer, same, farther, unknown.
    """

    need: str
    title: str
    measure: str
    unit: str
    now: Named
    at_start: Named
    before: Named | None
    since_start: Named
    since_before: Named | None


class ListedFamily(Frozen):
    """A family that came on the list or went from it.

    Attributes:
        needs: that changed: met now and not before, or met before and not now.
        unknown: of these, needs of which nobody spoke before, or nobody speaks now.
    """

    family: Annotated[str, Field(pattern=r"^f-[0-9a-f]{32}$")]
    reason: str
    needs: tuple[str, ...]
    unknown: tuple[str, ...]


class NeedChange(Frozen):
    """How often a need changed, over families of which both months know.

    Attributes:
        came, known_since: met now; of these, of which nobody spoke before.
        went, silent: not met any more; of these, of which nobody speaks now.
    """

    need: str
    title: str
    came: Count
    known_since: Count
    went: Count
    silent: Count


class ForwardFigures(Frozen):
    """Families put forward for professional consideration, and what changed.

    Attributes:
        now: the sum of ``stayed`` and ``added``; ``before``: of ``kept`` and ``dropped``.
        added, dropped: by reason.
        needs: changes over all families, put forward or not.
    """

    now: Count
    stayed: Count
    added: Named
    before: Count
    kept: Count
    dropped: Named
    needs: tuple[NeedChange, ...]
    added_families: tuple[ListedFamily, ...]
    dropped_families: tuple[ListedFamily, ...]


class SourceFacts(Frozen):
    """How fresh a source is; null where nothing was accepted.

    Attributes:
        in_newest_run: whether the agreement's newest run began with it.
        new: whether it is another submission than the month before's; null without one.
    """

    party: str
    source: str
    extracted_on: str | None
    age_days: Count | None
    records: Count | None
    in_newest_run: bool
    new: bool | None


class ProgrammeReport(Frozen):
    """The report of a month; ``forward`` is null without a month before."""

    format: Literal["programme-report/v1"] = "programme-report/v1"
    written_on: str
    agreement: Hash
    title: str
    catalogue: str
    catalogue_hash: Hash
    program: Program
    run: RunFacts
    before: RunFacts | None
    membership: Membership
    claims: ClaimsFigures
    distances: tuple[DistanceFigures, ...]
    forward: ForwardFigures | None
    sources: tuple[SourceFacts, ...]
