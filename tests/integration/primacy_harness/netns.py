"""Network namespaces: one to enter, and one joined to ours whose traffic can be dropped.

Everything lives as long as one holder process: when it ends, however it ends, the kernel takes the
namespace, its interfaces and its rules away. Needs root.
"""

import contextlib
import ctypes
import os
import random
import shutil

from . import processes
from .polling import wait_until

# 198.18.0.0/15 is set aside for measurements between hosts; no real network uses it.
_random = random.Random(os.getpid())
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def why_not():
    """None when namespaces can be made here, else the reason."""
    if os.getuid() != 0:
        return "a network namespace needs root"
    for program in ("ip", "nft", "unshare", "nsenter"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if processes.run(["unshare", "--net", "nft", "list", "ruleset"]).returncode != 0:
        return "the kernel does not let us make a network namespace with packet filter rules"
    return None


class Namespace:
    """An empty one, with its loopback up and no way out."""

    def __init__(self):
        self._holder = processes.Process(["unshare", "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(self._path) != ours and self._holder.running(),
                   10, "the namespace's holder")
        self.run("ip", "link", "set", "lo", "up")

    @property
    def pid(self):
        """A process that lives in it, for `ip link … netns PID`."""
        return self._holder.pid

    @property
    def prefix(self):
        """argv that runs a program inside."""
        return ["nsenter", f"--net={self._path}", "--"]

    def run(self, *argv):
        return _must(*self.prefix, *argv)

    @contextlib.contextmanager
    def entered(self):
        """This thread's new sockets are inside, and stay there; start no processes meanwhile."""
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inside = os.open(self._path, os.O_RDONLY)
        try:
            _enter(inside)
            try:
                yield
            finally:
                _enter(ours)
        finally:
            os.close(inside)
            os.close(ours)

    def close(self):
        self._holder.kill()

    @property
    def _path(self):
        return f"/proc/{self.pid}/ns/net"


class NetworkNamespace(Namespace):
    """`address` is where a server bound to 0.0.0.0 inside is reached from outside."""

    def __init__(self):
        super().__init__()
        pid = self.pid
        subnet = f"198.18.{_random.randint(0, 255)}"
        base = 4 * _random.randint(0, 63)
        self.outside_address, self.address = f"{subnet}.{base + 1}", f"{subnet}.{base + 2}"
        self._outside = f"pt{pid}"
        _must("ip", "link", "add", self._outside, "type", "veth", "peer", "name", "inside",
              "netns", str(pid))
        _must("ip", "address", "add", f"{self.outside_address}/30", "dev", self._outside)
        _must("ip", "link", "set", self._outside, "up")
        self.run("ip", "address", "add", f"{self.address}/30", "dev", "inside")
        self.run("ip", "link", "set", "inside", "up")

    def black_hole(self):
        """Drops every packet that comes in from outside: no answer, no error, on any connection."""
        self.run("nft", "add table inet hole")
        self.run("nft", "add chain inet hole input { type filter hook input priority 0 ; }")
        self.run("nft", "add rule inet hole input iifname inside drop")

    def heal(self):
        self.run("nft", "delete table inet hole")


def _enter(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter a network namespace")


def _must(*argv):
    done = processes.run(argv)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout
