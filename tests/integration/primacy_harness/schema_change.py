"""What schema-change tests share: a table under constant writes whose twin tells what it must hold.

Every write goes to the table and to its twin in one transaction. Whatever a job does to the table,
its old columns hold in the end what the twin holds, row by row, or something was lost.
"""

import random
import threading

import pymysql

from .polling import wait_until
from .topology import MONITOR, grant_monitoring

# What the tools need beside monitoring, on the schema of the tests and on the whole server.
TOOL_PRIVILEGES = {
    "mariadb": "ALTER, CREATE, DROP, INDEX, INSERT, UPDATE, DELETE, SELECT, TRIGGER, LOCK TABLES, "
               "SUPER, REPLICATION SLAVE, BINLOG MONITOR, RELOAD",
    "mysql": "ALTER, CREATE, DROP, INDEX, INSERT, UPDATE, DELETE, SELECT, TRIGGER, LOCK TABLES, "
             "REPLICATION SLAVE, REPLICATION CLIENT, RELOAD, SUPER",
}

# A writer's transaction takes a row of the table and then, by a trigger of pt-online-schema-change,
# one of the copy; a chunk takes them the other way round. The server rolls one of them back, whole.
_DEADLOCK = 1213


def grant_tools(topology):
    """Lets the monitoring account alter tables, on every server, unlogged."""
    for server in topology:
        server.unlogged(f"GRANT {TOOL_PRIVILEGES[topology.kind.flavor]} ON *.* TO '{MONITOR}'@'%'")


def revoke_tools(topology):
    for server in topology:
        if topology.kind.is_mysql:
            server.query("SET GLOBAL super_read_only = OFF")
        server.unlogged(f"REVOKE {TOOL_PRIVILEGES[topology.kind.flavor]} ON *.* "
                        f"FROM '{MONITOR}'@'%'")
        grant_monitoring(server)  # which needs some of the same


class ChangingTable:
    """`app.orders` and its twin, filled, and written to by a few threads until stop()."""

    def __init__(self, topology, server="db1", rows=20000, writers=2, seed=1, name="orders"):
        self.topology = topology
        self.server = topology[server]
        self.name = name
        self.rows = rows
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.writes = 0
        self.failures = []
        self.deadlocks = 0
        self._fill()
        for replica in topology:
            if replica is not self.server:
                topology.wait_caught_up(replica.name, server, cap=120)
        self._threads = [threading.Thread(target=self._write, args=(number, seed + number),
                                          daemon=True) for number in range(writers)]
        for thread in self._threads:
            thread.start()

    def _fill(self):
        query = self.server.query
        query("USE app")  # MySQL wants one for a statement that reads what it writes
        for table in (self.name, f"{self.name}_twin"):
            query(f"DROP TABLE IF EXISTS app.`{table}`")
            query(f"CREATE TABLE app.`{table}` (id INT UNSIGNED NOT NULL AUTO_INCREMENT, "
                  "customer INT NOT NULL, note VARCHAR(60) NOT NULL, amount DECIMAL(10,2), "
                  "PRIMARY KEY (id), KEY customer (customer)) ENGINE=InnoDB")
        query(f"INSERT INTO app.`{self.name}` (customer, note, amount) "
              "VALUES (1, 'first', 1.5), (2, 'second', 2.5)")
        count = 2
        while count < self.rows:
            more = min(count, self.rows - count)
            query(f"INSERT INTO app.`{self.name}` (customer, note, amount) SELECT customer + id, "
                  f"CONCAT('note ', id * 31), id / 7 FROM app.`{self.name}` ORDER BY id LIMIT {more}")
            count += more
        query(f"INSERT INTO app.`{self.name}_twin` (id, customer, note, amount) "
              f"SELECT id, customer, note, amount FROM app.`{self.name}`")
        query(f"ANALYZE TABLE app.`{self.name}`")

    def _write(self, number, seed):
        choose = random.Random(seed)
        connection = None
        while not self._stop.is_set():
            try:
                if connection is None:
                    connection = self.topology.connect_writer(self.server.name)
                    connection.autocommit(False)
                self._change(connection, choose, number)
                connection.commit()
                with self._lock:
                    self.writes += 1
            except (pymysql.MySQLError, OSError) as failure:
                with self._lock:
                    if failure.args[:1] == (_DEADLOCK,):
                        self.deadlocks += 1
                    else:
                        self.failures.append(str(failure))
                if connection is not None:
                    connection._force_close()
                    connection = None
                self._stop.wait(0.02)
            self._stop.wait(0.002)
        if connection is not None:
            connection._force_close()

    def _change(self, connection, choose, number):
        what = choose.random()
        row = choose.randrange(1, self.rows)
        with connection.cursor() as cursor:
            if what < 0.5:
                cursor.execute(f"INSERT INTO app.`{self.name}` (customer, note, amount) "
                               "VALUES (%s, %s, %s)", (number, f"w{choose.random()}", row))
                cursor.execute(f"INSERT INTO app.`{self.name}_twin` (id, customer, note, amount) "
                               f"SELECT id, customer, note, amount FROM app.`{self.name}` "
                               "WHERE id = LAST_INSERT_ID()")
            elif what < 0.85:
                for table in (self.name, f"{self.name}_twin"):
                    cursor.execute(f"UPDATE app.`{table}` SET amount = %s, note = %s WHERE id = %s",
                                   (row, f"u{row}", row))
            else:
                for table in (self.name, f"{self.name}_twin"):
                    cursor.execute(f"DELETE FROM app.`{table}` WHERE id = %s", (row,))

    def wait_for_writes(self, count=10, cap=20):
        goal = self.writes + count
        wait_until(lambda: self.writes >= goal, cap,
                   f"{count} more writes ({self.failures[-1:]})")

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def differences(self, server=None):
        """Rows that are in one of the two and not the same in the other; 0 is what must be."""
        server = server or self.server
        one, other = f"app.`{self.name}`", f"app.`{self.name}_twin`"
        same = "a.customer = b.customer AND a.note = b.note AND a.amount <=> b.amount"
        missing = server.value(f"SELECT COUNT(*) AS n FROM {other} b LEFT JOIN {one} a "
                               f"ON a.id = b.id AND {same} WHERE a.id IS NULL")
        extra = server.value(f"SELECT COUNT(*) AS n FROM {one} a LEFT JOIN {other} b "
                             "ON a.id = b.id WHERE b.id IS NULL")
        return missing + extra

    def count(self):
        return self.server.value(f"SELECT COUNT(*) AS n FROM app.`{self.name}`")

    def columns(self, server=None):
        rows = (server or self.server).query(
            "SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'app' "
            "AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION", (self.name,))
        return [row["name"] for row in rows]

    def tables_beside(self):
        """Tables and triggers of the schema that are none of ours: what a tool left."""
        tables = self.server.query("SELECT TABLE_NAME AS name FROM information_schema.TABLES "
                                   "WHERE TABLE_SCHEMA = 'app'")
        triggers = self.server.query("SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS "
                                     "WHERE TRIGGER_SCHEMA = 'app'")
        known = {self.name, f"{self.name}_twin", "facts"}
        return sorted({row["name"] for row in [*tables, *triggers]} - known)
