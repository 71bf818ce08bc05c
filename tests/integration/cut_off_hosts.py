"""Three database hosts that can be cut off: servers, BMCs, an agent on each, and clients.

The stage is kept for a whole test run; each test gets it as new. What may be true of it at the end
is asserted here, because every test of it asserts the same.
"""

from primacy_harness import BackgroundWriter, Topology, default_config, wait_until
from primacy_harness.bmc import CIPHER, Bmc
from primacy_harness.hosts import HostNetwork
from primacy_harness.tools import path_with_tools
from primacy_harness.topology import WRITER, WRITER_PASSWORD, grant_fencing

NAMES = ("db1", "db2", "db3")
# Slow enough that a busy machine does not look like a gap in the watch (two and a half polls).
TIMES = {"poll_interval": "300ms", "probe_timeout": "800ms", "confirm_polls": 3,
         "confirm_for": "600ms"}
WATCH_GAP = 0.75
LEASE_TTL = 3


class Stage:
    """Hosts with a server and a BMC each; db1 writes, db2 and db3 follow it."""

    def __init__(self, run_dir):
        self.network = HostNetwork(NAMES)
        self.bmcs = {}
        self.topology = None
        try:
            for name in NAMES:
                self.bmcs[name] = Bmc(run_dir, name=f"bmc-{name}", prefix=self.network.bmcs.prefix,
                                      address=self.network.bmc_address(name)).start()
            hosts = {name: {"bind": "0.0.0.0", "host": self.network[name].address, "port": 3306,
                            "prefix": self.network[name].prefix} for name in NAMES}
            self.topology = Topology(run_dir / "cut-off", NAMES, per_server=hosts).start()
            grant_fencing(self.topology)
        except BaseException:
            self.close()
            raise

    def renew(self):
        """As it was at the start, whatever happened to it."""
        self.network.heal()
        self.topology.restore()
        for bmc in self.bmcs.values():
            bmc.resume()
            bmc.healthy()
            bmc.forget_orders()

    def close(self):
        if self.topology:
            self.topology.close(remove=False)  # the whole run directory goes, unless --keep is given
        for bmc in self.bmcs.values():
            bmc.close()
        self.network.close()


class Scene:
    """What happens on the stage in one test.

    `unseen` and `modes` (by host) configure agents; with `silent_first` there is another BMC to be
    asked before that of db1, which does not exist.
    """

    def __init__(self, stage, make_agent, *, unseen="alert", modes=None, silent_first=False):
        self.network, self.topology, self.bmcs = stage.network, stage.topology, stage.bmcs
        self._silent_first = silent_first
        self._writers = []
        self.agents = {}
        for name in NAMES:
            config = self._config(name, unseen, (modes or {}).get(name, "enforce"))
            self.agents[name] = make_agent(config, host=self.network[name],
                                           environment={"PATH": path_with_tools()})

    def _config(self, name, unseen, mode):
        config = default_config(self.topology, mode=mode, **TIMES)
        config["agent"]["name"] = name
        shop = config["topology"]["shop"]
        shop["fencing"] = {"unseen_former": unseen}
        shop["lease"] = {"backend": "servers", "ttl": f"{LEASE_TTL}s"}
        methods = config["method"] = {}
        for entry in shop["server"]:
            bmc, method = self.bmcs[entry["name"]], f"{entry['name']}-bmc"
            entry["fence"] = ["sql", method]
            methods[method] = {"type": "ipmi", "address": bmc.address, "port": bmc.port,
                               "user": bmc.user, "password_file": str(bmc.password_file),
                               "cipher": CIPHER}
        if self._silent_first:
            methods["silent"] = {**methods["db1-bmc"],
                                 "address": self.network.address_of_nobody}
            shop["server"][0]["fence"].insert(1, "silent")
        return config

    # --- what happens

    def start_agents(self, first):
        """All of them; the one on host `first` has the lease, if it enforces."""
        order = sorted(NAMES, key=lambda name: name != first)
        for name in order:
            self.agents[name].start()
            if name == first and self.enforces(name):
                self.wait_lease(name)
        for name in NAMES:
            self.agents[name].wait_state("healthy", cap=20)
            self._power_on(name)

    def start_agent_again(self, name):
        """Without waiting for anything; not on a host without power."""
        if not self.powered_off(name):
            self.agents[name].launch()
            self._power_on(name)

    def _power_on(self, name):
        """The server and the agent of a host live as long as its power is on."""
        self.bmcs[name].powers(self.topology[name].pid, self.agents[name].pid)

    def write(self, to, host):
        """A client on that host that writes to that server until the end; returns the writer."""
        server = self.topology[to]

        def connect():
            with host.entered():
                return server.connect(WRITER, WRITER_PASSWORD, tcp=True)
        self._writers.append(BackgroundWriter(connect, f"{host.name}-to-{to}"))
        self._writers[-1].wait_for_progress()
        return self._writers[-1]

    def fail_over(self):
        """What a failover tool does that finds db1 gone: db2 gets what db3 has, and is opened."""
        topology = self.topology
        for name in ("db2", "db3"):
            topology.stop_replication(name)
        if _sequence(topology, "db3") > _sequence(topology, "db2"):
            topology.follow("db2", "db3")
            topology.wait_caught_up("db2", "db3")
        topology.promote("db2")
        topology.follow("db3", "db2")

    def stop(self):
        """Ends the clients."""
        for writer in self._writers:
            writer.stop()

    # --- looking

    def enforces(self, name):
        return self.agents[name].config["topology"]["shop"]["mode"] == "enforce"

    def has_lease(self, name):
        return self.agents[name].metric("primacy_lease_held", topology="shop") == 1

    def wait_lease(self, name, cap=60):
        wait_until(lambda: self.has_lease(name), cap, f"the agent on {name} to hold the lease",
                   ignore=(OSError,))

    def records(self, kind=None, **fields):
        """Those of all agents' journals with these fields, as (host, record)."""
        return [(name, record) for name in NAMES for record in self.agents[name].fence_records()
                if kind in (None, record["kind"])
                and all(record.get(key) == value for key, value in fields.items())]

    def nobody_acts(self):
        """A condition for hold(): no fence was begun, no machine powered off."""
        return not self.records() and not any(self.powered_off(name) for name in NAMES)

    def only_db1_is_touched(self):
        """A condition for hold(): the same of the servers that are none of the losers."""
        return not any(record["server"] != "db1" for _, record in self.records()) and not any(
            self.powered_off(name) for name in ("db2", "db3"))

    def powered_off(self, name):
        """How often its BMC was told to."""
        return self.bmcs[name].orders().count("set power 0")

    def wait_stopped(self, name="db1", cap=60):
        """Some agent has proved that the server is stopped; returns (host, record).

        By the journals alone: a session of root, which passes read_only, would be in the way.
        """
        (found, *_) = wait_until(
            lambda: self.records("ended", server=name, result="confirmed"), cap,
            f"a fence of {name} to be confirmed")
        return found

    def writers_now(self):
        """Which servers take a row from an ordinary account, asked on their own hosts."""
        taking = []
        for server in self.topology:
            if server.running():
                with self.network[server.name].entered():
                    if self.topology.may_write(server.name):
                        taking.append(server.name)
        return taking

    def wait_agreement(self):
        """Every agent that still has power sees db2 as the only writer."""
        for name, agent in self.agents.items():
            if not self.powered_off(name):
                agent.wait_for(lambda seen: seen["writers"] == ["db2"], cap=30,
                               what="db2 to be the only writer")

    # --- what must be true at the end

    def expect_right_end(self, written):
        """db2 is the only writer, nobody ever touched it or db3, and all its rows are there.

        `written` is the client that has written to db2 since it was opened.
        """
        assert self.writers_now() == ["db2"]
        for name, record in self.records():
            assert record["server"] == "db1", f"the agent on {name} noted {record}"
            assert record.get("survivors", ["db2"]) == ["db2"], f"on {name}: {record}"
        assert self.powered_off("db2") == self.powered_off("db3") == 0
        written.wait_for_progress()
        self.stop()
        assert written.failures == 0, f"db2 was in the way of its client: {written.last_error}"
        self.topology.wait_caught_up("db3", "db2")
        for name in ("db2", "db3"):
            rows = self.topology[name].query("SELECT number FROM app.facts WHERE writer = %s",
                                             (written.label,))
            lost = set(written.acknowledged) - {row["number"] for row in rows}
            assert not lost, f"{name} lost {len(lost)} of {written.count} acknowledged rows"


def _sequence(topology, name):
    """The number of the last transaction of db1 that this replica has."""
    position = topology.gtid_position(name)
    assert position.count("-") == 2, f"{name} has more than one history: {position}"
    return int(position.rpartition("-")[2])
