"""Options, fixtures and the loud list of skips of the integration tests (tiers 2 and 3)."""

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pymysql
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("expectations", "fenceable", "primacy_harness")

from primacy_harness import KINDS, Agent, Topology, default_config  # noqa: E402
from primacy_harness.fakes import FakeServer  # noqa: E402
from primacy_harness.tools import path_with_tools  # noqa: E402
from primacy_harness.topology import grant_fencing, revoke_fencing  # noqa: E402

# What AddressSanitizer and UndefinedBehaviorSanitizer print when they find something.
_SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def pytest_addoption(parser):
    group = parser.getgroup("primacy")
    group.addoption("--kinds", default="mariadb",
                    help="server kinds for the core suite, separated by commas, or 'all': "
                         + ", ".join(KINDS))
    group.addoption("--detection-trials", type=int, default=10,
                    help="second writers to time")
    group.addoption("--kills", type=int, default=20,
                    help="how often to kill -9 the agent (200 in the full run)")
    group.addoption("--chaos-trials", type=int, default=12,
                    help="randomized split brains of each server kind")
    group.addoption("--heals", type=int, default=3,
                    help="how often the network heals around a cut-off primary (20 in the full "
                         "run)")
    group.addoption("--osc-rows", type=int, default=0,
                    help="rows of the table that schema changes alter (1000000 in the full run)")
    group.addoption("--osc-trials", type=int, default=3,
                    help="schema changes through a fault, of each server kind (100 in the full "
                         "run)")
    group.addoption("--all-steps", action="store_true",
                    help="kill the agent at every step of every ladder, not at a few of each")
    group.addoption("--keep", action="store_true", help="keep the run directory")


def pytest_configure(config):
    config.addinivalue_line("markers", "core: runs against every server kind (tiers 2 and 3)")
    config.addinivalue_line("markers", "harness: proves the harness itself; needs no primacy")


def pytest_generate_tests(metafunc):
    if "heal" in metafunc.fixturenames:
        metafunc.parametrize("heal", range(metafunc.config.getoption("--heals")))
    if "osc_trial" in metafunc.fixturenames:
        metafunc.parametrize("osc_trial", range(metafunc.config.getoption("--osc-trials")))
    if "kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--kinds")
        names = list(KINDS) if chosen == "all" else chosen.split(",")
        for name in names:
            if name not in KINDS:
                raise pytest.UsageError(f"no server kind {name!r}; there are {', '.join(KINDS)}")
        metafunc.parametrize("kind", names, indirect=True, scope="session")


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    terminalreporter.section("SKIPPED: THE FOLLOWING WAS NOT TESTED HERE", sep="!", red=True)
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"{len(tests)} not run, because {reason}")
        for test in tests:
            terminalreporter.write_line(f"    {test}")


@pytest.fixture(scope="session")
def seed():
    """The seed of everything random in this run; PRIMACY_SEED replays one."""
    value = int(os.environ.get("PRIMACY_SEED", random.SystemRandom().randrange(1 << 31)))
    print(f"PRIMACY_SEED={value}")
    return value


@pytest.fixture(scope="session")
def run_dir(request):
    """A short path, for unix sockets; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="primacy-it-", dir="/tmp"))
    yield folder
    if request.config.getoption("--keep"):
        print(f"kept {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kind(request):
    """The server kind of a core test; skips with the reason where it cannot run."""
    chosen = KINDS[request.param]
    why_not = chosen.why_not()
    if why_not:
        pytest.skip(why_not)
    return chosen


@pytest.fixture(scope="session")
def local_kind():
    """The machine's own MariaDB."""
    why_not = KINDS["mariadb"].why_not()
    if why_not:
        pytest.skip(why_not)
    return KINDS["mariadb"]


class TopologyPool:
    """Keeps one topology of three per kind; hands it out as new."""

    def __init__(self, run_dir):
        self._run_dir = run_dir
        self._kept = {}

    def fresh(self, kind):
        topology = self._kept.get(kind.name)
        if topology is not None:
            try:
                topology.restore()
                return topology
            except Exception as failure:  # whatever a test broke: start over
                print(f"{kind.name} cannot be restored ({failure}); starting anew")
                topology.close()
        # The kinds before this one are done with; their memory is of use.
        for other in list(self._kept):
            self._kept.pop(other).close()
        self._kept[kind.name] = Topology(self._run_dir / kind.name, kind=kind).start()
        return self._kept[kind.name]

    def close(self):
        for topology in self._kept.values():
            topology.close()


@pytest.fixture(scope="session")
def topology_pool(run_dir):
    pool = TopologyPool(run_dir)
    yield pool
    pool.close()


@pytest.fixture
def topology(topology_pool, kind):
    """Three servers of the test's kind: db1 writable, db2 and db3 follow it."""
    shared = topology_pool.fresh(kind)
    yield shared
    shared.stop_writers()


@pytest.fixture
def local_topology(topology_pool, local_kind):
    """Like topology, on the machine's own MariaDB."""
    shared = topology_pool.fresh(local_kind)
    yield shared
    shared.stop_writers()


def _may_be_fenced(topology):
    grant_fencing(topology)
    yield topology
    for server in topology:
        server.resume()
        if not server.running():
            server.start()
    for attempt in (1, 2):  # a fence may have ended our own sessions
        try:
            revoke_fencing(topology)
            break
        except pymysql.MySQLError:
            if attempt == 2:
                raise


@pytest.fixture
def fenceable(topology):
    """topology, on which the monitoring account may also stop servers."""
    yield from _may_be_fenced(topology)


@pytest.fixture
def fenceable_here(local_topology, monkeypatch):
    """The same of local_topology; devices' programs are found that are unpacked only."""
    monkeypatch.setenv("PATH", path_with_tools())
    yield from _may_be_fenced(local_topology)


@pytest.fixture
def make_agent(run_dir, request):
    """Makes agents (not started) from a configuration; each must end well after the test."""
    made = []

    def make(config, **options):
        agent = Agent(run_dir, config, **options)
        made.append(agent)
        return agent

    yield make
    try:
        for agent in made:
            if agent.running():
                agent.process.resume()
                agent.stop()
            for word in _SANITIZER_WORDS:
                assert word not in agent.log_text(), agent.log_text()[-8000:]
    finally:
        for agent in made:
            agent.close()
            if not request.config.getoption("--keep"):
                agent.remove()


@pytest.fixture
def start_agent(make_agent):
    """Starts an agent on a topology; `changes` go into [topology.shop]."""

    def start(topology, **changes):
        return make_agent(default_config(topology, **changes)).start()

    return start


@pytest.fixture
def fake_server():
    """Starts fake servers from behaviours of primacy_harness.fakes."""
    started = []

    def start(behaviour, **options):
        server = FakeServer(behaviour, behaviour.__name__.replace("_", "-"), **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()
