"""Writes that go on during a trial, each row unique, each acknowledgement with its moments.

Threads with connections of their own; they know nothing of what happens to their server. Times are
of the wall clock, which the agent's journal has too.
"""

import threading
import time

import pymysql

from harness import WRITER, WRITER_PASSWORD

BOSS, BOSS_PASSWORD = "boss", "boss-s3cret-Lm8"
# Refused because the server is read-only: nothing is wrong with the connection.
READ_ONLY = (1290, 1836, 1792)


class Writer(threading.Thread):
    """Inserts rows (label, 1), (label, 2) … and keeps (number, sent, answered) of those that the
    server said were committed."""

    def __init__(self, server, label, pause, user=WRITER, password=WRITER_PASSWORD):
        super().__init__(name=f"writer-{label}", daemon=True)
        self.server, self.label = server, label
        self.acknowledged = []
        self.refused = 0
        self._pause, self._account = pause, (user, password)
        self._done = threading.Event()
        self.start()

    def run(self):
        number, session = 0, None
        while not self._done.is_set():
            number += 1
            try:
                if session is None:
                    session = self.server.connect(*self._account, tcp=True, connect_timeout=2,
                                                  read_timeout=3, write_timeout=3)
                sent = time.time()
                with session.cursor() as cursor:
                    cursor.execute("INSERT INTO app.facts (writer, number) VALUES (%s, %s)",
                                   (self.label, number))
                self.acknowledged.append((number, sent, time.time()))
                self._done.wait(self._pause)
            except (pymysql.MySQLError, OSError) as failure:
                self.refused += 1
                if not failure.args or failure.args[0] not in READ_ONLY:
                    session = _drop(session)
                self._done.wait(0.1)
        _drop(session)

    def stop(self):
        self._done.set()


class Blocker(threading.Thread):
    """One statement that holds the server's locks for a minute, or until somebody ends it."""

    def __init__(self, server):
        super().__init__(name=f"blocker-{server.name}", daemon=True)
        self.server = server
        self.running = threading.Event()
        self.start()

    def run(self):
        try:
            session = self.server.connect(WRITER, WRITER_PASSWORD, tcp=True, read_timeout=90)
        except (pymysql.MySQLError, OSError):
            return
        try:
            with session.cursor() as cursor:
                self.running.set()
                cursor.execute("INSERT INTO app.facts (writer, number) "
                               "SELECT 'blocker', 1 + SLEEP(60)")
        except (pymysql.MySQLError, OSError):
            pass
        _drop(session)


class Load:
    """All writers of a trial."""

    def __init__(self):
        self.writers, self._blockers, self._held = [], [], []

    def start(self, server, count, pause, **account):
        for _ in range(count):
            label = f"{server.name}-{len(self.writers)}"
            self.writers.append(Writer(server, label, pause, **account))

    def block(self, server):
        self._blockers.append(Blocker(server))

    def fill(self, server):
        """Takes every connection that the server has left, the one for administrators too."""
        connected = int(server.query("SHOW GLOBAL STATUS LIKE 'Threads_connected'")[0]["Value"])
        server.query(f"SET GLOBAL max_connections = {max(10, connected + 3)}")
        try:
            while True:
                self._held.append(server.connect(WRITER, WRITER_PASSWORD, tcp=True,
                                                 read_timeout=3))
        except pymysql.MySQLError as failure:
            assert failure.args[0] == 1040, failure
        try:
            self._held.append(server.connect())
        except pymysql.MySQLError as failure:  # root's kept connection is that one already
            assert failure.args[0] == 1040, failure

    def release(self):
        while self._held:
            _drop(self._held.pop())

    def on(self, name):
        return [writer for writer in self.writers if writer.server.name == name]

    def stop(self):
        self.release()
        for writer in self.writers:
            writer.stop()
        for writer in self.writers:
            writer.join(15)


def _drop(session):
    if session is not None:
        session._force_close()  # close() would write to a server that may be stopped
    return None
