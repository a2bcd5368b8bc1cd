from pathlib import Path

from examples import county
from examples.county.sources.catalogue import SOURCES


def test_every_source_and_column_is_described() -> None:
    """The county's README names each source with all of its columns."""
    text = (Path(county.__file__).parent / "README.md").read_text(encoding="utf-8")
    for source in SOURCES:
        assert f"### {source.partner}/{source.name}\n" in text
        columns = ", ".join(column.name for column in source.columns)
        assert f"- Columns: {columns}\n" in text
