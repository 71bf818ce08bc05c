"""The dashboards as tests see them: their panels, and every expression with its variables filled in."""

import json
import sys

from conftest import REPOSITORY

GRAFANA = REPOSITORY / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
RANGE = "1m"  # what $__rate_interval is with a scrape interval of 5 s and less

sys.path.insert(0, str(GRAFANA))


def load():
    return [json.loads(file.read_text()) for file in FILES]


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def filled(expression, topology=".+"):
    """The expression that Grafana would send."""
    for name, value in (("$__rate_interval", RANGE), ("$__range", "1h"), ("$job", ".+"),
                        ("$instance", ".+"), ("$topology", topology), ("$osc_job", ".+")):
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def expressions():
    """(where, expression as Grafana has it) of panels and annotations."""
    for dashboard in load():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield f"{dashboard['uid']} / {panel['title']} / {target['refId']}", target["expr"]
        for one in dashboard["annotations"]["list"]:
            yield f"{dashboard['uid']} / annotation {one['name']}", one["expr"]
