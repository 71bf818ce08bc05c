"""A real sshd on loopback with a host key, a client key and one forced command of its own.

    with SshServer(folder, command="/usr/sbin/primacy-fence-host --config …") as sshd:
        … sshd.port, sshd.user, sshd.key, sshd.known_hosts …
        sshd.change_host_key()

As root it runs in a mount namespace whose /etc/passwd has the account that sshd wants to have.
"""

import os
import pwd
import shutil
import signal
import socket
from pathlib import Path

from .polling import wait_until
from .ports import free_port, release_port
from .processes import Process, run
from .tools import find_tool, why_not

_PRIVATE = """
set -e
mount --bind "$1/passwd" /etc/passwd
mount -t tmpfs -o mode=0755 tmpfs "$2"
mkdir "$2/sshd"
shift 2
exec "$@"
"""


class SshServer:
    """`command` is what every login runs, whatever it asks for."""

    def __init__(self, run_dir, command, *, name="sshd", host="127.0.0.1"):
        self.folder = Path(run_dir).resolve() / name
        self.host = host
        self.port = free_port()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.command = command
        self.key = self.folder / "client_key"
        self.known_hosts = self.folder / "known_hosts"
        self.log = self.folder / "sshd.log"
        self._process = None

    @staticmethod
    def why_not():
        """None when it can run here, else a sentence with the reason."""
        return why_not("sshd", "ssh", "ssh-keygen", "unshare")

    # --- life

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.key.exists():
            self._new_key(self.key)
            self._new_key(self._host_key)
            self.trust_host_key()
        self.allow()
        self._write_config()
        self._launch()
        return self

    def stop(self):
        """Ends sshd and whatever hangs in it; the port refuses from now on."""
        if self._process:
            self._process.kill()
        self._end_hanging()

    def close(self):
        self.stop()
        release_port(self.port)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        self.close()

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    # --- faults; each holds until allow(), resume() or start()

    def allow(self):
        """The healthy state: the key is taken, and leads to the command."""
        self._authorize(self.command)

    def refuse_key(self):
        self.folder.joinpath("authorized_keys").write_text("", encoding="ascii")

    def hang_after_login(self):
        """Logins succeed, and nothing ever answers."""
        self._authorize(f"echo $$ >>{self._hanging}; exec sleep 600")

    def answer(self, text, code=0):
        """Logins run a command that says `text` and nothing else."""
        said = self.folder / "said"
        said.write_text(text, encoding="utf-8")
        self._authorize(f"cat {said}; exit {code}")

    def change_host_key(self):
        """As when another machine has taken the address; known_hosts keeps the old key."""
        self._process.kill()
        self._new_key(self._host_key)
        self._launch()

    def trust_host_key(self):
        """known_hosts gets the key that the server has now."""
        words = self._host_key.with_suffix(".pub").read_text(encoding="ascii").split()
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {words[0]} {words[1]}\n",
                                    encoding="ascii")

    def pause(self):
        """The kernel takes connections, and nobody says a word."""
        self._process.pause()

    def resume(self):
        self._process.resume()

    # --- inside

    @property
    def _host_key(self):
        return self.folder / "host_key"

    @property
    def _hanging(self):
        return self.folder / "hanging"

    def _new_key(self, path):
        for old in (path, path.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        made = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path])
        assert made.returncode == 0, made.stderr

    def _authorize(self, command):
        public = self.key.with_suffix(".pub").read_text(encoding="ascii")
        quoted = command.replace('"', '\\"')
        self.folder.joinpath("authorized_keys").write_text(
            f'restrict,command="{quoted}" {public}', encoding="ascii")

    def _write_config(self):
        lines = [f"ListenAddress {self.host}:{self.port}", f"HostKey {self._host_key}",
                 f"AuthorizedKeysFile {self.folder}/authorized_keys", "PidFile none",
                 "StrictModes no", "UsePAM no", "PasswordAuthentication no",
                 "KbdInteractiveAuthentication no", "PermitRootLogin forced-commands-only",
                 "UseDNS no", "MaxStartups 100"]
        self.folder.joinpath("sshd_config").write_text("\n".join(lines) + "\n", encoding="ascii")

    def _launch(self):
        argv = [find_tool("sshd"), "-D", "-e", "-f", self.folder / "sshd_config"]
        if os.getuid() == 0:
            entries = self._with_plain_shell(Path("/etc/passwd").read_text(encoding="utf-8"))
            if "\nsshd:" not in entries:
                entries += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
            self.folder.joinpath("passwd").write_text(entries, encoding="utf-8")
            argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _PRIVATE, "sh",
                    self.folder, "/run", *argv]
        self._process = Process(argv, log=self.log)
        wait_until(self._greets, 20, f"sshd to greet; its log:\n{self.log_text()[-500:]}",
                   ignore=(OSError,))

    def _with_plain_shell(self, entries):
        """Our account logs in with sh: bash would first run whatever is in somebody's .bashrc."""
        lines = [line.rpartition(":")[0] + ":/bin/sh" if line.startswith(f"{self.user}:") else line
                 for line in entries.splitlines()]
        return "\n".join(lines) + "\n"

    def _greets(self):
        assert self._process.running(), f"sshd ended:\n{self.log_text()}"
        with socket.create_connection((self.host, self.port), timeout=2) as probe:
            return probe.recv(4) == b"SSH-"

    def _end_hanging(self):
        if not self._hanging.exists():
            return
        for number in self._hanging.read_text(encoding="ascii").split():
            # Sessions of their own: not in the group that Process kills.
            command = Path(f"/proc/{number}/cmdline")
            if command.exists() and b"sleep" in command.read_bytes():
                os.kill(int(number), signal.SIGKILL)
        self._hanging.unlink()
