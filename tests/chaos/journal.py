"""What agents wrote down, read while they write: the journal's records and the log's moments."""

import datetime
import json
import re

_CONFIRMED = re.compile(r"^(\S+)\s.*split brain confirmed")
_WATCH = re.compile(r"^(\S+)\s.*incumbent \S+ is (?:(uncertain: for [0-9.]+ s or more this agent "
                    r"could not read)|certain again)")


class JournalTail:
    """New records of one agent's journal since the last look."""

    def __init__(self, agent):
        self.agent = agent
        self.records = []
        self._read = {}  # path → complete bytes taken

    def fresh(self):
        found = []
        folder = self.agent.state_dir / "journal"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            with open(path, "rb") as file:
                file.seek(self._read.get(path, 0))
                block = file.read()
            whole = block.rfind(b"\n") + 1
            self._read[path] = self._read.get(path, 0) + whole
            for line in block[:whole].splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue  # torn by a kill -9 and repaired by the next start
                if "kind" in record:
                    record["agent"] = self.agent.config["agent"]["name"]
                    record["time"] = record["at_ns"] / 1e9
                    found.append(record)
        self.records += found
        return found


def _moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def lost_sight(agent, when):
    """Whether at that moment the agent doubted its memory because it could not read a majority."""
    doubt = False
    for line in agent.log_text().splitlines():
        said = _WATCH.match(line)
        if said and _moment(said.group(1)) <= when:
            doubt = said.group(2) is not None
    return doubt


def confirmed_at(agent):
    """When the agent's log says that a split brain was confirmed, as wall times."""
    lines = (_CONFIRMED.match(line) for line in agent.log_text().splitlines())
    return [_moment(said.group(1)) for said in lines if said]
