"""Who is writable, sampled all the time over connections of the harness's own.

Its account may do nothing, so that it is no session that passes read_only, and its view owes
nothing to the product. Also the hand that opens a fenced server again.
"""

import threading
import time

import pymysql

WATCHER, WATCHER_PASSWORD = "watcher", "watcher-s3cret-Hg6"
EVERY = 0.02


class Watcher:
    """One thread for each server; states are "writable", "read_only", "dark"."""

    def __init__(self, servers, mysql):
        self._servers, self._mysql = list(servers), mysql
        self.changes = {server.name: [] for server in self._servers}  # [(time, state)]
        self.samples = 0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(server,), daemon=True,
                                          name=f"watch-{server.name}")
                         for server in self._servers]
        for thread in self._threads:
            thread.start()

    def state(self, name):
        changes = self.changes[name]
        return changes[-1][1] if changes else "dark"

    def was(self, name, state, begin, end):
        """Whether the server was seen in that state at some moment from begin to end."""
        changes = self.changes[name]
        for index, (at, seen) in enumerate(changes):
            until = changes[index + 1][0] if index + 1 < len(changes) else float("inf")
            if seen == state and at < end and until > begin:
                return True
        return False

    def stop(self):
        self._done.set()
        for thread in self._threads:
            thread.join(5)

    def _watch(self, server):
        session, last = None, None
        while not self._done.wait(EVERY):
            state = "dark"
            try:
                if session is None:
                    session = server.connect(WATCHER, WATCHER_PASSWORD, tcp=True,
                                             connect_timeout=1, read_timeout=1)
                with session.cursor() as cursor:
                    cursor.execute("SELECT @@GLOBAL.read_only AS closed")
                    closed = cursor.fetchone()["closed"]
                state = "writable" if closed in (0, "0", "OFF") else "read_only"
            except (pymysql.MySQLError, OSError):
                if session is not None:
                    session._force_close()
                    session = None
                    continue  # killed with all other sessions: look again before it is called dark
            self.samples += 1
            if state != last:
                last = state
                self.changes[server.name].append((time.time(), state))
        if session is not None:
            session._force_close()


class Hand(threading.Thread):
    """Somebody with root at the server's machine who opens it whenever it is closed."""

    def __init__(self, server, times, every=0.05):
        super().__init__(name=f"hand-{server.name}", daemon=True)
        self.server, self._left, self._every = server, times, every
        self.opened = []  # when
        self._done = threading.Event()
        self.start()

    def run(self):
        while self._left and not self._done.wait(self._every):
            try:
                session = self.server.connect(connect_timeout=1, read_timeout=2)
            except (pymysql.MySQLError, OSError):
                continue
            try:
                with session.cursor() as cursor:
                    cursor.execute("SELECT @@GLOBAL.read_only AS closed")
                    if cursor.fetchone()["closed"] not in (0, "0", "OFF"):
                        self.opened.append(time.time())  # before it is done: never too late
                        if self.server.kind.is_mysql:
                            cursor.execute("SET GLOBAL super_read_only = OFF")
                        cursor.execute("SET GLOBAL read_only = OFF")
                        self._left -= 1
            except (pymysql.MySQLError, OSError):
                pass
            session._force_close()

    def stop(self):
        self._done.set()
        self.join(5)
