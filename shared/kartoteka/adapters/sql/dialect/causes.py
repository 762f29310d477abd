"""What stands in a database's way that is neither a right nor the data: one table an engine, from its codes to causes.

A cause that only a person ends is a Halt with a sentence of its own; one that passes is a Retry whose code's texts say
what to look at (``database.…`` in :mod:`kartoteka.codes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from kartoteka.errors import Halt, KartotekaError, Retry


class Cause(StrEnum):
    """Why the database does not do what it may do and could do."""

    FULL = "database_full"
    READ_ONLY = "database_read_only"
    DAMAGED = "database_damaged"
    MEMORY = "database.memory"
    CONNECTIONS = "database.connections"
    SLOW = "database.slow"
    STARTING = "database.starting"


SENTENCES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.FULL: (
            "the disk of the exchange database is full: make room there; nothing is lost, all goes on by itself"
        ),
        Cause.READ_ONLY: (
            "the exchange database takes no writes: name the primary server where this one follows another, or let "
            "the user write to the file and its folder"
        ),
        Cause.DAMAGED: "the exchange database is damaged: check its disk, and restore it from a backup",
    }
)
"""What a person is to do; of the other causes :mod:`kartoteka.codes` says it."""

SQLITE: Mapping[str, Cause] = MappingProxyType(
    {
        "SQLITE_FULL": Cause.FULL,
        "SQLITE_IOERR_SHMSIZE": Cause.FULL,  # the memory shared by its readers is a file beside it
        "SQLITE_READONLY": Cause.READ_ONLY,
        "SQLITE_CORRUPT": Cause.DAMAGED,
        "SQLITE_IOERR": Cause.DAMAGED,
        "SQLITE_NOMEM": Cause.MEMORY,
        "SQLITE_BUSY": Cause.SLOW,
        "SQLITE_LOCKED": Cause.SLOW,
        "SQLITE_INTERRUPT": Cause.SLOW,
    }
)
"""By how the code's name begins; the first that fits."""

POSTGRESQL: Mapping[str, Cause] = MappingProxyType(
    {
        "53100": Cause.FULL,
        "25006": Cause.READ_ONLY,
        "XX001": Cause.DAMAGED,
        "XX002": Cause.DAMAGED,
        "53200": Cause.MEMORY,
        "53300": Cause.CONNECTIONS,
        "55P03": Cause.SLOW,
        "57014": Cause.SLOW,
        "57P01": Cause.STARTING,
        "57P02": Cause.STARTING,
        "57P03": Cause.STARTING,
    }
)

POSTGRESQL_WORDS: Mapping[str, Cause] = MappingProxyType(
    {
        "too many clients": Cause.CONNECTIONS,
        "too many connections": Cause.CONNECTIONS,
        "connection slots": Cause.CONNECTIONS,
        "starting up": Cause.STARTING,
        "shutting down": Cause.STARTING,
        "recovery": Cause.STARTING,
        "not yet accepting": Cause.STARTING,
    }
)
"""A refused connection carries no code, only words, where the server speaks English."""

MYSQL: Mapping[int, Cause] = MappingProxyType(
    {
        **dict.fromkeys((1021, 1114, 3675), Cause.FULL),
        **dict.fromkeys((1290, 1792, 1836), Cause.READ_ONLY),
        **dict.fromkeys((1034, 1194, 1195, 1712), Cause.DAMAGED),
        **dict.fromkeys((1037, 1038, 1041, 1135), Cause.MEMORY),
        **dict.fromkeys((1040, 1203, 1226), Cause.CONNECTIONS),
        **dict.fromkeys((1205, 1317, 1969, 3024, 3572), Cause.SLOW),
        **dict.fromkeys((1053, 1077, 1079, 1927, 4031), Cause.STARTING),
    }
)
"""MariaDB's and MySQL's numbers."""

MSSQL: Mapping[int, Cause] = MappingProxyType(
    {
        **dict.fromkeys((1101, 1105, 3257, 9002), Cause.FULL),
        **dict.fromkeys((978, 3906, 3908), Cause.READ_ONLY),
        **dict.fromkeys((823, 824, 825), Cause.DAMAGED),
        **dict.fromkeys((701, 802, 8645, 8651), Cause.MEMORY),
        **dict.fromkeys((10928, 10929, 17809), Cause.CONNECTIONS),
        **dict.fromkeys((-2, 1222), Cause.SLOW),
        **dict.fromkeys((904, 922, 6005, 18401, 40613), Cause.STARTING),
    }
)
"""SQL Server's numbers."""


def error_of(cause: Cause, code: object) -> KartotekaError:
    """Return the error that a cause stands for; ``code``: what the engine calls it."""
    return Halt(str(cause), f"{SENTENCES[cause]} ({code})") if cause in SENTENCES else Retry(str(cause))
