"""Name service that takes questions and never answers, for one program only.

The program runs in a mount namespace of its own where /etc/resolv.conf points at a silent UDP
socket of ours. Needs root; the machine's own resolver is not touched.
"""

import os
import random
import shutil
import socket
from pathlib import Path

from . import processes

_WITH_OWN_RESOLVER = """
conf=$1; shift
mount --bind "$conf" /etc/resolv.conf || exit 125
exec "$@"
"""


def why_not():
    """None when a silent resolver can be put in place here, else the reason."""
    if os.getuid() != 0:
        return "a private /etc/resolv.conf needs root"
    if not shutil.which("unshare"):
        return "unshare is not installed"
    if not os.path.exists("/etc/resolv.conf"):
        return "there is no /etc/resolv.conf to cover"
    done = processes.run(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                          _WITH_OWN_RESOLVER, "sh", "/dev/null", "true"])
    if done.returncode != 0:
        return f"cannot cover /etc/resolv.conf: {done.stderr.strip()}"
    return None


class SilentResolver:
    """`wrapper` is argv under which names are looked up at a server that never answers."""

    def __init__(self, folder):
        # A port 53 on a loopback address that nobody else uses.
        chooser = random.Random(os.getpid())
        self.address = f"127.73.{chooser.randint(1, 254)}.{chooser.randint(1, 254)}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 53))
        self._socket.setblocking(False)
        conf = Path(folder) / "silent-resolv.conf"
        conf.write_text(f"nameserver {self.address}\noptions timeout:20 attempts:5\n",
                        encoding="ascii")
        self.wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                        _WITH_OWN_RESOLVER, "sh", str(conf)]

    def questions(self):
        """How many datagrams have arrived since the last call: proof that it was asked."""
        count = 0
        while True:
            try:
                self._socket.recv(2048)
                count += 1
            except BlockingIOError:
                return count

    def close(self):
        self._socket.close()
