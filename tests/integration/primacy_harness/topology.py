"""A few servers that replicate among themselves, and the things that happen to them."""

import pymysql

from .kinds import KINDS
from .polling import wait_until
from .servers import DatabaseServer
from .writer import BackgroundWriter

MONITOR, MONITOR_PASSWORD = "primacy", "monitor-s3cret-Zq7"
WRITER, WRITER_PASSWORD = "writer", "writer-s3cret-Xk2"
REPLICATION, REPLICATION_PASSWORD = "replication", "replication-s3cret-Pw4"

# The least that monitoring needs. On MariaDB the names changed in 10.5.
MONITOR_GRANTS = {
    "mariadb": ["GRANT SLAVE MONITOR, BINLOG MONITOR, PROCESS ON *.* TO {user}",
                "GRANT SELECT ON mysql.global_priv TO {user}",
                "GRANT SELECT ON mysql.roles_mapping TO {user}"],
    "mysql": ["GRANT REPLICATION CLIENT, PROCESS ON *.* TO {user}",
              "GRANT SELECT ON mysql.user TO {user}",
              "GRANT SELECT ON mysql.global_grants TO {user}",
              "GRANT SELECT ON mysql.role_edges TO {user}",
              "GRANT SELECT ON performance_schema.* TO {user}"],
}

# What fencing by SQL needs beside it, and on MySQL a look into the binary log.
_FENCING_PRIVILEGES = {
    "mariadb": "READ_ONLY ADMIN, CONNECTION ADMIN",
    "mysql": "SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, REPLICATION SLAVE",
}


def grant_monitoring(server):
    """What the monitoring account always has, again: for who has revoked more than he granted."""
    server.unlogged(*(grant.format(user=f"'{MONITOR}'@'%'")
                      for grant in MONITOR_GRANTS[server.kind.flavor]))


def grant_fencing(topology):
    """Lets the monitoring account fence, on every server, without a trace in the binary log."""
    for server in topology:
        server.unlogged(f"GRANT {_FENCING_PRIVILEGES[topology.kind.flavor]} ON *.* "
                        f"TO '{MONITOR}'@'%'")


def may_fence(server):
    """Whether the monitoring account has what grant_fencing() gives, as the server says."""
    grants = " ".join(next(iter(row.values()))
                      for row in server.query(f"SHOW GRANTS FOR '{MONITOR}'@'%'"))
    return all(privilege.strip() in grants
               for privilege in _FENCING_PRIVILEGES[server.kind.flavor].split(","))


def revoke_fencing(topology):
    """What grant_fencing() gave: to other tests it would be an account that passes read_only."""
    for server in topology:
        if topology.kind.is_mysql:  # super_read_only refuses it otherwise
            server.query("SET GLOBAL super_read_only = OFF")
        server.unlogged(f"REVOKE {_FENCING_PRIVILEGES[topology.kind.flavor]} ON *.* "
                        f"FROM '{MONITOR}'@'%'")


class Topology:
    """Servers by name; the first is the primary, the others follow it.

    Every server boots read-only and holds the same accounts, made without a trace in the binary
    log: primacy (monitoring), writer (an ordinary application account), replication.
    """

    def __init__(self, run_dir, names=("db1", "db2", "db3"), *, kind=None, server_options=(),
                 per_server=None):
        """per_server: name → keyword arguments for that DatabaseServer."""
        self.kind = kind or KINDS["mariadb"]
        self.run_dir = run_dir
        self.names = list(names)
        self._writers = []
        self.servers = {}
        for number, name in enumerate(self.names, start=1):
            own = dict((per_server or {}).get(name, {}))
            options = [*server_options, *own.pop("options", ())]
            own.setdefault("server_id", number)
            self.servers[name] = DatabaseServer(name, run_dir, kind=self.kind, options=options,
                                                **own)

    def __getitem__(self, name):
        return self.servers[name]

    def __iter__(self):
        return iter(self.servers.values())

    @property
    def primary(self):
        """The first server: the writer of a healthy topology."""
        return self.servers[self.names[0]]

    # --- life

    def start(self):
        """Starts all servers at once, makes accounts and schema, and joins them."""
        for server in self:
            server.launch()
        for server in self:
            server.wait_ready()
            self.make_accounts(server)
        self._join()
        return self

    def restore(self):
        """Back to the healthy start whatever a test did, on the same ports; data is forgotten."""
        self.stop_writers()
        for server in self:
            server.resume()
            if not server.running():
                server.launch()
        for server in self:
            server.wait_ready()
        for server in self:
            self._forget_everything(server)
        self._join()

    def close(self, remove=True):
        self.stop_writers()
        for server in self:
            server.close(remove)

    # --- what happens to servers

    def make_writable(self, name):
        self.open_server(self[name])

    def make_read_only(self, name):
        server = self[name]
        if self.kind.is_mysql:
            server.query("SET GLOBAL super_read_only = ON")  # turns read_only on too
        else:
            server.query("SET GLOBAL read_only = ON")

    def open_server(self, server):
        if self.kind.is_mysql:
            server.query("SET GLOBAL super_read_only = OFF")
        server.query("SET GLOBAL read_only = OFF")

    def stop_replication(self, name):
        """Stops both threads; the server still knows its source."""
        self[name].query("STOP REPLICA" if self.kind.is_mysql else "STOP ALL SLAVES")

    def start_replication(self, name):
        self[name].query("START REPLICA" if self.kind.is_mysql else "START ALL SLAVES")

    def detach(self, name):
        """Leaves replication for good: the server forgets its source."""
        self.stop_replication(name)
        self[name].query("RESET REPLICA ALL" if self.kind.is_mysql else "RESET SLAVE ALL")

    def promote(self, name):
        """What a failover does to the chosen replica: detach it, then open it."""
        self.detach(name)
        self.make_writable(name)

    def follow(self, name, source, wait=True):
        """Makes a server a replica of another one; its own history must not have diverged."""
        server, origin = self[name], self[source]
        if self.kind.is_mysql:
            server.query("STOP REPLICA")
            server.query(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, "
                "SOURCE_PASSWORD=%s, SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, "
                "SOURCE_CONNECT_RETRY=1",
                (origin.host, origin.port, REPLICATION, REPLICATION_PASSWORD))
        else:
            server.query("STOP SLAVE")
            # A former primary continues behind its own last transaction.
            own = server.value("SELECT @@gtid_binlog_pos AS position")
            if own:
                server.query("SET GLOBAL gtid_slave_pos = @@gtid_current_pos")
            server.query(
                "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, "
                "MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
                (origin.host, origin.port, REPLICATION, REPLICATION_PASSWORD))
        self.start_replication(name)
        if wait:
            self.wait_replicating(name)

    def rebuild(self, name, source):
        """Throws the server's history away and lets it follow `source` from the beginning.

        How a diverged server is mended here; a real host would get a fresh copy of the data.
        """
        self._forget_everything(self[name])
        self.follow(name, source)
        self.wait_caught_up(name, source)

    # --- looking

    def channels(self, name):
        """Rows of SHOW ALL SLAVES STATUS or SHOW REPLICA STATUS."""
        return self[name].query("SHOW REPLICA STATUS" if self.kind.is_mysql
                                else "SHOW ALL SLAVES STATUS")

    def replicating(self, name):
        prefix = "Replica" if self.kind.is_mysql else "Slave"
        rows = self.channels(name)
        return bool(rows) and all(row[f"{prefix}_IO_Running"] == "Yes" and
                                  row[f"{prefix}_SQL_Running"] == "Yes" for row in rows)

    def wait_replicating(self, name, cap=30):
        try:
            wait_until(lambda: self.replicating(name), cap, f"{name} to replicate")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.channels(name)}") from None

    def gtid_position(self, name):
        """Everything that the server has, as text: equal texts mean equal data."""
        return self[name].value("SELECT @@gtid_executed AS position" if self.kind.is_mysql
                                else "SELECT @@gtid_current_pos AS position")

    def wait_caught_up(self, name, source, cap=30):
        goal = self.gtid_position(source)
        wait_until(lambda: self.gtid_position(name) == goal, cap, f"{name} to reach {goal}")

    def monitor_connections(self, name):
        return self[name].connections_of(MONITOR)

    # --- writing

    def write_row(self, name, writer="test", number=None):
        """Inserts one row as the ordinary account; pymysql's error when refused."""
        connection = self.connect_writer(name)
        try:
            with connection.cursor() as cursor:
                if number is None:
                    cursor.execute("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM app.facts "
                                   "WHERE writer = %s", (writer,))
                    number = cursor.fetchone()["next"]
                cursor.execute("INSERT INTO app.facts (writer, number) VALUES (%s, %s)",
                               (writer, number))
        finally:
            connection.close()
        return number

    def may_write(self, name):
        """Whether the ordinary account may write now: the truth that primacy has to tell."""
        try:
            self.write_row(name)
        except pymysql.MySQLError as failure:
            if failure.args[0] == 1290:
                return False
            raise
        return True

    def background_writer(self, name, label=None, pause=0.005):
        """Starts a writer on that server; ended by stop_writers(), restore() and close()."""
        writer = BackgroundWriter(lambda: self.connect_writer(name), label or f"to-{name}", pause)
        self._writers.append(writer)
        return writer

    def stop_writers(self):
        while self._writers:
            self._writers.pop().stop()

    def connect_writer(self, name):
        return self[name].connect(WRITER, WRITER_PASSWORD, tcp=True, read_timeout=3,
                                  write_timeout=3)

    # --- making

    def make_accounts(self, server):
        """The three accounts, on this server only."""
        statements = []
        for user, password, grants in (
                (MONITOR, MONITOR_PASSWORD, MONITOR_GRANTS[self.kind.flavor]),
                (WRITER, WRITER_PASSWORD,
                 ["GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO {user}"]),
                (REPLICATION, REPLICATION_PASSWORD,
                 ["GRANT REPLICATION SLAVE ON *.* TO {user}"])):
            account = f"'{user}'@'%'"
            statements.append(f"CREATE USER {account} IDENTIFIED BY '{password}'")
            statements += [grant.format(user=account) for grant in grants]
        server.unlogged(*statements)

    def _forget_everything(self, server):
        if self.kind.is_mysql:
            server.query("STOP REPLICA")
            server.query("RESET REPLICA ALL")
            server.query("SET GLOBAL super_read_only = OFF")
            server.query("SET GLOBAL read_only = ON")
            server.unlogged("DROP DATABASE IF EXISTS app")
            server.query("RESET BINARY LOGS AND GTIDS")
        else:
            server.query("STOP ALL SLAVES")
            for row in server.query("SHOW ALL SLAVES STATUS"):
                server.query("RESET SLAVE %s ALL", (row["Connection_name"],))
            server.query("SET GLOBAL read_only = ON")
            server.unlogged("DROP DATABASE IF EXISTS app")
            server.query("RESET MASTER")
            server.query("SET GLOBAL gtid_slave_pos = ''")

    def _join(self):
        self.open_server(self.primary)
        self.primary.query("CREATE DATABASE app")
        self.primary.query("CREATE TABLE app.facts (writer VARCHAR(40) NOT NULL, number BIGINT "
                           "NOT NULL, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), "
                           "PRIMARY KEY (writer, number)) ENGINE=InnoDB")
        for name in self.names[1:]:
            self.follow(name, self.names[0], wait=False)
        for name in self.names[1:]:
            self.wait_replicating(name)
            self.wait_caught_up(name, self.names[0])
