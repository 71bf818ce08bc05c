"""What stops a server without logging in to it: a real sshd whose key leads to nothing but
primacy-fence-host, and a real IPMI device (ipmi_sim) whose power is the server's process.

Knows nothing of the story. What cannot run here says why, and the story goes on without it.
"""

import os
from pathlib import Path

from stage import REPOSITORY, RUN
from primacy_harness.bmc import CIPHER, Bmc
from primacy_harness.sshd import SshServer

FENCE_HOST = Path(os.environ.get(
    "PRIMACY_FENCE_HOST",
    REPOSITORY / "build" / "release" / "agent" / "fence_host" / "primacy-fence-host"))


class Devices:
    """The two of one server; `why_no_ssh` and `why_no_bmc` are None where they run."""

    def __init__(self, server):
        self._server = server
        self.ssh_name, self.bmc_name = f"{server.name}-ssh", f"{server.name}-bmc"
        self.why_no_ssh, self.why_no_bmc = SshServer.why_not(), Bmc.why_not()
        if not os.access(FENCE_HOST, os.X_OK):
            self.why_no_ssh = f"there is no program at {FENCE_HOST}; run `make build`"
        self.sshd = self.bmc = None

    def start(self):
        if not self.why_no_ssh:
            settings = RUN / "fence-host.toml"
            settings.write_text(f'server = "{self._server.name}"\n'
                                f'pid_file = "{self._server.folder}/server.pid"\n',
                                encoding="utf-8")
            self.sshd = SshServer(RUN, f"{FENCE_HOST} --config {settings}").start()
        if not self.why_no_bmc:
            self.bmc = Bmc(RUN).start()
            self.power_on()
        return self

    def power_on(self):
        """From now on the power is the process that the server has now."""
        if self.bmc:
            self.bmc.powers(self._server.pid)

    def methods(self):
        """[method.*] of the configuration, for those that run; in the order of the ladder."""
        made = {}
        if self.sshd:
            made[self.ssh_name] = {
                "type": "ssh", "host": self.sshd.host, "port": self.sshd.port,
                "user": self.sshd.user, "key": str(self.sshd.key),
                "known_hosts": str(self.sshd.known_hosts)}
        if self.bmc:
            made[self.bmc_name] = {
                "type": "ipmi", "address": self.bmc.address, "port": self.bmc.port,
                "user": self.bmc.user, "password_file": str(self.bmc.password_file),
                "cipher": CIPHER}
        return made

    def close(self):
        for device in (self.sshd, self.bmc):
            if device:
                device.close()
        self.sshd = self.bmc = None
