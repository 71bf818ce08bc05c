"""The dashboards without a server: JSON that Grafana can provision, and expressions that can be true."""

import re

import pytest
import yaml

from conftest import documented_metrics, run, tool, unknown_metrics
from dashboards import FILES, GRAFANA, expressions, filled, load, panels

UIDS = {"primacy-overview", "primacy-topology", "primacy-schema-changes", "primacy-agent"}
EXPRESSIONS = list(expressions())
EACH = [pytest.param(dashboard, panel, id=f"{dashboard['uid']}/{panel['title']}")
        for dashboard in load() for panel in panels(dashboard)]


def test_the_files_are_what_the_program_makes():
    import make_dashboards
    made = {f"{one['uid']}.json": make_dashboards.text_of(one)
            for one in make_dashboards.all_dashboards()}
    assert made == {file.name: file.read_text() for file in FILES}, \
        "run python3 grafana/make_dashboards.py"


def test_uids_are_fixed_and_files_are_called_like_them():
    assert {one["uid"] for one in load()} == UIDS == {file.stem for file in FILES}
    assert all(one["id"] is None and "__inputs" not in one for one in load())


@pytest.mark.parametrize("dashboard", load(), ids=lambda one: one["uid"])
def test_variables_and_ids(dashboard):
    names = [one["name"] for one in dashboard["templating"]["list"]]
    sources = [one for one in dashboard["templating"]["list"] if one["type"] == "datasource"]
    assert names[0] == "datasource" and len(sources) == 1 and len(names) == len(set(names))
    used = set(re.findall(r"\$\{?(\w+)", str(dashboard["panels"]) + str(dashboard["annotations"])))
    assert used - {"__rate_interval", "__range"} <= set(names)
    for one in dashboard["templating"]["list"][1:]:
        assert one["refresh"] == 2, "values are asked for again when the time changes"
    ids = [panel["id"] for panel in panels(dashboard)]
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids)) and len(titles) == len(set(titles))


@pytest.mark.parametrize("dashboard, panel", EACH)
def test_panel(dashboard, panel):
    assert dashboard["tags"] == ["primacy"]
    assert panel["title"] and panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"] and all(target["datasource"]["uid"] == "${datasource}"
                                    for target in [panel, *panel["targets"]])
    at = panel["gridPos"]
    assert at["x"] + at["w"] <= 24


@pytest.mark.parametrize("dashboard", load(), ids=lambda one: one["uid"])
def test_panels_do_not_overlap(dashboard):
    taken = {}
    for panel in panels(dashboard):
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


@pytest.mark.parametrize("where, expression", EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_metrics_labels_and_ranges(where, expression):
    assert not unknown_metrics(expression), where
    known = documented_metrics()
    for metric, selector in re.findall(r"\b((?:primacy|process)_\w+)\{([^}]*)\}", expression):
        base = metric if metric in known else re.sub("_(bucket|sum|count)$", "", metric)
        given = set(re.findall(r"(\w+)(?:=~|!=|=)", selector))
        assert given <= known[base][1] | {"job", "instance"}, f"{metric} has no such label"
        assert {"job", "instance"} <= given, f"{metric} is not asked for by agent"
    for function, metric in re.findall(r"\b(rate|increase)\((\w+)", expression):
        base = re.sub("_(bucket|sum|count)$", "", metric)
        assert known[base if base in known else metric][0] in ("counter", "histogram")
    assert not re.search(r"\[\d", expression), "a range that does not follow the scrape interval"


def test_promtool_parses_every_expression(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": filled(expression)}
             for number, (_, expression) in enumerate(EXPRESSIONS)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    code, said = run(tool("promtool"), "check", "rules", "--lint=none", file)
    assert code == 0, said
    assert f"{len(rules)} rules found" in said


def test_the_states_of_panels_are_those_of_the_agent():
    """A word that nobody says would leave a hole in a timeline, one that is missing a gap."""
    import make_dashboards
    reference = (GRAFANA.parent / "docs" / "metrics.md").read_text()
    for label, values in (("state", make_dashboards.STATES), ("role", make_dashboards.ROLES)):
        (row,) = re.findall(rf"^\| `{label}` \| (.*) \|$", reference, re.M)
        assert {word for word, _ in values} == set(re.findall(r"`(\w+)`", row))
    for file, values in (("fencing/fence_state.cpp", make_dashboards.FENCES),
                         ("osc/job.cpp", make_dashboards.JOBS)):
        source = (GRAFANA.parent / file).read_text()
        said = set(re.findall(r'(?:job_state|fence_stage)::\w+(?:: return|,) "(\w+)"', source))
        assert {word for word, _ in values} == said


def test_provisioning_files():
    for file in (GRAFANA / "provisioning").rglob("*.yml"):
        assert yaml.safe_load(file.read_text())["apiVersion"] == 1
