"""One real database server on loopback: start, stop, kill, pause, query as root.

Knows nothing of replication; topology.py joins servers.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pymysql
import pymysql.cursors

from .kinds import KINDS
from .polling import wait_until
from .ports import free_port, release_port
from .processes import Process

# sun_path holds 108 bytes with its final zero.
_LONGEST_SOCKET_PATH = 100

# Each commit reaches the operating system and is not waited for on the disk: what a test kills
# comes back with all of it. With 0 InnoDB comes back behind its binary log, and a replica refuses
# for good what it then gets twice.
_SMALL = ["--innodb-buffer-pool-size=16M", "--key-buffer-size=1M", "--max-connections=60",
          "--table-open-cache=200", "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0",
          "--skip-name-resolve", "--innodb-doublewrite=0"]
_SMALL_MARIADB = ["--performance-schema=OFF", "--aria-pagecache-buffer-size=1M"]
_SMALL_MYSQL = ["--mysqlx=OFF", "--log-error-verbosity=2"]


class DatabaseServer:
    """A mariadbd or mysqld with a data directory of its own under run_dir/name.

    It boots read-only (as a well-kept host does) unless boots_read_only is False. `certificates`
    is a certs.ServerFiles or None. `prefix` is argv to run it under (a network namespace).
    """

    def __init__(self, name, run_dir, *, kind=None, server_id=1, bind="127.0.0.1", host=None,
                 port=None, options=(), certificates=None, boots_read_only=True, prefix=()):
        self.name = name
        self.kind = kind or KINDS["mariadb"]
        self.server_id = server_id
        self.bind = bind
        # Where clients find it: a server on 0.0.0.0 answers on every address of 127.0.0.0/8.
        self.host = host or (bind if bind != "0.0.0.0" else "127.0.0.1")
        self.port = port or free_port()
        self.folder = Path(run_dir).resolve() / name
        self.log = self.folder / "server.log"
        self.options = list(options)
        self.boots_read_only = boots_read_only
        self.certificates = certificates
        self.prefix = list(prefix)
        self._process = None
        self._admin = None
        self._short_folder = None
        self.socket = self._socket_path()

    def __repr__(self):
        return f"{self.kind.name} {self.name} at {self.address}"

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def running(self):
        return self._process is not None and self._process.running()

    # --- life

    def launch(self):
        """Starts the process and returns at once; wait_ready() waits for it."""
        self._temporary.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "data").exists():
            self.kind.new_data_directory(self.folder / "data")
        if self._short_folder:
            self._short_folder.mkdir(exist_ok=True)
        argv = [*self.prefix, *self.kind.command(self._argv(), self.folder)]
        self._process = Process(argv, log=self.log)
        return self

    def wait_ready(self, cap=60):
        """Returns when root can log in; fails with the end of the server's log."""
        def ready():
            if not self.running():
                raise AssertionError(f"{self!r} ended while starting:\n{self._log_tail()}")
            return self.query("SELECT 1 AS up")
        try:
            wait_until(ready, cap, f"{self!r} to answer", ignore=(pymysql.MySQLError, OSError))
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self._log_tail()}") from None
        return self

    def start(self, cap=60):
        return self.launch().wait_ready(cap)

    def stop(self, cap=30):
        """A clean shutdown (SIGTERM); the data directory stays."""
        self._forget_admin()
        if self._process:
            self._process.terminate(cap)

    def kill(self):
        """SIGKILL, as after a power cut."""
        self._forget_admin()
        if self._process:
            self._process.kill()

    def pause(self):
        """SIGSTOP: the kernel still accepts connections, nobody answers."""
        self._process.pause()

    def resume(self):
        if self._process:
            self._process.resume()

    def restart(self, cap=60):
        self.stop()
        return self.start(cap)

    def close(self, remove=True):
        """Ends the server (SIGKILL: the data is of no use any more) and removes its folder."""
        self.kill()
        release_port(self.port)
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._short_folder:
            shutil.rmtree(self._short_folder, ignore_errors=True)

    # --- SQL as root

    def query(self, sql, arguments=None):
        """Runs one statement as root on a kept connection; returns a list of dicts.

        Through the unix socket, so that it works whatever was done to the network.
        """
        try:
            return self._query_once(sql, arguments)
        except pymysql.err.OperationalError as failure:
            # The kept connection did not survive a restart or a KILL.
            if failure.args[0] not in (2006, 2013) or not self.running():
                raise
            return self._query_once(sql, arguments)

    def value(self, sql, arguments=None):
        """The first column of the first row, None without rows."""
        rows = self.query(sql, arguments)
        return next(iter(rows[0].values())) if rows else None

    def unlogged(self, *statements):
        """Runs statements that leave no trace in the binary log: accounts, what a test forgets."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def connect(self, user="root", password="", tcp=False, **options):
        """A new connection of the caller's own; over the socket unless tcp."""
        where = ({"host": self.host, "port": self.port} if tcp
                 else {"unix_socket": str(self.socket)})
        settings = {"connect_timeout": 5, "read_timeout": 10, "write_timeout": 10,
                    "autocommit": True, "cursorclass": pymysql.cursors.DictCursor, **options}
        return pymysql.connect(user=user, password=password, **where, **settings)

    def leave(self):
        """Ends the kept session of query(), which passes read_only; the next query has a new one."""
        self._forget_admin()

    def connections_of(self, user):
        """Number of sessions of that account, as the server counts them."""
        return self.value("SELECT COUNT(*) AS n FROM information_schema.processlist "
                          "WHERE user = %s", (user,))

    # --- inside

    def _query_once(self, sql, arguments):
        if self._admin is None:
            self._admin = self.connect(connect_timeout=3)
        try:
            with self._admin.cursor() as cursor:
                cursor.execute(sql, arguments)
                return list(cursor.fetchall())
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError) as failure:
            gone = not failure.args or failure.args[0] in (0, 2006, 2013)
            if gone or isinstance(failure, OSError):
                self._forget_admin()
            raise

    def _forget_admin(self):
        if self._admin is not None:
            try:
                self._admin._force_close()  # close() would write to a server that may be stopped
            finally:
                self._admin = None

    def _socket_path(self):
        path = self.folder / "s.sock"
        if len(str(path)) <= _LONGEST_SOCKET_PATH:
            return path
        if self.kind.root is not None:
            raise RuntimeError(f"{path} is too long for a unix socket; use a shorter run directory")
        self._short_folder = Path(tempfile.mkdtemp(prefix="primacy-socket-", dir="/tmp"))
        return self._short_folder / "s.sock"

    @property
    def _temporary(self):
        """Its own: a MariaDB that starts removes every #sql* of its tmpdir, and one whose temporary
        table is taken away like that crashes (10.11: signal 11 in ha_maria::drop_table)."""
        return self.folder / "tmp"

    def _argv(self):
        data = self.folder / "data"
        argv = [self.kind.program, "--no-defaults", f"--datadir={data}", f"--port={self.port}",
                f"--bind-address={self.bind}", f"--socket={self.socket}",
                f"--pid-file={self.folder}/server.pid", f"--server-id={self.server_id}",
                f"--tmpdir={self._temporary}",
                f"--report-host={self.host}", f"--report-port={self.port}",
                "--log-bin=binlog", "--binlog-format=ROW",
                f"--read-only={'ON' if self.boots_read_only else 'OFF'}", *_SMALL]
        if self.kind.is_mysql:
            argv += ["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-replica-updates=ON",
                     *_SMALL_MYSQL]
        else:
            argv += ["--gtid-strict-mode=ON", "--log-slave-updates=ON", *_SMALL_MARIADB]
        if self.certificates:
            argv += self.certificates.server_options(self.folder)
        return argv + self.options + _run_as()

    def _log_tail(self):
        return self._process.log_tail() if self._process else "(never started)"


def _run_as():
    return ["--user=root"] if os.getuid() == 0 else []


# The usual name; the class serves MySQL as well, see kinds.py.
MariaDBServer = DatabaseServer
