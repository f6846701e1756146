"""Bring the database to the schema that this version of the code needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.installation.settings import ConfigurationError
from pipeline.publish.comments import describe_columns

LOCK = 0x6D696772
"""The advisory lock under which migrations are applied ("migr")."""
LOCK_WAIT = "120s"

OLDEST_SERVER = 15
"""The version of PostgreSQL that brought ``merge``, by which jobs are published."""

_TABLE = """
create table if not exists schema_migrations (
    version    integer primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One file ``<version>_<name>.sql``. The checksum ignores how line ends are written."""

    version: int
    name: str
    statements: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.statements.replace(b"\r\n", b"\n")).hexdigest()


def known_migrations() -> list[Migration]:
    """The migrations of this version of the code, in order."""
    folder = files("pipeline.publish") / "migrations"
    found = (file for file in folder.iterdir() if file.name.endswith(".sql"))
    return sorted(
        (
            Migration(
                int(file.name.split("_")[0]), file.name.removesuffix(".sql"), file.read_bytes()
            )
            for file in found
        ),
        key=lambda migration: migration.version,
    )


def migrate(
    connection: Connection[TupleRow], migrations: list[Migration] | None = None
) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own, and return the names.
    Then comment the columns with what is declared of them.

    Several may call this at once: one applies, the others wait for it and find nothing to do.

    Args:
        connection: in no transaction.
        migrations: those of the code by default.

    Raises:
        ConfigurationError: the database was migrated by newer code, a recorded migration is not
            the one of this code, the server is too old, something that others made depends on
            what a migration removes, or the user of DATABASE_URL may not create what is needed.
    """
    server = connection.info.server_version // 10_000
    if server < OLDEST_SERVER:
        raise ConfigurationError(
            f"PostgreSQL {OLDEST_SERVER} or newer is needed, this is PostgreSQL {server}. Update "
            "the server, or name another in DATABASE_URL."
        )
    migrations = known_migrations() if migrations is None else migrations
    applied: list[str] = []
    while True:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
            connection.execute("set local statement_timeout = 0")
            try:
                # A lock of the transaction, so that it works through a connection pooler as well.
                connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
                migration = _next(connection, migrations)
                if migration is None:
                    describe_columns(connection)
                    return applied
                connection.execute(migration.statements)
            except psycopg.errors.LockNotAvailable:
                raise ConfigurationError(
                    f"Another process has been migrating the database for over {LOCK_WAIT}. Wait "
                    "for it to end, or look in pg_stat_activity for what it waits for."
                ) from None
            except psycopg.errors.InsufficientPrivilege as error:
                raise ConfigurationError(
                    "The user of DATABASE_URL may not create the tables "
                    f"({error.diag.message_primary}). Make it the owner of the database: "
                    "alter database … owner to …."
                ) from None
            except psycopg.errors.DependentObjectsStillExist as error:
                raise ConfigurationError(
                    "The tables cannot be changed, because something else was built on them "
                    f"({error.diag.message_detail}). Drop it, start again, and create it again "
                    "afterwards."
                ) from None
            except psycopg.errors.UndefinedFile:
                raise ConfigurationError(
                    "The PostgreSQL server lacks the extension pg_trgm. Install its package "
                    "postgresql-contrib."
                ) from None
            connection.execute(
                "insert into schema_migrations (version, name, checksum) values (%s, %s, %s)",
                (migration.version, migration.name, migration.checksum),
            )
        applied.append(migration.name)


def _next(connection: Connection[TupleRow], migrations: list[Migration]) -> Migration | None:
    connection.execute(_TABLE)
    rows = connection.execute("select version, name, checksum from schema_migrations").fetchall()
    recorded = {version: (name, checksum) for version, name, checksum in rows}
    known = {migration.version for migration in migrations}
    if unknown := sorted(recorded.keys() - known):
        raise ConfigurationError(
            f"The database is newer than this code: it has the migration "
            f"{recorded[unknown[-1]][0]}. Update the code, or name another database in "
            "DATABASE_URL."
        )
    for migration in migrations:
        if migration.version not in recorded:
            return migration
        if recorded[migration.version][1] != migration.checksum:
            raise ConfigurationError(
                f"The migration {migration.name} was changed after this database recorded it. "
                "Restore the file, or start with an empty database: everything published is "
                "computed again from staging."
            )
    return None
