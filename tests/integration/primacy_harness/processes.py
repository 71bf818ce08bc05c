"""Child processes that cannot outlive us.

Each one leads its own process group, is ended by its own id at our exit (SIGCONT first, a stopped
process ends too), and carries a parent-death signal for the case that we are killed. The kernel
ties that signal to the thread that started the child: start processes on the main thread.
"""

import atexit
import os
import signal
import subprocess
import threading

from .polling import wait_until

# Debian keeps servers and ip(8) in sbin, which ordinary users do not have in their PATH.
for _folder in ("/usr/sbin", "/sbin"):
    if _folder not in os.environ.get("PATH", "").split(":"):
        os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":" + _folder

_alive = set()
_outlive_us = False


def outlive_us(yes=True):
    """From now on started processes are left running at our exit (`make demo KEEP=1`)."""
    global _outlive_us
    _outlive_us = yes


class Process:
    """A started program. `log` takes its standard output and error (a path), or they are piped."""

    def __init__(self, argv, log=None, env=None, cwd=None):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start processes on the main thread: the parent-death signal of a "
                               "child fires when the thread that started it ends")
        self.argv = [str(part) for part in argv]
        guarded = [] if _outlive_us else ["setpriv", "--pdeathsig", "KILL", "--"]
        output = open(log, "ab") if log else subprocess.DEVNULL
        try:
            self._popen = subprocess.Popen(guarded + self.argv, stdin=subprocess.DEVNULL,
                                           stdout=output, stderr=subprocess.STDOUT, env=env,
                                           cwd=cwd, process_group=0)
        finally:
            if log:
                output.close()
        self.log = log
        if not _outlive_us:
            _alive.add(self)

    @property
    def pid(self):
        return self._popen.pid

    def exit_code(self):
        """None while it runs; negative for a signal, as subprocess has it."""
        code = self._popen.poll()
        if code is not None:
            _alive.discard(self)
        return code

    def running(self):
        return self.exit_code() is None

    def send(self, number):
        """Signals the process (not its group); nothing when it has ended."""
        if self.running():
            os.kill(self.pid, number)

    def pause(self):
        """SIGSTOP, and waits until the kernel says that every thread is stopped."""
        self.send(signal.SIGSTOP)
        wait_until(lambda: self._state() in ("T", None), 5, f"process {self.pid} to stop")

    def wait_paused(self, cap):
        """Returns when it is stopped by somebody else, or by itself."""
        wait_until(lambda: self._state() == "T", cap, f"process {self.pid} to be stopped",
                   interval=0.01)

    def resume(self):
        self.send(signal.SIGCONT)

    def kill(self):
        """SIGKILL to the whole group; returns when it is gone."""
        if self.running():
            try:
                os.killpg(self.pid, signal.SIGCONT)
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.wait(20)

    def terminate(self, cap=30):
        """SIGTERM, then SIGKILL for what is left after `cap` seconds; returns the exit code."""
        if self.running():
            self.resume()
            self.send(signal.SIGTERM)
            try:
                return self.wait(cap)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.exit_code()

    def wait(self, cap):
        """The exit code; subprocess.TimeoutExpired after `cap` seconds."""
        code = self._popen.wait(cap)
        _alive.discard(self)
        return code

    def log_text(self):
        if not self.log:
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_tail(self, lines=25):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def open_files(self):
        """Number of open descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        """User and system time so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _state(self):
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return None


def run(argv, cap=60, env=None, cwd=None):
    """Runs a short program to its end; returns subprocess.CompletedProcess with text."""
    return subprocess.run([str(part) for part in argv], capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=cap, env=env, cwd=cwd,
                          check=False)


def end_all():
    """Kills everything that is still running; the safety net behind every finalizer."""
    for process in list(_alive):
        try:
            process.kill()
        except (subprocess.TimeoutExpired, OSError):
            pass


atexit.register(end_all)
