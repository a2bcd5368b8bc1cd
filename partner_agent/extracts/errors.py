"""Why an extract or a source mapping cannot be used.

A message names the file, the column's position or the mapping's key; it never holds a cell. A
heading counts as a cell as long as nothing shows that it is one, since a file without headings
has people in its first row.
"""

from partner_agent.errors import AgentError


class ExtractError(AgentError):
    """Base of the errors of reading an extract."""

    reason = "extract"
    exit_code = 65  # EX_DATAERR


class ExtractNotFoundError(ExtractError):
    """There is no such file."""

    reason = "extract.not_found"
    exit_code = 66  # EX_NOINPUT


class ExtractUnreadableError(ExtractError):
    """The file is there but the operating system does not let us read it."""

    reason = "extract.unreadable"
    exit_code = 66  # EX_NOINPUT


class EmptyExtractError(ExtractError):
    """No bytes, or no row that holds anything."""

    reason = "extract.empty"


class OneColumnError(ExtractError):
    """One column only: nearly always a delimiter that is not supported, or a title row."""

    reason = "extract.one_column"


class DelimiterError(ExtractError):
    """The headings use one delimiter and the rows another."""

    reason = "extract.delimiter"


class DuplicateHeaderError(ExtractError):
    """Two columns have the same heading."""

    reason = "extract.duplicate_header"


class NoHeaderError(ExtractError):
    """The first row holds data, not headings."""

    reason = "extract.no_header"


class MergedHeaderError(ExtractError):
    """The headings of a sheet are merged cells."""

    reason = "extract.merged_header"


class NotTextError(ExtractError):
    """The bytes are neither text nor a format that is known."""

    reason = "extract.not_text"


class FormatNotSupportedError(ExtractError):
    """A format that is recognised but not read, such as XLS or a plain ZIP."""

    reason = "extract.format_not_supported"


class DamagedExtractError(ExtractError):
    """The file has the marks of its format but cannot be read to the end."""

    reason = "extract.damaged"


class SheetNotFoundError(ExtractError):
    """The workbook has no sheet of that name."""

    reason = "extract.sheet_not_found"


class ExtractTooLargeError(ExtractError):
    """A part of the file that has to be held in memory is past its limit."""

    reason = "extract.too_large"


class MappingError(AgentError):
    """Base of the errors of a source mapping."""

    reason = "mapping"
    exit_code = 78  # EX_CONFIG


class MappingNotReadError(MappingError):
    """The mapping's file cannot be read, or is not YAML."""

    reason = "mapping.not_read"


class MappingInvalidError(MappingError):
    """A key of the mapping is unknown, missing or of the wrong kind."""

    reason = "mapping.invalid"


class ColumnNotFoundError(MappingError):
    """The mapping names a column that the extract does not have."""

    reason = "mapping.column_not_found"
