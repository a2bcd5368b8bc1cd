"""What the processor could do at most: vector population counts a second, by themselves.

A comparison of two encodings needs for each 512 bits one AND, one count and one addition. Where a
processor counts one vector a cycle the count alone is the limit; newer ones count as many as they
have ports for, and the three share these ports. Both limits are measured, without any memory.
"""

import time
from typing import Any, Final

from llvmlite import ir
from numba import njit
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.extending import intrinsic

from linkage_hub.linkage.similarity.vectors import LANES

cgutils: Any = untyped_cgutils
STREAMS: Final = 12  # independent chains, so that latency does not count
STEPS: Final = 20_000_000
RUNS: Final = 5

_WORD: Final = ir.IntType(64)
_VECTOR: Final = ir.VectorType(_WORD, LANES)


def counts_a_second(*, whole: bool) -> float:
    """Vectors of 512 bits counted a second on this core, the best of some runs.

    Args:
        whole: with the AND and the addition that a comparison needs.
    """
    loop = _whole if whole else _alone
    loop(10)
    best = float("inf")
    for _ in range(RUNS):
        began = time.thread_time()
        loop(STEPS)
        best = min(best, time.thread_time() - began)
    return STREAMS * STEPS / best


def _loop(*, whole: bool) -> Any:
    def burn(_context: Any, steps: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            count = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i64"
            )
            start = builder.insert_element(
                ir.Constant(_VECTOR, list(range(LANES))),
                arguments[0],
                ir.Constant(ir.IntType(32), 0),
            )
            places = [
                cgutils.alloca_once_value(
                    builder, builder.add(start, ir.Constant(_VECTOR, [number] * LANES))
                )
                for number in range(STREAMS)
            ]
            with cgutils.for_range(builder, arguments[0]):
                for place in places:
                    value = builder.load(place)
                    if whole:
                        common = builder.and_(value, start)
                        value = builder.add(value, builder.call(count, [common]))
                    else:
                        value = builder.call(count, [value])
                    builder.store(value, place)
            total = builder.load(places[0])
            for place in places[1:]:
                total = builder.add(total, builder.load(place))
            return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

        del steps
        return types.int64(types.int64), codegen

    run: Any = intrinsic(burn)

    @njit(nogil=True)
    def loop(steps: Any) -> Any:
        return run(steps)

    return loop


_alone: Final = _loop(whole=False)
_whole: Final = _loop(whole=True)
