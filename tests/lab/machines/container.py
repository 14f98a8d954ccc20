# SPDX-License-Identifier: MIT
"""A Debian in systemd-nspawn, and the network that it shares with its clients: the street."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from machines.common import PATH, eventually
from machines.machine import Machine, suite_of

ADDRESS = "192.168.55.2"  # the machine, for those in the street
STREET = "192.168.55.1"
NEIGHBOUR = "192.168.55.3"  # another one in the street
SECOND = "192.168.56.2"  # a second machine, which the street connects with the first


def street(script, seconds=30):
    """Runs a script outside the machine, in the same network, and returns what it printed."""
    run = subprocess.run(
        ["timeout", str(seconds), "bash", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.stdout


class Layer:
    """An overlay over other folders; remove() deletes it and its changes."""

    def __init__(self, *lower):
        self.folder = Path(tempfile.mkdtemp(prefix="led-lab."))
        self.upper, self.root = self.folder / "upper", self.folder / "root"
        for path in (self.upper, self.root, self.folder / "work"):
            path.mkdir()
        lowers = ":".join(str(path) for path in lower)
        options = f"lowerdir={lowers},upperdir={self.upper},workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "none", self.root], check=True)

    def remove(self):
        subprocess.run(["umount", self.root], check=True)
        shutil.rmtree(self.folder)


class Container(Machine):
    """systemd in a container, at this machine's speed. There is no GPIO."""

    # Without these, systemd cannot enforce IPAddressAllow= and starts units all the same.
    WITH_BPF = ["--capability=CAP_BPF,CAP_NET_ADMIN,CAP_SYS_ADMIN", "--system-call-filter=bpf"]

    led_default = "LED=log\\n"
    button_default = "BUTTON=fifo:/run/button/press\\n"

    def __init__(self, *lower, command=(), bpf=True, second=False):
        self.lower = lower
        self.name, self.address = ("pi2", SECOND) if second else ("pi", ADDRESS)
        self.suite = suite_of(lower)
        self.bpf = bpf
        self.layer = Layer(*lower)
        self.root = self.layer.root
        self.command = ["--as-pid2", *command] if command else ["--boot"]
        if second:
            (self.root / "etc/hostname").write_text(f"{self.name}\n")
            (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} pi\n")
        self.start()

    def start(self):
        self.console = open(self.layer.folder / "console", "ab")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "-D", self.root, "-M", self.name, "--register=no"]
            + ["--keep-unit", "--network-veth", "--resolv-conf=off", "--timezone=off"]
            + (self.WITH_BPF if self.bpf else [])
            + ["--console=pipe", "--link-journal=no", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=self.console,
            stderr=self.console,
        )
        self.leader = eventually(self._leader)
        gate = self.address.rpartition(".")[0] + ".1"
        street(f"ip addr replace {gate}/24 dev ve-{self.name}; ip link set ve-{self.name} up")
        self.run(
            f"ip addr replace {self.address}/24 dev host0; ip link set host0 up; ip link set lo up;"
            f"ip route replace 192.168.0.0/16 via {gate}"
        )
        if self.name == "pi":
            street(f"ip addr replace {NEIGHBOUR}/24 dev ve-pi; ip addr replace 203.0.113.1/24 dev ve-pi")
            self.run("ip addr replace 203.0.113.2/24 dev host0")
        else:
            street("sysctl -q net.ipv4.ip_forward=1")
        if self.command == ["--boot"]:
            self.wait_for("systemctl is-system-running | grep -qE 'running|degraded'", 30)

    def _leader(self):
        if self.process.poll() is not None:
            said = (self.layer.folder / "console").read_text(errors="replace")[-2000:]
            raise AssertionError(f"the container ended; its console:\n{said}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid"):
                    continue
                # While it is still nspawn itself, its root is not in place.
                if Path(f"/proc/{pid}/comm").read_text().strip() != "systemd-nspawn":
                    return pid
            except OSError:
                pass
        return None

    def run(self, script, seconds=60):
        run = subprocess.run(
            ["nsenter", "-t", self.leader, "-a", "env", "-i", f"PATH={PATH}", "HOME=/root"]
            + ["timeout", str(3 * seconds), "bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return run.returncode, run.stdout

    def reboot(self):
        """Shuts it down and starts it again."""
        self.off("reboot")
        self.start()

    def off(self, how="poweroff"):
        if self.process.poll() is None:
            if self.command == ["--boot"]:
                self.run(f"systemctl {how}")
            else:
                self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.console.close()

    def remove(self):
        self.off()
        self.layer.remove()

    def shell(self):
        """Gives the terminal a root shell on the machine."""
        subprocess.run(
            ["nsenter", "-t", self.leader, "-a", "env", "-i", f"PATH={PATH}", "HOME=/root"]
            + [f"TERM={os.environ.get('TERM', 'dumb')}", "bash", "-l"],
            cwd="/",
        )


@contextmanager
def another(pi, *lower, **options):
    """A second container; pi is off meanwhile, because both have the same address."""
    pi.off()
    try:
        other = Container(*lower, **options)
        try:
            yield other
        except Exception as why:
            raise AssertionError(f"{why}\n{other.last_words()}") from None
        finally:
            other.remove()
    finally:
        pi.start()


@contextmanager
def second(pi):
    """A second machine beside pi, with the same installed."""
    other = Container(*pi.lower, second=True)
    try:
        other.afresh()
        yield other
    except Exception as why:
        raise AssertionError(f"{why}\n{other.last_words()}") from None
    finally:
        other.remove()
