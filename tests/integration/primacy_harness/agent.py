"""The program under test: writes its configuration, runs it, asks it through every door it has."""

import base64
import contextlib
import copy
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import tempfile
from pathlib import Path

from . import processes
from .kinds import REPOSITORY
from .metrics import Metrics
from .polling import wait_until
from .ports import free_port, release_port
from .topology import MONITOR, MONITOR_PASSWORD

DEFAULT_BINARY = REPOSITORY / "build" / "release" / "agent" / "primacy"


def binary_path():
    """PRIMACY_BINARY or the release build; AssertionError with advice when it is not there."""
    path = Path(os.environ.get("PRIMACY_BINARY", DEFAULT_BINARY)).resolve()
    if not os.access(path, os.X_OK):
        raise AssertionError(f"no program at {path}: build it first, or set PRIMACY_BINARY")
    return path


def server_entry(server, **changes):
    """One [[topology.T.server]] for a DatabaseServer."""
    return {"name": server.name, "host": server.host, "port": server.port, **changes}


def default_config(topology=None, servers=None, name="shop", **changes):
    """A configuration with quick intervals; `changes` go into [topology.<name>]."""
    if servers is None:
        servers = [server_entry(server) for server in topology]
    return {
        "agent": {"name": "test-agent", "log_level": "debug"},
        "topology": {name: {"poll_interval": "100ms", "probe_timeout": "500ms", "confirm_polls": 3,
                            "confirm_for": "300ms", "user": MONITOR, **changes,
                            "server": servers}},
    }


def toml(config):
    """A nested dict as TOML text; a list of dicts becomes an array of tables."""
    lines = []

    def plain(value):
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return str(value)
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(plain(item) for item in value) + "]"
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key} = {plain(item)}" for key, item in value.items()) + " }"
        return json.dumps(str(value))

    def table(path, content, header=True):
        tables = {key: value for key, value in content.items()
                  if isinstance(value, dict) and key not in ("tls", "options")}
        arrays = {key: value for key, value in content.items() if isinstance(value, list) and value
                  and all(isinstance(item, dict) for item in value)}
        own = {key: value for key, value in content.items() if key not in {**tables, **arrays}}
        if path and header and (own or not (tables or arrays)):
            lines.append(f"\n[{'.'.join(path)}]")
        lines.extend(f"{key} = {plain(value)}" for key, value in own.items())
        for key, value in arrays.items():
            for item in value:
                lines.append(f"\n[[{'.'.join([*path, key])}]]")
                table([*path, key], item, header=False)
        for key, value in tables.items():
            table([*path, key], value)

    table([], config)
    return "\n".join(lines).lstrip("\n") + "\n"


class CommandResult:
    """A finished command: exit_code, stdout, stderr, seconds."""

    def __init__(self, argv, exit_code, stdout, stderr):
        self.argv = argv
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def json(self):
        try:
            return json.loads(self.stdout)
        except ValueError:
            raise AssertionError(f"not JSON: {self!r}") from None

    def __repr__(self):
        return (f"{' '.join(self.argv[1:])} -> exit {self.exit_code}\nstdout: {self.stdout}\n"
                f"stderr: {self.stderr}")


class Response:
    """An HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8", errors="replace")


class Agent:
    """One agent with its own configuration, state directory, port and control socket.

    `config` is a dict like default_config(); listen, control, state_dir and the password file are
    filled in when absent. `wrapper` is argv to run the daemon under (a mount namespace, say),
    `host` a netns.Namespace that it lives in; `environment` is added to its environment.
    """

    def __init__(self, run_dir, config, *, password=MONITOR_PASSWORD, wrapper=(), binary=None,
                 environment=None, host=None):
        self.binary = Path(binary) if binary else binary_path()
        self.folder = Path(tempfile.mkdtemp(prefix="agent-", dir=_made(run_dir)))
        self.password_file = self.folder / "monitor.password"
        self.write_password(password)
        self.wrapper = [*host.prefix, *wrapper] if host else list(wrapper)
        self._entered = host.entered if host else contextlib.nullcontext
        self.environment = dict(environment or {})
        self.port = free_port()
        self.config_file = self.folder / "primacy.toml"
        self.state_dir = self.folder / "state"
        self.state_dir.mkdir(mode=0o750)
        self.log = self.folder / "agent.log"
        self.config = copy.deepcopy(config)
        settings = self.config.setdefault("agent", {})
        settings.setdefault("listen", f"127.0.0.1:{self.port}")
        settings.setdefault("control", str(self.folder / "control.sock"))
        settings.setdefault("state_dir", str(self.state_dir))
        for topology in self.config.get("topology", {}).values():
            topology.setdefault("password_file", str(self.password_file))
        self.http_user = None  # (user, password) for basic authentication
        self.tls_context = None
        self._process = None
        self.write_config()

    def write_config(self, text=None):
        """Writes self.config (or the given text) to the configuration file, atomically."""
        fresh = self.config_file.with_suffix(".new")
        fresh.write_text(toml(self.config) if text is None else text, encoding="utf-8")
        fresh.replace(self.config_file)

    def write_password(self, password):
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password + "\n")

    @property
    def topology_name(self):
        return next(iter(self.config["topology"]))

    # --- life

    def launch(self):
        """Starts the daemon and returns at once."""
        argv = [*self.wrapper, self.binary, "agent", "--config", self.config_file]
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        environment.update(self.environment)
        self._process = processes.Process(argv, log=self.log, env=environment)
        return self

    def start(self, cap=15):
        """Starts the daemon and waits until /readyz says 200."""
        self.launch()
        return self.wait_ready(cap)

    def wait_ready(self, cap=15):
        def ready():
            if not self.running():
                raise AssertionError(f"the agent ended with {self.exit_code()}")
            return self.get("/readyz").status == 200
        try:
            wait_until(ready, cap, "the agent to be ready", interval=0.01, ignore=(OSError,))
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log_tail()}") from None
        return self

    def stop(self, cap=10):
        """SIGTERM; the daemon has to end by itself with exit code 0."""
        self._process.send(signal.SIGTERM)
        wait_until(lambda: not self.running(), cap, f"the agent to end after SIGTERM\n"
                   f"{self.log_tail()}")
        assert self.exit_code() == 0, f"exit {self.exit_code()} after SIGTERM\n{self.log_tail()}"

    def kill(self):
        """SIGKILL at once."""
        self._process.kill()

    def reload(self):
        """SIGHUP; the caller waits for what it expects to change."""
        self._process.send(signal.SIGHUP)

    def close(self):
        if self._process:
            self._process.kill()
        release_port(self.port)

    def remove(self):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def running(self):
        return self._process is not None and self._process.running()

    def exit_code(self):
        return self._process.exit_code()

    @property
    def process(self):
        return self._process

    @property
    def pid(self):
        return self._process.pid

    def log_text(self):
        return self._process.log_text() if self._process else ""

    def log_tail(self):
        return self._process.log_tail() if self._process else ""

    # --- HTTP

    def get(self, path, method="GET", headers=None, timeout=5):
        """One request on a connection of its own; OSError when nobody answers."""
        host, _, port = self.config["agent"]["listen"].rpartition(":")
        if self.tls_context:
            connection = http.client.HTTPSConnection(host, int(port), timeout=timeout,
                                                     context=self.tls_context)
        else:
            connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        headers = dict(headers or {})
        if self.http_user:
            pair = ":".join(self.http_user).encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        try:
            with self._entered():
                connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Response(answer.status, dict(answer.getheaders()), answer.read())
        except http.client.HTTPException as failure:
            raise OSError(f"{type(failure).__name__}: {failure}") from failure
        finally:
            connection.close()

    def raw(self, timeout=5):
        """A bare TCP connection to the listener."""
        host, _, port = self.config["agent"]["listen"].rpartition(":")
        with self._entered():
            return socket.create_connection((host, int(port)), timeout=timeout)

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.status == 200, f"/metrics: {answer.status} {answer.text[:300]}"
        return Metrics(answer.text)

    def status(self):
        """The whole /api/v1/status."""
        answer = self.get("/api/v1/status")
        assert answer.status == 200, f"/api/v1/status: {answer.status} {answer.text[:300]}"
        return json.loads(answer.body)

    def topology(self, name=None):
        """One topology of the status, the first by default."""
        topologies = self.status()["topologies"]
        for topology in topologies:
            if name in (None, topology["name"]):
                return topology
        raise AssertionError(f"no topology {name} in {[t['name'] for t in topologies]}")

    def server(self, name):
        return find_server(self.topology(), name)

    def finding_codes(self, subject=None):
        return {finding["code"] for finding in self.topology()["findings"]
                if subject in (None, finding["subject"])}

    def metric(self, name, **labels):
        return self.metrics().value(name, **labels)

    def fence_records(self):
        """What its journal holds, oldest first; also when it does not run."""
        paths = sorted((self.state_dir / "journal").glob("journal-*.jsonl"))
        lines = [line for path in paths for line in path.read_bytes().splitlines(keepends=True)
                 if line.endswith(b"\n")]  # another one may be being written
        return [record for record in map(json.loads, lines) if "kind" in record]

    # --- the command line

    def cli(self, *arguments, cap=30, with_config=True, env=None):
        """Runs `primacy ARGUMENTS --config FILE`."""
        argv = [str(self.binary), *map(str, arguments)]
        if with_config:
            argv += ["--config", str(self.config_file)]
        done = processes.run(argv, cap=cap, env=env)
        return CommandResult(argv, done.returncode, done.stdout, done.stderr)

    # --- waiting

    def wait_for(self, condition, cap=10, what="the agent to agree", interval=0.02):
        """Waits until condition(topology status) is true; returns that status."""
        def check():
            if not self.running():
                raise AssertionError(f"the agent ended with {self.exit_code()}")
            seen = self.topology()
            return seen if condition(seen) else None
        try:
            return wait_until(check, cap, what, interval=interval, ignore=(OSError,))
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self._account()}") from None

    def wait_state(self, state, cap=10):
        return self.wait_for(lambda seen: seen["state"] == state, cap, f"state {state}")

    def wait_finding(self, code, subject=None, cap=10):
        return self.wait_for(lambda seen: any(
            finding["code"] == code and subject in (None, finding["subject"])
            for finding in seen["findings"]), cap, f"finding {code} about {subject}")

    def wait_server(self, name, condition, cap=10, what="the server's entry to change"):
        return find_server(self.wait_for(
            lambda seen: condition(find_server(seen, name)), cap, f"{name}: {what}"), name)

    def _account(self):
        try:
            seen = json.dumps(self.topology(), indent=1)
        except (OSError, AssertionError, ValueError) as failure:
            seen = str(failure)
        return f"status: {seen}\nlog: {self.log_tail()}"


def find_server(topology, name):
    for server in topology["servers"]:
        if server["name"] == name:
            return server
    raise AssertionError(f"no server {name} in the status")


def error_class(server):
    """The class of a server's error in the status, None without one."""
    error = server["error"]
    if isinstance(error, dict):
        return error.get("class") or error.get("code") or error.get("reason")
    return error.split(":")[0].strip() if error else None


def insecure_tls_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _made(folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    return str(Path(folder).resolve())
