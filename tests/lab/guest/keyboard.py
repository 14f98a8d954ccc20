# SPDX-License-Identifier: MIT
"""In the virtual machine: a keyboard called NAME, as long as it runs.

Each line of standard input is a key's code and its value: 1 down, 0 up, 2 repeated.
"""

import os
import struct
import sys
from fcntl import ioctl

UI_DEV_CREATE, UI_SET_EVBIT, UI_SET_KEYBIT = 0x5501, 0x40045564, 0x40045565
EV_SYN, EV_KEY = 0, 1
KEYS = range(1, 256)
BUS_USB = 3

keyboard = os.open("/dev/uinput", os.O_WRONLY)
ioctl(keyboard, UI_SET_EVBIT, EV_KEY)
for key in KEYS:
    ioctl(keyboard, UI_SET_KEYBIT, key)
name = sys.argv[1].encode()
os.write(keyboard, struct.pack("80s4HI256i", name, BUS_USB, 1, 1, 1, 0, *[0] * 256))
ioctl(keyboard, UI_DEV_CREATE)
for line in sys.stdin:
    code, value = map(int, line.split())
    event = struct.pack("llHHi", 0, 0, EV_KEY, code, value)
    os.write(keyboard, event + struct.pack("llHHi", 0, 0, EV_SYN, 0, 0))
