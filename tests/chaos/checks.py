"""The invariants of a finished trial, each a function: evidence → sentences about what broke it.

Judges by what the servers did (rows, switches, processes) and by what the journal claims; takes
from the oracle who was right. `allowed` are the stated exceptions of the design.
"""

import pymysql

from harness import MONITOR_PASSWORD, REPLICATION_PASSWORD, WRITER, WRITER_PASSWORD
from load import BOSS_PASSWORD

SECRETS = (MONITOR_PASSWORD, WRITER_PASSWORD, REPLICATION_PASSWORD, BOSS_PASSWORD,
           "s3cret-of-bmc", "not-this")
# More fences of one server than its rungs and a person's mending explain are a loop.
MOST_FENCES = 8


def violations(trial):
    """All that is wrong, as sentences; empty: the trial is ok."""
    found = []
    for check in (one_writer, right_servers_only, nobody_left_without_a_writer, claims_hold,
                  rungs_as_expected, no_two_agents_act, no_loop, rows_are_there, no_secret,
                  agents_live):
        try:
            found += [f"{check.__name__}: {sentence}" for sentence in check(trial)]
        except (pymysql.MySQLError, OSError) as failure:
            found.append(f"{check.__name__}: could not look: {failure!r}")
    return found


def may_write(server):
    """An ordinary account, a new connection, a row."""
    if not server.running():
        return False
    try:
        session = server.connect(WRITER, WRITER_PASSWORD, tcp=True, connect_timeout=3,
                                 read_timeout=3)
    except (pymysql.MySQLError, OSError):
        return False
    try:
        with session.cursor() as cursor:
            cursor.execute("INSERT INTO app.facts (writer, number) VALUES ('final', 1) "
                           "ON DUPLICATE KEY UPDATE number = number")
        return True
    except (pymysql.MySQLError, OSError):
        return False
    finally:
        session._force_close()


def one_writer(trial):
    writers = [server.name for server in trial.world.servers if may_write(server)]
    if not trial.expected.survivors:
        if writers:
            yield f"{writers} still take writes, and all were to be stopped"
    elif not writers and trial.expected.nobody:
        return
    elif len(writers) != 1:
        yield f"{len(writers)} servers take writes in the end: {writers}"
    elif writers[0] not in trial.expected.survivors:
        yield (f"{writers[0]} is left, and by the rules it is "
               f"{sorted(trial.expected.survivors)}: {trial.expected.reason}")


def right_servers_only(trial):
    for record in trial.of_kind("begun", "intent"):
        if record["server"] not in trial.expected.losers:
            yield f"{record['server']} was fenced: {record.get('reason', '')}"
    for server in trial.world.servers:
        if not server.running() and server.name not in trial.killed | trial.expected.losers:
            yield f"{server.name} was killed"


def nobody_left_without_a_writer(trial):
    """A certain survivor was writable all the time since it was opened."""
    if len(trial.expected.survivors) != 1:
        return
    (name,) = trial.expected.survivors
    since = trial.opened.get(name, trial.began)
    for at, state in trial.watcher.changes[name]:
        if at > since + 0.1 and state == "read_only" and trial.writable_since(name) <= at:
            yield f"{name}, which was to be kept, was read-only at {at:.3f}"


def claims_hold(trial):
    """What was called confirmed was so: no row was taken after it, and none by a new connection."""
    yield from trial.contradictions
    for record in trial.of_kind("ended"):
        if record["result"] != "confirmed":
            continue
        name = record["server"]
        for writer in trial.load.on(name):
            late = [row for row in writer.acknowledged if row[1] > record["time"]]
            if late and not trial.opened_since(name, record["time"] - 0.3):
                number, sent, _ = late[0]
                yield (f"{name} was called fenced by {record.get('rung')} at "
                       f"{record['time']:.3f}, and {writer.label} wrote row {number}, sent at "
                       f"{sent:.3f}")


def rungs_as_expected(trial):
    allowed = set(trial.expected.rungs)
    if trial.plan.sql == "full" and "sql" in trial.plan.ladder:
        allowed.add("sql")  # a client that gave up left a connection free
    for record in trial.of_kind("ended"):
        if record["result"] != "confirmed":
            continue
        mended = trial.mended_at is not None and record["time"] > trial.mended_at
        kind = rung_kind(record)
        if kind not in (set(trial.plan.ladder) if mended else allowed):
            yield (f"{record['server']} was confirmed by {record.get('rung')}, expected "
                   f"{sorted(allowed) or 'nothing'}: {record.get('reason')}")
    for first, second in zip(trial.of_kind("intent"), trial.of_kind("intent")[1:]):
        same = first.get("incident") == second.get("incident")
        order = [trial.plan.ladder.index(rung_kind(each)) for each in (first, second)]
        if same and order[0] >= order[1]:
            yield f"after {first['rung']} it tried {second['rung']}, against the ladder"
    if trial.plan.intrusion == "unseen" and trial.expected.act == "fence":
        for record in trial.of_kind("intent"):
            if rung_kind(record) == "sql":
                yield "SQL was tried on a server that cannot be seen"


def rung_kind(record):
    """The type of a rung: "db3-ssh" → "ssh"."""
    return record.get("rung", "").partition("-")[2] or record.get("rung", "")


def no_two_agents_act(trial):
    spans = {}
    for record in trial.records:
        if record["kind"] in ("intent", "outcome"):
            begin, end = spans.get((record["agent"], record["incident"]),
                                   (record["time"], record["time"]))
            spans[(record["agent"], record["incident"])] = (min(begin, record["time"]),
                                                            max(end, record["time"]))
    for (one, _), (begin, end) in spans.items():
        for (other, _), (start, stop) in spans.items():
            if one < other and start < end and begin < stop:
                yield f"{one} and {other} acted at the same time"


def no_loop(trial):
    for name in trial.plan.names:
        begun = [record for record in trial.of_kind("begun") if record["server"] == name]
        if len(begun) > MOST_FENCES:
            yield f"{name} was fenced {len(begun)} times"


def rows_are_there(trial):
    """Every row that the survivor acknowledged is on it."""
    for server in trial.world.servers:
        writers = trial.load.on(server.name)
        if server.name not in trial.expected.survivors or not writers or not may_write(server):
            continue
        for writer in writers:
            held = {row["number"] for row in server.query(
                "SELECT number FROM app.facts WHERE writer = %s", (writer.label,))}
            lost = [row[0] for row in writer.acknowledged if row[0] not in held]
            if lost:
                yield f"{server.name} lost {len(lost)} acknowledged rows of {writer.label}"
        server._forget_admin()


def no_secret(trial):
    for agent in trial.agents:
        texts = [agent.log_text()] + [path.read_text(encoding="utf-8", errors="replace")
                                      for path in (agent.state_dir / "journal").glob("*")]
        for secret in SECRETS:
            if any(secret in text for text in texts):
                yield f"the secret {secret[:4]}… is in a log or journal of {agent.folder}"


def agents_live(trial):
    for agent in trial.agents:
        killed_for_good = trial.plan.trouble == "kill_holder"
        if not agent.running() and not killed_for_good:
            yield f"the agent {agent.config['agent']['name']} ended with {agent.exit_code()}"
        for word in ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer"):
            if word in agent.log_text():
                yield f"{word} in {agent.log}"
