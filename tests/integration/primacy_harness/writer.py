"""Writes that go on while a test does something else."""

import threading

import pymysql

from .polling import wait_until


class BackgroundWriter:
    """A thread that inserts unique rows as an ordinary account and counts those acknowledged.

    A refused or failed write is counted and tried again with the next number on a new connection,
    as an application with a connection pool does.
    """

    def __init__(self, connect, label, pause=0.005):
        self._connect = connect
        self.label = label
        self._pause = pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._acknowledged = []
        self._failures = 0
        self._last_error = None
        self._thread = threading.Thread(target=self._run, name=f"writer-{label}", daemon=True)
        self._thread.start()

    @property
    def acknowledged(self):
        """The numbers of the rows that the server said were committed."""
        with self._lock:
            return list(self._acknowledged)

    @property
    def count(self):
        with self._lock:
            return len(self._acknowledged)

    @property
    def failures(self):
        with self._lock:
            return self._failures

    @property
    def last_error(self):
        with self._lock:
            return self._last_error

    def wait_for_progress(self, rows=5, cap=10):
        """Returns when that many more rows were acknowledged."""
        goal = self.count + rows
        return wait_until(lambda: self.count >= goal, cap,
                          f"writer {self.label} to write {rows} rows ({self.last_error})")

    def stop(self):
        """Ends the thread; returns the number of acknowledged rows."""
        self._stop.set()
        self._thread.join(30)
        return self.count

    def _run(self):
        number = 0
        connection = None
        while not self._stop.is_set():
            number += 1
            try:
                if connection is None:
                    connection = self._connect()
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO app.facts (writer, number) VALUES (%s, %s)",
                                   (self.label, number))
                with self._lock:
                    self._acknowledged.append(number)
            except (pymysql.MySQLError, OSError) as failure:
                with self._lock:
                    self._failures += 1
                    self._last_error = str(failure)
                if connection is not None:
                    connection._force_close()
                    connection = None
                self._stop.wait(0.05)
            self._stop.wait(self._pause)
        if connection is not None:
            connection._force_close()
