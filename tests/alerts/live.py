"""A real Prometheus and a real Alertmanager, with the configurations of packaging/examples and the
rules of alerts/, on a real agent. Only addresses are replaced. Judges nothing."""

import json
import os
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

from conftest import EXAMPLES, REPOSITORY, RULE_FILES
from primacy_harness import Process, wait_until
from primacy_harness.ports import free_port, release_port

PROMETHEUS = REPOSITORY / "build/tools/prometheus/usr/bin/prometheus"
ALERTMANAGER = REPOSITORY / "build/tools/prometheus-alertmanager/usr/bin/prometheus-alertmanager"
# Debian's reads its templates from /usr/share only: unpacked, it sees them there in a mount namespace.
_SHARE = ALERTMANAGER.parents[1] / "share"
_WITH_SHARE = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--mount", "--propagation",
               "private", "sh", "-c", 'mount -t overlay overlay -o "lowerdir=$1:/usr/share" /usr/share '
               '&& shift && exec "$@"', "sh", _SHARE]


def why_not():
    """Why this cannot run here, or None."""
    for program in (PROMETHEUS, ALERTMANAGER):
        if not os.access(program, os.X_OK):
            return f"there is no {program.name} under build/tools; `make deps` fetches it"
    if subprocess.run([*_WITH_SHARE, "true"], capture_output=True, check=False).returncode:
        return "the unpacked alertmanager needs a mount namespace with an overlay (root)"
    return None


class Receiver:
    """Where Alertmanager calls: keeps what each path was told, oldest first."""

    def __init__(self):
        told = self.told = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((self.path, alert) for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def calls(self, path, name, status):
        return [alert for where, alert in list(self.told) if where == path
                and alert["labels"]["alertname"] == name and alert["status"] == status]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Monitoring:
    """Prometheus and Alertmanager under `folder`; `agents` are host:port."""

    def __init__(self, folder, agents):
        self.folder = folder
        self.receiver = Receiver()
        self.ports = free_port(), free_port()
        self._processes = []
        rules = folder / "rules" / "primacy"
        rules.mkdir(parents=True)
        for file in RULE_FILES:
            shutil.copy(file, rules)
        self._write_prometheus(agents)
        self._write_alertmanager()

    def _write_prometheus(self, agents):
        config = yaml.safe_load((EXAMPLES / "prometheus.yml").read_text())
        config["scrape_configs"][0]["static_configs"] = [{"targets": agents}]
        config["alerting"]["alertmanagers"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{self.ports[1]}"]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def _write_alertmanager(self):
        config = yaml.safe_load((EXAMPLES / "alertmanager.yml").read_text())
        for receiver in config["receivers"]:
            for hook in receiver.get("webhook_configs", ()):
                hook["url"] = self.receiver.url + urllib.parse.urlsplit(hook["url"]).path
        for route in config["route"]["routes"]:
            if route["receiver"] == "pager":
                route["group_interval"] = "5s"  # so that the all-clear is not waited for a minute
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(config))

    def start(self):
        web, other = self.ports
        self._run("alertmanager", *_WITH_SHARE, ALERTMANAGER, f"--config.file={self.folder}/alertmanager.yml",
                  f"--storage.path={self.folder}/alertmanager", "--cluster.listen-address=",
                  f"--web.listen-address=127.0.0.1:{other}", "--log.level=warn")
        self._run("prometheus", PROMETHEUS, f"--config.file={self.folder}/prometheus.yml",
                  f"--storage.tsdb.path={self.folder}/data", "--log.level=warn",
                  f"--web.listen-address=127.0.0.1:{web}")
        wait_until(lambda: self.query('up{job="primacy"} == 1'), 60, "the first scrape",
                   interval=0.2, ignore=(OSError,))
        return self

    def _run(self, name, *argv):
        self._processes.append(Process(argv, log=self.folder / f"{name}.log"))

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.ports[0]}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def series(self, expression, begin, end):
        """What it gave within that time, second by second: [{"metric": …, "values": …}]."""
        return self.get("query_range", query=expression, start=begin, end=end, step=1)["result"]

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def logs(self):
        return "\n".join(file.read_text(errors="replace")[-3000:]
                         for file in self.folder.glob("*.log"))

    def close(self):
        for process in self._processes:
            process.kill()
        self.receiver.close()
        for port in self.ports:
            release_port(port)
