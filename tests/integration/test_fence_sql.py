"""The SQL rung against real servers: what it stops, what it proves, and what it does not claim."""

import json
import os
import subprocess
import threading
import time

import pymysql
import pytest

from primacy_harness import DatabaseServer, wait_until
from primacy_harness.kinds import REPOSITORY

TOOL = os.environ.get("PRIMACY_SQL_FENCE_TOOL",
                      str(REPOSITORY / "build" / "release" / "tests" / "tools" / "sql_fence_tool"))
FENCER, SECRET = "primacy", "fence-s3cret-Vt5"
APP, BOSS = "app", "boss"
GRANTS = {
    "mariadb": ["GRANT READ_ONLY ADMIN, CONNECTION ADMIN, PROCESS, BINLOG MONITOR ON *.* TO {user}",
                "GRANT SELECT ON mysql.global_priv TO {user}",
                "GRANT SELECT ON mysql.roles_mapping TO {user}"],
    "mysql": ["GRANT PROCESS, REPLICATION CLIENT ON *.* TO {user}",
              "GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* TO {user}",
              "GRANT SELECT ON mysql.* TO {user}"],
}
LIMIT_MS = 6000
# How much later than its deadline an answer may come, on a busy machine under sanitizers.
GRACE_MS = 1500


def request(server, call="fence", within_ms=LIMIT_MS, cancel_after_ms=0, user=FENCER,
            password=SECRET, **options):
    return json.dumps({"call": call, "within_ms": within_ms, "cancel_after_ms": cancel_after_ms,
                       "server": server.name,
                       "endpoint": {"host": server.host, "port": server.port, "user": user,
                                    "password": password},
                       "options": options})


def start_tool(*arguments, **options):
    process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write(request(*arguments, **options))
    process.stdin.close()
    return process


def finish_tool(process, cap=40):
    timer = threading.Timer(cap, process.kill)
    timer.start()
    try:
        output, errors = process.stdout.read(), process.stderr.read()
        code = process.wait()
    finally:
        timer.cancel()
    assert SECRET not in output + errors
    assert code == 0, errors[-4000:]
    reports = [json.loads(line) for line in output.splitlines()]
    for report in reports:
        print(report)
    return reports


def ask(server, call="fence", **options):
    return finish_tool(start_tool(server, call, **options))[-1]


class Client(threading.Thread):
    """One session that does what it is told until the server ends it; counts what was committed."""

    def __init__(self, server, work, user=APP, again=False):
        super().__init__(daemon=True)
        self._server, self._work, self._user, self._again = server, work, user, again
        self.ready, self.stop = threading.Event(), threading.Event()
        self.done, self.errors = 0, []
        self.start()

    def run(self):
        while True:
            try:
                session = self._server.connect(self._user, "pw", tcp=True, read_timeout=120)
                with session.cursor() as cursor:
                    for statement in self._work(self):
                        self.ready.set()
                        cursor.execute(statement)
                        self.done += 1
            except (pymysql.MySQLError, OSError) as failure:
                self.errors.append(failure.args[0] if failure.args else 0)
            if not self._again or self.stop.wait(0.02):
                return


def writing(client):
    while not client.stop.is_set():
        yield "INSERT INTO app.rows_written (text) VALUES (REPEAT('x', 40))"


def sleeping_insert(_):
    yield "INSERT INTO app.rows_written (text) SELECT SLEEP(60)"


def locking(client):
    yield "LOCK TABLES app.rows_written WRITE"
    client.locked = True
    client.stop.wait(60)
    yield "INSERT INTO app.rows_written (text) VALUES ('locked')"


def open_transaction(client):
    yield "BEGIN"
    yield "INSERT INTO app.rows_written (text) VALUES ('never committed')"
    client.stop.wait(60)
    yield "COMMIT"


def prepare(server):
    grants = GRANTS[server.kind.flavor]
    accounts = [(FENCER, SECRET, grants),
                (APP, "pw", ["GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, LOCK TABLES ON app.* "
                             "TO {user}"])]
    for user, password, wanted in accounts:
        name = f"'{user}'@'%'"
        server.unlogged(f"CREATE USER {name} IDENTIFIED BY '{password}'",
                        *[one.format(user=name) for one in wanted])
    server.query("CREATE DATABASE app")
    server.query("CREATE TABLE app.rows_written (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
                 "text VARCHAR(80)) ENGINE=InnoDB")


@pytest.fixture(scope="session", autouse=True)
def tool():
    if not os.access(TOOL, os.X_OK):
        pytest.skip(f"there is no {TOOL}; build the target sql_fence_tool")


class ServerPool:
    def __init__(self, run_dir):
        self.run_dir, self.kept = run_dir, {}

    def get(self, kind):
        if kind.name not in self.kept:
            for other in list(self.kept):
                self.kept.pop(other).close()
            server = DatabaseServer("fenced-" + kind.name, self.run_dir, kind=kind,
                                    boots_read_only=False, options=["--max-connections=400"])
            prepare(server.start())
            self.kept[kind.name] = server
        return self.kept[kind.name]


@pytest.fixture(scope="session")
def server_pool(run_dir):
    pool = ServerPool(run_dir)
    yield pool
    for server in pool.kept.values():
        server.close()


def reopen(server):
    if server.kind.is_mysql:
        server.query("SET GLOBAL super_read_only = OFF")
    server.query("SET GLOBAL read_only = OFF")
    wait_until(lambda: server.connections_of(APP) == 0, 10, "the test's clients to be gone")
    server.query("TRUNCATE TABLE app.rows_written")
    server._forget_admin()


@pytest.fixture
def fresh(server_pool):
    """Makes a writable server of a kind, and ends what a test started on it."""
    used, clients = [], []

    def get(kind):
        server = server_pool.get(kind)
        reopen(server)
        used.append(server)
        return server

    get.clients = clients
    yield get
    for client in clients:
        client.stop.set()
    for server in used:
        server.resume()
        for row in server.query("SELECT id FROM information_schema.processlist WHERE user IN "
                                "('app', 'boss')"):
            try:
                server.query(f"KILL {next(iter(row.values()))}")
            except pymysql.MySQLError:
                pass
    for client in clients:
        client.join(20)
    for server in used:
        reopen(server)
        server.unlogged(f"DROP USER IF EXISTS '{BOSS}'@'%'")


@pytest.fixture
def server(fresh, kind):
    return fresh(kind)


@pytest.fixture
def local_server(fresh, local_kind):
    return fresh(local_kind)


@pytest.fixture
def client(fresh):
    def start(server, work, **options):
        made = Client(server, work, **options)
        fresh.clients.append(made)
        return made
    return start


def assert_closed(server):
    switch = "super_read_only" if server.kind.is_mysql else "read_only"
    assert str(server.value(f"SELECT @@global.{switch}")) in ("1", "ON")
    session = server.connect(APP, "pw", tcp=True)
    try:
        with pytest.raises(pymysql.MySQLError) as refused:
            with session.cursor() as cursor:
                cursor.execute("INSERT INTO app.rows_written (text) VALUES ('after')")
        assert refused.value.args[0] == 1290
    finally:
        session.close()


def rows(server):
    return server.value("SELECT COUNT(*) FROM app.rows_written")


def assert_confirmed(report, server):
    assert (report["outcome"], report["reason"]) == ("confirmed", "none"), report
    assert_closed(server)


# --- every kind of server


@pytest.mark.core
def test_an_idle_server_is_fenced_and_stays_fenced(server):
    report = ask(server)
    assert_confirmed(report, server)
    facts = report["facts"]
    # root's session of this test is one of the host's own, and is ended too.
    assert facts["gtid_before"] == facts["gtid_after"]
    assert facts["binlog_after"].startswith("binlog.")
    assert facts["semisync_released"] == "0"
    server._forget_admin()
    again = ask(server)
    assert_confirmed(again, server)
    server._forget_admin()
    assert ask(server, "verify")["outcome"] == "confirmed"


@pytest.mark.core
def test_verify_changes_nothing_on_a_writable_server(server):
    before = server.query("SHOW GLOBAL VARIABLES LIKE '%read_only'")
    server._forget_admin()
    report = ask(server, "verify")
    assert (report["outcome"], report["reason"]) == ("failed", "still_alive")
    assert server.query("SHOW GLOBAL VARIABLES LIKE '%read_only'") == before


@pytest.mark.core
def test_a_server_that_is_just_being_closed_is_not_closed(server, client):
    """MySQL shows super_read_only ON while the SET still waits; then it gives up, and all is OFF."""
    blocker = client(server, sleeping_insert)
    wait_until(lambda: server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                    "info LIKE 'INSERT%%SLEEP(60)%%'"), 10, "the statement to run")
    server.unlogged(f"CREATE USER '{BOSS}'@'%' IDENTIFIED BY 'pw'",
                    f"GRANT ALL PRIVILEGES ON *.* TO '{BOSS}'@'%'")
    switch = "super_read_only" if server.kind.is_mysql else "read_only"
    closing = ["SET SESSION lock_wait_timeout = 8", f"SET GLOBAL {switch} = ON"]
    setter = client(server, lambda _: iter(closing), user=BOSS)
    wait_until(lambda: server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                    "info LIKE 'SET GLOBAL%%'"), 10, "the SET to wait")
    server._forget_admin()
    report = ask(server, "verify")
    assert report["outcome"] in ("unknown", "failed"), report
    setter.join(20)
    assert setter.errors == [1205] and not blocker.errors
    assert server.value("SELECT @@global.read_only") == 0


@pytest.mark.core
def test_two_hundred_writers_and_a_blocking_statement(server, client):
    clients = [client(server, writing) for _ in range(200)]
    blocker = client(server, sleeping_insert)
    wait_until(lambda: all(one.done > 0 for one in clients), 60, "200 writers to write")
    wait_until(blocker.ready.is_set, 10, "the blocking statement")
    report = ask(server)
    assert_confirmed(report, server)
    assert int(report["facts"]["killed_sessions"]) > 0
    # Ended, or refused once it was read-only.
    wait_until(lambda: all(one.errors for one in (*clients, blocker)), 20, "all clients to end")
    written = rows(server)
    # Killed sessions may have committed one row that they never heard of.
    assert sum(one.done for one in clients) <= written
    assert written <= sum(one.done for one in clients) + 201


@pytest.mark.core
def test_a_blocking_statement_is_ended(server, client):
    blocker = client(server, sleeping_insert)
    wait_until(lambda: server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                    "info LIKE 'INSERT%%SLEEP(60)%%'"), 10, "the statement to run")
    server._forget_admin()
    report = ask(server)
    assert_confirmed(report, server)
    assert report["milliseconds"] < 2000 + GRACE_MS
    blocker.join(10)
    assert blocker.errors
    # MySQL's SLEEP() ends early when it is killed, and the statement may still commit its row; what
    # counts is that the report's history has it.
    assert rows(server) == 0 or (server.kind.is_mysql and rows(server) == 1)
    assert (report["facts"]["gtid_before"] == report["facts"]["gtid_after"]) == (rows(server) == 0)


@pytest.mark.core
def test_lock_tables_and_an_open_transaction_are_ended(server, client):
    holder = client(server, open_transaction)
    wait_until(lambda: holder.done == 2, 10, "the open transaction")
    report = ask(server)
    assert_confirmed(report, server)
    holder.stop.set()
    holder.join(10)
    assert holder.errors and rows(server) == 0

    reopen(server)
    locker = client(server, locking)
    wait_until(lambda: locker.done == 1, 10, "LOCK TABLES")
    assert_confirmed(ask(server), server)
    locker.stop.set()
    locker.join(10)
    assert locker.errors and rows(server) == 0


@pytest.mark.core
def test_check_names_the_grants_that_are_missing(server):
    assert ask(server, "check")["ok"]
    weak = "'weak'@'%'"
    server.unlogged(f"CREATE USER {weak} IDENTIFIED BY 'pw'")
    try:
        lacking = ask(server, "check", user="weak", password="pw")
        assert lacking["class"] == "denied"
        statements = [part.strip() + "`" for part in
                      lacking["sentence"].partition("on it:")[2].split("`;") if part.strip()]
        assert statements
        server.unlogged(*statements)
        assert ask(server, "check", user="weak", password="pw")["ok"]
        server._forget_admin()
        report = ask(server, user="weak", password="pw")
        assert_closed(server)
        # On MariaDB the usual fencing account is now another one that passes read_only.
        if server.kind.is_mysql:
            assert report["outcome"] == "confirmed", report
        else:
            assert f"'{FENCER}'@'%'" in report["sentence"], report
    finally:
        reopen(server)
        server.unlogged(f"DROP USER {weak}")


@pytest.mark.core
def test_an_account_that_may_not_fence_is_denied_and_changes_nothing(server):
    report = ask(server, user=APP, password="pw")
    assert (report["outcome"], report["reason"]) == ("failed", "denied"), report
    assert "GRANT" in report["sentence"]
    assert ask(server, "verify")["reason"] == "still_alive"


@pytest.mark.core
def test_open_for_writing_undoes_a_fence(server):
    assert ask(server)["outcome"] == "confirmed"
    assert ask(server, "open")["ok"]
    session = server.connect(APP, "pw", tcp=True)
    with session.cursor() as cursor:
        cursor.execute("INSERT INTO app.rows_written (text) VALUES ('open again')")
    session.close()


@pytest.mark.core
def test_an_account_that_passes_read_only_writes_throughout(server, client):
    server.unlogged(f"CREATE USER '{BOSS}'@'%' IDENTIFIED BY 'pw'",
                    f"GRANT ALL PRIVILEGES ON *.* TO '{BOSS}'@'%'")
    server._forget_admin()
    bosses = [client(server, writing, user=BOSS, again=True) for _ in range(3)]
    wait_until(lambda: all(boss.done > 5 for boss in bosses), 20, "the privileged writers")
    report = ask(server)
    if server.kind.is_mysql:
        assert_confirmed(report, server)
    else:
        assert (report["outcome"], report["reason"]) == ("partial", "bypass"), report
        assert BOSS in report["sentence"] and BOSS in report["facts"]["bypass_accounts"]
        assert_closed(server)


@pytest.mark.core
def test_a_server_that_stops_before_the_fence_is_unknown_in_time(server):
    server.pause()
    report = ask(server, within_ms=2000)
    assert (report["outcome"], report["reason"]) == ("unknown", "timeout"), report
    assert report["milliseconds"] < 2000 + GRACE_MS


@pytest.mark.core
def test_a_server_that_stops_in_the_middle_is_unknown_in_time(server, client):
    client(server, sleeping_insert)
    wait_until(lambda: server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                    "info LIKE 'INSERT%%SLEEP(60)%%'"), 10, "the statement to run")
    # Nobody clears the way for the first seconds, so that the SET is under way when it stops.
    tool = start_tool(server, within_ms=4000, lock_wait_s=3, patience_ms=3000)
    wait_until(lambda: server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                    "info LIKE 'SET GLOBAL%%'"), 10, "the SET to wait",
               interval=0.005)
    server.pause()
    report = finish_tool(tool)[-1]
    assert (report["outcome"], report["reason"]) == ("unknown", "timeout"), report
    assert report["milliseconds"] < 4000 + GRACE_MS


# --- the machine's own MariaDB


def test_being_cancelled_ends_the_fence_early_and_is_unknown(local_server, client):
    client(local_server, sleeping_insert)
    wait_until(lambda: local_server.query("SELECT 1 FROM information_schema.processlist WHERE "
                                          "info LIKE 'INSERT%%SLEEP(60)%%'"), 10,
               "the statement to run")
    report = ask(local_server, cancel_after_ms=700, lock_wait_s=3, patience_ms=5000)
    assert (report["outcome"], report["reason"]) == ("unknown", "cancelled"), report
    assert 600 < report["milliseconds"] < 1200 + GRACE_MS
    wait_until(lambda: local_server.connections_of(FENCER) == 0, 10, "its connections to be gone")


def test_a_wrong_password_is_denied(local_server):
    report = ask(local_server, password="wrong")
    assert (report["outcome"], report["reason"]) == ("failed", "denied"), report


def test_a_server_that_is_gone_is_no_fence(local_server):
    local_server.stop()
    try:
        fenced, looked = ask(local_server), ask(local_server, "verify")
    finally:
        local_server.start()
    assert (fenced["outcome"], fenced["reason"]) == ("failed", "unreachable"), fenced
    assert (looked["outcome"], looked["reason"]) == ("unknown", "unreachable"), looked


def test_a_network_account_that_passes_makes_it_partial_even_when_absent(local_server):
    local_server.unlogged(f"CREATE USER '{BOSS}'@'%' IDENTIFIED BY 'pw'",
                          f"GRANT READ_ONLY ADMIN ON *.* TO '{BOSS}'@'%'")
    local_server._forget_admin()
    report = ask(local_server)
    assert (report["outcome"], report["reason"]) == ("partial", "bypass"), report
    assert f"'{BOSS}'@'%'" in report["sentence"]
    assert "root" not in report["sentence"]
    assert "'root'@'localhost'" in report["facts"]["bypass_accounts"]


def test_read_only_set_back_by_an_outside_hand(local_server):
    """Somebody who never stops opening it is told of, and the fence is never called confirmed."""
    stop = threading.Event()

    def undo():
        session = local_server.connect()
        while not stop.is_set():
            try:
                with session.cursor() as cursor:
                    cursor.execute("SET GLOBAL read_only = OFF")
            except (pymysql.MySQLError, OSError):
                session = local_server.connect()
            time.sleep(0.001)

    thread = threading.Thread(target=undo, daemon=True)
    thread.start()
    try:
        report = ask(local_server)
    finally:
        stop.set()
        thread.join(10)
    assert report["outcome"] != "confirmed", report
    assert report["reason"] in ("still_alive", "bypass"), report


def test_no_connection_left(local_server):
    """Only CONNECTION ADMIN gets in; without it the sentence says so."""
    local_server.query("SET GLOBAL max_connections = 20")
    local_server.unlogged("CREATE USER 'plain'@'%' IDENTIFIED BY 'pw'",
                          "GRANT READ_ONLY ADMIN, PROCESS ON *.* TO 'plain'@'%'")
    local_server._forget_admin()
    held = []
    try:
        with pytest.raises(pymysql.MySQLError):
            while True:
                held.append(local_server.connect(APP, "pw", tcp=True))
        refused = ask(local_server, user="plain", password="pw")
        assert (refused["outcome"], refused["reason"]) == ("failed", "refused"), refused
        assert "CONNECTION ADMIN" in refused["sentence"]
        fenced = ask(local_server)
        # The other account passes read_only too, so more than partial it cannot be.
        assert (fenced["outcome"], fenced["reason"]) == ("partial", "bypass"), fenced
        assert "'plain'@'%'" in fenced["sentence"]
        assert_closed(local_server)
    finally:
        for session in held:
            session._force_close()
        local_server.query("SET GLOBAL max_connections = 400")
        local_server.unlogged("DROP USER 'plain'@'%'")


def test_a_semisync_wait_is_released_and_recorded(local_topology):
    """The replica stops, commits wait for its acknowledgement, and SET waits for the commits."""
    primary, replica = local_topology["db1"], local_topology["db2"]
    primary.unlogged(f"CREATE USER '{FENCER}-sql'@'%' IDENTIFIED BY '{SECRET}'",
                     *[one.format(user=f"'{FENCER}-sql'@'%'") for one in GRANTS["mariadb"]])
    local_topology.stop_replication("db3")
    replica.query("SET GLOBAL rpl_semi_sync_slave_enabled = ON")
    local_topology.stop_replication("db2")
    local_topology.start_replication("db2")
    primary.query("SET GLOBAL rpl_semi_sync_master_timeout = 600000")
    primary.query("SET GLOBAL rpl_semi_sync_master_enabled = ON")
    try:
        wait_until(lambda: primary.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")[0]
                   ["Value"] == "1", 20, "the semi-sync replica")
        replica.pause()
        writer = local_topology.background_writer("db1")
        wait_until(lambda: primary.query("SELECT 1 FROM information_schema.processlist WHERE "
                                         "state LIKE 'Waiting for semi-sync ACK%%'"), 20,
                   "a commit to wait")
        primary._forget_admin()
        report = ask(primary, user=f"{FENCER}-sql")
        assert report["outcome"] == "confirmed", report
        assert int(report["facts"]["semisync_released"]) >= 1
        assert "acknowledged" in report["sentence"]
        assert not local_topology.may_write("db1")
        assert report["milliseconds"] < 2000 + GRACE_MS
        writer.stop()
    finally:
        replica.resume()
        local_topology.stop_writers()
        primary.query("SET GLOBAL rpl_semi_sync_master_enabled = OFF")
        primary.unlogged(f"DROP USER '{FENCER}-sql'@'%'")
        replica.query("SET GLOBAL rpl_semi_sync_slave_enabled = OFF")
