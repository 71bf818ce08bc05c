"""The alert rules: well formed, tested one by one, silent on an ordinary day."""

import re
from functools import lru_cache

import pytest
import yaml

import ordinary_day
from conftest import (REPOSITORY, RULE_FILES, TEST_FILES, all_alerts, documented_metrics, run, tool,
                      unknown_metrics)

BASE = "file:///usr/share/doc/primacy/runbooks/"
ALERTS = all_alerts()
NAMES = [alert["alert"] for alert in ALERTS]


def test_promtool_finds_no_fault():
    code, said = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)
    assert code == 0, said


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_promtool_unit_tests(file):
    code, said = run(tool("promtool"), "test", "rules", file)
    assert code == 0, said


def test_an_ordinary_day_calls_nobody(tmp_path):
    day = tmp_path / "day.test.yml"
    day.write_text(ordinary_day.document(RULE_FILES))
    code, said = run(tool("promtool"), "test", "rules", day)
    assert code == 0, said


def test_the_ordinary_day_shows_what_an_agent_shows():
    known, wrong = documented_metrics(), set()
    for series in ordinary_day.scrape():
        name, labels = series.split("{")
        if name == "up":
            continue
        base = name.removesuffix("_bucket")
        given = set(re.findall(r"(\w+)=", labels)) - {"job", "instance"}
        if base not in known or given != known[base][1]:
            wrong.add((name, tuple(sorted(given))))
    assert not wrong


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_form(alert):
    name, notes = alert["alert"], alert["annotations"]
    assert re.fullmatch(r"Primacy([A-Z][a-z]+)+", name)
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert "{{" not in notes["summary"] and notes["summary"].endswith(".")
    assert notes["summary"][0].isupper()
    assert "{{ $labels." in notes["description"] or "vector" in alert["expr"] or \
        "absent" in alert["expr"]
    assert notes["runbook_url"] == BASE + name + ".md"
    assert "$value" not in str(alert["labels"]), "a label that changes makes a new alert each time"


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_metrics_and_their_closed_labels_exist(alert):
    assert not unknown_metrics(alert["expr"] + alert["annotations"]["description"])
    for code, severity in re.findall(r'code="(\w+)",severity="(\w+)"', alert["expr"]):
        assert severity in ordinary_day.FINDINGS[code].split()


def test_names_are_unique():
    assert len(NAMES) == len(set(NAMES))


def words_of(file, function):
    """The words that a to_string of the sources can say."""
    source = (REPOSITORY / file).read_text()
    body = source[source.index(function):]
    return re.findall(r'return "(\w+)"', body[:body.index("\n}")])


def test_every_critical_and_warning_finding_has_an_alert():
    """Some are alerted on by the metric that names the server; those are listed here."""
    by_metric = {"split_brain": "primacy_topology_split_brain", "server_unknown": "primacy_server_up",
                 "writable_replica": 'role="writable_replica"',
                 "errant_transactions": "primacy_gtid_errant_transactions"}
    codes = set(words_of("checks/finding.cpp", "to_string(finding_code")) - {"unknown"}
    source = (REPOSITORY / "agent/app/metrics/topology_families.cpp").read_text()
    severities = {code: re.findall(r"\w+", words) for code, words in
                  re.findall(r"case finding_code::(\w+): return \{([\w, ]+)\}", source)}
    assert codes == set(severities) == set(ordinary_day.FINDINGS)
    expressions = "\n".join(alert["expr"] for alert in ALERTS)
    missing = []
    for code in sorted(codes):
        assert severities[code] == ordinary_day.FINDINGS[code].split()
        for severity in set(severities[code]) - {"info"}:
            asked = f'code="{code}",severity="{severity}"'
            if by_metric.get(code, asked) not in expressions:
                missing.append((code, severity))
    assert not missing


def test_closed_labels_are_words_of_the_agent():
    """state=, role= of the rules and of the day: a word that nobody says would never fire."""
    spoken = set(words_of("fencing/fence_state.cpp", "to_string(fence_stage"))
    jobs = (REPOSITORY / "osc/job.cpp").read_text()
    spoken |= set(re.findall(r'job_state::\w+, "(\w+)"', jobs))
    spoken |= {"primary", "writable_replica", "replica", "relay", "standalone", "unknown"}
    texts = [alert["expr"] for alert in ALERTS] + list(ordinary_day.scrape())
    used = {word for text in texts
            for words in re.findall(r'\b(?:state|role)=~?"([\w|]+)"', text)
            for word in words.split("|")}
    assert used and not used - spoken


@lru_cache(None)
def cases():
    return [(test, case) for file in TEST_FILES
            for test in yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["tests"]
            for case in test["alert_rule_test"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_tested(name):
    """It fires, does not fire before, resolves, and is silent where there is no series."""
    mine = [(test, case) for test, case in cases() if case["alertname"] == name]
    fires = [(test, case) for test, case in mine if case["exp_alerts"]]
    assert fires, "no test sees it fire"
    if name == "PrimacyWatchdog":
        return
    one_story = [seconds(case["eval_time"]) for test, case in mine if test is fires[0][0]]
    first = seconds(fires[0][1]["eval_time"])
    assert min(one_story) < first, "no test sees that it is silent before"
    assert any(not case["exp_alerts"] and seconds(case["eval_time"]) > first
               for test, case in mine if test is fires[0][0]), "no test sees it resolve"
    if name != "PrimacyAgentsAbsent":
        assert any(not test["input_series"] and not case["exp_alerts"] for test, case in mine), \
            "no test leaves its series out"


def seconds(text):
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))
