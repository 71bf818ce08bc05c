"""osc plan against real servers: what is known of tables, servers and tools, and what is refused."""

import json
import os
import re
import shutil
import threading

import pytest

from primacy_harness import Topology, default_config, wait_until
from primacy_harness.kinds import REPOSITORY
from primacy_harness.topology import MONITOR

pytestmark = pytest.mark.core

_ADD = "ADD COLUMN extra INT"
_PATIENCE = "3s"  # a server of a busy machine is no unknown one
_TOOLS = REPOSITORY / "build" / "tools"
_PT_OSC = _TOOLS / "percona-toolkit" / "usr" / "bin" / "pt-online-schema-change"
_COPYING = ("ALTER, CREATE, DELETE, DROP, INDEX, INSERT, LOCK TABLES, SELECT, TRIGGER, UPDATE")


@pytest.fixture(scope="module")
def shop(run_dir, kind):
    """Three servers with an account that may plan and copy in two databases."""
    topology = Topology(run_dir / f"osc-{kind.name}", kind=kind,
                        server_options=["--log-output=TABLE"]).start()
    for server in topology:
        server.unlogged(f"GRANT {_COPYING} ON app.* TO '{MONITOR}'@'%'",
                        f"GRANT {_COPYING} ON `we ird`.* TO '{MONITOR}'@'%'",
                        f"GRANT REPLICATION SLAVE ON *.* TO '{MONITOR}'@'%'")
        server.query("SET GLOBAL log_bin_trust_function_creators = ON")
    topology.primary.query("CREATE DATABASE `we ird`")
    topology.primary.query("CREATE TABLE app.orders (id INT PRIMARY KEY, note VARCHAR(20))")
    topology.primary.query("INSERT INTO app.orders VALUES (1, 'one'), (2, 'two')")
    _settle(topology)
    yield topology
    topology.close()


def _settle(topology):
    for name in topology.names[1:]:
        topology.wait_caught_up(name, topology.names[0])


def _script(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def tools(tmp_path):
    """Stand-ins that every server is fine with: what is tested is what is refused for the table."""
    return {"gh_ost": _script(tmp_path, "gh-ost",
                              'case "$1" in --version) echo "1.1.10 (git commit: abc)";; '
                              "--check-flag) exit 0;; esac\n"),
            "pt_osc": _script(tmp_path, "pt-osc", 'echo "pt-online-schema-change 3.7.1"\n'),
            "perl": _script(tmp_path, "perl", "exit 0\n")}


@pytest.fixture
def plan(shop, make_agent, tools, tmp_path):
    """Runs `osc plan TABLE --alter … --json`; returns (exit code, the plan).

    Where a busy machine makes a server late, which is a refusal of its own, it is asked again.
    """

    def run(table="app.orders", alter=_ADD, *flags, agent=None, user=MONITOR, osc=None, env=None,
            tries=5):
        if agent is None:
            config = default_config(shop, user=user, probe_timeout=_PATIENCE)
            config["osc"] = {"gh_ost": tools["gh_ost"], "pt_osc": tools["pt_osc"], **(osc or {})}
            agent = make_agent(config)
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **(env or {})}
        for _ in range(tries):
            done = agent.cli("osc", "plan", table, "--alter", alter, "--json", *flags, env=env,
                             cap=60)
            assert done.exit_code in (0, 1), done
            made = done.json()
            late = [each for each in made["refusals"] if each["code"] == "unknown_writer"
                    or (each["code"] == "server_unknown" and "cannot be read" in each["reason"])]
            if not late:
                break
            print("late:", late)
        return done.exit_code, made

    return run


def _refused(answer, code, *words):
    """The sentence of that refusal; every word must stand in it."""
    status, made = answer
    found = [each["reason"] for each in made["refusals"] if each["code"] == code]
    assert found, made
    assert status == 1 and not made["may_run"]
    for word in words:
        assert any(word in sentence for sentence in found), (word, found)
    return found[0]


def _runs(answer, tool):
    status, made = answer
    assert status == 0 and made["may_run"] and made["tool"] == tool, made
    return made


def _why_not(made, tool):
    return next(each["reason"] for each in made["considered"] if each["tool"] == tool)


def test_the_gentlest_way_is_chosen_and_explained(plan):
    made = _runs(plan(), "native")
    assert made["algorithm"] == "INSTANT" and made["writer"] == "db1"
    assert made["refusals"] == []
    assert {each["tool"]: each["usable"] for each in made["considered"]} == {
        "native": True, "gh-ost": True, "pt-osc": True}
    made = _runs(plan("app.orders", _ADD, "--tool", "gh-ost"), "gh-ost")
    assert made["estimate"]["bytes"] >= 16384
    # The servers are of this host, and their data directories are in sight.
    assert not [each for each in made["warnings"] if each["code"] == "disk_unknown"]


def test_text_for_people(shop, make_agent, tools):
    config = default_config(shop, probe_timeout=_PATIENCE)
    config["osc"] = {"gh_ost": tools["gh_ost"]}
    agent = make_agent(config)
    fine = agent.cli("osc", "plan", "app.orders", "--alter", _ADD)
    assert fine.exit_code == 0, fine
    lines = fine.stdout.splitlines()
    assert lines[0] == f"app.orders in shop: {_ADD}"
    assert lines[1].startswith("  by native (ALGORITHM=INSTANT) on db1")
    assert lines[-1] == "  it may run"
    wrong = agent.cli("osc", "plan", "app.nothing", "--alter", _ADD)
    assert wrong.exit_code == 1, wrong
    assert "REFUSED  no_table  there is no table app.nothing on db1" in wrong.stdout
    assert wrong.stdout.splitlines()[-1] == "  it must not run"


def test_a_running_agent_is_asked_who_writes(shop, plan, make_agent, tools):
    config = default_config(shop, probe_timeout=_PATIENCE)
    config["osc"] = {"gh_ost": tools["gh_ost"], "pt_osc": tools["pt_osc"]}
    agent = make_agent(config).start()
    agent.wait_state("healthy")
    _runs(plan(agent=agent), "native")


# --- kinds of tables

_LONG = "l" * 64


@pytest.mark.parametrize("create, tool, code, words", [
    (["CREATE TABLE app.x (id INT PRIMARY KEY)",
      "CREATE TRIGGER app.`tr ig` BEFORE INSERT ON app.x FOR EACH ROW SET NEW.id = NEW.id"],
     "gh-ost", "triggers", ["tr ig"]),
    (["CREATE TABLE app.p (id INT PRIMARY KEY)",
      "CREATE TABLE app.x (id INT PRIMARY KEY, p INT, CONSTRAINT to_p FOREIGN KEY (p) "
      "REFERENCES app.p (id))"], "pt-osc", "foreign_keys", ["to_p"]),
    (["CREATE TABLE app.x (id INT PRIMARY KEY)",
      "CREATE TABLE `we ird`.`ch-ild` (id INT PRIMARY KEY, x INT, CONSTRAINT to_x FOREIGN KEY (x) "
      "REFERENCES app.x (id))"], "pt-osc", "foreign_keys", ["to_x of we ird.ch-ild"]),
    (["CREATE TABLE app.p (id INT PRIMARY KEY)",
      "CREATE TABLE app.x (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES app.p (id))"],
     "gh-ost", "no_tool", ["gh-ost refuses tables with foreign keys"]),
    (["CREATE TABLE app.x (id INT, note TEXT)"], "gh-ost", "no_unique_key", ["app.x"]),
    (["CREATE TABLE app.x (id INT NULL, UNIQUE KEY maybe (id))"], "gh-ost", "no_unique_key", []),
    (["CREATE TABLE app.x (id INT NOT NULL, UNIQUE KEY sure (id))"], "gh-ost", None, []),
    (["CREATE TABLE app.x (id INT PRIMARY KEY, twice INT AS (id * 2) STORED, thrice INT AS "
      "(id * 3) VIRTUAL)"], "gh-ost", None, []),
    (["CREATE TABLE app.x (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3"],
     "gh-ost", None, []),
    (["CREATE VIEW app.x AS SELECT 1 AS one"], "gh-ost", "no_table", ["app.x is a view"]),
])
def test_kinds_of_tables(shop, plan, create, tool, code, words):
    try:
        for statement in create:
            shop.primary.query(statement)
        answer = plan("app.x", _ADD, "--tool", tool)
        if code is None:
            _runs(answer, tool)
        else:
            _refused(answer, code, *words)
    finally:
        for kind, name in (("TABLE", "`we ird`.`ch-ild`"), ("TABLE", "app.x"), ("TABLE", "app.p"),
                           ("VIEW", "app.x")):
            shop.primary.query(f"DROP {kind} IF EXISTS {name}")


def test_system_versioned_history_is_not_lost(shop, plan):
    if shop.kind.is_mysql:
        with pytest.raises(Exception):
            shop.primary.query("CREATE TABLE app.v (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
        return
    shop.primary.query("CREATE TABLE app.v (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
    try:
        _refused(plan("app.v", _ADD, "--tool", "gh-ost"), "system_versioned", "silently loses")
        allowed = plan("app.v", _ADD, "--tool", "gh-ost", "--allow", "system_versioned")
        assert _runs(allowed, "gh-ost")["warnings"]
    finally:
        shop.primary.query("DROP TABLE app.v")


@pytest.mark.parametrize("typed, create, copies", [
    (f"app.{_LONG}", f"app.`{_LONG}`", True),
    ("app.`with space`", "app.`with space`", True),
    ("app.`quo'te\"s\\`", "app.`quo'te\"s\\`", True),
    ("app.`tést Ω 表`", "app.`tést Ω 表`", True),
    ("`we ird`.`tést Ω 表`", "`we ird`.`tést Ω 表`", False),
    ("app.`ba``ck`", "app.`ba``ck`", False),
    ("app.per%cent_under", "app.`per%cent_under`", True),
])
def test_names_of_every_kind(shop, plan, typed, create, copies):
    shop.primary.query("CREATE TABLE " + create.replace("%", "%%") + " (id INT PRIMARY KEY, "
                       "`cö l` INT)", ())
    _settle(shop)
    try:
        answer = plan(typed, "DROP COLUMN `cö l`")
        assert answer[1]["refusals"] == [], answer
        _refused(plan(typed, "DROP COLUMN `co l`"), "bad_alter", "no column `co l`")
        made = plan(typed, _ADD, "--tool", "gh-ost")
        if copies:
            _runs(made, "gh-ost")
            assert not [w for w in made[1]["warnings"] if w["code"] == "table_missing"], made
        else:
            _refused(made, "no_tool", "does not get along with a backquote")
    finally:
        shop.primary.query("DROP TABLE " + create.replace("%", "%%"), ())
    _refused(plan(typed), "no_table")


def test_a_table_that_is_not_there(plan):
    _refused(plan("app.nothing"), "no_table", "there is no table app.nothing on db1")
    # A name that is like another one's in the server's collation is not that table.
    _refused(plan("app.`örders`"), "no_table")


# --- what was written as ALTER


@pytest.mark.parametrize("alter, words", [
    ("ADD COLUMN extra INT INT", ["the server cannot read the ALTER", "near 'INT'"]),
    ("ADD COLUMN `ba`ck` INT", []),
    ("ALTER TABLE app.other ADD COLUMN extra INT", ["another table"]),
    ("ADD COLUMN extra INT; DROP TABLE app.orders", ["more than one statement"]),
    ("ADD COLUMN extra INT /* ' */; DROP TABLE app.orders", ["more than one statement"]),
    ("ADD COLUMN note INT", ["has a column `note` already"]),
    ("DROP COLUMN nothing", ["has no column `nothing`"]),
    ("ADD COLUMN extra VARCHAR(9) DEFAULT 'it\\'s", []),
    ("", ["nothing to alter"]),
])
def test_alters_that_are_refused(shop, plan, alter, words):
    if alter == "":
        alter = " "
    before = shop.primary.value("SELECT COUNT(*) FROM information_schema.columns "
                                "WHERE table_schema = 'app'")
    _refused(plan("app.orders", alter), "bad_alter", *words)
    assert before == shop.primary.value("SELECT COUNT(*) FROM information_schema.columns "
                                        "WHERE table_schema = 'app'")


def test_quotes_and_backslashes_in_an_alter_reach_the_server_as_they_are(plan):
    for alter in ("ADD COLUMN extra VARCHAR(40) DEFAULT 'it''s \\\\ \"fine\" é'",
                  "ALTER TABLE `app`.`orders` ADD COLUMN `ex tra` INT COMMENT 'a;b';"):
        _runs(plan("app.orders", alter), "native")


# --- what earlier runs left, and who is at work


@pytest.mark.parametrize("name, comment, refused", [
    ("_orders_gho", "", True), ("_orders_ghc", "gh-ost changelog", True), ("_orders_new", "", True),
    ("_orders_del", "ghost-cut-over-sentry", True), ("_orders_20261125083059_del", "", False),
    ("_orders_old", "", False), ("_orders_other", "", None)])
def test_leftovers_on_one_replica(shop, plan, name, comment, refused):
    db3 = shop["db3"]
    db3.unlogged(f"CREATE TABLE app.`{name}` (id INT PRIMARY KEY) COMMENT '{comment}'")
    try:
        answer = plan("app.orders", _ADD, "--tool", "gh-ost")
        if refused:
            _refused(answer, "leftovers", f"`{name}` on db3")
        else:
            made = _runs(answer, "gh-ost")
            told = [each["reason"] for each in made["warnings"] if each["code"] == "old_data"]
            assert bool(told) is (refused is False), made
    finally:
        db3.unlogged(f"DROP TABLE app.`{name}`")


def test_a_trigger_of_pt_osc_on_one_replica(shop, plan):
    db3 = shop["db3"]
    db3.unlogged("CREATE TRIGGER app.pt_osc_app_orders_ins AFTER INSERT ON app.orders "
                 "FOR EACH ROW SET @a = 1")
    try:
        _refused(plan("app.orders", _ADD, "--tool", "pt-osc"), "leftovers",
                 "`pt_osc_app_orders_ins` on db3")
    finally:
        db3.unlogged("DROP TRIGGER app.pt_osc_app_orders_ins")


@pytest.mark.parametrize("statement, words", [
    ("SELECT /* gh-ost */ SLEEP(30) FROM `app`.`orders` LIMIT 1", "gh-ost"),
    ("SELECT SLEEP(30) FROM `app`.`_orders_new` /*pt-online-schema-change 7 copy nibble*/",
     "pt-online-schema-change"),
    ("lock", "gh-ost")])
def test_a_tool_at_work_is_seen(shop, plan, statement, words):
    session = shop.primary.connect(read_timeout=60)
    if statement == "lock":
        session.cursor().execute("SELECT GET_LOCK('gh-ost::app.orders', 0)")
    else:
        shop.primary.query("CREATE TABLE app._orders_new AS SELECT * FROM app.orders")
        worker = threading.Thread(target=_run_to_its_end, args=(session, statement), daemon=True)
        worker.start()
        wait_until(lambda: shop.primary.value(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'"),
            20, "the statement to run")
    try:
        _refused(plan("app.orders", _ADD, "--tool", "gh-ost"), "tool_at_work", words, "on db1")
        shop.primary.query("CREATE TABLE app.bystander (id INT PRIMARY KEY)")
        _runs(plan("app.bystander", _ADD, "--tool", "gh-ost"), "gh-ost")
    finally:
        shop.primary.query(f"KILL {session.thread_id()}")
        session._force_close()
        shop.primary.query("DROP TABLE IF EXISTS app._orders_new, app.bystander")
        _settle(shop)


def _run_to_its_end(session, statement):
    try:
        session.cursor().execute(statement)
    except Exception:  # it is killed
        return


# --- accounts


def test_what_an_account_may_not_see_is_no_missing_table(shop, plan):
    """And the statements that are told are enough, one plan after another."""
    poor = "poor"
    names = {"mariadb": "SLAVE MONITOR, BINLOG MONITOR", "mysql": "REPLICATION CLIENT"}
    for server in shop:
        server.unlogged(f"DROP USER IF EXISTS {poor}", f"CREATE USER '{poor}'@'%' IDENTIFIED BY "
                        "'monitor-s3cret-Zq7'",
                        f"GRANT {names[shop.kind.flavor]} ON *.* TO '{poor}'@'%'")
    sentence = _refused(plan(user=poor), "not_readable", "may not see app.orders on db1", "GRANT ")
    assert "no_table" not in sentence
    for _ in range(8):
        status, made = plan("app.orders", _ADD, "--tool", "gh-ost", user=poor)
        if status == 0:
            break
        told = " ".join(each["reason"] for each in made["refusals"])
        grants = re.findall(r"GRANT [^;]+;", told)
        assert grants, made
        for server in shop:
            server.unlogged(*grants)
    assert _runs((status, made), "gh-ost")
    # Without TRIGGER triggers are invisible, which is not the same as none.
    for server in shop:
        server.unlogged(f"REVOKE TRIGGER ON app.* FROM '{poor}'@'%'")
    _refused(plan(user=poor), "not_readable", "GRANT TRIGGER ON `app`.* TO")
    for server in shop:
        server.unlogged(f"DROP USER {poor}")


def test_an_account_that_may_not_alter(shop, plan):
    for server in shop:
        server.unlogged(f"REVOKE ALTER ON app.* FROM '{MONITOR}'@'%'")
    try:
        sentence = _refused(plan(), "no_tool", "native: the account lacks", "gh-ost: the account")
        assert sentence.count("GRANT ALTER ON `app`.* TO") == 3, sentence
    finally:
        for server in shop:
            server.unlogged(f"GRANT ALTER ON app.* TO '{MONITOR}'@'%'")


# --- servers


def test_a_replica_that_cannot_be_read(shop, plan):
    shop["db3"].pause()
    try:
        answer = plan("app.orders", _ADD, "--tool", "gh-ost", tries=1)
        _refused(answer, "server_unknown", "db3 cannot be read")
        _runs(plan("app.orders", _ADD, "--tool", "gh-ost", "--allow", "server_unknown"), "gh-ost")
    finally:
        shop["db3"].resume()


@pytest.mark.parametrize("variable, value, code", [
    ("log_bin_compress", "ON", "log_bin_compress"), ("binlog_row_image", "MINIMAL",
                                                     "binlog_row_image"),
    ("binlog_format", "MIXED", "binlog_format")])
def test_binary_logs_that_gh_ost_cannot_read(shop, plan, variable, value, code):
    rows = shop.primary.query(f"SHOW GLOBAL VARIABLES LIKE '{variable}'")
    if not rows:
        _runs(plan("app.orders", _ADD, "--tool", "gh-ost"), "gh-ost")
        return
    before = rows[0]["Value"]
    shop.primary.query(f"SET GLOBAL {variable} = {value}")
    try:
        _refused(plan("app.orders", _ADD, "--tool", "gh-ost"), code, "db1")
        _runs(plan(), "native")
    finally:
        shop.primary.query(f"SET GLOBAL {variable} = {before}")


# --- tools


def test_tools_that_are_not_there_hang_or_are_old(plan, tmp_path):
    cases = [("no-such-gh-ost", "is not found in PATH"), ("/nonexistent/gh-ost", "is not there"),
             (_script(tmp_path, "hangs", "sleep 60\n"), "hangs"),
             (_script(tmp_path, "old", 'echo "1.0.48"\n[ "$1" = --version ]\n'), "too old"),
             (_script(tmp_path, "broken", "echo cannot load >&2\nexit 3\n"), "cannot load"),
             (_script(tmp_path, "silent", 'echo hello\n[ "$1" = --version ]\n'), "cannot be read")]
    for program, words in cases:
        made = plan(osc={"gh_ost": program})[1]
        assert words in _why_not(made, "gh-ost"), (program, made["considered"])
    _script(tmp_path, "perl", "exit 2\n")
    assert "libdbi-perl" in _why_not(plan()[1], "pt-osc")


def test_the_real_gh_ost(shop, plan):
    program = _TOOLS / "bin" / "gh-ost-1.1.10"
    if not program.exists():
        pytest.skip("gh-ost 1.1.10 was not built; run tools/deps.sh where Go is")
    made = plan(osc={"gh_ost": str(program)})[1]
    why = _why_not(made, "gh-ost")
    if shop.kind.is_mysql:
        _runs(plan("app.orders", _ADD, "--tool", "gh-ost", osc={"gh_ost": str(program)}), "gh-ost")
    elif shop.kind.name == "mariadb-11.8":
        # Until it knew MariaDB it took only SUPER there for what it needs.
        assert "GRANT SUPER ON *.* TO" in why
    else:
        assert "error 1193" in why


def test_the_real_pt_osc(shop, plan):
    if not _PT_OSC.exists():
        pytest.skip("percona-toolkit was not unpacked; run tools/deps.sh")
    perl = shutil.which("perl")
    for modules, wanted in ((True, None), (False, "libdbi-perl")):
        if modules and os.system(f"{perl} -MDBI -MDBD::mysql -e 1 2>/dev/null") != 0:
            continue
        env = {"PATH": os.environ["PATH"], **({} if modules else {"PERL5LIB": "/nonexistent"})}
        why = _why_not(plan(osc={"pt_osc": str(_PT_OSC)}, env=env)[1], "pt-osc")
        if not modules:
            continue
        if shop.kind.is_mysql:
            assert "cannot see replicas of MySQL 8.4" in why
        else:
            assert "copies by triggers" in why, wanted


# --- usage


@pytest.mark.parametrize("text, words", [
    ('[job]\ntable = "app.orders"\naltre = "x"\n',
     ':3:1: job: unknown key "altre"; did you mean "alter"?'),
    ('[job]\ntable = "app.orders"\nalter = "ADD COLUMN extra INT"\nmax_lag = 5\n',
     ':4:11: job.max_lag: expected a duration such as "250ms", "2s" or "10m", got the integer 5'),
    ('[job]\ntable = "orders"\nalter = "ADD COLUMN extra INT"\n',
     ':2:9: job.table: "orders" names no database: write DATABASE.TABLE')])
def test_a_job_file_is_checked_to_the_column(shop, make_agent, tmp_path, text, words):
    path = tmp_path / "job.toml"
    path.write_text(text, encoding="utf-8")
    done = make_agent(default_config(shop)).cli("osc", "plan", "--job-file", path)
    assert done.exit_code == 2, done
    assert f"{path}{words}" in done.stderr.splitlines(), done


def test_flags_win_over_the_file(shop, plan, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text('[job]\ntopology = "shop"\ntable = "app.nothing"\nalter = "DROP COLUMN note"\n'
                    'tool = "pt-osc"\nmax_load = ["Threads_running=25"]\n', encoding="utf-8")
    made = _runs(plan("app.orders", _ADD, "--job-file", path, "--tool", "gh-ost"), "gh-ost")
    assert made["table"] == "app.orders"


def test_flags_are_checked_too(shop, make_agent):
    agent = make_agent(default_config(shop))
    for flags, words in ((["--max-lag", "fast"], "--max-lag: expected a duration"),
                         (["--tool", "ghost"], 'did you mean "gh-ost"?'),
                         (["--allow", "trigers"], 'did you mean "triggers"?'),
                         (["--window", "2-4"], "--window: expected two times of day"),
                         (["--chunk-rows", "1"], "--chunk-rows: expected a whole number"),
                         (["--topology", "shpo"], 'did you mean "shop"?')):
        done = agent.cli("osc", "plan", "app.orders", "--alter", _ADD, *flags)
        assert done.exit_code == 2 and words in done.stderr, done
    lines = agent.cli("osc", "plan", "app.orders", "--alter", "ADD COLUMN a INT -- '\n; DROP TABLE x")
    assert lines.exit_code == 2
    assert "--alter: expected a text without control characters" in lines.stderr, lines


# --- preflight


def test_preflight_tells_what_is_missing_and_how_to_mend_it(shop, make_agent, tools, tmp_path):
    def checks(**changes):
        config = default_config(shop, probe_timeout=_PATIENCE, user=changes.pop("user", MONITOR))
        config["osc"] = {"gh_ost": tools["gh_ost"], "pt_osc": tools["pt_osc"],
                         "log_dir": str(tmp_path / "logs"), **changes}
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = make_agent(config).cli("preflight", "shop", "--for", "osc", "--json", env=env)
        made = done.json()["checks"]
        assert done.exit_code == int(any(each["level"] == "fail" for each in made)), done
        for each in made:
            assert each["level"] == "pass" or each["remedy"], each
        return {(each["subject"], each["what"]): (each["level"], each["remedy"]) for each in made}

    fine = checks()
    for name in shop.names:
        for tool in ("native", "gh-ost", "pt-osc"):
            assert fine[name, f"{tool} may change tables of app"][0] == "pass", fine
        assert fine[name, "binlog_row_image is FULL"][0] == "pass"
        assert fine["gh-ost", f"works with {name}"][0] == "pass"
    assert fine["log_dir", "can be written"][0] == "pass"
    assert not (tmp_path / "logs").exists()

    shop.primary.query("SET GLOBAL binlog_row_image = MINIMAL")
    try:
        level, remedy = checks()["db1", "binlog_row_image is MINIMAL, and gh-ost needs FULL"]
        assert level == "warn" and remedy.startswith("SET GLOBAL binlog_row_image = FULL;")
    finally:
        shop.primary.query("SET GLOBAL binlog_row_image = FULL")
    wrong = checks(log_dir="/etc/passwd/logs", gh_ost="no-such-gh-ost")
    assert wrong["log_dir", "cannot be written: /etc/passwd: Permission denied"][0] == "fail"
    assert [what for subject, what in wrong if subject == "gh-ost" and "not found" in what]
    shop.primary.unlogged("DROP USER IF EXISTS bare",
                          "CREATE USER 'bare'@'%' IDENTIFIED BY 'monitor-s3cret-Zq7'")
    bare = checks(user="bare")
    assert bare["db1", "the account may alter no tables"][1].startswith("GRANT ALTER, CREATE")
    shop.primary.unlogged("DROP USER bare")


# --- safety


_READS = re.compile(
    r"^(?:(?:SELECT|WITH)\b(?!.*\b(INTO|FOR\s+UPDATE|LOCK\s+IN|GET_LOCK|RELEASE_\w*LOCK|SLEEP|"
    r"BENCHMARK|LOAD_FILE)\b)|SHOW\b|SET\s+(?:SESSION\s|NAMES\b|CHARACTER\s+SET\b)(?!.*\bGLOBAL\b)|"
    r"SET\s+@primacy_alter\s*=|PREPARE primacy_check FROM|DEALLOCATE PREPARE primacy_check$)",
    re.IGNORECASE | re.DOTALL)


def test_planning_sends_nothing_but_reads(shop, plan):
    for server in shop:
        server.query("TRUNCATE TABLE mysql.general_log")
        server.query("SET GLOBAL general_log = ON")
    plan("app.orders", "ADD COLUMN extra VARCHAR(9) DEFAULT 'a\\\\b'", "--tool", "gh-ost")
    plan("app.nothing")
    for server in shop:
        wait_until(lambda: server.connections_of(MONITOR) == 0, 10, "our sessions to end")
        server.query("SET GLOBAL general_log = OFF")
        rows = server.query("SELECT command_type, CAST(argument AS CHAR) AS argument FROM "
                            "mysql.general_log WHERE user_host LIKE %s", (f"%{MONITOR}[%",))
        sent = [(row["command_type"], row["argument"]) for row in rows]
        assert len([each for each in sent if each[0] == "Query"]) > 20, sent
        for command, argument in sent:
            if command in ("Connect", "Quit", "Close stmt"):
                continue
            # What PREPARE was given; it is not executed.
            if command == "Prepare" and argument.startswith("ALTER TABLE `app`."):
                continue
            assert command in ("Query", "Prepare"), (command, argument)
            assert _READS.match(argument), f"{server.name} was sent: {argument}"
        assert any("SET SESSION TRANSACTION READ ONLY" in argument for _, argument in sent)


def test_a_split_brain_is_refused(shop, plan):
    """Last in this file: it opens a second writer."""
    shop.make_writable("db3")
    shop.stop_replication("db3")
    try:
        status, made = plan(tries=1)
        assert status == 1 and made["tool"] is None, made
        assert "writ" in json.dumps(made["refusals"]), made
    finally:
        shop.make_read_only("db3")
        shop.start_replication("db3")
        shop.wait_replicating("db3")
