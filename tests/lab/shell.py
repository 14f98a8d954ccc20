# SPDX-License-Identifier: MIT
"""The prompts of tests/lab/shell: shell.py KIND SUITE"""

import sys

from machines.common import NotBuilt, go_apart, is_apart, prepare
from machines.install import start_machine

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
        pi = start_machine(kind, suite)
        pi.afresh()
        print(HINTS[kind], flush=True)
        pi.shell()
        pi.remove()
    else:
        # The machine's console is the terminal; what to try stands in its greeting.
        pi = start_machine(kind, suite, greeting=HINTS[kind] + "\nCtrl-A X ends it.\n")
        pi.process.wait()


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
