# SPDX-License-Identifier: MIT
"""In the virtual machine, with the LED lit: prints for how many milliseconds it is dark when
systemctl HOW... led-line ends the process that holds the line.
"""

import os
import subprocess
import sys
import time

LED = os.open("/run/chip/sim_gpio17/value", os.O_RDONLY)


def wait_for(value, seconds):
    deadline = time.monotonic() + seconds
    while os.pread(LED, 1, 0) != value and time.monotonic() < deadline:
        pass
    return time.monotonic()


process = subprocess.Popen(["systemctl", *" ".join(sys.argv[1:]).split(), "led-line"])
dark = wait_for(b"0", 10)
light = wait_for(b"1", 10)
process.wait()
print(f"{(light - dark) * 1000:.0f}")
