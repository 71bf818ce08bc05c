"""The examples for Prometheus and Alertmanager: read by their own tools, and every alert arrives."""

import shutil

import pytest
import yaml

from conftest import EXAMPLES, RULE_FILES, all_alerts, run, tool

PROMETHEUS, ALERTMANAGER = EXAMPLES / "prometheus.yml", EXAMPLES / "alertmanager.yml"
RECEIVERS = {"critical": "pager", "warning": "channel", "info": "nobody"}


def test_prometheus_reads_its_configuration_with_the_rules(tmp_path):
    promtool = tool("promtool")
    (tmp_path / "rules" / "primacy").mkdir(parents=True)
    for file in RULE_FILES:
        shutil.copy(file, tmp_path / "rules" / "primacy")
    shutil.copy(PROMETHEUS, tmp_path)
    code, said = run(promtool, "check", "config", "--lint=all", "--lint-fatal",
                     tmp_path / PROMETHEUS.name)
    assert code == 0, said
    assert f"{len(RULE_FILES)} rule files found" in said and "SUCCESS" in said


def test_the_scrape_job_is_the_one_that_the_rules_ask_for():
    names = {job["job_name"] for job in yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]}
    assert names == {"primacy"}
    assert 'up{job="primacy"}' in "".join(alert["expr"] for alert in all_alerts())


def test_alertmanager_reads_its_configuration():
    code, said = run(tool("amtool"), "check-config", ALERTMANAGER)
    assert code == 0, said


@pytest.mark.parametrize("alert", all_alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_goes_to_its_receiver(alert):
    wanted = "dead-man" if alert["alert"] == "PrimacyWatchdog" else \
        RECEIVERS[alert["labels"]["severity"]]
    code, said = run(tool("amtool"), "config", "routes", "test", f"--config.file={ALERTMANAGER}",
                     f"--verify.receivers={wanted}", f"alertname={alert['alert']}",
                     f"severity={alert['labels']['severity']}", "topology=shop")
    assert code == 0, said


def test_inhibitions_name_alerts_that_exist():
    names = {alert["alert"] for alert in all_alerts()}
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            for name in matcher.split("=")[-1].strip(' ~"').split("|"):
                assert name in names, matcher


def test_no_critical_alert_hides_behind_a_warning():
    """Of two, the one that is hushed is never the more urgent."""
    order = {"info": 0, "warning": 1, "critical": 2}
    severity = {alert["alert"]: order[alert["labels"]["severity"]] for alert in all_alerts()}
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        (source,) = [matcher.split("=")[-1].strip() for matcher in rule["source_matchers"]]
        for target in rule["target_matchers"][0].split("=")[-1].strip(' ~"').split("|"):
            assert severity[target] <= severity[source], (source, target)
