"""Databases are brought to the newest schema, and opened without Alembic once they have it."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from benchmarks.postgresql import database_on
from governance.console.store import database as console
from governance.console.store.database import _VERSIONS
from governance.ledger import database as ledger
from governance.storage import database as storage
from governance.storage.database import Database, newest_revision, sqlite_url
from linkage_hub.store import database as hub
from partner_agent.store import database as agent
from tests import schemas

FOLDERS = {
    "agent": agent._VERSIONS,
    "console": console._VERSIONS,
    "hub": hub._VERSIONS,
    "log": ledger._VERSIONS / "log",
    "mirror": ledger._VERSIONS / "mirror",
}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_the_last_file_is_the_newest_schema(folder: Path) -> None:
    """As Alembic finds it by following every revision."""
    scripts = ScriptDirectory(str(Path(storage.__file__).parent), version_locations=[str(folder)])
    assert newest_revision(folder) == scripts.get_current_head()


def test_an_older_database_is_brought_up_and_a_newest_one_left_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the version table says of it."""
    versions = FOLDERS["hub"]
    older = tmp_path / "older"
    older.mkdir()
    (older / "0001_hub.py").write_bytes((versions / "0001_hub.py").read_bytes())
    opened = Database(database_url, older, "hub")
    assert not inspect(opened.engine).has_table("rulings")
    opened.close()

    opened = Database(database_url, versions, "hub")
    assert inspect(opened.engine).has_table("rulings")
    with opened.reading() as connection:
        found = connection.scalar(text("SELECT version_num FROM hub_version"))
    assert found == newest_revision(versions)
    opened.close()

    monkeypatch.setattr(storage, "_upgrade", pytest.fail)
    Database(database_url, versions, "hub").close()


def test_who_reads_sees_one_state(database_url: str) -> None:
    """What another deletes between two statements is in both, and gone for who begins then."""
    opened = Database(database_url, FOLDERS["hub"], "hub")
    with opened.writing() as connection:
        connection.execute(text("CREATE TABLE seen (id INTEGER)"))
        connection.execute(text("INSERT INTO seen VALUES (1)"))
    count = text("SELECT count(*) FROM seen")
    with opened.reading() as connection:
        assert connection.scalar(count) == 1
        with opened.writing() as other:
            other.execute(text("DELETE FROM seen"))
        assert connection.scalar(count) == 1
    with opened.reading() as connection:
        assert connection.scalar(count) == 0
    opened.close()


@pytest.mark.parametrize(("label", "folder"), FOLDERS.items(), ids=FOLDERS)
def test_what_tests_copy_is_what_migrations_make(label: str, folder: Path, tmp_path: Path) -> None:
    """Table by table, index by index, and nobody's copy is another's."""
    found = []
    for name, upgrade in (("real", schemas.migrated), ("first", schemas.upgrade),
                          ("second", schemas.upgrade)):  # fmt: skip
        url = sqlite_url(tmp_path / f"{name}.db")
        engine = create_engine(url)
        upgrade(engine, folder, label)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master"))
            found.append(sorted(map(tuple, rows)))
        engine.dispose()
        assert Database(url, folder, label).is_sqlite
    assert found[0] == found[1] == found[2]
    assert found[0]


def test_a_database_of_a_later_program_is_not_opened(tmp_path: Path) -> None:
    """What an older program would write into it nobody knows."""
    url, versions = sqlite_url(tmp_path / "later.db"), FOLDERS["hub"]
    opened = Database(url, versions, "hub")
    with opened.writing() as connection:
        connection.execute(text("UPDATE hub_version SET version_num = 'hub_9999'"))
    opened.close()
    with pytest.raises(Exception, match="hub_9999"):
        Database(url, versions, "hub")


def test_a_copied_schema_is_the_migrated_one(postgres_url: str) -> None:
    """What tests on PostgreSQL get in the place of migrations differs from them in nothing."""
    dumps = []
    for upgrade in (schemas.migrated, schemas.upgrade, schemas.upgrade):  # the last one is a copy
        with database_on(postgres_url) as url:
            engine = create_engine(url)
            upgrade(engine, _VERSIONS, "console")
            dumps.append(schemas._dump(engine))
            engine.dispose()
    if dumps[0] is None:
        pytest.skip("there is no pg_dump beside this PostgreSQL: its databases are migrated")
    assert (_VERSIONS, "console") in schemas._dumped
    assert "CREATE TABLE public.audit_head" in dumps[0]
    assert dumps[0] == dumps[1] == dumps[2]
