"""The encoder of an agreement's profile, and the test vectors that prove agents encode alike."""

from typing import TypeAlias

from governance.agreements.encoding import Hardening
from governance.canonical import canonical_bytes, sha256
from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.errors import EncodingError
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.encoding.vectors import VECTORS

Encoder: TypeAlias = ClkEncoder | HardenedEncoder


def record_encoder(
    schema: LinkageSchema, keys: LinkageKeys, hardening: Hardening | None
) -> Encoder:
    """Encoder of records: full encoding and views; ``clk`` where there is no hardening.

    Raises:
        SchemaUnsupportedError: the schema does not fit the hardening.
    """
    if hardening is None:
        return ClkEncoder(schema, keys.clk)
    return HardenedEncoder(schema, hardening, keys.hardened)


def mention_encoder(
    schema: LinkageSchema, keys: LinkageKeys, hardening: Hardening | None
) -> Encoder:
    """Encoder of mentions: the full encoding of records alone, under the same key."""
    if hardening is None:
        return ClkEncoder(schema, keys.clk)
    return HardenedEncoder(schema, hardening.model_copy(update={"views": ()}), keys.hardened)


def vector_digest(
    schema: LinkageSchema, keys: LinkageKeys, hardening: Hardening | None = None
) -> str:
    """``sha256:<hex>`` over the encodings of fixed records, to see that two agents encode alike.

    The schema's features are filled from the records column by column; a column that the records
    do not have is empty. The vectors have a secret of their own, so that they tell nothing about
    encodings of people.

    Raises:
        EncodingError: the schema takes none of the records.
    """
    columns = {
        name: [record.get(name, "") for record in VECTORS]
        for name in dict.fromkeys((*schema.columns, "first_name"))
    }
    encoder: Encoder = (
        ClkEncoder(schema, keys.vectors)
        if hardening is None
        else HardenedEncoder(schema, hardening, keys.vectors)
    )
    chunk = encoder.encode(columns)
    if not chunk.accepted.any():
        raise EncodingError("the schema takes none of the test vectors")
    profile = b"clk" if hardening is None else canonical_bytes(hardening)
    return sha256(
        schema.hash.encode() + profile + chunk.accepted.tobytes() + chunk.encodings.tobytes()
    )
