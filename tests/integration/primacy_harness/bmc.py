"""A real IPMI device on loopback: ipmi_sim, with a chassis whose power is a process.

    with Bmc(folder) as bmc:
        bmc.powers(server.pid)          # any number of processes
        … bmc.address, bmc.port, bmc.user, bmc.password_file; always cipher suite 3 …
        bmc.stuck()

`chassis power off` kills the processes with SIGKILL; the power reads on while one of them lives.
"""

import shutil
import time
from pathlib import Path

from . import processes
from .polling import wait_until
from .ports import free_port, release_port
from .processes import Process
from .tools import find_tool, why_not

# The only suite that ipmi_sim and ipmitool agree on without waiting ten seconds.
CIPHER = 3

_CHASSIS = r"""#!/bin/sh
# chassis.sh MC get power boot | set power 0|1; the file fault names what is wrong with the device.
cd "$(dirname "$0")" || exit 1
fault=$(cat fault)
# "PID:START" each: a number that another process has meanwhile is not killed.
living() { for host in $(cat host.pid); do
        stat=$(sed 's/.*) //' "/proc/${host%:*}/stat" 2>/dev/null) || continue
        started=$(echo "$stat" | cut -d' ' -f20)
        case ${stat%% *} in Z | X) continue;; esac
        [ "$started" = "${host#*:}" ] && echo "${host%:*}"
    done; }
op=$2; shift 2
echo "$(date +%s.%N) $op $*" >>chassis.log
case $fault in slow) sleep "$(cat delay)";; esac
case $op in
get) for part in "$@"; do
        case $part in
        power) case $fault in
               lying) echo power:0;;
               *) if [ "$(living)" ]; then echo power:1; else echo power:0; fi;;
               esac;;
        boot) echo boot:default;;
        *) exit 1;;
        esac
     done;;
set) [ "$1" = power ] || exit 1
     case $fault in
     lying | stuck) ;;
     refusing) exit 1;;
     *) if [ "$2" = 0 ] && [ "$(living)" ]; then kill -9 $(living); fi;;
     esac;;
check) exit 1;;
esac
"""

_LAN = """name "{name}"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{folder}/chassis.sh 0x20"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

_EMULATION = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


class Bmc:
    """One device with one account. Its faults hold until healthy() or resume(). `prefix` is argv
    to run it under (a network namespace)."""

    def __init__(self, run_dir, *, name="bmc", address="127.0.0.1", user="fence",
                 password="s3cret-of-bmc", prefix=()):
        self.folder = Path(run_dir).resolve() / name
        self.name = name
        self.address = address
        self.prefix = list(prefix)
        self.port = free_port()
        self.user = user
        self.password = password
        self.password_file = self.folder / "password"
        self.log = self.folder / "ipmi_sim.log"
        self._process = None

    @staticmethod
    def why_not():
        """None when it can run here, else a sentence with the reason."""
        return why_not("ipmi_sim", "ipmitool")

    # --- life

    def start(self):
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        values = {"name": self.name, "address": self.address, "port": self.port,
                  "folder": self.folder, "user": self.user, "password": self.password}
        self._write("lan.conf", _LAN.format(**values))
        self._write("bmc.emu", _EMULATION)
        self._write("chassis.sh", _CHASSIS).chmod(0o755)
        self._write("password", self.password + "\n").chmod(0o600)
        if not (self.folder / "host.pid").exists():
            self._write("host.pid", "")
        self.healthy()
        self._process = Process([*self.prefix, find_tool("ipmi_sim"), "-n", "-p", "-c",
                                 self.folder / "lan.conf", "-f", self.folder / "bmc.emu", "-s",
                                 state], log=self.log)
        wait_until(self._answers, 20, "ipmi_sim to answer")
        return self

    def stop(self):
        """From now on the port refuses, as that of a BMC without power never does."""
        if self._process:
            self._process.kill()

    def close(self):
        self.stop()
        release_port(self.port)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        self.close()

    def powers(self, *pids):
        """The processes that live as long as the power is on; one that has ended needs none."""
        born = {pid: _started(pid) for pid in pids}
        self._write("host.pid", " ".join(f"{pid}:{ticks}" for pid, ticks in born.items() if ticks)
                    + "\n")

    def orders(self):
        """What the chassis was asked: "set power 0", "get power boot" … in order."""
        log = self.folder / "chassis.log"
        lines = log.read_text(encoding="ascii").splitlines() if log.exists() else []
        return [line.split(" ", 1)[1] for line in lines]

    def forget_orders(self):
        (self.folder / "chassis.log").unlink(missing_ok=True)

    def ipmitool(self, *words, cap=30):
        """Runs ipmitool against it, as a person would."""
        return processes.run([*self.prefix, find_tool("ipmitool"), "-I", "lanplus", "-C", CIPHER,
                              "-H", self.address, "-p", self.port, "-U", self.user, "-f",
                              self.password_file, "-N", "1", "-R", "1", *words], cap=cap)

    # --- faults

    def healthy(self):
        self._fault("none")

    def lying(self):
        """Says off, and the process lives."""
        self._fault("lying")

    def stuck(self):
        """Takes the order to power off, and the relay does not move."""
        self._fault("stuck")

    def refusing(self):
        """Answers the order to power off with an error."""
        self._fault("refusing")

    def slow(self, seconds):
        """Each answer about the power takes that long."""
        self._write("delay", str(seconds))
        self._fault("slow")

    def pause(self):
        """A silent BMC: it hears everything and answers nothing."""
        self._process.pause()

    def resume(self):
        self._process.resume()

    # --- inside

    def _answers(self):
        assert self._process.running(), f"ipmi_sim ended:\n{self._process.log_text()}"
        return "Chassis Power is" in self.ipmitool("chassis", "power", "status").stdout

    def _fault(self, word):
        self._write("fault", word)

    def _write(self, name, text):
        path = self.folder / name
        # Replaced as a whole: the chassis reads it at any time.
        fresh = self.folder / f".{name}.{time.monotonic_ns()}"
        fresh.write_text(text, encoding="ascii")
        fresh.rename(path)
        return path


def _started(pid):
    """When it was started, in the kernel's ticks: together with the number it is unique.
    None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[19]


def fence_ipmilan(folder):
    """The path of one that can be run: Debian's own, or a wrapper of the unpacked one."""
    program = find_tool("fence_ipmilan")
    if program is None or program.startswith("/usr/"):
        return program
    wrapper = Path(folder) / "fence_ipmilan"
    library = Path(program).parents[1] / "share" / "fence"
    wrapper.write_text(f"#!/bin/sh\nPYTHONPATH={library} exec /usr/bin/python3 {program} \"$@\"\n",
                       encoding="ascii")
    wrapper.chmod(0o755)
    return str(wrapper)


