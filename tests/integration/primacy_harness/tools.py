"""Where programs that are unpacked rather than installed (tools/deps.sh) are found."""

import os
import shutil

from .kinds import REPOSITORY

FOLDER = REPOSITORY / "build" / "tools" / "bin"


def find_tool(name):
    """Its real path, or None: the machine's own, else the one under build/tools/bin."""
    found = shutil.which(name) or shutil.which(name, path=str(FOLDER))
    return os.path.realpath(found) if found else None


def path_with_tools():
    """A PATH for programs that look for such tools themselves."""
    return f"{os.environ['PATH']}:{FOLDER}"


def why_not(*names):
    """None when all of them are there, else a sentence for a skip."""
    missing = [name for name in names if not find_tool(name)]
    return f"{', '.join(missing)} not found; run tools/deps.sh" if missing else None
