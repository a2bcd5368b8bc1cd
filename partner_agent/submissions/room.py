"""Whether this machine has the memory that an extract takes, asked before it runs out.

Rules: what is free is asked of the system once, at the start; how many rows there will be is taken
from the file where it tells (or from its size and its first rows), and rows are counted as they
come in any case; an extract that needs more than is free is refused before the system ends the
agent half-way through it. Where the system does not say what is free (other than Linux), none is.

Cleansing and encoding hold a chunk of rows, however many there are. What grows with the rows is the
count of near-unique encodings and the search for duplicates, which holds every distinct value of
the columns that it compares and sixteen candidate pairs a row (docs/adr/0015).
"""

from pathlib import Path
from typing import Final

from partner_agent.submissions.errors import TooLittleMemoryError

BYTES_A_ROW: Final = 2_000  # at most, beside what the agent holds anyway; docs/adr/0015
_GIB: Final = 1 << 30  # bytes
_KIB: Final = 1 << 10
_MEMINFO: Final = Path("/proc/meminfo")


class Room:
    """Memory that was free when it was made.

    Args:
        free: bytes; None where nobody knows.
    """

    def __init__(self, free: int | None) -> None:
        self._free = free

    @classmethod
    def now(cls) -> "Room":
        """What is free now."""
        return cls(free_memory())

    def check(self, rows: int) -> None:
        """Check that so many rows can be prepared.

        Raises:
            TooLittleMemoryError: they take more than is free.
        """
        needed = rows * BYTES_A_ROW
        if self._free is not None and needed > self._free:
            raise TooLittleMemoryError(
                f"some {rows:,} rows need {needed / _GIB:.1f} GiB of memory to be prepared, and "
                f"{self._free / _GIB:.1f} GiB of this machine are free",
                next_step="end other programs, use a machine with more memory, or agree on more "
                "sources with fewer rows each, by district for instance",
            )


def free_memory() -> int | None:
    """Bytes that processes may take without others being swapped out (proc(5), MemAvailable)."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) * _KIB if found else None
