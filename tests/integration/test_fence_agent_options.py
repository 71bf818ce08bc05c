"""What a fence agent says about its options is found when the configuration is loaded, by
check-config, preflight, and the agent's start and reload; not when the agent is needed.
"""

import json
import time

import pytest

from expectations import positions
from fence_calls import need, processes_with
from primacy_harness import default_config, server_entry, wait_until
from primacy_harness.bmc import fence_ipmilan
from primacy_harness.tools import why_not

SECRET = "s3cret-of-agent"
METADATA = """<?xml version="1.0" ?>
<resource-agent name="fence_odd" shortdesc="odd">
<parameters>
<parameter name="action" required="1"><content type="string" default="reboot"/></parameter>
<parameter name="ip" required="1" obsoletes="ipaddr"><content type="string"/></parameter>
<parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
<parameter name="password" required="0"><content type="string"/></parameter>
<parameter name="method" required="0"><content type="select" default="onoff">
<option value="onoff"/><option value="cycle"/></content></parameter>
</parameters>
<actions>{actions}</actions>
</resource-agent>
"""
ALL_ACTIONS = ("on", "off", "status", "monitor")


def write_agent(folder, name="fence_odd", actions=ALL_ACTIONS, script='cat "$0.xml"'):
    """An agent that answers action=metadata with that script, and that always says "on"."""
    path = folder / name
    path.with_name(f"{name}.xml").write_text(METADATA.format(
        actions="".join(f'<action name="{action}"/>' for action in actions)), encoding="utf-8")
    path.write_text(f"""#!/bin/sh
action=$(sed -n 's/^action=//p' | tail -n 1)
echo "$action" >>"$0.asked"
case $action in
metadata) {script};;
esac
""", encoding="utf-8")
    path.chmod(0o755)
    return path


def asked(path):
    log = path.with_name(f"{path.name}.asked")
    return log.read_text(encoding="utf-8").split() if log.exists() else []


def with_agent(servers, agent, options, **changes):
    config = default_config(servers=servers, **changes)
    config["topology"]["shop"]["server"][0]["fence"] = ["sql", "pdu"]
    config["method"] = {"pdu": {"type": "fence-agent", "agent": str(agent), "options": options}}
    return config


ELSEWHERE = [{"name": "db1", "host": "127.0.0.1"}, {"name": "db2", "host": "127.0.0.2"}]
GOOD = {"ip": "10.0.0.1"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def configured(make_agent):
    """An agent that was not started, with one method of type fence-agent."""

    def make(program, options, servers=None, **changes):
        agent = make_agent(with_agent(servers or ELSEWHERE, program, options, **changes))
        secret = agent.folder / "agent.password"
        secret.write_text(SECRET + "\n", encoding="ascii")
        secret.chmod(0o600)
        agent.config["method"]["pdu"]["password_file"] = str(secret)
        agent.write_config()
        return agent

    return make


def line_with(agent, words):
    """1-based number of the only line of the configuration that begins with them."""
    lines = agent.config_file.read_text(encoding="utf-8").splitlines()
    (number,) = [n for n, line in enumerate(lines, start=1) if line.startswith(words)]
    return number


def assert_one_sentence(agent, shown, words, line):
    """One problem, at that line, with those words; and the password in none of it."""
    assert shown.exit_code == 2, shown
    places = positions(shown.stderr)
    assert [place[0] for place in places] == [line_with(agent, line)], shown
    told = [text for text in shown.stderr.splitlines() if positions(text)]
    assert len(told) == 1 and words in told[0], shown
    assert SECRET not in shown.stdout + shown.stderr


def test_a_good_agent_passes(configured, folder):
    program = write_agent(folder)
    agent = configured(program, GOOD)
    shown = agent.cli("check-config")
    assert shown.exit_code == 0 and not shown.stderr, shown
    assert asked(program) == ["metadata"], "nothing but its description was asked for"


# what is wrong → (options, the program, words, the line to blame)
MISTAKES = {
    "an unknown option": ({**GOOD, "ipp": "1"}, {}, 'no option "ipp"; did you mean "ip"?',
                          "options"),
    "an option is missing": ({"method": "onoff"}, {}, 'needs the option "ip"', "agent"),
    "a word that is none": ({**GOOD, "method": "of"}, {}, 'does not take "of"', "options"),
    "cycle": ({**GOOD, "method": "cycle"}, {}, "method=cycle", "options"),
    "no off": (GOOD, {"actions": ("on", "status")}, "no action off", "agent"),
    "no status": (GOOD, {"actions": ("on", "off")}, "no action status", "agent"),
    "rubbish": (GOOD, {"script": "echo rubbish"}, "not understood", "agent"),
    "nothing": (GOOD, {"script": "exit 0"}, "not understood", "agent"),
    "a failure": (GOOD, {"script": "echo 'no such thing' >&2; exit 1"}, "no such thing", "agent"),
    "it does not take them": (GOOD, {"actions": (*ALL_ACTIONS, "validate-all"), "script":
                                     'cat "$0.xml";; validate-all) echo "2025 ERROR: give a plug"'
                                     ' >&2; exit 1'}, "give a plug", "agent"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_check_config_says_what_the_agent_would_say(configured, folder, mistake):
    options, how, words, line = MISTAKES[mistake]
    agent = configured(write_agent(folder, **how), options)
    assert_one_sentence(agent, agent.cli("check-config"), words, line)


def test_check_config_without_the_agent(configured, folder):
    agent = configured(folder / "fence_none", GOOD)
    assert_one_sentence(agent, agent.cli("check-config"), "fence_none", "agent")


def test_check_config_with_an_agent_that_hangs(configured, folder):
    """Nothing is proved: a warning, in time, and nothing is left."""
    program = write_agent(folder, script="sleep 300")
    begun = time.monotonic()
    shown = configured(program, GOOD).cli("check-config", cap=60)
    assert time.monotonic() - begun < 30
    assert shown.exit_code == 0 and "warning: " in shown.stderr, shown
    assert len(positions(shown.stderr)) == 1, shown
    assert not processes_with(str(program))


@pytest.mark.parametrize("options, words, line", [
    ({"usrname": "x", "ip": "127.0.0.1"}, '"usrname"; did you mean "username"?', "options"),
    # Its description does not mark ip as required; it says so when it is asked itself.
    ({"username": "x"}, "enter fence address", "agent"),
])
def test_the_real_fence_ipmilan(configured, folder, options, words, line):
    need(why_not("fence_ipmilan"))
    agent = configured(fence_ipmilan(folder), options)
    assert_one_sentence(agent, agent.cli("check-config"), words, line)


# --- the agent


def up(agent):
    return agent.metric("primacy_fence_method_up", topology="shop", server="db1", method="pdu")


def test_the_agent_does_not_start_with_what_is_proved_wrong(configured, folder):
    agent = configured(write_agent(folder), {**GOOD, "ipp": "1"})
    agent.launch()
    wait_until(lambda: not agent.running(), 20, "the agent to end")
    assert agent.exit_code() == 2
    assert 'no option "ipp"' in agent.log_text()
    assert list(agent.state_dir.iterdir()) == [], "nothing was done by halves"


@pytest.mark.parametrize("how, words", [({"script": "sleep 300"}, "action=metadata"),
                                        ({"script": "echo rubbish"}, "not understood"),
                                        (None, "fence_odd")])
def test_the_agent_watches_whatever_is_not_proved(local_topology, configured, folder, how, words):
    """An agent that hangs, talks rubbish or is missing must not keep us from watching."""
    program = write_agent(folder, **how) if how is not None else folder / "fence_odd"
    agent = configured(program, GOOD, servers=[server_entry(one) for one in local_topology])
    agent.start(cap=30)
    agent.wait_state("healthy")
    assert up(agent) == 0
    warnings = [text for text in agent.log_text().splitlines()
                if "warning agent" in text and str(agent.config_file) in text]
    assert len(warnings) == 1 and words in warnings[0], warnings
    assert SECRET not in agent.log_text()


def test_a_reload_with_what_is_proved_wrong_changes_nothing(local_topology, configured, folder):
    agent = configured(write_agent(folder), GOOD,
                       servers=[server_entry(one) for one in local_topology])
    agent.start()
    agent.wait_state("healthy")
    agent.config["method"]["pdu"]["options"]["ipp"] = "1"
    agent.config["topology"]["shop"]["confirm_polls"] = 7
    agent.write_config()
    agent.reload()
    wait_until(lambda: agent.metric("primacy_config_last_reload_successful") == 0, 10,
               "the reload to be refused")
    assert json.loads(agent.get("/api/v1/explain").text)["topologies"][0]["confirmation"][
        "polls_needed"] == 3
    agent.config["method"]["pdu"]["options"].pop("ipp")
    agent.write_config()
    agent.reload()
    wait_until(lambda: agent.metric("primacy_config_last_reload_successful") == 1, 10,
               "the next reload to be taken")


def test_preflight_tells(local_topology, configured, folder):
    agent = configured(write_agent(folder), {**GOOD, "ipp": "1"},
                       servers=[server_entry(one) for one in local_topology])
    shown = agent.cli("preflight", "shop", "--for", "fencing")
    assert shown.exit_code == 1 and 'no option "ipp"' in shown.stdout, shown
    assert SECRET not in shown.stdout + shown.stderr


def test_a_reload_takes_up_what_changed_in_a_method(local_topology, configured, folder):
    """The topology is the same, and yet its rungs are not: a new BMC, another password."""
    broken = write_agent(folder, "fence_broken", script='cat "$0.xml";; *) exit 1')
    agent = configured(broken, GOOD, servers=[server_entry(one) for one in local_topology])
    agent.start()
    agent.wait_state("healthy")
    wait_until(lambda: "exited with code 1" in agent.log_text(), 30, "the device to be checked")
    assert up(agent) == 0
    agent.config["method"]["pdu"]["agent"] = str(write_agent(folder))
    agent.write_config()
    agent.reload()
    wait_until(lambda: up(agent) == 1, 30, "the new one to be checked")
    assert agent.topology()["state"] == "healthy"
