"""The real servers of one (kind, size), used for many trials and made healthy between them.

Knows what a healthy topology is and how to take a fault back; not what a trial does.
"""

import os
import signal
import time
from pathlib import Path

import pymysql

from devices import Devices
from harness import (KINDS, DatabaseServer, Topology, grant_fencing, may_fence, revoke_fencing,
                     wait_until)
from load import BOSS, BOSS_PASSWORD
from watch import WATCHER, WATCHER_PASSWORD

MAX_CONNECTIONS = 200
# In a process namespace of our own: see run.py.
ALONE = "PRIMACY_CHAOS_ALONE" in os.environ
_PROGRAMS = ("primacy-fence-host", "ipmitool", "fence_ipmilan", "fence-program", "agent-with-child")
_SEMISYNC = {  # flavour → (source, replica) variables
    "mariadb": ("rpl_semi_sync_master", "rpl_semi_sync_slave"),
    "mysql": ("rpl_semi_sync_source", "rpl_semi_sync_replica"),
}


class World:
    def __init__(self, run_dir, kind, size):
        self.kind = KINDS[kind]
        names = [f"db{number}" for number in range(1, size + 1)]
        folder = run_dir / f"{kind}-{size}"
        # Temporary tables are named after the server's process, which in a process namespace has
        # the same number as another job's: a tmpdir of its own keeps them apart.
        apart = {name: {"options": [f"--tmpdir={folder / name}"]} for name in names}
        self.topology = Topology(folder, names, kind=self.kind, per_server=apart,
                                 server_options=[f"--max-connections={MAX_CONNECTIONS}"])
        self.topology.start()
        self.devices = {server.name: Devices(server) for server in self.topology}
        self._witness = None
        for server in self.topology:
            self._make_watcher(server)

    def __getitem__(self, name):
        return self.topology[name]

    @property
    def servers(self):
        return list(self.topology)

    def close(self):
        for devices in self.devices.values():
            devices.close()
        if self._witness:
            self._witness.close()
        self.topology.close()

    # --- between trials

    def restore(self, may_fence):
        """The healthy start: db1 writable, the others follow it, no fault anywhere."""
        if self._end_late_effects():
            time.sleep(0.5)  # whatever they had ordered is on its way
        try:
            self._restore(may_fence)
        except (AssertionError, pymysql.MySQLError, OSError):
            self._restore(may_fence)  # one was ending just now, and had not told

    def _end_late_effects(self):
        """What a rung of the last trial has left at work, as an order to stop that was not heard of
        again: it would hit the next one. Whether there was any."""
        found = False
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = folder.joinpath("cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            ours = str(self.topology.run_dir) in words or ALONE
            login = words.startswith(("ssh\0", "sshd: ")) and " -D " not in words
            if ours and (login or any(name in words for name in _PROGRAMS)):
                found = True
                try:
                    os.kill(int(folder.name), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        return found

    def _restore(self, may_fence):
        for server in self.topology:
            server.resume()
            server._forget_admin()
            if not server.running():
                server.launch()
        for server in self.topology:
            server.wait_ready()
            self._end_clients(server)
            server.query(f"SET GLOBAL max_connections = {MAX_CONNECTIONS}")
        self.semisync_off()
        self.topology.restore()
        for server in self.topology:
            server.unlogged(f"DROP USER IF EXISTS '{BOSS}'@'%'")
            self.devices[server.name].heal()
        self.let_fence(may_fence)
        self.forget_root()

    def let_fence(self, yes):
        """Whether the monitoring account may fence, on all servers.

        Asked of them, not remembered: a MariaDB that was killed may come back with the grants of
        before the last REVOKE.
        """
        may = {may_fence(server) for server in self.topology}
        if may == {yes}:
            return
        if may != {True}:  # nor can anybody revoke what was not granted
            self._unlogged_everywhere(grant_fencing)
        if yes:
            return
        revoke_fencing(self.topology)
        for server in self.topology:
            if server is not self.topology.primary and self.kind.is_mysql:
                server.query("SET GLOBAL read_only = ON")

    def forget_root(self):
        """No session of root is left: one that passes read_only would count against a fence."""
        for server in self.topology:
            server._forget_admin()

    # --- what a trial needs beside

    def witness(self):
        """A server outside the topology that only holds locks, running."""
        if self._witness is None:
            folder = self.topology.run_dir / "witness"
            self._witness = DatabaseServer("witness", self.topology.run_dir, kind=KINDS["mariadb"],
                                           server_id=99, options=[f"--tmpdir={folder}"])
        if not self._witness.running():
            self._witness.start()
            accounts = self._witness.value("SELECT COUNT(*) FROM mysql.global_priv "
                                           "WHERE User = 'primacy'")
            if not accounts:
                Topology.make_accounts(self.topology_of_mariadb(), self._witness)
        return self._witness

    def topology_of_mariadb(self):
        """What make_accounts() asks its topology for, for a witness of another kind."""
        class OfMariaDB:
            kind = KINDS["mariadb"]
        return OfMariaDB()

    def make_boss(self):
        """An account with ALL PRIVILEGES that may come over the network, on all servers."""
        for server in self.topology:
            server.unlogged(f"CREATE USER '{BOSS}'@'%' IDENTIFIED BY '{BOSS_PASSWORD}'",
                            f"GRANT ALL PRIVILEGES ON *.* TO '{BOSS}'@'%'")

    def semisync_on(self, source, replica):
        """Commits on source wait for replica for ten minutes; the other replicas do not count."""
        of_source, of_replica = _SEMISYNC[self.kind.flavor]
        if self.kind.is_mysql:
            self._plugins(source, "semisync_source.so", "rpl_semi_sync_source")
            self._plugins(replica, "semisync_replica.so", "rpl_semi_sync_replica")
        self[replica].query(f"SET GLOBAL {of_replica}_enabled = ON")
        self.topology.stop_replication(replica)
        self.topology.start_replication(replica)
        self[source].query(f"SET GLOBAL {of_source}_timeout = 600000")
        self[source].query(f"SET GLOBAL {of_source}_enabled = ON")
        wait_until(lambda: self[source].query(f"SHOW STATUS LIKE '{of_source}_clients'")[0]
                   ["Value"] == "1", 20, "the semi-sync replica")

    def semisync_off(self):
        for server in self.topology:
            for variable in _SEMISYNC[self.kind.flavor]:
                try:
                    server.query(f"SET GLOBAL {variable}_enabled = OFF")
                except pymysql.MySQLError as failure:
                    if failure.args[0] != 1193:  # MySQL's plugin was never loaded
                        raise

    # --- inside

    def _plugins(self, name, library, plugin):
        try:
            self[name].query(f"INSTALL PLUGIN {plugin} SONAME '{library}'")
        except pymysql.MySQLError as failure:
            if failure.args[0] not in (1125, 1968):  # loaded already
                raise

    def _make_watcher(self, server):
        server.unlogged(f"CREATE USER '{WATCHER}'@'%' IDENTIFIED BY '{WATCHER_PASSWORD}'")

    def _unlogged_everywhere(self, act):
        if self.kind.is_mysql:
            for server in self.topology:
                server.query("SET GLOBAL super_read_only = OFF")
        act(self.topology)

    def _end_clients(self, server):
        """Whoever hangs in a lock of the last trial must not hold up the cleaning."""
        own = server.value("SELECT CONNECTION_ID()")
        for row in server.query("SELECT id AS id FROM information_schema.processlist WHERE user IN "
                                f"('writer', '{BOSS}', '{WATCHER}', 'primacy', 'root')"):
            if row["id"] != own:
                try:
                    server.query(f"KILL {row['id']}")
                except pymysql.MySQLError as failure:
                    if failure.args[0] != 1094:  # gone by itself
                        raise
