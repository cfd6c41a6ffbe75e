"""A Postgres server of these tests' own, which they may stop and start again in the middle of the work."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path

import psycopg

from bot.jobs import migrate_engine
from tests.postgres import as_user


class PostgresServer:
    """One throw-away cluster; nothing in it survives the tests, so it never syncs."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="packshot-pg-"))
        self._folder.chmod(0o777)  # the server's user is not ours where we are root
        self._data = self._folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        as_user([binaries / "initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-N"])
        self._databases = 0

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} "
            "-c fsync=off -c max_connections=200"
        )
        self._control("-l", self._folder / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._control("-m", mode, "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """Return the URL of a fresh database, a copy of one with the engine's tables: migrating takes 1 s each."""
        self._databases += 1
        name = f"jobs_{self._databases}"
        if self._databases == 1:
            self._create("engine", "template1")
            migrate_engine(self._url("engine"))
        self._create(name, "engine")
        return self._url(name)

    def _create(self, name: str, template: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def _control(self, *arguments: str | Path) -> None:
        as_user([self._binaries / "pg_ctl", "-D", self._data, "-w", *arguments])
