"""What tests of fencing and of resolve share: how an agent is told to act, and what it left."""

import json
import os
import re

import pymysql

from primacy_harness import default_config, processes, tools


def enforcing(topology, backend="none", **changes):
    """A configuration in which the agent acts; `changes` go into the topology."""
    config = default_config(topology, **{"mode": "enforce", **changes})
    config["topology"]["shop"]["lease"] = {"backend": backend}
    if backend == "servers":
        config["topology"]["shop"]["lease"]["ttl"] = "3s"
    return config


def read_only(server):
    """Asked again when the fence has just ended our own session too."""
    for last in (False, False, True):
        try:
            return server.value("SELECT @@GLOBAL.read_only") not in ("0", "OFF", 0)
        except pymysql.MySQLError:
            if last:
                raise


def close_by_hand(topology, name):
    """As a device is told to: nobody can write any more, not even a session of ours. Whoever calls
    a server stopped is asked for that by a second look at it."""
    topology.make_read_only(name)
    topology[name].leave()


def journal(agent):
    """Every record in the agent's journal, oldest first; none where there is no journal."""
    shown = []
    directory = agent.state_dir / "journal"
    for path in sorted(directory.iterdir()) if directory.exists() else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if "kind" in record:
                shown.append(record)
    return shown


# --- what a loser holds alone


def why_no_binlog_tool(kind):
    """None when the server's own mariadb-binlog or mysqlbinlog can be run, else why not."""
    tool = "mysqlbinlog" if kind.is_mysql else "mariadb-binlog"
    if kind.root is None:
        return tools.why_not(tool)
    there = (kind.root / "usr" / "bin" / tool).exists()
    return None if there else f"{kind.root.name} has no {tool}; remove the folder, it is made anew"


def extracted_rows(server, command_lines):
    """(writer, number) of every row that the printed command lines show on the server's host."""
    rows = []
    for line in command_lines:
        done = processes.run(server.kind.command(["sh", "-c", line], server.folder),
                             env={**os.environ, "PATH": tools.path_with_tools()})
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        rows += re.findall(r"^### INSERT INTO `app`\.`facts`\n### SET\n###   @1='([^']*)'"
                           r".*?\n###   @2=(\d+)", done.stdout, re.MULTILINE)
    assert len(rows) == len(set(rows)), "no row twice"
    return {(writer, int(number)) for writer, number in rows}


def rows_of(server):
    """(writer, number) of every row on the server."""
    return {(row["writer"], row["number"])
            for row in server.query("SELECT writer, number FROM app.facts")}
