"""Database hosts on a network that can be cut, and their BMCs on another one.

    with HostNetwork(("db1", "db2", "db3")) as network:
        … network["db1"].prefix, .address, .power_address, .entered() …
        network["db1"].cut()

Each host is a network namespace with one leg on the bridge of the data network and one on that of
the power network; the BMCs listen on the second one. Nothing of it can reach the machine's own
networks, or be reached from there. Needs root.
"""

from .netns import Namespace

# Set aside for measurements between hosts; the namespaces have no way out anyway.
_DATA, _POWER = "198.18.0", "198.19.0"


class Host(Namespace):
    """One host: `address` on the data network, `power_address` on the other."""

    def __init__(self, name, number, middle):
        super().__init__()
        self.name = name
        self.address = f"{_DATA}.{number}"
        self.power_address = f"{_POWER}.{number}"
        self._middle = middle
        for leg, address in (("data", self.address), ("power", self.power_address)):
            plug = f"{name}-{leg}"
            middle.run("ip", "link", "add", plug, "type", "veth", "peer", "name", leg, "netns",
                       str(self.pid))
            middle.run("ip", "link", "set", plug, "master", leg, "up")
            self.run("ip", "address", "add", f"{address}/24", "dev", leg)
            self.run("ip", "link", "set", leg, "up")

    def cut(self):
        """Pulls the plug of the data network; that of the power network stays in."""
        self._middle.run("ip", "link", "set", f"{self.name}-data", "down")

    def drop_outgoing(self):
        """What this host sends on the data network is lost; what others send arrives."""
        self._drop("output", "oifname")

    def drop_incoming(self):
        """What others send on the data network is lost; what this host sends arrives."""
        self._drop("input", "iifname")

    def heal(self):
        """Undoes all of these."""
        self._middle.run("ip", "link", "set", f"{self.name}-data", "up")
        if "cut" in self.run("nft", "list", "tables"):
            self.run("nft", "delete table inet cut")

    def _drop(self, hook, interface):
        self.run("nft", "add table inet cut")
        self.run("nft", "add chain inet cut one { type filter hook " + hook + " priority 0 ; }")
        self.run("nft", f"add rule inet cut one {interface} data drop")


class HostNetwork:
    """The hosts by name. `clients` is one more, for whoever is neither database nor agent; the
    BMC of host N has the address bmc_address(N) in the namespace `bmcs`."""

    def __init__(self, names):
        self._middle = Namespace()  # the switches
        self._hosts = {}
        try:
            for bridge in ("data", "power"):
                self._middle.run("ip", "link", "add", bridge, "type", "bridge")
                self._middle.run("ip", "link", "set", bridge, "up")
            for number, name in enumerate((*names, "clients", "bmcs"), start=1):
                self._hosts[name] = Host(name, number, self._middle)
            for number in range(len(names)):
                self.bmcs.run("ip", "address", "add", f"{_POWER}.{100 + number}/24", "dev",
                              "power")
        except BaseException:
            self.close()
            raise
        self._names = list(names)

    def __getitem__(self, name):
        return self._hosts[name]

    @property
    def clients(self):
        return self._hosts["clients"]

    @property
    def bmcs(self):
        return self._hosts["bmcs"]

    def bmc_address(self, name):
        return f"{_POWER}.{100 + self._names.index(name)}"

    @property
    def address_of_nobody(self):
        """On the power network."""
        return f"{_POWER}.254"

    def heal(self):
        for host in self._hosts.values():
            host.heal()

    def close(self):
        for host in self._hosts.values():
            host.close()
        self._middle.close()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()
