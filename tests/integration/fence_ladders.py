"""Ways to stop the intruder of a split brain, each with its real device, for tests that interrupt
them: what is configured, how the split brain is made and undone, and what is true afterwards.

db1 is the incumbent, db2 its replica, db3 the intruder that is to be stopped. Asks servers and
devices, never the agent.
"""

import os
import threading
from pathlib import Path

import pymysql

from fence_calls import processes_with
from primacy_harness import wait_until
from primacy_harness.bmc import CIPHER, Bmc, fence_ipmilan
from primacy_harness.fake_proxysql import FakeProxySQL
from primacy_harness.haproxy import HAProxy
from primacy_harness.kinds import REPOSITORY
from primacy_harness.sshd import SshServer
from primacy_harness.tools import path_with_tools, why_not
from primacy_harness.topology import MONITOR, WRITER, WRITER_PASSWORD

KEPT, REPLICA, LOSER = "db1", "db2", "db3"
FENCE_HOST = Path(os.environ.get("PRIMACY_FENCE_HOST",
                                 REPOSITORY / "build/release/agent/fence_host/primacy-fence-host"))

# Kills the process of a server, and can tell whether it is gone.
_PROGRAM = """#!/bin/sh
cat >/dev/null
pid=$(cat "$(dirname "$0")/power")
alive() { [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; }
case $PRIMACY_ACTION in
fence) alive && kill -9 "$pid"; exit 0;;
verify) if alive; then exit 1; fi; exit 0;;
esac
"""


class Ladder:
    """By SQL alone, while a statement keeps the server from becoming read-only."""

    name = "sql"
    rungs = ["sql"]
    # Whether a rule finds the right survivor without a pin, also after a gap in the watch.
    decidable = True

    def __init__(self, folder, topology):
        self.folder = folder
        self.topology = topology
        self.loser = topology[LOSER]
        self.blocker = None

    @classmethod
    def why_not(cls):
        return None

    def methods(self):
        return {}

    def close(self):
        self._end_blocker()

    # --- what happens

    def reset(self):
        """A healthy topology, and devices that work."""
        self._end_blocker()
        self.topology.restore()

    def split(self):
        """Two writers under load."""
        self.topology.background_writer(KEPT)
        self.topology.promote(LOSER)
        self.topology.background_writer(LOSER).wait_for_progress(2)
        self._block()
        # Our own session of root would be one that passes read_only.
        self.loser._forget_admin()

    # --- what is true

    def stopped(self):
        """The loser takes no write, seen on a new connection."""
        return not self.loser.running() or not takes_writes(self.topology, LOSER)

    def contradiction(self):
        """What speaks against "confirmed", or None."""
        return None if self.stopped() else f"{LOSER} takes writes"

    def spared(self):
        """What is wrong with those that must not be touched, or None."""
        for name in (KEPT, REPLICA):
            if not self.topology[name].running():
                return f"{name} was stopped"
        if not takes_writes(self.topology, KEPT):
            return f"{KEPT} takes no writes any more"
        if not self.topology.replicating(REPLICA):
            return f"{REPLICA} does not follow any more"
        return None

    # --- inside

    def _block(self):
        ready = threading.Event()

        def work():
            try:
                session = self.topology.connect_writer(LOSER)
                ready.set()
                with session.cursor() as cursor:
                    cursor.execute("INSERT INTO app.facts (writer, number) "
                                   "SELECT 'blocker', SLEEP(60)")
            except (pymysql.MySQLError, OSError):
                pass  # ended, or refused: somebody was quicker
            ready.set()

        self.blocker = threading.Thread(target=work, daemon=True)
        self.blocker.start()
        ready.wait(10)
        wait_until(lambda: not self.blocker.is_alive() or self.loser.query(
            "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT%%SLEEP(60)%%'"),
            10, "the blocking statement")

    def _end_blocker(self):
        """It ends with its session, of which the reading times out."""
        if self.blocker:
            self.blocker.join(20)
            self.blocker = None


class PowerLadder(Ladder):
    """A device that ends the server's process."""

    def reset(self):
        super().reset()  # starts the server again
        self.power()

    def split(self):
        self.topology.background_writer(KEPT)
        self.topology.promote(LOSER)
        self.topology.background_writer(LOSER).wait_for_progress(2)

    def power(self):
        """The device holds the power of the server's present process."""

    def stopped(self):
        return not self.loser.running()

    def contradiction(self):
        return None if self.stopped() else f"the process of {LOSER} lives"


class SshLadder(PowerLadder):
    name = "ssh"
    rungs = ["db3-ssh"]

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        config = folder / "fence-host.toml"
        config.write_text(f'server = "{LOSER}"\npid_file = "{self.loser.folder}/server.pid"\n'
                          "stop_seconds = 3\n", encoding="utf-8")
        self.sshd = SshServer(folder, f"{FENCE_HOST} --config {config}").start()

    @classmethod
    def why_not(cls):
        return SshServer.why_not() or (None if FENCE_HOST.exists() else
                                       f"{FENCE_HOST} is not built")

    def methods(self):
        return {"db3-ssh": _by_ssh(self.sshd)}

    def close(self):
        self.sshd.close()


class IpmiLadder(PowerLadder):
    name = "ipmi"
    rungs = ["db3-bmc"]

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        self.bmc = Bmc(folder).start()

    @classmethod
    def why_not(cls):
        return Bmc.why_not()

    def methods(self):
        return {"db3-bmc": {"type": "ipmi", "address": self.bmc.address, "port": self.bmc.port,
                            "user": self.bmc.user, "password_file": str(self.bmc.password_file),
                            "cipher": CIPHER}}

    def power(self):
        self.bmc.powers(self.loser.pid)

    def contradiction(self):
        said = self.bmc.ipmitool("chassis", "power", "status").stdout
        if "Chassis Power is off" not in said:
            return f"the BMC says: {said}"
        return super().contradiction()

    def close(self):
        self.bmc.close()


class FenceAgentLadder(IpmiLadder):
    name = "fence-agent"
    rungs = ["db3-agent"]

    @classmethod
    def why_not(cls):
        return super().why_not() or why_not("fence_ipmilan")

    def methods(self):
        tool = self.folder / "ipmitool"
        tool.write_text(f'#!/bin/sh\nPATH={path_with_tools()}\nexec ipmitool "$@"\n',
                        encoding="utf-8")
        tool.chmod(0o755)
        return {"db3-agent": {"type": "fence-agent", "agent": fence_ipmilan(self.folder),
                              "password_file": str(self.bmc.password_file),
                              "options": {"ip": self.bmc.address, "ipport": str(self.bmc.port),
                                          "username": self.bmc.user, "lanplus": "1",
                                          "cipher": str(CIPHER), "ipmitool_path": str(tool)}}}


class ExecLadder(PowerLadder):
    name = "exec"
    rungs = ["db3-program"]
    verify = True

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        self.program = folder / "fence-program"
        self.program.write_text(_PROGRAM, encoding="utf-8")
        self.program.chmod(0o755)

    def methods(self):
        return {"db3-program": {"type": "exec", "command": [str(self.program)], "verify": True}}

    def power(self):
        self.folder.joinpath("power").write_text(f"{self.loser.pid}\n", encoding="ascii")


class HAProxyLadder(Ladder):
    """Out of the proxy first, which proves nothing of the server itself; then by SQL."""

    name = "haproxy"
    rungs = ["db3-haproxy", "sql"]

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        self.proxy = HAProxy(folder, topology[LOSER], topology[KEPT])

    @classmethod
    def why_not(cls):
        return HAProxy.why_not()

    def methods(self):
        return {"db3-haproxy": {"type": "haproxy", "socket": str(self.proxy.socket),
                                "backend": "mysql_write", "server": "primary"}}

    def reset(self):
        super().reset()
        self.proxy.ask("set server mysql_write/primary state ready")

    def split(self):
        super().split()
        self.session = self.proxy.connect()

    def contradiction(self):
        out = self.proxy.ask("show servers state mysql_write").splitlines()[2].split()[6] != "0"
        return super().contradiction() or (None if out else "HAProxy still leads there")

    def close(self):
        super().close()
        self.proxy.close()


class ProxySQLLadder(Ladder):
    """The same with ProxySQL's stand-in."""

    name = "proxysql"
    rungs = ["db3-proxysql", "sql"]
    proxy = None

    def methods(self):
        return {"db3-proxysql": {"type": "proxysql", "host": self.proxy.host,
                                 "port": self.proxy.port, "user": self.proxy.user,
                                 "password_file": str(self._password_file())}}

    def reset(self):
        super().reset()
        self.close()
        self.proxy = FakeProxySQL([(10, self.loser.host, self.loser.port),
                                   (20, self.loser.host, self.loser.port),
                                   (20, self.topology[KEPT].host, self.topology[KEPT].port)])
        # Somebody's unfinished edit has to be set aside first; an idle session has to be ended.
        self.proxy.sql("UPDATE mysql_servers SET weight = 7 WHERE port = ?",
                       self.topology[KEPT].port)
        self.proxy.open_session(10, self.loser.host, self.loser.port, idle=True)

    def contradiction(self):
        states = self.proxy.sql("SELECT status FROM runtime_mysql_servers WHERE port = ?",
                                self.loser.port)
        out = all(state == "OFFLINE_HARD" for (state,) in states)
        return super().contradiction() or (None if out else f"ProxySQL still leads there: {states}")

    def spared(self):
        states = self.proxy.sql("SELECT status FROM runtime_mysql_servers WHERE port = ?",
                                self.topology[KEPT].port)
        if states != [("ONLINE",)]:
            return f"ProxySQL lost {KEPT}: {states}"
        return super().spared()

    def close(self):
        super().close()
        if self.proxy:
            self.proxy.close()
            self.proxy = None

    def _password_file(self):
        path = self.folder / "proxysql.password"
        path.write_text(self.proxy.password + "\n", encoding="ascii")
        path.chmod(0o600)
        return path


class DetachLadder(Ladder):
    """The replica follows the intruder. It is taken away from it first."""

    name = "detach"
    rungs = ["detach", "sql"]
    # After a gap in the watch the majority of the replicas speaks for the intruder.
    decidable = False
    privilege = "REPLICATION SLAVE ADMIN"

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        topology[REPLICA].unlogged(f"GRANT {self.privilege} ON *.* TO '{MONITOR}'@'%'")

    def close(self):
        super().close()
        self.topology[REPLICA].unlogged(f"REVOKE {self.privilege} ON *.* FROM '{MONITOR}'@'%'")

    def reset(self):
        super().reset()
        self.topology.rebuild(REPLICA, LOSER)  # which is a replica itself until the split

    def spared(self):
        if not self.topology[REPLICA].running():
            return f"{REPLICA} was stopped"
        if not takes_writes(self.topology, KEPT):
            return f"{KEPT} takes no writes any more"
        return None

    def contradiction(self):
        following = self.topology.replicating(REPLICA)
        return super().contradiction() or (f"{REPLICA} still follows" if following else None)


class SeveralRungs(PowerLadder):
    """A host that is not there, a program that proves nothing and does nothing, and SQL at last."""

    name = "several"
    rungs = ["db3-ssh", "db3-program", "sql"]

    def __init__(self, folder, topology):
        super().__init__(folder, topology)
        self.sshd = SshServer(folder, "true").start()
        self.sshd.stop()
        self.program = folder / "fence-program"
        self.program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        self.program.chmod(0o755)

    @classmethod
    def why_not(cls):
        return SshServer.why_not()

    def methods(self):
        return {"db3-ssh": _by_ssh(self.sshd),
                "db3-program": {"type": "exec", "command": [str(self.program)]}}

    def split(self):
        super().split()
        self.loser._forget_admin()

    def stopped(self):
        return not takes_writes(self.topology, LOSER)

    def contradiction(self):
        return None if self.stopped() else f"{LOSER} takes writes"

    def close(self):
        self.sshd.close()


LADDERS = {each.name: each for each in (Ladder, SshLadder, IpmiLadder, FenceAgentLadder, ExecLadder,
                                        HAProxyLadder, ProxySQLLadder, DetachLadder, SeveralRungs)}


def left_running(folder):
    """Programs in this folder that the agent started and that nobody waits for any more."""
    return processes_with(f"{folder}/ipmitool") + processes_with(f"{folder}/fence")


def _by_ssh(sshd):
    return {"type": "ssh", "host": sshd.host, "port": sshd.port, "user": sshd.user,
            "key": str(sshd.key), "known_hosts": str(sshd.known_hosts)}


# A fence ends the session that asks, too: 1317, 1927 and those of a connection that is gone.
_ENDED = (0, 1053, 1317, 1927, 2006, 2013)


def takes_writes(topology, name):
    """Whether an ordinary account can write there now, on a new connection."""
    return wait_until(lambda: _try_to_write(topology[name]), 10,
                      f"{name} to say whether it takes writes") == "written"


def _try_to_write(server):
    """"written", "refused", or None when a fence came between."""
    try:
        connection = server.connect(WRITER, WRITER_PASSWORD, tcp=True, read_timeout=5)
    except pymysql.MySQLError as failure:
        if failure.args[0] in _ENDED:
            return None
        raise
    try:
        with connection.cursor() as cursor:
            cursor.execute("REPLACE INTO app.facts (writer, number) VALUES ('probe', 0)")
        return "written"
    except pymysql.MySQLError as failure:
        if failure.args[0] in _ENDED:
            return None
        if failure.args[0] == 1290:
            return "refused"
        raise
    finally:
        connection._force_close()
