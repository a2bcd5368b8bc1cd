"""Which agreements an analyst works under, and what is shown alike on every page about runs."""

from fastapi import Request

from governance.agreements.models import Action
from governance.console.console import Console
from governance.console.labels import labels_of, short_id
from governance.console.looking import looking
from governance.exchange.analysis_api import EffectRow
from governance.exchange.hub_api import RunView
from governance.ui.show import Cell
from governance.ui.words import Words


def agreements_of(
    console: Console, request: Request, action: Action = Action.LINK
) -> dict[str, str]:
    """Agreements in force that allow an action and that this console's party is in, by hash."""
    found = {}
    with looking(console, request) as state:
        own = state.agreements.of(console.settings.party)
        for hash_ in state.agreements.in_force(own, console.now()):
            agreement = state.agreements.standing(hash_).agreement
            if action in agreement.actions:
                found[hash_] = labels_of(agreement, console.pages.words)["agreements"][hash_]
    return dict(sorted(found.items(), key=lambda each: each[1]))


def chosen(agreements: dict[str, str], asked: str | None) -> str | None:
    """The agreement that was asked for, or the first; None where there is none."""
    return asked if asked in agreements else next(iter(agreements), None)


def share(value: float | None, words: Words) -> str:
    """``97.6 in 100``; a share that was not estimated has words of its own."""
    return words("runs.share.none") if value is None else words("runs.share", share=f"{value:.1%}")


def told(count: int | None, words: Words) -> Cell:
    """A count; words of its own where the agreement keeps it from being told."""
    return words("runs.not_told") if count is None else count


def title_of(run: str) -> str:
    """A run as people say it."""
    return short_id(run)


def effect_name(row: EffectRow, words: Words) -> str:
    """What a figure counts; a need by its own name."""
    if not row.needs:
        return words("runs.effects." + row.figure)
    first, *other = (need.replace("_", " ").capitalize() for need in row.needs)
    if not other:
        return first
    return words("runs.effects.together", first=first, second=other[0].lower())


def state_of(view: RunView, words: Words) -> str:
    """Where a run stands, in words."""
    if view.state == "running":
        return words("runs.state.running", percent=f"{view.progress:.0%}")
    return words("runs.state." + view.state)
