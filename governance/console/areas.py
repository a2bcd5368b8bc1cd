"""The areas of the console: a package of pages each, added to the application here.

An area is a package with ``views.py`` (a ``router``), ``templates/`` and ``words/en.yaml``. Its
routes are in ``access.py``; its entry in the menu is here.
"""

from typing import Final, NamedTuple

from governance.console.access import ACCESS
from governance.identity.models import Role

AREAS: Final = (
    "governance.console.pages.entry",
    "governance.console.pages.home",
    "governance.console.pages.people",
    "governance.console.pages.families",
    "governance.console.pages.requests",
    "governance.console.pages.runs",
    "governance.console.pages.models",
    "governance.console.pages.reports",
    "governance.console.pages.risk",
    "governance.console.pages.review",
    "governance.console.pages.keys",
    "governance.console.pages.decide",
    "governance.console.pages.oversight",
    "governance.console.pages.register",
    "governance.console.pages.enrolments",
    "governance.console.pages.vouching",
)


class MenuEntry(NamedTuple):
    """A page in the menu, with the keys of its words."""

    path: str
    title: str
    about: str


MENU: Final = (
    MenuEntry("/decide", "decide.title", "decide.about"),
    MenuEntry("/oversight", "oversight.title", "oversight.about"),
    MenuEntry("/people", "people.title", "people.about"),
    MenuEntry("/enrolments", "enrolments.title", "enrolments.about"),
    MenuEntry("/families", "families.title", "families.about"),
    MenuEntry("/requests", "requests.title", "requests.about"),
    MenuEntry("/reports", "reports.title", "reports.about"),
    MenuEntry("/runs", "runs.title", "runs.about"),
    MenuEntry("/review", "review.title", "review.about"),
    MenuEntry("/sources", "sources.title", "sources.about"),
    MenuEntry("/risk", "risk.title", "risk.about"),
    MenuEntry("/models", "models.title", "models.about"),
)
"""In this order, each for those whose role may open it."""

OWN: Final = (
    MenuEntry("/keys", "own_keys.title", "own_keys.about"),
    MenuEntry("/account", "account.title", "account.about"),
)
"""Pages of one's own things, for everybody who is signed in."""


def menu_of(role: Role) -> list[MenuEntry]:
    """What a role may open."""
    return [entry for entry in MENU if role in ACCESS[f"GET {entry.path}"]]
