"""One runbook for each alert, and every `primacy` command in it is one that the program has."""

import os
import re
import shlex
from functools import lru_cache
from pathlib import Path

import pytest

from conftest import REPOSITORY, RUNBOOKS, all_alerts, run

BINARY = Path(os.environ.get("PRIMACY_BINARY", REPOSITORY / "build/release/agent/primacy"))
HEADINGS = ["What it means", "At risk right now", "Look", "Decide", "Over"]
ALERTS = all_alerts()
PAGES = sorted(page for page in RUNBOOKS.glob("*.md") if page.name != "README.md")
# Words after `primacy` that begin no command: the group that the journal's lines belong to.
TWO_WORDS = ("osc", "maintenance")


def test_each_alert_has_its_runbook_and_each_runbook_its_alert():
    assert {page.stem for page in PAGES} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_form(page):
    text = page.read_text()
    (alert,) = [one for one in ALERTS if one["alert"] == page.stem]
    assert text.startswith(f"# {page.stem}\n")
    assert alert["annotations"]["summary"] in text
    assert f"Severity: {alert['labels']['severity']}." in text
    assert re.findall(r"^## (.*)$", text, re.M) == HEADINGS
    assert len(text.splitlines()) < 80, "nobody reads a long page at night"
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / target.partition("#")[0]).exists(), f"a dead link: {target}"


def commands_of(text):
    """`primacy …` between backquotes, and after a prompt in a block; names alone count, too."""
    blocks = re.findall(r"```\n(.*?)```", text, re.S)
    for line in "\n".join(blocks).splitlines():
        if line.startswith("$ primacy"):
            yield line[2:]
    for quoted in re.findall(r"`(primacy(?: [^`]*)?)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        yield quoted


@lru_cache(None)
def help_of(command):
    code, said = run(BINARY, *command, "--help")
    assert code == 0, said
    # The help of a group answers for a command that it does not have, so the usage is looked at.
    usage = re.search(r"^Usage: primacy ?(.*)$", said, re.M)
    assert usage and usage[1].startswith(" ".join(command)), \
        f"there is no command `primacy {' '.join(command)}`"
    return said


def check(command):
    words = shlex.split(command.replace("…", "X"), comments=True)[1:]
    if not words:
        return
    path = tuple(words[:2] if words[0] in TWO_WORDS else words[:1])
    rest, text = words[len(path):], help_of(path)
    options = dict(re.findall(r"^ +(?:-\w,)?(--[\w-]+)(?: (TEXT|[A-Z:{])?)?", text, re.M))
    given = [word for word in rest if word.startswith("--")]
    assert not set(given) - set(options), f"`{command}`: no such option"
    if not rest:
        return  # the name of a command in a sentence
    for option in re.findall(r"^ +(--[\w-]+) TEXT REQUIRED", text, re.M):
        assert option in given, f"`{command}` needs {option}"
    positionals = re.search(r"^Positionals:\n((?: .*\n)+)", text, re.M)
    left = [word for index, word in enumerate(rest) if not word.startswith("--")
            and not (index and options.get(rest[index - 1]))]
    if positionals and "REQUIRED" in positionals[1]:
        assert left, f"`{command}` needs what it is to work on"
    assert not left or positionals, f"`{command}` takes no {left}"


def texts():
    for page in PAGES:
        yield page.stem, page.read_text()
    for alert in ALERTS:
        described = re.sub(r"{{ \$labels\.\w+ }}", "shop", alert["annotations"]["description"])
        yield f"{alert['alert']} description", described


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in texts()])
def test_commands_exist(text):
    if not os.access(BINARY, os.X_OK):
        pytest.skip(f"there is no program at {BINARY}; `make build` makes one")
    for command in commands_of(text):
        check(command)


def test_what_does_not_exist_is_found():
    if not os.access(BINARY, os.X_OK):
        pytest.skip(f"there is no program at {BINARY}; `make build` makes one")
    for wrong in ("primacy osc sweep", "primacy undo shop", "primacy status shop --loud",
                  "primacy fence db3", "primacy resolve --keep db1 --reason x"):
        with pytest.raises(AssertionError):
            check(wrong)


def test_every_page_shows_a_command():
    assert not [page.stem for page in PAGES if "$ primacy" not in page.read_text()]
