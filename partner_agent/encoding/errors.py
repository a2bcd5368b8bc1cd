"""Refusals of the encoder. No message holds a value from an extract."""

from partner_agent.errors import AgentError


class EncodingError(AgentError):
    """Base of what this package refuses."""

    reason = "encoding"
    exit_code = 65  # EX_DATAERR


class SchemaInvalidError(EncodingError):
    """The document is not a linkage schema of version 3."""

    reason = "encoding.schema_invalid"


class SchemaVersionError(EncodingError):
    """The linkage schema has another version than 3."""

    reason = "encoding.schema_version"


class DoubleHashError(EncodingError):
    """The schema asks for ``doubleHash`` (broken: Kroll and Steinmetzer 2015)."""

    reason = "encoding.double_hash"


class SchemaUnsupportedError(EncodingError):
    """The schema is valid, but clkhash would not encode with it, or not as it reads."""

    reason = "encoding.schema_unsupported"


class ColumnMissingError(EncodingError):
    """A table lacks a column that the schema encodes, or its columns differ in length."""

    reason = "encoding.column_missing"


class SecretError(EncodingError):
    """The linkage secret does not have the agreed length."""

    reason = "encoding.secret"


class ViewNotUniqueError(EncodingError):
    """A view repeats for too many people of the extract, and so could be told by its frequency."""

    reason = "encoding.view_not_unique"
