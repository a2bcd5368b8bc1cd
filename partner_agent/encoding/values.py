"""From one value to its tokens: the plain path, for any value of any feature.

Rules, in order: a missing value is replaced and not checked; the value has the feature's format;
it is written in one form (integers without signs and spaces, dates as ``YYYYMMDD``); the
comparison cuts it into tokens; tokens are bytes in the feature's character encoding.

Same result as clkhash 0.18.3 (tests hold the two equal).
"""

from datetime import datetime

from partner_agent.encoding.features import Exact, Feature, Ngram, Numeric


class InvalidValueError(Exception):
    """A value does not have its feature's format; only the reason code is kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tokens_of(feature: Feature, value: str) -> list[bytes]:
    """Tokens of one value, in order, repetitions included.

    Raises:
        InvalidValueError: with a reason code such as ``field.too_long``.
    """
    missing = feature.missing
    if missing is not None and value == missing.sentinel:
        return tokens_of_text(feature, missing.replacement)
    return tokens_of_text(feature, formatted(feature, value))


def formatted(feature: Feature, value: str) -> str:
    """The one form of a value that is not missing.

    Raises:
        InvalidValueError: the value does not have the feature's format.
    """
    _encode(value, feature.encoding)
    if feature.kind == "integer":
        return _integer(feature, value)
    if feature.kind == "date":
        return _date(feature, value)
    if feature.kind == "enum":
        if value not in feature.values:
            raise InvalidValueError("field.not_listed")
        return value
    _check_string(feature, value)
    return value


def tokens_of_text(feature: Feature, text: str) -> list[bytes]:
    """Tokens of a text that is already in its one form.

    Raises:
        InvalidValueError: not a number, or not in the character encoding.
    """
    if not text:
        return []
    comparison = feature.comparison
    if isinstance(comparison, Exact):
        tokens = [text]
    elif isinstance(comparison, Ngram):
        tokens = _ngrams(comparison, text)
    else:
        tokens = _grid_points(comparison, text)
    return [_encode(each, feature.encoding) for each in tokens]


def _encode(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise InvalidValueError("field.unencodable") from None


def _check_string(feature: Feature, value: str) -> None:
    if feature.pattern is not None:
        if feature.pattern.fullmatch(value) is None:
            raise InvalidValueError("field.pattern")
        return
    if feature.min_length is not None and len(value) < feature.min_length:
        raise InvalidValueError("field.too_short")
    if feature.max_length is not None and len(value) > feature.max_length:
        raise InvalidValueError("field.too_long")
    if (feature.case == "upper" and value.upper() != value) or (
        feature.case == "lower" and value.lower() != value
    ):
        raise InvalidValueError("field.case")


def _integer(feature: Feature, value: str) -> str:
    try:
        number = int(value, base=10)
        text = str(number)
    except ValueError:
        raise InvalidValueError("field.not_integer") from None
    if (feature.minimum is not None and number < feature.minimum) or (
        feature.maximum is not None and number > feature.maximum
    ):
        raise InvalidValueError("field.out_of_range")
    return text


def _date(feature: Feature, value: str) -> str:
    try:
        moment = datetime.strptime(value, feature.date_format)  # noqa: DTZ007 - a day, no zone
    except ValueError:
        raise InvalidValueError("field.not_date") from None
    return moment.strftime("%Y%m%d")


def _ngrams(comparison: Ngram, text: str) -> list[str]:
    n = comparison.n
    pad = " " * (n - 1)
    padded = pad + text + pad
    grams = [padded[start : start + n] for start in range(len(padded) - n + 1)]
    if comparison.positional:
        return [f"{place} {gram}" for place, gram in enumerate(grams, start=1)]
    return grams


def _grid_points(comparison: Numeric, text: str) -> list[str]:
    try:
        doubled = _scaled(text, comparison.precision) * 2 * comparison.resolution
        centre = _nearest(doubled, comparison.interval)
        steps = range(-comparison.resolution, comparison.resolution + 1)
        return [str(centre + step * comparison.interval) for step in steps]
    except (ValueError, OverflowError):
        raise InvalidValueError("field.not_numeric") from None


def _scaled(text: str, precision: int) -> int:
    try:
        return int(text, base=10) * int(10**precision)
    except ValueError:
        number = float(text)
    # without decimals clkhash cuts, with decimals it rounds
    return round(number * 10**precision) if precision else int(number)


def _nearest(value: int, interval: int) -> int:
    residue = value % interval
    if residue == 0 or residue < interval / 2:
        return value - residue
    return value + interval - residue
