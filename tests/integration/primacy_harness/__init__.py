"""Starts real database servers and a real primacy on loopback, for tests, demo and benchmarks.

Nothing here judges what primacy says; that is the tests' business. Every process is ended when the
program that started it ends, however it ends; every wait has a cap.
"""

from .agent import Agent, CommandResult, default_config, error_class, find_server, server_entry
from .kinds import KINDS, Kind
from .metrics import Metrics
from .polling import CapExceeded, hold, wait_until
from .processes import Process
from .servers import DatabaseServer, MariaDBServer
from .topology import Topology
from .writer import BackgroundWriter

__all__ = [
    "Agent",
    "BackgroundWriter",
    "CapExceeded",
    "CommandResult",
    "DatabaseServer",
    "KINDS",
    "Kind",
    "MariaDBServer",
    "Metrics",
    "Process",
    "Topology",
    "default_config",
    "error_class",
    "find_server",
    "hold",
    "server_entry",
    "wait_until",
]
