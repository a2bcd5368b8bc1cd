"""The same work on many pieces, on all cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Found = TypeVar("Found")


def on_all_cores(work: Callable[..., Found], *pieces: Sequence[Any]) -> Iterator[Found]:
    """``map`` in threads, for work that leaves the interpreter (NumPy, compiled code)."""
    if len(pieces[0]) == 1:
        yield from map(work, *pieces)
        return
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield from pool.map(work, *pieces)
