# SPDX-License-Identifier: MIT
"""Machines under QEMU: a PC with a simulated GPIO chip, and a Raspberry Pi 3 B."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from machines.common import PATH, build, eventually
from machines.container import Layer
from machines.machine import Machine, suite_of


class Emulated(Machine):
    """A machine under QEMU; an agent in tests/lab/guest/root runs scripts from a serial line."""

    tty = ""  # its console; the agent is on ttyS1

    def boot(self, command, parameters, greeting):
        """Starts it for tests; with a greeting, for a person, whose terminal is ttyS1."""
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
            start_new_session=not greeting,
        )
        if greeting:
            return
        # Beside other work it would stand still for longer than contacts bounce. A session is a
        # scheduling group, and this gives it three times the weight of another: sched(7), autogroup.
        with suppress(OSError):
            Path(f"/proc/{self.process.pid}/autogroup").write_text("-5")
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
        script = f"export PATH={PATH}\n{script}\n".replace("\\", "\\\\").replace("\n", "\\n")
        self.agent.sendall(f"{seconds} {script}\n".encode())

    def run(self, script, seconds=60):
        seconds *= self.slow
        self.send(script, seconds)
        while not (answer := re.fullmatch(rb"status (\d+) (.*)", self.line(seconds + 60), re.S)):
            pass
        output = re.sub(rb"\\(.)", lambda c: b"\n" if c[1] == b"n" else c[1], answer[2])
        return int(answer[1]), output.decode(errors="replace")

    def remove(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def greet(root, greeting):
    """Logs root in on ttyS1, and shows the greeting."""
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
            # Writes go to a temporary file, which ends with the process.
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
        """The chip's device, whose number changes when the chip comes back."""
        return "/dev/" + self("basename $(readlink /run/chip)")

    def led(self):
        return self("cat /run/chip/sim_gpio17/value")

    def live(self, on):
        """Plugs the chip in, or unplugs it."""
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
        """Leaves the board as it booted for the first scenario: it cannot reboot with its state."""
        if not self.untouched:
            super().afresh()
        self.untouched = False

    def remove(self):
        super().remove()
        shutil.rmtree(self.root)
