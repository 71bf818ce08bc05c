"""What can stop one server beside SQL: a real sshd, two real BMCs (ipmi_sim) and a program.

Each device is started when the first trial needs it, and its state is set anew for each trial.
Faults are those of the plan; nothing here knows what they lead to.
"""

import os
from pathlib import Path

from harness import (CIPHER, REPOSITORY, Bmc, SshServer, fence_ipmilan, path_with_tools,
                     why_not)

FENCE_HOST = Path(os.environ.get("PRIMACY_FENCE_HOST",
                                 REPOSITORY / "build/release/agent/fence_host/primacy-fence-host"))

# Kills the server and can say that it is gone, or fails.
_PROGRAM = """#!/bin/sh
cat >/dev/null
cd "$(dirname "$0")" || exit 9
[ "$(cat state)" = works ] || exit 7
pid=$(cat power)
alive() { [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; }
case $PRIMACY_ACTION in
fence)
    alive && kill -9 "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10; do alive || break; sleep 0.1; done
    exit 0;;
verify) if alive; then exit 1; fi; exit 0;;
esac
"""


def program_missing():
    """Why the devices cannot be had here, or None."""
    for why in (SshServer.why_not(), Bmc.why_not(),
                why_not("fence_ipmilan"),
                None if FENCE_HOST.exists() else f"{FENCE_HOST} is not built"):
        if why:
            return why
    return None


class Devices:
    """Those of one server."""

    def __init__(self, server):
        self.server = server
        self.folder = server.folder.parent / f"{server.name}-devices"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._made = {}
        self._states = {}

    def method(self, kind):
        """The [method.…] of that kind, and the device is running."""
        device = self._device(kind)
        if kind == "ssh":
            return {"type": "ssh", "host": device.host, "port": device.port, "user": device.user,
                    "key": str(device.key), "known_hosts": str(device.known_hosts),
                    "timeout": "4s"}
        if kind == "ipmi":
            wrong = self.state(kind) == "wrong_password"
            return {"type": "ipmi", "address": device.address, "port": device.port,
                    "user": device.user, "cipher": CIPHER, "timeout": "5s",
                    "password_file": str(self._wrong_password if wrong
                                         else device.password_file)}
        if kind == "agent":
            return {"type": "fence-agent", "agent": self._agent(), "timeout": "10s",
                    "password_file": str(device.password_file),
                    "options": {"ip": device.address, "ipport": str(device.port),
                                "username": device.user, "lanplus": "1", "cipher": str(CIPHER),
                                "power_timeout": "3", "ipmitool_path": str(self._ipmitool())}}
        return {"type": "exec", "command": [str(device)], "verify": True, "timeout": "4s"}

    def set(self, kind, state):
        """Puts the device into a state of the plan; "works" is the healthy one."""
        self._states[kind] = state
        device = self._device(kind)
        if kind == "exec":
            self.folder.joinpath("state").write_text(state, encoding="ascii")
        elif kind == "ssh":
            {"host_key": device.change_host_key, "hangs": device.hang_after_login,
             "down": device.stop, "works": lambda: None}[state]()
        elif state == "wrong_password":
            self._write_wrong_password("not-this")
        elif state in ("lying", "stuck"):
            getattr(device, state)()
        elif state == "slow":
            device.slow(0.3)
        elif state == "silent":
            device.pause()

    def heal(self):
        """All that were ever started work again, and hold the power of the present process."""
        for kind, device in self._made.items():
            if kind == "ssh":
                state = self._states.get(kind)
                if state == "down":
                    device.start()
                elif state == "host_key":
                    device.trust_host_key()
                device.allow()
            elif kind != "exec":
                device.resume()
                device.healthy()
                if self.state(kind) == "wrong_password":  # the agent knows this file
                    self._write_wrong_password(device.password)
            self._states[kind] = "works"
        self.folder.joinpath("state").write_text("works", encoding="ascii")
        self.power()

    def power(self):
        """The server was started: its process is what the devices have power over."""
        self.folder.joinpath("power").write_text(str(self.server.pid), encoding="ascii")
        for kind, device in self._made.items():
            if kind in ("ipmi", "agent"):
                device.powers(self.server.pid)

    def state(self, kind):
        return self._states.get(kind, "works")

    def close(self):
        for kind, device in self._made.items():
            if kind != "exec":
                device.close()

    # --- inside

    def _device(self, kind):
        if kind not in self._made:
            self._made[kind] = self._start(kind)
            self.power()
        return self._made[kind]

    def _start(self, kind):
        if kind == "ssh":
            config = self.folder / "fence-host.toml"
            config.write_text(f'server = "{self.server.name}"\n'
                              f'pid_file = "{self.server.folder}/server.pid"\n'
                              "stop_seconds = 1\n", encoding="utf-8")
            return SshServer(self.folder, f"{FENCE_HOST} --config {config}").start()
        if kind in ("ipmi", "agent"):
            return Bmc(self.folder, name=f"bmc-{kind}").start()
        path = self.folder / "fence-program"
        path.write_text(_PROGRAM, encoding="utf-8")
        path.chmod(0o755)
        return path

    @property
    def _wrong_password(self):
        return self.folder / "wrong-password"

    def _write_wrong_password(self, text):
        self._wrong_password.write_text(text + "\n", encoding="ascii")
        self._wrong_password.chmod(0o600)

    def _ipmitool(self):
        path = self.folder / "ipmitool"
        path.write_text(f'#!/bin/sh\nPATH={path_with_tools()}\nexec ipmitool "$@"\n',
                        encoding="utf-8")
        path.chmod(0o755)
        return path

    def _agent(self):
        """fence_ipmilan, or a wrapper of it whose child keeps the pipes open and outlives it."""
        real = fence_ipmilan(self.folder)
        if self._states.get("agent") != "child_survives":
            return real
        wrapper = self.folder / "agent-with-child"
        wrapper.write_text(f"#!/bin/sh\nsleep 20 0<&- &\nexec {real}\n", encoding="utf-8")
        wrapper.chmod(0o755)
        return str(wrapper)
