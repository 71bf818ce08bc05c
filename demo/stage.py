"""What the demo stands on: the terminal, the servers and the agent, and leaving nothing behind.

Knows nothing of the story that demo.py tells.
"""

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "build" / "demo"
RUN = FOLDER / "run"
LEFT_UP = FOLDER / "left-up.json"  # what KEEP=1 left running
LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes

os.environ.setdefault("PRIMACY_TEST_CACHE", str(FOLDER / "template"))
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))

try:
    import pymysql
except ImportError:
    # Debian's packages belong to Debian's python3, which need not be the first one in PATH.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and \
            os.access("/usr/bin/python3", os.X_OK) and not os.environ.get("PRIMACY_DEMO_AGAIN"):
        os.environ["PRIMACY_DEMO_AGAIN"] = "1"
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    sys.exit("demo: python3-pymysql is missing: run `make deps`")

from primacy_harness import Agent, Topology, processes, wait_until  # noqa: E402
from primacy_harness.tools import path_with_tools  # noqa: E402


class Failed(Exception):
    """A step did not happen; the text is a sentence for the person who watches."""


class Terminal:
    """Prints the story. Colour only on a terminal; lines of several threads do not mix."""

    COLOURS = {"story": "1", "command": "36", "agent": "2", "good": "32", "bad": "31"}

    def __init__(self):
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, sentence, style="story"):
        self.line(f"[{time.monotonic() - self._started:5.1f} s] {sentence}", style)

    def line(self, text="", style=None):
        if style and self._colour:
            text = f"\x1b[{self.COLOURS[style]}m{text}\x1b[0m"
        with self._lock:
            print(text, flush=True)


class LogTail:
    """Shows the lines of the agent's log as they come."""

    def __init__(self, path, terminal):
        self._path, self._terminal = path, terminal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(5)

    def _run(self):
        with open(self._path, encoding="utf-8", errors="replace") as file:
            rest = ""
            while True:
                ending = self._stop.is_set()  # before the read, so that the last lines are shown
                rest += file.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    self._terminal.line(f"   agent | {line}", "agent")
                if ending:
                    return
                self._stop.wait(0.05)


class Stage:
    """Three servers, one agent and a writer under build/demo/run."""

    POLL, CONFIRM_POLLS, CONFIRM_FOR = 1.0, 3, 2.0

    def __init__(self, terminal, keep):
        self.terminal = terminal
        self.keep = keep
        self.topology = self.agent = self.tail = self.devices = None
        self._short_folder = None

    @property
    def promised(self):
        """Seconds from a second writer to a confirmed split brain: design figure."""
        return self.CONFIRM_FOR + self.POLL + 0.020

    # --- opening

    def open_servers(self):
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir(parents=True)
        if self.keep:
            processes.outlive_us()
        # Durable as on a real host, since one server gets killed.
        self.topology = Topology(RUN, server_options=["--innodb-flush-log-at-trx-commit=1",
                                                      "--sync-binlog=1"])
        self.topology.start()

    def open_agent(self):
        servers = [{"name": server.name, "host": server.host, "port": server.port}
                   for server in self.topology]
        config = {"agent": {"name": "demo", "log_level": "info"},
                  "topology": {"shop": {"poll_interval": "1s", "probe_timeout": "2s",
                                        "confirm_polls": self.CONFIRM_POLLS, "confirm_for": "2s",
                                        "user": "primacy", "server": servers}}}
        # ssh and ipmitool may be unpacked only.
        self.agent = Agent(RUN, config, environment={"PATH": path_with_tools()})
        control = self.agent.folder / "control.sock"
        if len(str(control)) > LONGEST_SOCKET_PATH:
            self._short_folder = tempfile.mkdtemp(prefix="primacy-demo-", dir="/tmp")
            self.agent.config["agent"]["control"] = f"{self._short_folder}/control.sock"
            self.agent.write_config()
        self.agent.launch()
        self.tail = LogTail(self.agent.log, self.terminal)
        self.agent.wait_ready()

    # --- what is shown

    def sql(self, name, *statements):
        """Shows and runs statements as root on that server; returns the last rows."""
        rows = []
        for statement in statements:
            shown = re.sub(r"(MASTER_PASSWORD=)'[^']*'", r"\1'…'", statement)
            self.terminal.line(f"   {name}> {shown};", "command")
            rows = self.topology[name].query(statement)
        return rows

    def reload(self, *keys):
        """Shows what the agent's configuration says of those keys, and has it read again."""
        self.agent.write_config()
        for section in self.agent.config_file.read_text(encoding="utf-8").split("\n\n"):
            heading, *lines = section.strip().splitlines()
            said = [line for line in lines if line.split(" = ")[0] in keys]
            if said:
                self.terminal.line(f"   {heading}  {'; '.join(said)}", "command")
        self.terminal.line(f"   $ kill -HUP {self.agent.pid}", "command")
        self.agent.reload()

    def primacy(self, *arguments, expected, since=""):
        """Shows and runs a primacy command; Failed when its exit code is another one.

        `since`: only what follows a line that begins so is shown.
        """
        config = os.path.relpath(self.agent.config_file, REPOSITORY)
        self.terminal.line(f"   $ primacy {shlex.join(arguments)} --config {config}", "command")
        done = self.agent.cli(*arguments)
        lines = (done.stdout + done.stderr).rstrip().splitlines()
        first = next((number for number, line in enumerate(lines) if line.startswith(since)), 0)
        if first:
            self.terminal.line("   ...")
        for line in lines[first:]:
            self.terminal.line(f"   {line}")
        self.terminal.line(f"   (exit code {done.exit_code})")
        if done.exit_code != expected:
            raise Failed(f"`primacy {' '.join(arguments)}` ended with {done.exit_code}, "
                         f"not with {expected}")
        return done

    # --- what is waited for

    def until(self, condition, since, cap, what):
        """Waits until condition(topology status) is true; seconds since the given moment."""
        try:
            wait_until(lambda: self._alive() and condition(self.agent.topology()), cap, what,
                       interval=0.005, ignore=(OSError,))
        except AssertionError as failure:
            raise Failed(f"this did not happen within {cap} s: {what}") from failure
        return time.monotonic() - since

    def until_metric(self, name, value, since, cap):
        try:
            wait_until(lambda: self._alive() and self.agent.metric(name, topology="shop") == value,
                       cap, name, interval=0.005, ignore=(OSError,))
        except AssertionError as failure:
            raise Failed(f"{name} was not {value} in /metrics within {cap} s") from failure
        return time.monotonic() - since

    def until_applied(self, name, source, cap=20):
        """Waits until `name` has everything that `source` has now; the writer goes on."""
        goal = self.topology[source].value("SELECT @@gtid_binlog_pos AS position")
        until = time.monotonic() + cap
        # A single wait must not be longer than a client waits for an answer.
        while self.topology[name].value("SELECT MASTER_GTID_WAIT(%s, 2) AS answer", (goal,)) != 0:
            if time.monotonic() > until:
                raise Failed(f"{name} did not reach {goal} of {source}")

    def _alive(self):
        if not self.agent.running():
            raise Failed(f"the agent ended with exit code {self.agent.exit_code()}; "
                         f"its log is {self.agent.log}")
        return True

    # --- closing

    def leave_up(self):
        """KEEP=1: notes what has to be stopped later."""
        started = [self.agent.pid, *(server.pid for server in self.topology)]
        self.topology.stop_writers()
        self.tail.stop()
        folders = [self._short_folder] if self._short_folder else []
        LEFT_UP.write_text(json.dumps({
            "processes": [[pid, start_time(pid)] for pid in started], "folders": folders}))

    def close(self):
        """Ends everything; returns a sentence about what went wrong with that, or None."""
        complaint = None
        pids = []
        if self.topology:
            self.topology.stop_writers()
            pids += [server.pid for server in self.topology if server.running()]
        if self.agent and self.agent.process:
            pids.append(self.agent.pid)
            if self.agent.running():
                try:
                    self.agent.stop()
                except AssertionError as failure:
                    complaint = f"the agent did not end cleanly: {failure}"
            self.agent.close()
        if self.tail:
            self.tail.stop()
        if self.devices:
            self.devices.close()
        if self.topology:
            self.topology.close(remove=False)
        if self._short_folder:
            shutil.rmtree(self._short_folder, ignore_errors=True)
        left = [pid for pid in pids if start_time(pid) is not None]
        left += running_under(RUN)
        if left:
            complaint = f"these processes are left: {sorted(set(left))}"
        elif complaint is None:
            shutil.rmtree(RUN, ignore_errors=True)
        return complaint


def start_time(pid):
    """When that process started, in clock ticks since boot; None when there is none or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def running_under(folder):
    """Every process whose command line names that folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            # Only our programs: an editor or a pager that shows the log is none of ours.
            program = os.path.basename(argv[0].split(b" ")[0]).rstrip(b":")  # "sshd: /path …"
            if program in (b"mariadbd", b"primacy", b"sshd", b"ipmi_sim") and \
                    any(f"{folder}/".encode() in part for part in argv):
                found.append(int(entry.name))
    return found


def stop_left_up(terminal):
    """Ends what KEEP=1 left running, each by its id and only if it is still that process."""
    if not LEFT_UP.exists():
        terminal.line("No demo was left up.")
        return 0
    noted = json.loads(LEFT_UP.read_text())
    ours = [pid for pid, started in noted["processes"] if start_time(pid) == started]
    for pid in ours:
        os.kill(pid, signal.SIGTERM)
    try:
        wait_until(lambda: all(start_time(pid) is None for pid in ours), 15, "them to end")
    except AssertionError:
        for pid in ours:
            if start_time(pid) is not None:
                os.kill(pid, signal.SIGKILL)
    for folder in noted["folders"]:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(RUN, ignore_errors=True)
    LEFT_UP.unlink()
    terminal.line(f"Stopped {len(ours)} processes and removed {RUN}.")
    return 0
