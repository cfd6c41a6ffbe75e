"""A Postgres server of these tests' own, which they may stop and start again in the middle of the work."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

from bot.jobs import migrate_engine


class PostgresServer:
    """One throw-away cluster; Postgres refuses to run as root, so root starts it as the user postgres."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="packshot-pg-"))
        self._data = self._folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "--no-sync")
        self._databases = 0

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} "
            "-c fsync=off -c max_connections=200"
        )
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """Return the URL of a fresh database, a copy of one with the engine's tables: migrating takes 1 s each."""
        self._databases += 1
        name = f"jobs_{self._databases}"
        if self._databases == 1:
            self._create("engine", "template1")
            migrate_engine(self._conninfo("engine"))
        self._create(name, "engine")
        return self._conninfo(name)

    def _create(self, name: str, template: str) -> None:
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())

    def _conninfo(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _run(self, *command: str) -> None:
        subprocess.run([*self._as_user, *command], check=True, capture_output=True, cwd=self._folder, timeout=60)
