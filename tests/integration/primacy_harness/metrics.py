"""Reads Prometheus' text format, as much of it as tests need."""

import re

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scraped page: samples by name and labels."""

    def __init__(self, text):
        self.text = text
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = _LINE.match(line)
            if not match:
                raise AssertionError(f"not a line of the text format: {line!r}")
            name, labels, value = match.groups()
            self.samples.append((name, {key: _unescape(text) for key, text in
                                        _LABEL.findall(labels or "")}, float(value)))

    def all(self, name, **labels):
        """Every (labels, value) of that name whose labels include the given ones."""
        return [(found, value) for sample, found, value in self.samples
                if sample == name and all(found.get(k) == v for k, v in labels.items())]

    def value(self, name, **labels):
        """The only such sample; AssertionError when there is none or more than one."""
        found = self.all(name, **labels)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} series match {name}{labels}: {found[:5]}")
        return found[0][1]

    def get(self, name, default=None, **labels):
        """Like value(), with a default when there is none."""
        return self.value(name, **labels) if self.all(name, **labels) else default

    def sum(self, name, **labels):
        return sum(value for _, value in self.all(name, **labels))

    def names(self):
        return {name for name, _, _ in self.samples}


def _unescape(text):
    return text.replace(r"\n", "\n").replace(r"\"", '"').replace(r"\\", "\\")
