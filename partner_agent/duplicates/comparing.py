"""Compiled: at which level the rows of each candidate pair agree, field by field.

Level 0 is missing at either end, 1 the strongest agreement, the last difference. Every function
takes ``left`` and ``right``, int64 (m,), rows of the pairs, and fills ``out``, uint8 (m,).
"""

from typing import Any, Final

import numpy as np
from numba import njit

from partner_agent.duplicates.kernels import jaro_winkler, one_slip

_CLOSE: Final = 0.92  # Jaro-Winkler: a slip
_ALIKE: Final = 0.85  # another spelling
_VAGUE: Final = 0.7  # something in common
_BRIEF: Final = 3  # letters of names in which one slip makes another name
EQUAL: Final = 1  # levels of names
OF_A_KIND: Final = 2
SLIP: Final = 3
SPELLING: Final = 4
VAGUE: Final = 5
OTHER: Final = 6
_ZERO: Final = 48  # digits as bytes
_NINE: Final = 57
_YEAR: Final = 366  # days
_DIGITS: Final = 8  # of a date
_TWO: Final = 2  # parts of a date, or digits of it
_SHORT: Final = 2  # words: lines that are compared by letters too
_WORDS_CLOSE: Final = 0.75  # share of an address line's words
_WORDS_ALIKE: Final = 0.5


@njit(cache=True, nogil=True)
def _slice(data: Any, starts: Any, code: Any) -> Any:
    return data[starts[code] : starts[code + 1]]


@njit(cache=True, nogil=True)
def name_level(a_data: Any, a_starts: Any, a: Any, b_data: Any, b_starts: Any, b: Any) -> Any:
    """Level of two names that may be of two columns: any of ``names`` but ``OF_A_KIND``."""
    one, other = _slice(a_data, a_starts, a), _slice(b_data, b_starts, b)
    if len(one) == len(other) and np.array_equal(one, other):
        return EQUAL
    shorter = min(len(one), len(other))
    if shorter == 1:
        return SPELLING if one[0] == other[0] else OTHER
    score = jaro_winkler(one, other)
    if score >= _CLOSE or (shorter > _BRIEF and one_slip(one, other)):
        return SLIP
    if score >= _ALIKE:
        return SPELLING
    return VAGUE if score >= _VAGUE else OTHER


@njit(cache=True, nogil=True)
def names(codes: Any, data: Any, starts: Any, kinds: Any, left: Any, right: Any, out: Any) -> None:
    """Names of one column.

    1 equal, 2 of one kind (``kinds``: full form, or -1), 3 a slip, 4 alike or an initial,
    5 vaguely alike, 6 different.
    """
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
        elif a == b:
            out[pair] = EQUAL
        elif kinds[a] >= 0 and kinds[a] == kinds[b]:
            out[pair] = OF_A_KIND
        else:
            out[pair] = name_level(data, starts, a, data, starts, b)


@njit(cache=True, nogil=True)
def swapped(
    first: Any,
    first_data: Any,
    first_starts: Any,
    first_digests: Any,
    last: Any,
    last_data: Any,
    last_starts: Any,
    last_digests: Any,
    left: Any,
    right: Any,
    first_out: Any,
    last_out: Any,
    out: Any,
) -> None:
    """Names in each other's place: where one is equal and the other alike, these levels are taken.

    Args:
        first: codes of first names.
        first_data: their values.
        first_starts: where these begin.
        first_digests: int64 (values,), equal for one name in both columns.
        last: codes of surnames.
        last_data: their values.
        last_starts: where these begin.
        last_digests: as of first names.
        left: rows.
        right: rows.
        first_out: levels of first names so far; overwritten where swapped.
        last_out: the same of surnames.
        out: uint8 (m,): 1 where swapped, else 0.
    """
    for pair in range(len(left)):
        out[pair] = 0
        if 0 < first_out[pair] < VAGUE or 0 < last_out[pair] < VAGUE:
            continue
        i, j = left[pair], right[pair]
        one_held = first[i] >= 0 and last[j] >= 0
        other_held = last[i] >= 0 and first[j] >= 0
        one_equal = one_held and first_digests[first[i]] == last_digests[last[j]]
        other_equal = other_held and last_digests[last[i]] == first_digests[first[j]]
        if not (one_equal or other_equal):
            continue
        one = other = 0
        if one_held:
            one = name_level(first_data, first_starts, first[i], last_data, last_starts, last[j])
        if other_held:
            other = name_level(last_data, last_starts, last[i], first_data, first_starts, first[j])
        if one <= SPELLING and other <= SPELLING:
            out[pair] = 1
            first_out[pair] = one
            last_out[pair] = other


@njit(cache=True, nogil=True)
def middle_names(codes: Any, data: Any, starts: Any, left: Any, right: Any, out: Any) -> None:
    """1 equal, 2 one is the other's initial, 3 alike, 4 different."""
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
            continue
        if a == b:
            out[pair] = 1
            continue
        one, other = _slice(data, starts, a), _slice(data, starts, b)
        if min(len(one), len(other)) == 1 and one[0] == other[0]:
            out[pair] = 2
        elif jaro_winkler(one, other) >= _ALIKE:
            out[pair] = 3
        else:
            out[pair] = 4


@njit(cache=True, nogil=True)
def _one_digit(one: Any, other: Any) -> Any:
    """Whether one digit, or two neighbouring ones in each other's place, part two numbers."""
    wrong = first = last = 0
    for at in range(_DIGITS):
        a, b = one // 10**at % 10, other // 10**at % 10
        if a != b:
            if wrong == 0:
                first = at
            last = at
            wrong += 1
    if wrong != _TWO or last != first + 1:
        return wrong == 1
    return one // 10**first % 10 == other // 10**last % 10 and (
        one // 10**last % 10 == other // 10**first % 10
    )


@njit(cache=True, nogil=True)
def dates(codes: Any, parts: Any, left: Any, right: Any, out: Any) -> None:
    """Dates of birth.

    1 equal, 2 one digit, two neighbouring digits, or day and month exchanged, 3 two of year,
    month and day, 4 within a year, 5 different. How far apart years are says no more than that
    here: given names and relatives have years too.

    Args:
        codes: of rows.
        parts: int64 (values, 3): year, month, day.
        left: rows.
        right: rows.
        out: filled.
    """
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
            continue
        if a == b:
            out[pair] = 1
            continue
        year, month, day = parts[a, 0], parts[a, 1], parts[a, 2]
        year_b, month_b, day_b = parts[b, 0], parts[b, 1], parts[b, 2]
        turned = year == year_b and month == day_b and day == month_b
        apart = 365 * (year - year_b) + 30 * (month - month_b) + day - day_b
        if turned or _one_digit(
            (year * 100 + month) * 100 + day, (year_b * 100 + month_b) * 100 + day_b
        ):
            out[pair] = 2
        elif (year == year_b) + (month == month_b) + (day == day_b) >= _TWO:
            out[pair] = 3
        elif abs(apart) <= _YEAR:
            out[pair] = 4
        else:
            out[pair] = 5


@njit(cache=True, nogil=True)
def _words_shared(words: Any, edges: Any, a: Any, b: Any) -> Any:
    """Dice coefficient of two sorted sets of words."""
    i, j = edges[a], edges[b]
    common = 0
    while i < edges[a + 1] and j < edges[b + 1]:
        if words[i] == words[j]:
            common += 1
            i += 1
            j += 1
        elif words[i] < words[j]:
            i += 1
        else:
            j += 1
    total = edges[a + 1] - edges[a] + edges[b + 1] - edges[b]
    return 2.0 * common / max(1, total)


@njit(cache=True, nogil=True)
def _lines_alike(data: Any, starts: Any, words: Any, edges: Any, a: Any, b: Any) -> Any:
    """1 for one line; else the share of words, which near letters raise where lines are short."""
    if a == b:
        return 1.0
    score = min(_words_shared(words, edges, a, b), 0.99)
    shorter = min(edges[a + 1] - edges[a], edges[b + 1] - edges[b])
    if score < _WORDS_CLOSE and shorter <= _SHORT:
        letters = jaro_winkler(_slice(data, starts, a), _slice(data, starts, b))
        if letters >= _CLOSE:
            return _WORDS_CLOSE
        if letters >= _ALIKE:
            return max(score, _WORDS_ALIKE)
    return score


@njit(cache=True, nogil=True)
def addresses(
    codes: Any,
    data: Any,
    starts: Any,
    words: Any,
    edges: Any,
    postcodes: Any,
    uprns: Any,
    left: Any,
    right: Any,
    out: Any,
) -> None:
    """Address line, postcode and property number as one.

    1 one property, or line and postcode equal; 2 the lines close and no other postcode, or a
    postcode and alike lines; 3 one postcode; 4 close lines, another postcode; 5 alike; 6 different.
    """
    for pair in range(len(left)):
        i, j = left[pair], right[pair]
        a, b = codes[i], codes[j]
        posted = postcodes[i] >= 0 and postcodes[j] >= 0
        same = posted and postcodes[i] == postcodes[j]
        if uprns[i] >= 0 and uprns[i] == uprns[j]:
            out[pair] = 1
        elif a < 0 or b < 0:
            out[pair] = 0 if not posted else (3 if same else 6)
        else:
            score = _lines_alike(data, starts, words, edges, a, b)
            if score == 1.0 and (same or not posted):
                out[pair] = 1
            elif (score >= _WORDS_CLOSE and not posted) or (same and score >= _WORDS_ALIKE):
                out[pair] = 2
            elif same:
                out[pair] = 3
            elif score >= _WORDS_CLOSE:
                out[pair] = 4
            else:
                out[pair] = 5 if score >= _WORDS_ALIKE else 6


@njit(cache=True, nogil=True)
def identifiers(codes: Any, data: Any, starts: Any, left: Any, right: Any, out: Any) -> None:
    """Numbers that name one person, and phone numbers: 1 equal, 2 a slip, 3 different."""
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
        elif a == b:
            out[pair] = 1
        elif one_slip(_slice(data, starts, a), _slice(data, starts, b)):
            out[pair] = 2
        else:
            out[pair] = 3


@njit(cache=True, nogil=True)
def _one_number(one: Any, other: Any) -> Any:
    """Whether two texts have the same digits in the same order."""
    at = 0
    for letter in one:
        if _ZERO <= letter <= _NINE:
            while at < len(other) and not _ZERO <= other[at] <= _NINE:
                at += 1
            if at == len(other) or other[at] != letter:
                return False
            at += 1
    while at < len(other) and not _ZERO <= other[at] <= _NINE:
        at += 1
    return at == len(other)


@njit(cache=True, nogil=True)
def emails(codes: Any, data: Any, starts: Any, users: Any, left: Any, right: Any, out: Any) -> None:
    """1 equal, 2 one user name, or a slip, 3 different; 0 also where they are merely alike.

    Addresses are made from names, so that alike ones say little more than the names do; what tells
    namesakes apart are the numbers in them.

    Args:
        codes: of rows.
        data: of values.
        starts: of values.
        users: int64 (values,): digest of what is before the @.
        left: rows.
        right: rows.
        out: filled.
    """
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
            continue
        if a == b:
            out[pair] = 1
            continue
        one, other = _slice(data, starts, a), _slice(data, starts, b)
        numbered = _one_number(one, other)
        if numbered and (users[a] == users[b] or one_slip(one, other)):
            out[pair] = 2
        elif numbered and jaro_winkler(one, other) >= _CLOSE:
            out[pair] = 0
        else:
            out[pair] = 3


@njit(cache=True, nogil=True)
def sexes(codes: Any, left: Any, right: Any, out: Any) -> None:
    """1 equal, 2 different."""
    for pair in range(len(left)):
        a, b = codes[left[pair]], codes[right[pair]]
        if a < 0 or b < 0:
            out[pair] = 0
        else:
            out[pair] = 1 if a == b else 2
