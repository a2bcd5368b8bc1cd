"""Vector code for several views: one row against a tile of columns, as in ``vectors``.

Views are compared by bits that are equal, so what is counted are those that differ: XOR.
"""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.extending import intrinsic

from linkage_hub.linkage.similarity.vectors import LANES, constant, splat

DEGREE: Final = 5  # of the curve
CURVE: Final = DEGREE + 3  # numbers that describe it: slope, offset, coefficients from the lowest

_WORD: Final = ir.IntType(64)
_MASK: Final = ir.IntType(LANES)
_WORDS: Final = ir.VectorType(_WORD, LANES)
_DOUBLE: Final = ir.DoubleType()
_DOUBLES: Final = ir.VectorType(_DOUBLE, LANES)
cgutils: Any = untyped_cgutils
_Codegen = tuple[Any, Callable[..., Any]]


def _adding(
    _context: Any,
    rows: Any,
    row: Any,
    tiles: Any,
    tile: Any,
    curve: Any,
    totals: Any,
    place: Any,
    words: Any,
    groups: Any,
) -> _Codegen:
    """Adds to the totals of a tile's columns what a curve makes of the bits that differ.

    Args:
        rows: uint64 (n, words), C order.
        row: which row.
        tiles: uint64 (m, words, 8 * groups), C order: word w of column j at [tile, w, j].
        tile: which tile.
        curve: float64 (CURVE,), of ``views.curve_of``: a polynomial of ``slope * bits + offset``,
            held within -1 and 1.
        totals: float64 (rows, 8 * groups), C order; added to.
        place: which row of the totals.
        words: of a view, a constant.
        groups: vectors across a tile, a constant.
    """
    del row, tile, place
    count, across = words.literal_value, groups.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(signature.args[at])(context, builder, arguments[at]).data
            for at in (0, 2, 4, 5)
        ]
        sums = _differing(builder, arrays[:2], (arguments[1], arguments[3]), count, across)
        numbers = [
            splat(builder, builder.load(builder.gep(arrays[2], [constant(at)])), _DOUBLES)
            for at in range(CURVE)
        ]
        start = builder.mul(arguments[6], constant(across * LANES))
        total = builder.bitcast(builder.gep(arrays[3], [start]), _DOUBLES.as_pointer())
        for group, each in enumerate(sums):
            at = builder.gep(total, [constant(group)])
            worth = _polynomial(builder, builder.uitofp(each, _DOUBLES), numbers)
            builder.store(builder.fadd(builder.load(at, align=8), worth), at, align=8)
        return context.get_dummy_value()

    signature = types.void(
        rows, types.int64, tiles, types.int64, curve, totals, types.int64, words, groups
    )
    return signature, codegen


def _reaching(_context: Any, totals: Any, place: Any, least: Any, groups: Any) -> _Codegen:
    """The columns whose total is at least ``least``: uint64, bit j for column j."""
    del place, least
    across = groups.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        start = builder.mul(arguments[1], constant(across * LANES))
        total = builder.bitcast(builder.gep(data, [start]), _DOUBLES.as_pointer())
        least = splat(builder, arguments[2], _DOUBLES)
        mask = constant(0)
        for group in range(across):
            each = builder.load(builder.gep(total, [constant(group)]), align=8)
            mask = _with(builder, mask, builder.fcmp_ordered(">=", each, least), group)
        return mask

    return types.uint64(totals, types.int64, types.float64, groups), codegen


def _within(
    _context: Any, rows: Any, row: Any, tiles: Any, tile: Any, most: Any, words: Any, groups: Any
) -> _Codegen:
    """The columns of a tile that differ from a row in at most ``most`` bits: uint64."""
    del row, tile, most
    count, across = words.literal_value, groups.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(signature.args[at])(context, builder, arguments[at]).data
            for at in (0, 2)
        ]
        sums = _differing(builder, arrays, (arguments[1], arguments[3]), count, across)
        most = splat(builder, arguments[4], _WORDS)
        least = sums[0]
        for each in sums[1:]:
            least = builder.select(builder.icmp_signed("<", each, least), each, least)
        some = builder.bitcast(builder.icmp_signed("<=", least, most), _MASK)
        found = cgutils.alloca_once_value(builder, constant(0))
        with builder.if_then(
            builder.icmp_unsigned("!=", some, ir.Constant(_MASK, 0)), likely=False
        ):
            mask = constant(0)
            for group, each in enumerate(sums):
                mask = _with(builder, mask, builder.icmp_signed("<=", each, most), group)
            builder.store(mask, found)
        return builder.load(found)

    signature = types.uint64(rows, types.int64, tiles, types.int64, types.int64, words, groups)
    return signature, codegen


def _unlike(_context: Any, rows: Any, row: Any, columns: Any, column: Any, words: Any) -> _Codegen:
    """Bits in which one row of a matrix differs from one of another: uint64.

    Args:
        rows: uint64, C order, of any shape that ends in rows of ``words``.
        row: which of them.
        columns: the same.
        column: which.
        words: a constant.
    """
    del row, column
    count = words.literal_value
    wide = ir.VectorType(_WORD, count)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        own, other = (
            builder.load(
                builder.bitcast(
                    builder.gep(
                        context.make_array(signature.args[at])(
                            context, builder, arguments[at]
                        ).data,
                        [builder.mul(arguments[at + 1], constant(count))],
                    ),
                    wide.as_pointer(),
                ),
                align=8,
            )
            for at in (0, 2)
        )
        counting = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(wide, [wide]), f"llvm.ctpop.v{count}i64"
        )
        adding = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_WORD, [wide]), f"llvm.vector.reduce.add.v{count}i64"
        )
        return builder.call(adding, [builder.call(counting, [builder.xor(own, other)])])

    return types.uint64(rows, types.int64, columns, types.int64, words), codegen


adding: Any = intrinsic(prefer_literal=True)(_adding)
reaching: Any = intrinsic(prefer_literal=True)(_reaching)
within: Any = intrinsic(prefer_literal=True)(_within)
unlike: Any = intrinsic(prefer_literal=True)(_unlike)


def _differing(builder: Any, arrays: Any, places: Any, words: int, groups: int) -> list[Any]:
    """For each vector of a tile, how many bits its columns have other than the row."""
    row_at = builder.gep(arrays[0], [builder.mul(places[0], constant(words))])
    tile_at = builder.bitcast(
        builder.gep(arrays[1], [builder.mul(places[1], constant(words * groups * LANES))]),
        _WORDS.as_pointer(),
    )
    counting = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_WORDS, [_WORDS]), f"llvm.ctpop.v{LANES}i64"
    )
    sums: list[Any] = []
    for word in range(words):
        own = splat(builder, builder.load(builder.gep(row_at, [constant(word)])), _WORDS)
        for group in range(groups):
            other = builder.load(builder.gep(tile_at, [constant(word * groups + group)]), align=8)
            unlike = builder.call(counting, [builder.xor(own, other)])
            if word:
                sums[group] = builder.add(sums[group], unlike)
            else:
                sums.append(unlike)
    return sums


def _polynomial(builder: Any, bits: Any, numbers: list[Any]) -> Any:
    slope, offset, *coefficients = numbers
    fused = ("contract",)
    at = builder.fadd(builder.fmul(bits, slope, flags=fused), offset, flags=fused)
    for sign, bound in ((">", 1.0), ("<", -1.0)):
        limit = ir.Constant(_DOUBLES, [bound] * LANES)
        at = builder.select(builder.fcmp_ordered(sign, at, limit), limit, at)
    worth = coefficients[-1]
    for each in reversed(coefficients[:-1]):
        worth = builder.fadd(builder.fmul(worth, at, flags=fused), each, flags=fused)
    return worth


def _with(builder: Any, mask: Any, passed: Any, group: int) -> Any:
    """A mask with the bits of one more vector."""
    bits = builder.zext(builder.bitcast(passed, _MASK), _WORD)
    return builder.or_(mask, builder.shl(bits, constant(group * LANES)))
