"""An agent that is killed, or stopped, between two steps of what it does.

    log_steps(agent)                          the next start notes every step that it passes
    stop_at(agent, step) or kill_at(…)        the next start ends, or is paused, at that step
    as_shipped(agent)                         the next start is of the program that ships
    steps_passed(agent)

The program is built for tests only (tests/tools/checkpoint_hook.cpp); the one that ships has no
such switch.
"""

import os
from pathlib import Path
from typing import NamedTuple

from .agent import binary_path
from .kinds import REPOSITORY

BUILT = REPOSITORY / "build" / "release" / "tests" / "tools" / "agent_with_checkpoints"


class Step(NamedTuple):
    """The `passing`-th passing of a checkpoint, from 1."""

    name: str
    passing: int = 1

    def __str__(self):
        return self.name if self.passing == 1 else f"{self.name}:{self.passing}"


def agent_with_checkpoints():
    """PRIMACY_AGENT_WITH_CHECKPOINTS or that of the release build."""
    return Path(os.environ.get("PRIMACY_AGENT_WITH_CHECKPOINTS", BUILT)).resolve()


def why_not():
    """None when it is there, else a sentence for a skip."""
    path = agent_with_checkpoints()
    return None if os.access(path, os.X_OK) else f"{path} is not built"


def log_steps(agent):
    _log(agent).unlink(missing_ok=True)
    agent.binary = agent_with_checkpoints()
    agent.environment = {"PRIMACY_CHECKPOINT_LOG": str(_log(agent))}


def kill_at(agent, step):
    """It kills itself with SIGKILL there."""
    log_steps(agent)
    agent.environment["PRIMACY_CHECKPOINT_AT"] = f"{step.name}:{step.passing}:kill"


def stop_at(agent, step):
    """It stops itself with SIGSTOP there, and goes on after SIGCONT."""
    log_steps(agent)
    agent.environment["PRIMACY_CHECKPOINT_AT"] = f"{step.name}:{step.passing}:stop"


def as_shipped(agent):
    agent.binary = binary_path()
    agent.environment = {}


def steps_passed(agent, until=None):
    """In order, up to the first passing of the checkpoint `until`, that included."""
    steps, counts = [], {}
    path = _log(agent)
    for name in path.read_text(encoding="ascii").splitlines() if path.exists() else []:
        counts[name] = counts.get(name, 0) + 1
        steps.append(Step(name, counts[name]))
        if name == until:
            break
    return steps


def _log(agent):
    return agent.folder / "checkpoints"
