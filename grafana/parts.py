"""The parts that dashboards are made of: panels, variables, value mappings, and the page round them.

Knows Grafana's JSON (version 9 and later) and nothing of what a dashboard is about.
"""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"


def query(expression, legend="", table=False):
    made = {"datasource": SOURCE, "expr": expression, "legendFormat": legend or "__auto"}
    return made | ({"format": "table", "instant": True} if table else {})


def enum(metric, selector, label, values, by):
    """One number for the state that is 1 among the series of a metric: its place in `values`."""
    terms = [f'{place} * {metric}{{{selector},{label}="{value}"}}'
             for place, (value, _) in enumerate(values, 1)]
    return f"max by ({by}) (\n  " + "\n  or ".join(terms) + "\n)"


def mapping(values):
    return [{"type": "value", "options": {
        str(place): {"text": text, "color": color, "index": place}
        for place, (text, color) in enumerate(values, 1)}}]


def numbers(*rows):
    """Texts for numbers: (0, "no", GREEN), …"""
    return [{"type": "value", "options": {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, text, color) in enumerate(rows)}}]


def steps(*rows):
    """Thresholds: (None, GREEN) first, then (from, colour)."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in rows]}


def panel(kind, title, description, queries, unit, width, height, *, mappings=(), thresholds=None,
          custom=None, options=None, decimals=None, transformations=()):
    defaults = {"unit": unit, "mappings": list(mappings), "custom": custom or {},
                "color": {"mode": "thresholds" if thresholds else "palette-classic"},
                "thresholds": thresholds or steps((None, GREEN))}
    if decimals is not None:
        defaults["decimals"] = decimals
    for letter, one in zip("ABCDEFGH", queries):
        one["refId"] = letter
    return {"type": kind, "title": title, "description": description, "datasource": SOURCE,
            "targets": queries, "gridPos": {"w": width, "h": height},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options or {}, "transformations": list(transformations)}


def stat(title, description, expression, *, unit="short", width=4, legend="", text="auto", **more):
    return panel("stat", title, description, [query(expression, legend)], unit, width, 4,
                 options={"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                          "colorMode": "background", "graphMode": "none", "textMode": text}, **more)


def timeline(title, description, expression, legend, values, *, width=24, height=7):
    return panel("state-timeline", title, description, [query(expression, legend)], "short", width,
                 height, mappings=mapping(values), custom={"fillOpacity": 80, "lineWidth": 0},
                 options={"mergeValues": True, "showValue": "auto", "rowHeight": 0.85,
                          "legend": {"displayMode": "list", "placement": "bottom"},
                          "tooltip": {"mode": "single"}})


def graph(title, description, queries, unit, *, width=12, height=8, **more):
    return panel("timeseries", title, description, queries, unit, width, height,
                 custom={"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False},
                 options={"legend": {"displayMode": "list", "placement": "bottom"},
                          "tooltip": {"mode": "multi", "sort": "desc"}}, **more)


def table(title, description, expression, *, unit="short", width=12, height=8, hide=(), **more):
    hidden = {name: True for name in ("Time", *hide)}
    return panel("table", title, description, [query(expression, table=True)], unit, width, height,
                 transformations=[{"id": "organize", "options": {"excludeByName": hidden}}], **more)


def variable(name, label, metric, *, multi=True, selector=""):
    inner = f"{metric}{{{selector}}}" if selector else metric
    asked = f"label_values({inner}, {name})"
    made = {"name": name, "label": label, "type": "query", "datasource": SOURCE,
            "definition": asked, "query": {"query": asked, "refId": name}, "refresh": 2, "sort": 1,
            "hide": 0, "multi": multi, "includeAll": multi, "regex": "", "options": []}
    everything = {"text": ["All"], "value": ["$__all"]}
    return made | ({"allValue": ".+", "current": everything} if multi else {"current": {}})


def annotation(name, color, expression, title):
    return {"name": name, "datasource": SOURCE, "enable": True, "iconColor": color,
            "expr": expression, "titleFormat": title, "step": "15s", "useValueForTime": False}


def placed(panels):
    """From left to right, a new row where one is full."""
    x = y = tallest = 0
    for number, one in enumerate(panels, 1):
        at = one["gridPos"]
        if x + at["w"] > 24:
            x, y, tallest = 0, y + tallest, 0
        one["gridPos"] = at | {"x": x, "y": y}
        one["id"] = number
        x, tallest = x + at["w"], max(tallest, at["h"])
    return panels


def dashboard(uid, title, description, variables, panels, annotations=()):
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "hide": 0,
              "query": "prometheus", "current": {}, "refresh": 1, "options": [], "regex": "",
              "multi": False, "includeAll": False}
    return {"id": None, "uid": uid, "title": title, "description": description, "version": 1,
            "schemaVersion": 37, "tags": ["primacy"], "editable": False, "timezone": "browser",
            "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "graphTooltip": 1,
            "annotations": {"list": list(annotations)}, "panels": placed(panels),
            "links": [{"type": "dashboards", "title": "primacy", "tags": ["primacy"],
                       "asDropdown": True, "includeVars": True, "keepTime": True, "icon": "external link",
                       "targetBlank": False, "url": "", "tooltip": ""}],
            "templating": {"list": [source, *variables]}}
