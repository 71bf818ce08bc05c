"""resolve under writes, counted as Jepsen counts: every insert has a number of its own, and who
acknowledged it is remembered. Afterwards each one is where the survivor's clients believe it, or in
the report of what the loser holds alone, which the printed command line brings to light."""

import pytest

from fenceable import extracted_rows, journal, read_only, rows_of, why_no_binlog_tool
from primacy_harness import default_config, hold, wait_until

pytestmark = pytest.mark.core


@pytest.fixture
def tool(kind):
    reason = why_no_binlog_tool(kind)
    if reason:
        pytest.skip(reason)


def switch_over(topology, old, new):
    """As a person does it: close, wait, open, and let the old one follow."""
    topology.make_read_only(old)
    topology.wait_caught_up(new, old)
    topology.promote(new)
    for name in topology.names:
        if name != new:
            topology.follow(name, new)


@pytest.mark.parametrize("with_agent", (True, False), ids=("agent", "no-agent"))
def test_each_row_is_on_the_survivor_or_in_the_report(fenceable, make_agent, tool, with_agent):
    # db3 has been the primary before: old transactions of its own are no loss.
    switch_over(fenceable, "db1", "db3")
    for _ in range(5):
        fenceable.write_row("db3", "before")
    switch_over(fenceable, "db3", "db1")
    shared = rows_of(fenceable["db1"])
    fenceable.wait_caught_up("db3", "db1")
    agent = make_agent(default_config(fenceable, probe_timeout="2s"))
    if with_agent:
        agent.start()

    fenceable.promote("db3")
    kept = [fenceable.background_writer("db1", f"kept-{i}", pause=0.002) for i in range(3)]
    lost = [fenceable.background_writer("db3", f"lost-{i}", pause=0.002) for i in range(3)]
    for writer in kept + lost:
        writer.wait_for_progress(30)
    for _ in range(2):  # what is lost lies in several files
        fenceable["db3"].query("FLUSH BINARY LOGS")
        lost[0].wait_for_progress(10)
    done = agent.cli("resolve", "shop", "--keep", "db1", "--reason", "it has the money", "--yes",
                     "--json", cap=60)
    assert done.exit_code == 0, done
    acknowledged = [writer.count for writer in lost]
    for writer in kept:
        writer.wait_for_progress(20)
    hold(lambda: [writer.count for writer in lost] == acknowledged, 1,
         "nothing is acknowledged by the loser after it was stopped")
    assert read_only(fenceable["db3"])
    fenceable.stop_writers()

    survivor, loser = rows_of(fenceable["db1"]), rows_of(fenceable["db3"])
    for writer in kept:
        assert {(writer.label, number) for number in writer.acknowledged} <= survivor
    for writer in lost:
        assert {(writer.label, number) for number in writer.acknowledged} <= loser
    alone = loser - survivor
    assert alone and not alone & shared
    assert {label for label, _ in alone} == {writer.label for writer in lost}

    (loss,) = done.json()["resolve"]["losses"]
    assert loss["server"] == "db3" and loss["read"] == "after_stop", loss
    assert loss["counted"] and loss["transactions"] == len(alone), loss
    assert loss["first"]["file"] == "binlog.000001" and loss["end"]["file"] == "binlog.000003"
    assert extracted_rows(fenceable["db3"], loss["extract"]) == alone
    (noted,) = [record for record in journal(agent) if record["kind"] == "resolved"]
    assert noted["result"] == "done"
    assert noted["facts"]["db3 lost"] == f"{len(alone)} transactions"
    assert noted["facts"]["db3 extract"] in loss["extract"]
    audit = agent.cli("audit").stdout
    assert loss["extract"][0] in audit and loss["gtids"] in audit, audit
    print(f"{len(alone)} rows on the loser alone, {len(survivor)} on the survivor")


def test_a_switchover_by_resolve_loses_nothing(fenceable, make_agent):
    """A survivor that follows the loser is opened when it has applied what it received."""
    agent = make_agent(default_config(fenceable, probe_timeout="2s"))
    slow = "SOURCE_DELAY" if fenceable.kind.is_mysql else "MASTER_DELAY"
    change = "CHANGE REPLICATION SOURCE TO" if fenceable.kind.is_mysql else "CHANGE MASTER TO"
    fenceable.stop_replication("db2")
    fenceable["db2"].query(f"{change} {slow} = 2")
    fenceable.start_replication("db2")
    fenceable.wait_replicating("db2")
    writer = fenceable.background_writer("db1", "kept")
    writer.wait_for_progress(50)
    assert len(rows_of(fenceable["db2"])) < len(rows_of(fenceable["db1"])), "it lags"
    done = agent.cli("resolve", "shop", "--keep", "db2", "--reason", "db1 is going away", "--yes",
                     "--json", cap=60)
    assert done.exit_code == 0, done
    assert "db1 holds nothing that db2 lacks" in done.json()["sentence"], done
    fenceable.stop_writers()
    assert {("kept", number) for number in writer.acknowledged} <= rows_of(fenceable["db2"])
    assert read_only(fenceable["db1"]) and not read_only(fenceable["db2"])


def test_two_losers_each_with_its_own_report(fenceable, make_agent, tool):
    agent = make_agent(default_config(fenceable, probe_timeout="2s"))
    fenceable.promote("db2")
    fenceable.promote("db3")
    for number in range(1, 4):
        fenceable.write_row("db2", "of-db2", number)
        fenceable.write_row("db3", "of-db3", number)
    fenceable.write_row("db3", "of-db3", 4)
    done = agent.cli("resolve", "shop", "--keep", "db1", "--reason", "x", "--yes", "--json")
    assert done.exit_code == 0, done
    losses = {loss["server"]: loss for loss in done.json()["resolve"]["losses"]}
    assert losses["db2"]["transactions"] == 3 and losses["db3"]["transactions"] == 4
    for name, count in (("db2", 3), ("db3", 4)):
        assert extracted_rows(fenceable[name], losses[name]["extract"]) == {
            (f"of-{name}", number) for number in range(1, count + 1)}


def test_rows_that_the_loser_replicated_meanwhile_are_not_extracted(fenceable, make_agent, tool):
    """A writable replica: what it received lies between what it wrote itself."""
    agent = make_agent(default_config(fenceable, probe_timeout="2s"))
    fenceable.make_writable("db3")
    if not fenceable.kind.is_mysql:  # else the numbers of the two would not fit one another
        fenceable["db3"].query("SET GLOBAL gtid_strict_mode = OFF")
    try:
        for number in range(1, 6):
            fenceable.write_row("db3", "lost", number)
            fenceable.write_row("db1", "kept", number)
            fenceable.write_row("db1", "kept", 100 + number)
            wait_until(lambda: ("kept", 100 + number) in rows_of(fenceable["db3"]), 10, "the row")
        done = agent.cli("resolve", "shop", "--keep", "db1", "--reason", "x", "--yes", "--json")
        assert done.exit_code == 0, done
        (loss,) = done.json()["resolve"]["losses"]
        assert loss["transactions"] == 5 and loss["counted"], loss
        assert extracted_rows(fenceable["db3"], loss["extract"]) == {
            ("lost", number) for number in range(1, 6)}
    finally:
        if not fenceable.kind.is_mysql:
            fenceable["db3"].query("SET GLOBAL gtid_strict_mode = ON")
