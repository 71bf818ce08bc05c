"""Bad input gets exactly one clear sentence and an exit code that says so, and nothing is done by
halves. (The fence agents' own: test_fence_agent_options.py; a damaged journal: test_enforce.py.)
"""

import json

import pytest

from expectations import positions
from primacy_harness import default_config, hold, wait_until
from primacy_harness.topology import grant_fencing, revoke_fencing

# What CLI11 adds to each of its sentences.
_HINT = "Run with --help for more information."


def assert_one_sentence(shown, code, words):
    told = [line for line in shown.stderr.splitlines() if line.strip() and line != _HINT]
    assert shown.exit_code == code and len(told) == 1 and not shown.stdout, shown
    for word in words:
        assert word in told[0], shown


def journal_of(agent):
    """Records in the journal, without the headers of its files."""
    folder = agent.state_dir / "journal"
    files = sorted(folder.iterdir()) if folder.exists() else []
    return [line for path in files for line in path.read_text(encoding="utf-8").splitlines()
            if "kind" in json.loads(line)]


# --- configuration

ELSEWHERE = [{"name": "db1", "host": "127.0.0.1"}, {"name": "db2", "host": "127.0.0.2"}]

# what is wrong → (changes of [topology.shop], changes of db1, words, the line to blame begins so)
CONFIGURATIONS = {
    "a method that does not exist": ({}, {"fence": ["sql", "db1-bcm"]},
                                     ['no method is named "db1-bcm"', '"db1-bmc"'], "fence"),
    "a ladder without a rung": ({}, {"fence": []}, ["fence", "at least one"], "fence"),
    # The only way in which a ladder could lead back to where it was.
    "a ladder with the same rung twice": ({}, {"fence": ["sql", "db1-bmc", "sql"]},
                                          ["fence", "each item once", '"sql"'], "fence"),
    "enforce without a word about the lease": ({"mode": "enforce"}, {},
                                               ['backend = "servers"', '"none"'], "mode"),
    "a pin of an unknown server": ({"fencing": {"pin": "db3"}}, {},
                                   ['no server of this topology is named "db3"'], "pin"),
    "a rule that does not exist": ({"fencing": {"keep": ["incumbent", "newest"]}}, {},
                                   ["keep", '"newest"'], "keep"),
    "a keep rule twice": ({"fencing": {"keep": ["gtid", "gtid"]}}, {}, ["each item once"], "keep"),
    "a former primary to fence and no rung for it": (
        {"fencing": {"unseen_former": "fence"}}, {"fence": ["sql"]},
        ["unseen_former", "db1", "without SQL"], "unseen_former"),
    "a lease of half seconds": ({"lease": {"backend": "servers", "ttl": "3500ms"}}, {},
                                ["ttl", "whole seconds"], "ttl"),
}


@pytest.fixture
def badly_configured(make_agent, tmp_path):
    def make(mistake):
        changes, of_db1, _, _ = CONFIGURATIONS[mistake]
        config = default_config(servers=[{**ELSEWHERE[0], "fence": ["sql", "db1-bmc"], **of_db1},
                                         {**ELSEWHERE[1], "fence": ["sql", "db1-bmc"]}], **changes)
        secret = tmp_path / "bmc.password"
        secret.write_text("x\n", encoding="ascii")
        secret.chmod(0o600)
        config["method"] = {"db1-bmc": {"type": "ipmi", "address": "127.0.0.1", "user": "u",
                                        "password_file": str(secret)}}
        return make_agent(config)
    return make


@pytest.mark.parametrize("mistake", list(CONFIGURATIONS))
def test_a_bad_configuration(badly_configured, mistake):
    _, _, words, line = CONFIGURATIONS[mistake]
    agent = badly_configured(mistake)
    shown = agent.cli("check-config")
    errors = [text for text in shown.stderr.splitlines() if positions(text)
              and not text.startswith("warning: ")]
    assert shown.exit_code == 2 and len(errors) == 1, shown
    assert all(word in errors[0] for word in words), shown
    (place,) = positions(errors[0])
    text = agent.config_file.read_text(encoding="utf-8").splitlines()[place[0] - 1]
    assert text.startswith(line), (text, shown)
    # The agent says the same, and has not begun anything.
    agent.launch()
    wait_until(lambda: not agent.running(), 20, "the agent to end")
    assert agent.exit_code() == 2 and errors[0] in agent.log_text(), agent.log_text()
    assert list(agent.state_dir.iterdir()) == []


def test_enforce_with_no_lease_written_out(badly_configured):
    """Who writes "none" has thought of it."""
    agent = badly_configured("enforce without a word about the lease")
    agent.config["topology"]["shop"]["lease"] = {"backend": "none"}
    agent.write_config()
    assert agent.cli("check-config").exit_code == 0


# --- a journal that is not ours


def test_a_journal_of_a_newer_version(local_topology, make_agent):
    """It is left alone; the agent watches, says why it cannot act, and does not."""
    grant_fencing(local_topology)
    config = default_config(local_topology, mode="enforce", lease={"backend": "none"},
                            probe_timeout="2s")
    agent = make_agent(config)
    folder = agent.state_dir / "journal"
    folder.mkdir(mode=0o750)
    path = folder / "journal-00000001.jsonl"
    text = '{"primacy_journal":2}\n{"kind":"begun","in":"words of tomorrow"}\n'
    path.write_text(text, encoding="utf-8")
    newer = [str(path), "newer version"]
    assert_one_sentence(agent.cli("audit"), 1, newer)
    assert_one_sentence(agent.cli("pin", "db1", "--reason", "no agent"), 1, newer)
    agent.start()
    agent.wait_state("healthy")
    assert agent.metric("primacy_fencing_armed", topology="shop") == 0
    assert_one_sentence(agent.cli("fence", "db2", "--reason", "test", "--yes"), 1, newer)
    assert_one_sentence(agent.cli("pin", "db1", "--reason", "agent"), 1, newer)
    local_topology.promote("db3")
    agent.wait_state("split_brain")
    hold(lambda: local_topology.may_write("db3"), 1, "db3 left alone")
    wait_until(lambda: "newer version" in agent.cli("explain").stdout, 10, "explain to say why")
    assert path.read_text(encoding="utf-8") == text
    revoke_fencing(local_topology)


# --- what a person orders

SERVER_ORDERS = ("fence", "unfence", "confirm-fenced", "pin")
ASKED_TWICE = ("fence", "unfence", "confirm-fenced")


def _orders():
    for verb in SERVER_ORDERS:
        server = "db2"
        yes = ["--yes"] if verb in ASKED_TWICE else []
        yield [verb, "db9", "--reason", "x", *yes], ["db9", "db1, db2, db3"]
        yield [verb, server, *yes], ["--reason"]
        yield [verb, server, "--reason", "", *yes], ["--reason"]
        yield [verb, server, "--reason", "x", "--topology", "other", *yes], ["other", "shop"]
        yield [verb, server, "--reason", "x", "--fast", *yes], ["--fast"]
    for verb in ASKED_TWICE:
        yield [verb, "db2", "--reason", "x"], ["--yes"]
        yield [verb, "--reason", "x", "--yes"], ["SERVER"]
    yield ["pin", "--reason", "x"], ["names no server"]
    yield ["maintenance", "on", "--reason", "x"], ["--for"]
    yield ["maintenance", "on", "--for", "10m"], ["--reason"]
    yield ["maintenance", "on", "--for", "soon", "--reason", "x"], ["soon", "30m"]
    yield ["maintenance", "on", "--for", "0s", "--reason", "x"], ["--for"]
    yield ["maintenance", "on", "--for", "30d", "--reason", "x"], ["30d"]
    yield ["maintenance", "on", "--for", "400h", "--reason", "x"], ["7 days"]
    yield ["maintenance", "off"], ["--reason"]
    yield ["maintenance", "off", "--reason", "x", "--topology", "other"], ["other", "shop"]
    yield ["maintenance", "--reason", "x"], ["subcommand"]
    yield ["audit", "--since", "yesterday"], ["yesterday", "30m"]
    yield ["preflight", "other"], ["other"]
    yield ["preflight", "shop", "--for", "luck"], ["luck"]
    yield ["status", "other"], ["other", "shop"]


@pytest.fixture(scope="module")
def untouched(topology_pool, local_kind, run_dir):
    """One agent for all orders below: none of them may change anything."""
    from primacy_harness import Agent
    topology = topology_pool.fresh(local_kind)
    agent = Agent(run_dir, default_config(topology, probe_timeout="2s")).start()
    agent.wait_state("healthy")
    yield agent
    agent.stop()
    agent.remove()


@pytest.mark.parametrize("arguments, words", list(_orders()),
                         ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_bad_order(untouched, arguments, words):
    assert_one_sentence(untouched.cli(*arguments), 2, words)
    assert journal_of(untouched) == []
    seen = untouched.topology()
    assert seen["maintenance"] is None and seen["writers"] == ["db1"]
    assert {server["fence"] for server in seen["servers"]} == {"none"}
