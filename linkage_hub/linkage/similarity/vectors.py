"""Vector code by construction: one row against a tile of columns, eight columns a vector.

LLVM's loop vectoriser turns the same loops into scalar, half-wide or full-wide code, depending on
the number of words and columns: rates differed by a factor of ten. So the vectors are written
out: with AVX-512 VPOPCNTDQ an instruction counts eight columns' words, and on other processors LLVM
lowers the same operations to what there is. Nothing here depends on the processor for its result.
"""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.extending import intrinsic

LANES: Final = 8  # 64-bit words in the widest vector there is

_WORD: Final = ir.IntType(64)
_MASK: Final = ir.IntType(LANES)
_VECTOR: Final = ir.VectorType(_WORD, LANES)
cgutils: Any = untyped_cgutils
_Codegen = tuple[Any, Callable[..., Any]]


def _popcount(_context: Any, word: Any) -> _Codegen:
    """Bits set in a word."""
    del word

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


def _trailing_zeros(_context: Any, word: Any) -> _Codegen:
    """Number of the lowest bit set; 64 for zero."""
    del word

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


def _passing(
    _context: Any, rows: Any, row: Any, tiles: Any, tile: Any, start: Any, words: Any, groups: Any
) -> _Codegen:
    """The columns of a tile whose overlap with a row plus ``start`` is not negative.

    Args:
        rows: uint64 (n, at least words), C order.
        row: which row.
        tiles: uint64 (m, words, 8 * groups), C order: word w of column j at [tile, w, j].
        tile: which tile.
        start: int64, what the counts begin with.
        words: of a sketch, a constant.
        groups: vectors across a tile, a constant.

    Returns:
        uint64, bit j for column j.
    """
    del row, tile, start
    count, across = words.literal_value, groups.literal_value

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows_in = context.make_array(signature.args[0])(context, builder, arguments[0])
        tiles_in = context.make_array(signature.args[2])(context, builder, arguments[2])
        apart = builder.extract_value(rows_in.shape, 1)
        row_at = builder.gep(rows_in.data, [builder.mul(arguments[1], apart)])
        tile_size = constant(count * across * LANES)
        tile_at = builder.bitcast(
            builder.gep(tiles_in.data, [builder.mul(arguments[3], tile_size)]),
            _VECTOR.as_pointer(),
        )
        counting = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i64"
        )
        sums = [splat(builder, arguments[4])] * across
        for word in range(count):
            own = splat(builder, builder.load(builder.gep(row_at, [constant(word)])))
            for group in range(across):
                place = builder.gep(tile_at, [constant(word * across + group)])
                other = builder.load(place, align=8)
                common = builder.call(counting, [builder.and_(own, other)])
                sums[group] = builder.add(sums[group], common)
        return _not_negative(builder, sums)

    signature = types.uint64(rows, types.int64, tiles, types.int64, types.int64, words, groups)
    return signature, codegen


popcount: Any = intrinsic(_popcount)
trailing_zeros: Any = intrinsic(_trailing_zeros)
passing: Any = intrinsic(prefer_literal=True)(_passing)


def constant(value: int) -> Any:
    """A word."""
    return ir.Constant(_WORD, value)


def splat(builder: Any, value: Any, vector: Any = _VECTOR) -> Any:
    """A vector of one value."""
    unset = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(unset, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, unset, zeros)


def _not_negative(builder: Any, sums: list[Any]) -> Any:
    """A bit for each sum that is not negative; one test decides that there is none."""
    zero = ir.Constant(_VECTOR, [0] * LANES)
    signs = sums[0]
    for each in sums[1:]:
        signs = builder.and_(signs, each)
    some = builder.bitcast(builder.icmp_signed(">=", signs, zero), _MASK)
    found = cgutils.alloca_once_value(builder, constant(0))
    with builder.if_then(builder.icmp_unsigned("!=", some, ir.Constant(_MASK, 0)), likely=False):
        mask = constant(0)
        for group, each in enumerate(sums):
            bits = builder.bitcast(builder.icmp_signed(">=", each, zero), _MASK)
            wide = builder.zext(bits, _WORD)
            mask = builder.or_(mask, builder.shl(wide, constant(group * LANES)))
        builder.store(mask, found)
    return builder.load(found)
