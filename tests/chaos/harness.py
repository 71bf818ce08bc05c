"""The parts of tests/integration/primacy_harness that the trials use, found from here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from primacy_harness import (KINDS, Agent, CapExceeded, DatabaseServer,  # noqa: E402
                             Topology, default_config, server_entry, wait_until)
from primacy_harness.bmc import CIPHER, Bmc, fence_ipmilan  # noqa: E402
from primacy_harness.kinds import REPOSITORY  # noqa: E402
from primacy_harness.sshd import SshServer  # noqa: E402
from primacy_harness.tools import path_with_tools, why_not  # noqa: E402
from primacy_harness.topology import (MONITOR, MONITOR_PASSWORD, REPLICATION_PASSWORD,  # noqa: E402
                                      WRITER, WRITER_PASSWORD, grant_fencing, may_fence,
                                      revoke_fencing)

__all__ = ["CIPHER", "KINDS", "MONITOR", "MONITOR_PASSWORD", "REPLICATION_PASSWORD", "REPOSITORY",
           "WRITER", "WRITER_PASSWORD", "Agent", "Bmc", "CapExceeded", "DatabaseServer",
           "SshServer", "Topology", "default_config", "fence_ipmilan", "grant_fencing",
           "may_fence", "path_with_tools", "revoke_fencing", "server_entry", "wait_until", "why_not"]
