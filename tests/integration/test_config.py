"""Configuration errors: exit 2, file:line:column, what was expected, the nearest valid name.

No database server is started; check-config opens no connection.
"""

import os

import pytest

from expectations import positions
from primacy_harness.certs import Authority

GOOD = """\
[agent]
name      = "db1"
listen    = "127.0.0.1:9963"
control   = "{folder}/c.sock"
state_dir = "{folder}/state"

[topology.shop]
poll_interval = "1s"
confirm_polls = 3
user          = "primacy"
password_file = "{folder}/monitor.password"
tls           = {{ mode = "preferred" }}

[[topology.shop.server]]
name = "db1"
host = "127.0.0.1"
port = 3306

[[topology.shop.server]]
name = "db2"
host = "127.0.0.2"
port = 3306
"""


@pytest.fixture
def check(make_agent):
    """Writes a configuration and runs check-config on it."""
    agent = make_agent({"agent": {}, "topology": {}})

    def run(text):
        agent.write_config(text.replace("{{", "{").replace("}}", "}").replace(
            "{folder}", str(agent.folder)))
        return agent.cli("check-config")
    run.agent = agent
    run.folder = agent.folder
    return run


def _line_of(text, fragment):
    """1-based number of the only line that holds the fragment."""
    (number,) = [index for index, line in enumerate(text.splitlines(), start=1)
                 if fragment in line]
    return number


def test_a_good_configuration_is_explained(check):
    shown = check(GOOD)
    assert shown.exit_code == 0, shown
    assert "shop" in shown.stdout


# what is wrong → (what to replace, by what, fragment of the line to blame, words in the message)
MISTAKES = {
    "unknown key": ("poll_interval", "pol_interval", "pol_interval", ["poll_interval"]),
    "unknown key of the agent": ("listen ", "lisen ", "lisen", ["listen"]),
    "unknown section": ("[agent]", "[agnet]", "[agnet]", ["agent"]),
    "unknown key of a server": ('host = "127.0.0.2"', 'hots = "127.0.0.2"', "hots", ["host"]),
    "wrong type": ("confirm_polls = 3", 'confirm_polls = "three"', '"three"', ["confirm_polls"]),
    "a string for a table": ('tls           = {{ mode = "preferred" }}',
                             'tls           = "preferred"', "tls ", ["tls"]),
    "unknown word": ('mode = "preferred"', 'mode = "prefered"', "prefered", ["preferred"]),
    "bad duration": ('"1s"', '"1 fortnight"', "fortnight", ["poll_interval"]),
    "duration without unit": ('"1s"', '"1000"', '"1000"', ["ms"]),
    "negative duration": ('"1s"', '"-1s"', '"-1s"', ["poll_interval"]),
    "duration that overflows": ('"1s"', '"99999999999999999999s"', "9999999", ["poll_interval"]),
    "port out of range": ('host = "127.0.0.2"\nport = 3306', 'host = "127.0.0.2"\nport = 65536',
                          "65536", ["65535"]),
    "port zero": ('host = "127.0.0.2"\nport = 3306', 'host = "127.0.0.2"\nport = 0', "port = 0",
                  ["65535"]),
    "duplicate server": ('name = "db2"', 'name = "db1" # again', "# again", ["db1"]),
    "duplicate address": ('host = "127.0.0.2"', 'host = "127.0.0.1" # again', "# again",
                          ["db2", "127.0.0.1:3306"]),
    "no server name": ('name = "db2"\n', "", None, ["name"]),
    "no host": ('host = "127.0.0.2"\n', "", None, ["host"]),
    "not TOML": ("[topology.shop]", "[topology.shop # torn", "# torn", []),
    "confirm_polls zero": ("confirm_polls = 3", "confirm_polls = 0", "confirm_polls = 0", ["1"]),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_is_an_error_with_its_place(check, mistake):
    old, new, fragment, words = MISTAKES[mistake]
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    shown = check(text)
    assert shown.exit_code == 2, shown
    places = positions(shown.stderr)
    assert places, f"file:line:column on standard error: {shown}"
    assert all(line >= 1 and column >= 1 for line, column in places), shown
    if fragment:
        assert _line_of(text, fragment) in {line for line, _ in places}, shown
    for word in words:
        assert word in shown.stderr, shown


def test_the_column_points_at_the_key(check):
    shown = check(GOOD.replace("confirm_polls = 3", "   confirm_pols = 3"))
    assert positions(shown.stderr) == [(9, 4)], shown


def test_all_mistakes_are_told_at_once(check):
    shown = check(GOOD.replace("poll_interval", "pol_interval").replace("port = 3306",
                                                                        "port = 70000"))
    assert shown.exit_code == 2
    assert len(set(positions(shown.stderr))) >= 3, shown


def test_no_server(check):
    text = GOOD[:GOOD.index("[[topology.shop.server]]")]
    shown = check(text)
    assert shown.exit_code == 2, shown
    assert "server" in shown.stderr and positions(shown.stderr), shown


def test_two_topologies_that_share_a_server(check):
    text = GOOD + """
[topology.other]
password_file = "{folder}/monitor.password"

[[topology.other.server]]
name = "elsewhere"
host = "127.0.0.2"
port = 3306
"""
    shown = check(text)
    assert shown.exit_code == 2, shown
    assert "shop" in shown.stderr and "other" in shown.stderr and positions(shown.stderr), shown


def test_no_password_file(check):
    check.agent.password_file.unlink()
    shown = check(GOOD)
    assert shown.exit_code == 2, shown
    assert "monitor.password" in shown.stderr, shown
    assert (_line_of(GOOD, "password_file") in {line for line, _ in positions(shown.stderr)}), shown


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o666], ids=oct)
def test_a_password_file_that_is_too_open(check, mode):
    os.chmod(check.agent.password_file, mode)
    shown = check(GOOD)
    assert shown.exit_code == 2, shown
    assert "0640" in shown.stderr and positions(shown.stderr), shown


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400], ids=oct)
def test_a_password_file_that_is_closed_enough(check, mode):
    os.chmod(check.agent.password_file, mode)
    assert check(GOOD).exit_code == 0


def test_the_agent_refuses_what_check_config_refuses(check):
    check(GOOD.replace("poll_interval", "pol_interval"))
    shown = check.agent.cli("agent")
    assert shown.exit_code == 2, shown
    assert positions(shown.stderr), shown
    status = check.agent.cli("status")
    assert status.exit_code in (2, 3), "no agent, no usable configuration"
    assert positions(status.stderr), status


def test_a_configuration_that_is_not_there(check):
    check.agent.config_file.unlink()
    shown = check.agent.cli("check-config")
    assert shown.exit_code == 2, shown
    assert "primacy.toml" in shown.stderr, shown


def test_a_directory_instead_of_a_file(check):
    check.agent.config_file.unlink(missing_ok=True)
    check.agent.config_file.mkdir()
    shown = check.agent.cli("check-config")
    assert shown.exit_code == 2, shown


@pytest.mark.parametrize("content", [b"\xff\xfe\x00garbage", b"", b"\x00" * 100,
                                     b"a = " + b"[" * 100_000, b"x" * (2 << 20)],
                         ids=["not utf-8", "empty", "zeros", "deep", "huge"])
def test_rubbish_is_an_error_and_no_crash(check, content):
    check.agent.config_file.write_bytes(content)
    shown = check.agent.cli("check-config")
    assert shown.exit_code == 2, shown
    assert shown.stderr.strip(), "it says why"


def test_the_password_is_never_shown(check):
    check.agent.write_password("hunter2-Q9z")
    shown = check(GOOD)
    assert shown.exit_code == 0
    as_json = check.agent.cli("check-config", "--json")
    for output in (shown, as_json):
        assert "hunter2" not in output.stdout + output.stderr


def test_what_only_the_listener_would_find_is_found(check):
    """A key that is not the certificate's, and a hash that costs too much to compute."""
    authority = Authority(check.folder / "web")
    one, other = authority.issue("one"), authority.issue("other")

    def with_web(keys):
        return check(GOOD.replace("[topology.shop]", f"[agent.web]\n{keys}\n[topology.shop]", 1))

    fine = with_web(f'cert_file = "{one.certificate}"\nkey_file = "{one.key}"')
    assert fine.exit_code == 0, fine
    crossed = with_web(f'cert_file = "{one.certificate}"\nkey_file = "{other.key}"')
    assert crossed.exit_code == 2 and "agent.web: " in crossed.stderr, crossed
    assert str(other.key) in crossed.stderr, crossed
    dear = with_web("basic_auth_users = { a = \"$2y$31$" + "a" * 53 + "\" }")
    assert dear.exit_code == 2 and "cost" in dear.stderr, dear


@pytest.mark.parametrize("arguments", [["nonsense"], ["status", "--frobnicate"], [],
                                       ["status", "one", "two"]], ids=" ".join)
def test_usage_errors_exit_2(check, arguments):
    check(GOOD)
    shown = check.agent.cli(*arguments, with_config=False)
    assert shown.exit_code == 2, shown
    assert shown.stderr.strip(), "it says what is wrong"


def test_help_and_version(check):
    shown = check.agent.cli("--help", with_config=False)
    assert shown.exit_code == 0
    for command in ("agent", "check-config", "status", "explain", "preflight"):
        assert command in shown.stdout, shown
    version = check.agent.cli("version", with_config=False)
    assert version.exit_code == 0 and any(c.isdigit() for c in version.stdout), version
