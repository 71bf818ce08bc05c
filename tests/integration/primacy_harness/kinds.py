"""The server versions that tests run against: the machine's own MariaDB, and others in folders.

A kind knows how to make an empty data directory (once per version, kept as a template) and how to
word a server's command line; it knows nothing of replication or of a running server.
"""

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import processes

REPOSITORY = Path(__file__).resolve().parents[3]
ROOTS = Path(os.environ.get("PRIMACY_ROOTS", REPOSITORY / "build" / "roots"))
CACHE = Path(os.environ.get("PRIMACY_TEST_CACHE", REPOSITORY / "build" / "test-cache"))
MAKE_ROOTS = REPOSITORY / "tests" / "tools" / "make_roots.sh"

# Mounts the server's own folder at the same path inside the chroot, in a mount namespace that ends
# with the server: nothing to unmount, and paths are the same on both sides.
_ENTER_ROOT = """
root=$1 shared=$2; shift 2
mkdir -p "$root$shared" && mount --bind "$shared" "$root$shared" || exit 125
export HOME=/ PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
exec chroot "$root" "$@"
"""


class Kind:
    """One server version. `root` is the folder to chroot into, None for the machine's own."""

    def __init__(self, name, flavor, program, root=None):
        self.name = name
        self.flavor = flavor  # "mariadb" | "mysql"
        self.program = program
        self.root = root

    def __repr__(self):
        return f"Kind({self.name})"

    @property
    def is_mysql(self):
        return self.flavor == "mysql"

    def command(self, argv, shared):
        """argv as this kind runs it; `shared` is the folder that it must see."""
        if self.root is None:
            return list(argv)
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER_ROOT, "sh",
                str(self.root), str(shared), *argv]

    def why_not(self):
        """None when servers of this kind can run here, else a sentence with the reason.

        Makes the folder when it is missing and can be made.
        """
        return _why_not(self)

    def version_text(self):
        argv = self.command([self.program, "--version"], "/tmp")
        return processes.run(argv).stdout.strip()

    def template(self):
        """An initialised data directory of this version, made at most once per user."""
        CACHE.mkdir(parents=True, exist_ok=True)
        version = "".join(c if c.isalnum() or c in ".-" else "_" for c in _short_version(self))
        ready = CACHE / f"{self.name}-{version}-uid{os.getuid()}"
        with open(CACHE / ".lock", "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                building = Path(tempfile.mkdtemp(prefix=".building-", dir=CACHE))
                try:
                    self._initialise(building)
                    (building / "data").rename(ready)
                finally:
                    shutil.rmtree(building, ignore_errors=True)
        return ready

    def new_data_directory(self, target):
        """Copies the template; `target` must not exist."""
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.template()), str(target)],
                       check=True, timeout=120)
        # MySQL's server_uuid must differ between servers; it makes a new one when there is none.
        (Path(target) / "auto.cnf").unlink(missing_ok=True)

    def _initialise(self, shared):
        data = shared / "data"
        user = ["--user=root"] if os.getuid() == 0 else []
        if self.is_mysql:
            argv = [self.program, "--no-defaults", "--initialize-insecure", f"--datadir={data}",
                    *user]
        else:
            # --force: in a chroot the host's own name cannot be resolved.
            argv = ["mariadb-install-db", "--no-defaults", "--force", f"--datadir={data}",
                    "--auth-root-authentication-method=normal", "--skip-test-db",
                    "--innodb-log-file-size=8M", *user]
        done = processes.run(self.command(argv, shared), cap=120)
        if done.returncode != 0 or not data.is_dir():
            raise RuntimeError(f"cannot make a {self.name} data directory: exit {done.returncode}\n"
                               f"{done.stdout[-2000:]}{done.stderr[-2000:]}")


@functools.lru_cache(maxsize=None)
def _short_version(kind):
    words = kind.version_text().split()
    return words[words.index("Ver") + 1] if "Ver" in words else "unknown"


@functools.lru_cache(maxsize=None)
def _why_not(kind):
    if not shutil.which("setpriv"):
        return "setpriv (util-linux) is not installed"
    if kind.root is None:
        if not shutil.which(kind.program):
            return f"{kind.program} is not installed"
        return None
    if os.getuid() != 0:
        return f"{kind.name} lives in a chroot, which needs root"
    made = processes.run([MAKE_ROOTS, kind.root.name], cap=1800)
    if made.returncode != 0:
        lines = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        return f"{kind.name}: {lines[-1]}"
    probe = processes.run(kind.command([kind.program, "--version"], "/tmp"))
    if probe.returncode != 0:
        return f"{kind.name} does not start in {kind.root.name}: {probe.stderr.strip()[-200:]}"
    return None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("mariadb", "mariadb", "mariadbd"),
        Kind("mariadb-11.8", "mariadb", "mariadbd", ROOTS / "trixie-mariadb"),
        Kind("mysql-9.7", "mysql", "mysqld", ROOTS / "sid-mysql"),
    )
}
