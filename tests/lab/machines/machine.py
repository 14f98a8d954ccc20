# SPDX-License-Identifier: MIT
"""What the lab's machines have in common.

A machine is called with a shell script, runs it as root, and returns what it printed.
"""

import re
import shlex

from machines.common import eventually


class Failed(AssertionError):
    """A script ended with a status that is not 0."""


def suite_of(layers):
    """The Debian release in a machine's layers, which are given top first."""
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
        """What a script prints, whatever its exit status."""
        return self.run(script, seconds)[1].strip()

    def wait_for(self, script, seconds=10):
        """Waits until a script succeeds."""
        status = said = None

        def succeeds():
            nonlocal status, said
            status, said = self.run(script)
            return status == 0

        try:
            eventually(succeeds, seconds * self.slow)
        except AssertionError:
            raise Failed(f"{script}\nended with {status} and\n{said}\nto the end") from None

    def ask(self, command="LED STATUS"):
        """Sends a command from the machine itself, and returns the answer.

        An emulated machine that shares its processors may take longer than 5 s to start led-line.
        Then the command was not carried out, and is sent again, once."""
        send = f"echo {shlex.quote(command)} | timeout 20 nc pi 5555"
        answer = self.says(send)
        if answer == "ERR too late":
            print(f"# {command}: was too late once", flush=True)
            answer = self.says(send)
        return answer

    def status(self, unit):
        """What systemctl status shows in its Status: line."""
        return self(f"systemctl show -P StatusText {unit}")

    def property(self, unit, name):
        return self(f"systemctl show -P {name} {unit}")

    def cursor(self):
        """Marks the journal's end: journal() returns the lines after it."""
        self.mark = self("journalctl --sync; journalctl -n 0 --show-cursor").split("cursor: ")[1]

    def journal(self):
        """The lines since cursor(), as journalctl shows them, without date and host."""
        mark = shlex.quote(self.mark)
        text = self(f"journalctl --sync; journalctl -q --after-cursor={mark} -o short")
        return [re.sub(r"^\w+ +\d+ [\d:]+ \S+ ", "", line) for line in text.splitlines()]

    def afresh(self):
        """Resets the machine for the next scenario: nothing enabled, nothing running."""
        ours = (
            "led.socket led-wait.socket led-line.socket led-line.service led-tls.socket"
            " led-tls.service button.service button-tls.service led-mqtt.service led-mqtt.socket"
            " led-web.socket led-web.service"
        )
        self.says(
            f"systemctl stop {ours} mosquitto xinetd 'led@*' 'button@*'; pkill -x led-line;"
            f"systemctl disable -q --no-reload {ours};"
            # They have init scripts too: to disable one takes an emulated machine ten seconds.
            "for unit in mosquitto xinetd; do compgen -G \"/etc/rc3.d/S*$unit\" &&"
            " systemctl disable -q --no-reload $unit; done;"
            "rm -rf /etc/systemd/system/{led,button}*.d /etc/systemd/system/*.wants/button@*"
            " /etc/xinetd.d/led /var/lib/led/* /etc/button/* /etc/led/* /etc/default/led-{tls,mqtt,web}"
            " /etc/mosquitto/conf.d/led.conf;"
            f"printf '{self.led_default}' >/etc/default/led;"
            f"printf '{self.button_default}' >/etc/default/button;"
            "systemctl daemon-reload; systemctl reset-failed"
        )
        self.cursor()

    led_default = button_default = mark = ""

    def last_words(self):
        """The journal's last lines, which may explain a failure."""
        since = f"--after-cursor='{self.mark}'" if self.mark else "-b"
        # With a cursor, -n would print the first lines.
        return self.says(f"journalctl -q {since} -o short-monotonic | tail -n 40") + "\n"

    def processes(self):
        return self.says("pgrep -a '^(led-|button)'")
