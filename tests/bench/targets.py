# SPDX-License-Identifier: MIT
"""The lab's machines with what is measured and the floors that it is compared with."""

import os

from machines.common import build
from machines.container import Container
from machines.install import installed
from results import CHECK

XINETD, BARE, SHIPPED, LOOP, XINETD_NOOP = 5554, 6001, 6002, 6003, 6004
SOCAT, PYTHON = 6011, 6012

# Each floor is the least that does the job: a bare unit, the loop, and the service of xinetd/led
# with another program in it; and the shipped unit with a program that does nothing, for part
# steps. xinetd's LED is one of the kernel's class, imitated by files in memory: with the log for
# an LED, the log's daemon would compete for the processors before the answer.
FLOORS = f"""
gcc -O2 -o /usr/local/bin/noop /usr/src/led-socket/tests/bench/noop.c
cd /etc/systemd/system
printf '[Socket]\\nListenStream={BARE}\\nAccept=yes\\n' >bare.socket
printf '[Service]\\nExecStart=/usr/local/bin/noop\\n' >bare@.service
units=$(dirname $(systemctl show -P FragmentPath led.socket))
sed 's/=5555/={SHIPPED}/; /^Conflicts/d' $units/led.socket >shipped.socket
sed 's|^ExecStart=.*|ExecStart=/usr/local/bin/noop|' $units/led@.service >shipped@.service
printf '[Service]\\nExecStart=/usr/local/bin/noop {LOOP}\\n' >loop.service
mount -t tmpfs tmpfs /sys/class/leds
mkdir /sys/class/leds/bench
cd /sys/class/leds/bench
echo 0 >brightness; echo 1 >max_brightness; echo none >trigger; chmod 666 *
cd /etc/xinetd.d
sed 's/# Another LED: .*/env = LED=leds:bench/; s/= 5555/= {XINETD}/' \
    /usr/share/doc/led-socket/xinetd/led >led
sed -n '/^service led$/,/^}}/p' led | sed 's/^service led/service noop/; /server_args/d
    s/= {XINETD}/= {XINETD_NOOP}/; s|/usr/bin/led-handler|/usr/local/bin/noop|' >noop
systemctl daemon-reload
systemctl start bare.socket shipped.socket loop.service
"""


RUNNING = {}


def container(suite):
    """The one container that is running, with the floors in it."""
    if suite not in RUNNING:
        switch_off()
        below = layers("container", suite)
        go_first(True)
        RUNNING[suite] = pi = Container(*below)
        go_first(False)
        pi.afresh()
        pi(FLOORS)
    return RUNNING[suite]


def go_first(on):
    """Gives what is started from now on priority over other work, if that is permitted.

    A floor switches between processes twice, ours four times: waiting for other work at each
    switch would distort the ratio. nice(1) has no effect between sessions: sched(7), autogroup.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR if on else os.SCHED_OTHER, os.sched_param(int(on)))
    except PermissionError:
        pass


def switch_off():
    while RUNNING:
        RUNNING.popitem()[1].remove()


def layers(kind, suite):
    """The installation, and over it, unless in --check, the tools of the other measurements."""
    tools = [] if CHECK or suite != "trixie" else [build("bench", suite) / "upper"]
    return [*tools, *installed(kind, suite)]


def serve(pi, socket):
    """Makes led.socket or led-wait.socket serve port 5555, with led-line running."""
    pi("systemctl stop led.socket led-wait.socket led-line.service button.service;"
       f"systemctl start {socket} led-line.service")
