# SPDX-License-Identifier: MIT
"""The machines of the lab, each with README.md's installation behind it.

A machine is called with a shell script, runs it as root, and returns what it printed.
"""

import base64
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

LAB = Path(__file__).resolve().parent
SOURCE = LAB.parents[1]
SOURCES = "meson.build meson_options.txt src hal units xinetd man tests".split()
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ADDRESS = "192.168.55.2"  # the machine, for those in the street
STREET = "192.168.55.1"
NEIGHBOUR = "192.168.55.3"  # another one in the street


class NotBuilt(RuntimeError):
    """tests/lab/build could not make something."""

    def __init__(self, arguments):
        super().__init__(f"tests/lab/build {' '.join(map(str, arguments))} failed")
        self.ours = arguments[0] == "packages"


class Failed(AssertionError):
    """A script ended with a status that is not 0."""


def eventually(condition, seconds=10, every=0.05):
    """Waits for a condition; returns its value, or fails when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("did not come true in time")
        time.sleep(every)


def build(*arguments):
    """What tests/lab/build makes, or has in its cache."""
    run = subprocess.run([LAB / "build", *arguments], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        raise NotBuilt(arguments)
    return Path(run.stdout.strip())


def prepare(machines, *more):
    """Has everything built that takes a network, for machines, each a kind and a suite.

    more: trees that are wanted of each suite too.
    """
    suites = sorted({suite for _, suite in machines})
    trees = [(what, suite) for what in ("tree", *more) for suite in suites]
    others = [("tools", suite, "amd64") for suite in suites]
    others += [("kernel", suite) for kind, suite in machines if kind == "vm"]
    if ("pi3", "trixie") in machines:
        others += [("pi3",), ("tools", "trixie", "arm64")]
    packages = [("packages", *what[1:]) for what in others if what[0] == "tools"]
    with ThreadPoolExecutor(2) as pool:
        for what in trees, others, packages:
            list(pool.map(lambda arguments: build(*arguments), what))


def is_apart():
    """Whether this program is where a machine can be made."""
    return os.environ.get("LAB") == "1"


def go_apart():
    """Begins this program again, where it has no network, and what it makes ends with it."""
    os.environ["LAB"] = "1"
    apart = LAB / "apart"
    os.execv(apart, [apart, sys.executable, *sys.argv])


def street(script, seconds=30):
    """Runs a script beside the machine, in the network that it is in."""
    run = subprocess.run(
        ["timeout", str(seconds), "bash", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.stdout


def suite_of(layers):
    """The Debian that layers of folders are, top first."""
    text = (layers[-1] / "etc/os-release").read_text()
    return re.search(r"VERSION_CODENAME=(\w+)", text)[1]


class Machine:
    slow = 1  # how many times slower than this machine

    def __call__(self, script, seconds=60):
        status, output = self.run(script, seconds)
        if status != 0:
            raise Failed(f"{script}\nended with {status} and\n{output}")
        return output.strip()

    def says(self, script, seconds=60):
        """What a script prints, however it ends."""
        return self.run(script, seconds)[1].strip()

    def wait_for(self, script, seconds=10):
        """Waits until a script succeeds."""
        try:
            eventually(lambda: self.run(script)[0] == 0, seconds * self.slow)
        except AssertionError:
            raise AssertionError(f"did not come true: {script}") from None

    def ask(self, command="LED STATUS"):
        """A user on the machine itself."""
        return self.says(f"echo {shlex.quote(command)} | timeout 20 nc pi 5555")

    def status(self, unit):
        """What systemctl status shows in its Status: line."""
        return self(f"systemctl show -P StatusText {unit}")

    def property(self, unit, name):
        return self(f"systemctl show -P {name} {unit}")

    def cursor(self):
        """The place in the journal up to which everything is known."""
        self("journalctl --sync")
        self.mark = self("journalctl -n 0 --show-cursor").split("cursor: ")[1]

    def journal(self):
        """The lines since cursor(), as a person sees them, without the date."""
        self("journalctl --sync")
        text = self(f"journalctl -q --after-cursor={shlex.quote(self.mark)} -o short")
        return [re.sub(r"^\w+ +\d+ [\d:]+ \S+ ", "", line) for line in text.splitlines()]

    def afresh(self):
        """As it was after the installation: nothing enabled, nothing running."""
        self.says(
            "systemctl disable -q --now --no-reload led.socket led-wait.socket led-line.socket"
            " led-line.service button.service xinetd 2>/dev/null; systemctl stop 'led@*';"
            # Debian 12 disables an init script and leaves what it has started.
            "systemctl stop xinetd 2>/dev/null; pkill -x led-line;"
            "rm -rf /etc/systemd/system/{led,button}*.d /etc/xinetd.d/led /var/lib/led/*;"
            f"printf '{self.led_default}' >/etc/default/led;"
            f"printf '{self.button_default}' >/etc/default/button;"
            "systemctl daemon-reload; systemctl reset-failed"
        )
        self.cursor()

    led_default = button_default = mark = ""

    def last_words(self):
        """What may explain a failure."""
        since = f"--after-cursor='{self.mark}'" if self.mark else "-b"
        return self.says(f"journalctl -q {since} -n 40 -o short-monotonic") + "\n"

    def processes(self):
        return self.says("pgrep -a '^(led-|button)'")


# --- a container ------------------------------------------------------------------------


class Layer:
    """A folder over other folders, gone with its object."""

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

    # Without these, systemd cannot enforce IPAddressAllow=, and goes on without it.
    WITH_BPF = ["--capability=CAP_BPF,CAP_NET_ADMIN,CAP_SYS_ADMIN", "--system-call-filter=bpf"]

    led_default = "LED=log\\n"
    button_default = "BUTTON=fifo:/run/button/press\\n"

    def __init__(self, *lower, command=(), bpf=True):
        self.lower = lower
        self.suite = suite_of(lower)
        self.bpf = bpf
        self.layer = Layer(*lower)
        self.root = self.layer.root
        self.command = ["--as-pid2", *command] if command else ["--boot"]
        self.start()

    def start(self):
        self.console = open(self.layer.folder / "console", "ab")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "-D", self.root, "-M", "pi", "--register=no"]
            + ["--keep-unit", "--network-veth", "--resolv-conf=off", "--timezone=off"]
            + (self.WITH_BPF if self.bpf else [])
            + ["--console=pipe", "--link-journal=no", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=self.console,
            stderr=self.console,
        )
        self.leader = eventually(self._leader)
        street(
            f"ip addr replace {STREET}/24 dev ve-pi; ip link set ve-pi up;"
            f"ip addr replace {NEIGHBOUR}/24 dev ve-pi;"
            "ip addr replace 203.0.113.1/24 dev ve-pi"
        )
        self.run(
            f"ip addr replace {ADDRESS}/24 dev host0; ip link set host0 up; ip link set lo up;"
            "ip addr replace 203.0.113.2/24 dev host0"
        )
        if self.command == ["--boot"]:
            self.wait_for("systemctl is-system-running | grep -qE 'running|degraded'", 30)

    def _leader(self):
        assert self.process.poll() is None, "the container ended"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid"):
                    continue
                # Its root is in place when it is no longer nspawn itself.
                if Path(f"/proc/{pid}/comm").read_text().strip() != "systemd-nspawn":
                    return pid
            except OSError:
                pass
        return None

    def run(self, script, seconds=60):
        run = subprocess.run(
            ["nsenter", "-t", self.leader, "-a", "env", "-i", f"PATH={PATH}", "HOME=/root"]
            + ["timeout", str(seconds), "bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return run.returncode, run.stdout

    def reboot(self):
        """Off and on again, as people do it."""
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
        """A person at the machine."""
        subprocess.run(
            ["nsenter", "-t", self.leader, "-a", "env", "-i", f"PATH={PATH}", "HOME=/root"]
            + [f"TERM={os.environ.get('TERM', 'dumb')}", "bash", "-l"],
            cwd="/",
        )


@contextmanager
def another(pi, *lower, **options):
    """A container of its own, in the place of pi: they have the same address."""
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


# --- emulated machines ------------------------------------------------------------------


class Emulated(Machine):
    """A machine under QEMU that takes orders on a serial line: tests/lab/guest."""

    tty = ""  # its console; the orders come on ttyS1

    def boot(self, command, parameters, greeting):
        """Starts it, for tests, or with a greeting for a person, who is on the orders' line."""
        self.folder = Path(tempfile.mkdtemp(prefix="led-vm."))
        self.console = self.folder / "console"
        agent = self.folder / "agent"
        if greeting:
            parameters += " console=ttyS1,115200 systemd.mask=lab-agent@ttyS1.service"
            line = ["-serial", "mon:stdio"]
        else:
            parameters += f" console={self.tty},115200 systemd.show_status=0"
            line = ["-chardev", f"socket,id=agent,path={agent},server=on,wait=off"]
            line += ["-serial", "chardev:agent"]
        self.process = subprocess.Popen(
            command
            + ["-append", f"{parameters} quiet mitigations=off"]
            + ["-display", "none", "-monitor", "none", "-no-user-config"]
            + ["-serial", f"file:{self.console}", *line],
            stdin=None if greeting else subprocess.DEVNULL,
        )
        if greeting:
            return
        eventually(agent.exists)
        self.agent = socket.socket(socket.AF_UNIX)
        eventually(lambda: self.agent.connect_ex(str(agent)) == 0)
        self.buffer = b""
        self.wait_for_agent()

    def line(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            self.agent.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                data = self.agent.recv(65536)
            except TimeoutError:
                data = b""
            if not data:
                tail = self.console.read_text(errors="replace")[-2000:]
                raise AssertionError(f"the machine does not answer; its console:\n{tail}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.strip(b"\r\0")

    def wait_for_agent(self):
        # The board's serial port may say something of its own before.
        while not self.line(400).endswith(b"ready"):
            pass

    def send(self, script, seconds):
        script = f"export PATH={PATH}\n{script}"
        timed = f"timeout {seconds} bash -c {shlex.quote(script)}"
        self.agent.sendall(base64.b64encode(timed.encode()) + b"\n")

    def run(self, script, seconds=60):
        seconds *= self.slow
        self.send(script, seconds)
        while not re.fullmatch(rb"\d+ \S*", line := self.line(seconds + 60)):
            pass
        status, output = line.split(b" ", 1)
        return int(status), base64.b64decode(output).decode(errors="replace")

    def remove(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def greet(root, greeting):
    """Has a console log root in, and say what there is to do."""
    if not greeting:
        return
    (root / "etc/motd").write_text(greeting)
    folder = root / "etc/systemd/system/serial-getty@ttyS1.service.d"
    folder.mkdir(parents=True)
    (folder / "login.conf").write_text(
        "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root - $TERM\n"
    )


class VM(Emulated):
    """A PC whose kernel has gpio-sim, looking like a Raspberry Pi's chip."""

    slow = 6
    tty = "ttyS0"

    def __init__(self, *lower, greeting=""):
        self.suite = suite_of(lower)
        kernel = build("kernel", self.suite)
        self.layer = Layer(*lower)
        greet(self.layer.root, greeting)
        disk = self.layer.folder / "disk"
        build("disk", self.layer.root, kernel, disk)
        self.boot(
            ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi,tb-size=512"]
            + ["-cpu", "max", "-smp", "2", "-m", "1G", "-nodefaults", "-nic", "none"]
            + ["-kernel", kernel / "vmlinuz", "-initrd", kernel / "initrd"]
            # Every sector that is written goes to a file in TMPDIR, gone with the process.
            + ["-drive", f"file={disk},if=virtio,format=raw,snapshot=on"],
            "panic=-1",
            greeting,
        )

    def reboot(self):
        self.send("systemctl reboot", 60)
        self.wait_for_agent()  # whether or not it still came to answer

    def remove(self):
        super().remove()
        self.layer.remove()

    def chip(self):
        """Its device: a new one may have another number than the one before it."""
        return "/dev/" + self("basename $(readlink /run/chip)")

    def led(self):
        return self("cat /run/chip/sim_gpio17/value")

    def live(self, on):
        """Plugs the chip in, or takes it away."""
        self(f"echo {int(on)} >/sys/kernel/config/gpio-sim/pi/live")
        if on:
            self("ln -sfn /sys/devices/platform/$(cat /sys/kernel/config/gpio-sim/pi/dev_name)/"
                 "$(cat /sys/kernel/config/gpio-sim/pi/bank0/chip_name) /run/chip")


class Pi3(Emulated):
    """A Raspberry Pi 3 B: the real driver on an emulated BCM2837. No disk, no network."""

    slow = 6
    tty = "ttyAMA0"

    def __init__(self, installed, greeting=""):
        base = build("pi3")
        greet(installed, greeting)
        self.root = Path(tempfile.mkdtemp(prefix="led-pi3."))
        image, extra = self.root / "root.cpio.gz", self.root / "extra.cpio.gz"
        build("pack", installed, extra)
        # One archive behind the other makes one root file system.
        with open(image, "wb") as out:
            for part in (base / "root.cpio.gz", extra):
                out.write(part.read_bytes())
        self.boot(
            ["qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=multi"]
            + ["-kernel", base / "vmlinuz", "-dtb", base / "bcm2837-rpi-3-b.dtb"]
            + ["-initrd", image, "-no-reboot"],
            "rdinit=/init",
            greeting,
        )
        self.untouched = True

    def afresh(self):
        """The first scenario has the board as it booted, for it forgets at a reboot."""
        if not self.untouched:
            super().afresh()
        self.untouched = False

    def remove(self):
        super().remove()
        shutil.rmtree(self.root)


# --- the installation -------------------------------------------------------------------


def readme(title):
    """The commands of a section of README.md."""
    text = (SOURCE / "README.md").read_text()
    section = re.search(rf"^#+ {title}$(.*?)(?:^#|\Z)", text, re.M | re.S)[1]
    return re.findall(r"^    (.*)$", section, re.M)


INSTALLED = {}


def installed(kind, suite):
    """What a machine of a kind is made of: layers with the installation on top."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    key = "pi3" if kind == "pi3" else suite
    if key not in INSTALLED:
        INSTALLED[key] = [install_arm64()] if kind == "pi3" else install(suite)
    return INSTALLED[key]


def machine(kind, suite, **options):
    """A running machine of a kind, with the installation behind it."""
    return {"container": Container, "vm": VM, "pi3": Pi3}[kind](*installed(kind, suite), **options)


HINTS = {
    "container": """
  systemctl enable --now led.socket button.service
  echo "LED ON" | nc pi 5555
  echo 0 >/run/button/press      presses the button
  journalctl -f                  shows the LED
""",
    "vm": """
  systemctl enable --now led.socket button.service
  echo "LED ON" | nc pi 5555
  cat /run/chip/sim_gpio17/value           the LED
  cd /run/chip/sim_gpio4                   the button:
  echo pull-down >pull; echo pull-up >pull   a press
""",
    "pi3": """
  systemctl enable --now led.socket
  echo "LED ON" | nc pi 5555
  grep '^pin 17 ' /sys/kernel/debug/pinctrl/*/pins
""",
}


def shell(kind, suite):
    """A person at a machine."""
    if kind == "container":
        pi = machine(kind, suite)
        pi.afresh()
        print(HINTS[kind], flush=True)
        pi.shell()
        pi.remove()
    else:
        # The machine's console is the terminal; what to try stands in its greeting.
        pi = machine(kind, suite, greeting=HINTS[kind] + "\nCtrl-A X ends it.\n")
        pi.process.wait()


def packages(suite, arch):
    """The packages of this checkout, without those for debuggers."""
    files = sorted(build("packages", suite, arch).glob("*.deb"))
    return [file for file in files if "-dbgsym" not in file.name]


def install_arm64():
    """The packages for a board that is too slow to install them: what they add to its files."""
    installed = Path(tempfile.mkdtemp(prefix="led-arm64."))
    for package in packages("trixie", "arm64"):
        subprocess.run(["dpkg-deb", "-x", package, installed], check=True)
    # What they do when they are installed: the button comes with the boot.
    wants = installed / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "button.service").symlink_to("/usr/lib/systemd/system/button.service")
    return installed


def copy(files, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        subprocess.run(["cp", "-r", file, folder], check=True)


def bring(root, suite):
    """The packages, as a user has downloaded them, and the next version of them."""
    files = packages(suite, "amd64")
    copy(files, root / "usr/src/packages")
    next_version(files, root / "usr/src/next")


def next_version(files, folder):
    """The same packages with a higher version: other units, other settings."""
    folder.mkdir(parents=True)
    for file in files:
        with tempfile.TemporaryDirectory() as tree:
            subprocess.run(["dpkg-deb", "-R", file, tree], check=True)
            for path in Path(tree).rglob("*"):
                if path.parent.name in ("system", "default") and path.is_file():
                    path.write_text(path.read_text() + "# next\n")
            control = Path(tree) / "DEBIAN/control"
            control.write_text(re.sub(r"(Version: .*)", r"\1+next", control.read_text()))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, folder],
                           stdout=subprocess.DEVNULL, check=True)


def install(suite):
    """A machine on which a user did what README.md says. Returns its layers, top first."""
    tree = build("tree", suite)
    pi = Container(tree)
    bring(pi.root, suite)
    for command in readme("Install"):
        pi(f"cd /usr/src/packages && {command}", 300)
    # And the programs as they are when an attacker has got in: attack.c
    copy([SOURCE / name for name in SOURCES], pi.root / "usr/src/led-socket")
    pi("cd /usr/src/led-socket && meson setup attack -Dattack=true -Dtests=false &&"
       " ninja -C attack", 300)
    pi.off()
    subprocess.run(["umount", pi.root], check=True)
    return [pi.layer.upper, tree]


if __name__ == "__main__":
    wanted = sys.argv[1], sys.argv[2]
    if not is_apart():
        print("One moment; the first time, some minutes...", flush=True)
        try:
            prepare({wanted})
        except NotBuilt as why:
            sys.exit(str(why))
        go_apart()
    shell(*wanted)
