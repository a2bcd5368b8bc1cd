"""The linkage schema, version 3, as a typed value.

Rules, in order: the version is 3; ``doubleHash`` is refused; clkhash itself accepts the document;
nothing remains that clkhash would ignore, or that would stop it at the first record.

The format is clkhash's linkage schema v3 (https://clkhash.readthedocs.io, "Linkage Schema").
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, Self

import clkhash.schema as clkhash_schema
from clkhash.field_formats import InvalidEntryError, InvalidSchemaError

from governance.canonical import hash_of
from governance.errors import FormatError
from partner_agent.encoding.errors import (
    DoubleHashError,
    SchemaInvalidError,
    SchemaUnsupportedError,
    SchemaVersionError,
)
from partner_agent.encoding.features import (
    Exact,
    Feature,
    Kind,
    Missing,
    Ngram,
    Numeric,
    Strategy,
)
from partner_agent.encoding.values import InvalidValueError, tokens_of_text

VERSION: Final = 3
MAX_FILTER_BITS: Final = 1 << 16  # positions are 16-bit numbers
MAX_KEY_BYTES: Final = 64  # BLAKE2b takes no longer key
MAX_HKDF_BLOCKS: Final = 255  # RFC 5869 2.3
MAX_INSERTIONS: Final = 4096  # bits for one feature
MAX_NGRAM: Final = 64
MAX_RESOLUTION: Final = 1024
KEYS_PER_FEATURE: Final = 2  # clkhash derives two; blakeHash uses the first
DEFAULT_KEY_BYTES: Final = 64
_HASH_BYTES: Final = {"SHA256": 32, "SHA512": 64}


@dataclass(frozen=True, slots=True)
class KeyDerivation:
    """HKDF settings (RFC 5869)."""

    hash: Literal["SHA256", "SHA512"]
    salt: bytes | None
    info: bytes | None
    key_bytes: int


@dataclass(frozen=True, slots=True)
class LinkageSchema:
    """What to encode and how.

    Attributes:
        features: the encoded features in order, without ignored ones.
        feature_count: number of features, ignored ones included.
        bits: length of an encoding, after folding.
        folds: number of XOR folds.
        kdf: how feature keys come from the secret.
        hash: ``sha256:<hex>`` of the document's canonical bytes.
    """

    features: tuple[Feature, ...]
    feature_count: int
    bits: int
    folds: int
    kdf: KeyDerivation
    hash: str
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def filter_bits(self) -> int:
        """Length of the Bloom filter before folding."""
        return self.bits << self.folds

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are encoded, each once."""
        return tuple(dict.fromkeys(each.identifier for each in self.features))

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read a linkage schema.

        Raises:
            SchemaVersionError: the version is not 3.
            DoubleHashError: a feature asks for ``doubleHash``.
            SchemaInvalidError: clkhash does not accept the document.
            SchemaUnsupportedError: clkhash accepts it and would fail or ignore a part of it.
        """
        data = deepcopy(dict(document))
        _check_version(data)
        _refuse_double_hash(data)
        _check_with_clkhash(_text(data))
        features = data["features"]
        config = data["clkConfig"]
        bits, folds = _read_lengths(config)
        if all(each.get("ignored", False) for each in features):
            raise SchemaUnsupportedError("the schema encodes no feature")
        try:
            digest = hash_of(data)
        except FormatError as error:
            raise SchemaInvalidError("the linkage schema has no canonical JSON form") from error
        return cls(
            features=tuple(
                _read_feature(each, index)
                for index, each in enumerate(features)
                if not each.get("ignored", False)
            ),
            feature_count=len(features),
            bits=bits,
            folds=folds,
            kdf=_read_kdf(config["kdf"], len(features)),
            hash=digest,
            document=data,
        )


def _check_version(data: dict[str, Any]) -> None:
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise SchemaVersionError(f"a linkage schema of version {VERSION} is expected")


def _refuse_double_hash(data: dict[str, Any]) -> None:
    features = data.get("features")
    for index, each in enumerate(features if isinstance(features, list) else []):
        try:
            kind = each["hashing"]["hash"]["type"]
        except (KeyError, TypeError):
            continue
        if kind == "doubleHash":
            raise DoubleHashError(
                f"feature {index} asks for doubleHash, which is broken",
                next_step="use blakeHash",
            )


def _text(data: dict[str, Any]) -> str:
    try:
        return json.dumps(data, sort_keys=True)
    except (TypeError, ValueError):
        raise SchemaInvalidError("the linkage schema is not plain JSON") from None


@lru_cache(maxsize=16)  # clkhash takes a tenth of a second, and each source asks again
def _check_with_clkhash(text: str) -> None:
    try:
        clkhash_schema.from_json_dict(json.loads(text))
    except clkhash_schema.SchemaError as error:
        path = getattr(error.__cause__, "json_path", "")
        where = f" at {path}" if path else ""
        raise SchemaInvalidError(f"clkhash does not accept the linkage schema{where}") from None
    except (InvalidSchemaError, InvalidEntryError, ValueError, TypeError, LookupError):
        raise SchemaInvalidError("clkhash does not accept the linkage schema") from None


def _read_lengths(config: dict[str, Any]) -> tuple[int, int]:
    if "xorFolds" in config:
        # the published schema names it so, clkhash reads xor_folds and ignores this one
        raise SchemaUnsupportedError(
            "clkhash ignores clkConfig.xorFolds", next_step="write xor_folds"
        )
    bits = _whole(config["l"], "clkConfig.l", 8, MAX_FILTER_BITS)
    folds = _whole(config.get("xor_folds", 0), "clkConfig.xor_folds", 0, 13)
    size = bits << folds
    if size & (size - 1) or size > MAX_FILTER_BITS:
        raise SchemaUnsupportedError(
            f"clkConfig.l times 2 ** xor_folds must be a power of two up to {MAX_FILTER_BITS}"
        )
    return bits, folds


def _read_kdf(config: dict[str, Any], feature_count: int) -> KeyDerivation:
    name = config.get("hash", "SHA256")
    key_bytes = _whole(
        config.get("keySize", DEFAULT_KEY_BYTES), "clkConfig.kdf.keySize", 1, MAX_KEY_BYTES
    )
    if feature_count * KEYS_PER_FEATURE * key_bytes > MAX_HKDF_BLOCKS * _HASH_BYTES[name]:
        raise SchemaUnsupportedError("HKDF cannot make that much key material for the features")
    return KeyDerivation(
        hash=name,
        salt=_bytes(config.get("salt")),
        info=_bytes(config.get("info")),
        key_bytes=key_bytes,
    )


def _bytes(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise SchemaInvalidError("clkConfig.kdf: salt and info must be base64") from None


def _read_feature(data: dict[str, Any], index: int) -> Feature:
    form, hashing = data["format"], data["hashing"]
    where = f"feature {index}"
    if hashing.get("hash", {}).get("prevent_singularity") is not None:
        raise SchemaUnsupportedError(f"{where}: prevent_singularity belongs to doubleHash")
    kind: Kind = form["type"]
    feature = Feature(
        identifier=data["identifier"],
        index=index,
        kind=kind,
        comparison=_read_comparison(hashing["comparison"], where),
        strategy=_read_strategy(hashing["strategy"], where),
        encoding=form.get("encoding", "utf-8") if kind == "string" else "utf-8",
        missing=_read_missing(hashing.get("missingValue")),
        pattern=re.compile(form["pattern"]) if "pattern" in form else None,
        case=form.get("case", "mixed"),
        min_length=_optional(form.get("minLength"), where),
        max_length=_optional(form.get("maxLength"), where),
        minimum=_optional(form.get("minimum"), where),
        maximum=_optional(form.get("maximum"), where),
        date_format=form["format"] if kind == "date" else "",
        values=frozenset(form.get("values", ())),
    )
    _check_replacement(feature, where)
    if kind == "date":
        _check_date_format(feature.date_format, where)
    return feature


def _read_comparison(data: dict[str, Any], where: str) -> Ngram | Exact | Numeric:
    if data["type"] == "ngram":
        return Ngram(_whole(data["n"], where, 1, MAX_NGRAM), bool(data.get("positional", False)))
    if data["type"] == "exact":
        return Exact()
    precision = _whole(data.get("fractional_precision", 0), where, 0, 100)
    return Numeric(
        interval=round(data["thresholdDistance"] * 10**precision),
        resolution=_whole(data["resolution"], where, 1, MAX_RESOLUTION),
        precision=precision,
    )


def _read_strategy(data: dict[str, Any], where: str) -> Strategy:
    if "bitsPerToken" in data:
        return Strategy(_whole(data["bitsPerToken"], where, 1, MAX_INSERTIONS), 0)
    return Strategy(0, _whole(data["bitsPerFeature"], where, 1, MAX_INSERTIONS))


def _read_missing(data: dict[str, Any] | None) -> Missing | None:
    if data is None:
        return None
    return Missing(data["sentinel"], data.get("replaceWith", data["sentinel"]))


def _check_replacement(feature: Feature, where: str) -> None:
    """Refuse a replacement that would stop clkhash, which does not check it."""
    if feature.missing is None:
        return
    try:
        tokens_of_text(feature, feature.missing.replacement)
    except InvalidValueError:
        raise SchemaUnsupportedError(
            f"{where}: what replaces a missing value cannot be encoded"
        ) from None


def _check_date_format(text: str, where: str) -> None:
    try:
        datetime.strptime("", text)  # noqa: DTZ007 - only the format is tried
    except ValueError as error:
        if "bad directive" in str(error) or "stray %" in str(error):
            raise SchemaUnsupportedError(f"{where}: the date format has no meaning") from None
    except (re.error, IndexError, KeyError):
        raise SchemaUnsupportedError(f"{where}: the date format has no meaning") from None


def _optional(value: Any, where: str) -> int | None:
    return None if value is None else _whole(value, where, None, None)


def _whole(value: Any, where: str, low: int | None, high: int | None) -> int:
    """JSON Schema takes 2.0 for an integer; clkhash would fail on it at the first record."""
    if type(value) is not int:
        raise SchemaUnsupportedError(f"{where}: a whole number is expected")
    if (low is not None and value < low) or (high is not None and value > high):
        raise SchemaUnsupportedError(f"{where}: a number from {low} to {high} is expected")
    return value
