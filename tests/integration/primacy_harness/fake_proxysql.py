"""A stand-in for ProxySQL's admin interface: what was measured of ProxySQL 2.7.1, on SQLite.

ProxySQL is not packaged by Debian. This one keeps the three places of state (memory, runtime,
disk), the sessions that hold a backend connection, and the quirks that matter: each error is 1045,
only the first of several statements is executed, an empty one kills it, LOAD loads whatever
anybody edited, and a session that is idle in a transaction outlives OFFLINE_HARD until it is
killed. It forwards no traffic.
"""

import hashlib
import sqlite3
import struct
import threading

from .fakes import FakeServer, _column, error, greeting, ok, packet

_SALT = b"12345678abcdefghijkl"
_SERVERS = ("hostgroup_id INT, hostname VARCHAR, port INT, status VARCHAR, weight INT, "
            "max_connections INT, comment VARCHAR DEFAULT '', "
            "PRIMARY KEY (hostgroup_id, hostname, port)")


class FakeProxySQL:
    """`servers` are (hostgroup, host, port) at the start. Two accounts: radmin and stats."""

    user, password = "radmin", "radmin-s3cret-Vb8"
    stats_user = "stats"

    def __init__(self, servers):
        self.statements = []  # all that came, in order
        self.crashed = False
        self.hang_on = None   # beginning of a statement that is never answered
        self.die_on = None    # beginning of a statement at which the connection ends
        self._lock = threading.RLock()
        self._next_session = 100
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        for table in ("mysql_servers", "runtime_mysql_servers", "disk_mysql_servers"):
            self._db.execute(f"CREATE TABLE {table} ({_SERVERS})")
        self._db.execute("CREATE TABLE stats_mysql_processlist (SessionID INT, user VARCHAR, "
                         "hostgroup INT, srv_host VARCHAR, srv_port INT, command VARCHAR)")
        self._db.execute(
            "CREATE VIEW stats_mysql_connection_pool AS SELECT r.hostgroup_id AS hostgroup, "
            "r.hostname AS srv_host, r.port AS srv_port, r.status AS status, (SELECT COUNT(*) FROM "
            "stats_mysql_processlist p WHERE p.hostgroup = r.hostgroup_id AND p.srv_host = "
            "r.hostname AND p.srv_port = r.port) AS ConnUsed FROM runtime_mysql_servers r")
        for group, host, port in servers:
            self.sql("INSERT INTO mysql_servers (hostgroup_id, hostname, port, status, weight, "
                     "max_connections) VALUES (?, ?, ?, 'ONLINE', 1, 1000)", group, host, port)
        self._load()
        self._save_to_disk()
        self._server = FakeServer(self._serve, "proxysql")
        self.host, self.port = self._server.host, self._server.port

    def close(self):
        self._server.close()

    def sql(self, statement, *arguments):
        """What a person does to it, past the protocol; rows as tuples."""
        with self._lock:
            return self._db.execute(statement, arguments).fetchall()

    def open_session(self, group, host, port, idle=False):
        """A client that holds a backend connection; `idle`: in a transaction, saying nothing."""
        with self._lock:
            self._next_session += 1
            self.sql("INSERT INTO stats_mysql_processlist VALUES (?, 'app', ?, ?, ?, ?)",
                     self._next_session, group, host, port, "Sleep" if idle else "Query")
            return self._next_session

    def sessions(self):
        return {row[0] for row in self.sql("SELECT SessionID FROM stats_mysql_processlist")}

    # --- the statements that are not SQLite's

    def _load(self):
        self.sql("DELETE FROM runtime_mysql_servers")
        self.sql("INSERT INTO runtime_mysql_servers SELECT hostgroup_id, hostname, port, "
                 "UPPER(status), weight, max_connections, comment FROM mysql_servers")
        # A running statement is cut at once; who is idle learns it at the next one.
        self.sql("DELETE FROM stats_mysql_processlist WHERE command = 'Query' AND EXISTS (SELECT * "
                 "FROM runtime_mysql_servers r WHERE r.hostgroup_id = hostgroup AND r.hostname = "
                 "srv_host AND r.port = srv_port AND r.status = 'OFFLINE_HARD')")

    def _save_from_runtime(self):
        self.sql("DELETE FROM mysql_servers")
        self.sql("INSERT INTO mysql_servers SELECT hostgroup_id, hostname, port, REPLACE(status, "
                 "'SHUNNED', 'ONLINE'), weight, max_connections, comment FROM "
                 "runtime_mysql_servers WHERE status <> 'OFFLINE_HARD'")

    def _save_to_disk(self):
        self.sql("DELETE FROM disk_mysql_servers")
        self.sql("INSERT INTO disk_mysql_servers SELECT * FROM mysql_servers")

    def _command(self, statement):
        """True when it was one of those."""
        words = " ".join(statement.upper().split())
        acts = {"LOAD MYSQL SERVERS TO RUNTIME": self._load,
                "SAVE MYSQL SERVERS FROM RUNTIME": self._save_from_runtime,
                "SAVE MYSQL SERVERS TO DISK": self._save_to_disk}
        if words in acts:
            acts[words]()
            return True
        if words.startswith("KILL CONNECTION "):
            session = int(words.split()[2])
            if session not in self.sessions():
                raise sqlite3.OperationalError(f"Unknown thread id: {session}")
            self.sql("DELETE FROM stats_mysql_processlist WHERE SessionID = ?", session)
            return True
        return False

    # --- the protocol

    def _serve(self, peer):
        peer.send(greeting())
        sequence, answer = peer.packet()
        user = self._who(answer)
        if user is None:
            peer.send(error(1045, b"28000", b"ProxySQL Error: Access denied for user 'x'@"
                            b"'127.0.0.1' (using password: YES)", sequence + 1))
            return
        peer.send(ok(sequence + 1))
        while not self.crashed:
            _, payload = peer.packet()
            if payload[:1] == b"\x01":
                return
            if payload[:1] != b"\x03":
                peer.send(ok(1))
            elif not self._answer(peer, payload[1:].decode(), user):
                return

    def _who(self, answer):
        """The user of a handshake response whose password is right, or None."""
        name, rest = answer[32:].split(b"\0", 1)
        proof = rest[1:1 + rest[0]]
        first = hashlib.sha1(self.password.encode()).digest()
        mask = hashlib.sha1(_SALT + hashlib.sha1(first).digest()).digest()
        right = bytes(a ^ b for a, b in zip(first, mask))
        user = name.decode()
        return user if proof == right and user in (self.user, self.stats_user) else None

    def _answer(self, peer, statement, user):
        """False: the conversation is over."""
        self.statements.append(statement)
        if self.hang_on and statement.startswith(self.hang_on):
            peer.until_closed()
            return False
        if self.die_on and statement.startswith(self.die_on):
            return False
        statement = statement.strip()
        if statement == ";":
            self.crashed = True
            return False
        statement = statement.split(";")[0]  # the others are dropped without a word
        if statement.upper().startswith("SET NAMES"):
            peer.send(ok(1))
            return True
        try:
            if user == self.stats_user and "stats_" not in statement:
                raise sqlite3.OperationalError("no such table")
            with self._lock:
                if self._command(statement):
                    peer.send(ok(1))
                    return True
                cursor = self._db.execute(statement)
                rows = cursor.fetchall()
        except sqlite3.Error as failure:
            peer.send(error(1045, b"28000", f"ProxySQL Admin Error: {failure}".encode(), 1))
            return True
        peer.send(_rows(cursor.description, rows) if cursor.description else ok(1))
        return True


def _rows(columns, rows):
    """Every value as text, as the admin interface sends it."""
    data = packet(bytes([len(columns)]), 1)
    sequence = 2
    for column in columns:
        data += _column(column[0].encode()[:250], sequence)
        sequence += 1
    end = b"\xfe\0\0" + struct.pack("<H", 2)
    data += packet(end, sequence)
    for row in rows:
        sequence += 1
        payload = b""
        for value in row:
            text = str(value).encode()
            payload += b"\xfb" if value is None else bytes([len(text)]) + text
        data += packet(payload, sequence)
    return data + packet(end, sequence + 1)
