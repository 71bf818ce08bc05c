"""Free TCP ports between 20000 and 30000, reserved against other test runs on this machine.

A reservation is an abstract unix socket named after the port: two runs cannot hold the same one,
and the kernel drops it when its process ends. The range lies below the ports that the kernel hands
to outgoing connections.
"""

import os
import random
import socket

FIRST, LAST = 20000, 29999

_reserved = {}
_order = random.Random(os.getpid())


def _listening_is_possible(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: a port with old connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_port():
    """A port on which nothing listens, ours until release_port() or our end."""
    for _ in range(2000):
        port = _order.randint(FIRST, LAST)
        if port in _reserved:
            continue
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0primacy-test-port-{port}")
        except OSError:
            claim.close()
            continue
        if _listening_is_possible(port):
            _reserved[port] = claim
            return port
        claim.close()
    raise RuntimeError(f"no free port between {FIRST} and {LAST}")


def release_port(port):
    claim = _reserved.pop(port, None)
    if claim:
        claim.close()
