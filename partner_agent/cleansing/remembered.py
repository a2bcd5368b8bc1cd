"""Work on each value once, whatever it comes in."""

from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")
REMEMBERED_MOST: Final = 65_536  # values of one column; more than a chunk has rows


def remembered(clean: Callable[[str], Result]) -> Callable[[str], Result]:
    """A cleaner that works on a value once, however many chunks and passes it comes in.

    Held in memory are at most ``REMEMBERED_MOST`` values, of this extract and by this cleaner only.
    """
    known: dict[str, Result] = {}

    def run(raw: str) -> Result:
        found = known.get(raw)
        if found is None:
            if len(known) >= REMEMBERED_MOST:
                known.clear()
            found = known[raw] = clean(raw)
        return found

    return run
