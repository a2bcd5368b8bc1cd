"""Criteria that the hub has: those that come with the program, and those in its home.

Rules: an agreement that names its criteria by their hash has these and no others; one that names
none may be reported by any that holds on the day. A file of the home that has faults is passed
over, and its name is logged.
"""

import logging
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from governance.agreements.criteria import Criteria
from governance.agreements.models import Agreement
from governance.canonical import hash_of
from governance.terminal import FileProblem
from linkage_hub.analytics.criteria.agreed import require_named
from linkage_hub.analytics.edited import FileNotUsable, read_edited
from linkage_hub.analytics.shipped import names_in, read_catalogue
from linkage_hub.reports.errors import NoCatalogue

FOLDER: Final = "catalogues"
"""In the hub's home."""
_PACKAGE: Final = "linkage_hub.analytics.criteria"
_LOG: Final = logging.getLogger(__name__)


class Catalogues:
    """Criteria by their id.

    Args:
        folder: with YAML files of the hub's own, or none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_to(self, terms: Agreement, day: date) -> list[Criteria]:
        """Those that a report under an agreement may go by."""
        every = [*_shipped(), *self._own()]
        if terms.criteria is not None:
            return [each for each in every if hash_of(each) == terms.criteria][:1]
        return [each for each in every if each.holds_on(day)]

    def chosen(self, terms: Agreement, day: date, id_: str | None) -> Criteria:
        """The one that was asked for, or the only one that there is.

        Raises:
            NoCatalogue: there is none, or several and none was named.
            NotAgreed: it is not the one that the agreement names.
        """
        found = [each for each in self.open_to(terms, day) if id_ in (None, each.id)]
        if len(found) != 1:
            raise NoCatalogue(
                "the hub does not have the criteria that the agreement names"
                if terms.criteria is not None
                else "expected the id of one catalogue that holds today",
                next_step=f"put its YAML file into {FOLDER} in the hub's home, or name its id",
            )
        require_named(found[0], terms)
        return found[0]

    def _own(self) -> Iterator[Criteria]:
        for path in sorted(self._folder.glob("*.yaml")) if self._folder.is_dir() else ():
            try:
                yield read_edited(path, Criteria)
            except (FileNotUsable, FileProblem):
                _LOG.warning("criteria with faults", extra={"file": path.name})


@cache
def _shipped() -> tuple[Criteria, ...]:
    return tuple(read_catalogue(name, _PACKAGE, Criteria) for name in names_in(_PACKAGE))
