# SPDX-License-Identifier: MIT
"""The service on a Raspberry Pi 3 B, with the real driver."""

import time

from machines.common import eventually
from scenarios import scenario


PINS = "/sys/kernel/debug/pinctrl/3f200000.gpio-pinctrl-bcm2835/pins"


def pin(pi, state):
    text = pi(f"grep '^pin 17 ' {PINS}")
    assert state in text.replace(" in ", " "), text  # "gpio_out in hi" on some kernels


@scenario("pi3", "button.service is up after boot, and holds GPIO_GCLK with its pull-up")
def button(pi):
    assert "Raspberry Pi 3 Model B" in pi("tr -d '\\0' </proc/device-tree/model")
    assert pi("systemctl is-active button.service") == "active"
    line = pi("gpioinfo | grep -w GPIO_GCLK")
    assert "led-socket" in line and "pull-up" in line and "active-low" in line, line


@scenario("pi3", "LED ON: pin 17 goes high and stays high")
def led(pi):
    pi("systemctl enable --now led.socket")
    assert pi.ask("LED ON") == "OK LED ON"
    pi.wait_for("! pgrep led-handler")
    pin(pi, "gpio_out hi")
    time.sleep(10)
    pin(pi, "gpio_out hi")
    assert pi.ask("LED OFF") == "OK LED OFF"
    pin(pi, "gpio_out lo")

    # led-handler confines itself on this architecture, too.
    pi("(for i in 1 2 3 4 5 6; do printf L; sleep 0.7; done) | nc pi 5555 >/dev/null &"
       " until grep -qs '^Seccomp:.*2' /proc/$(pgrep -o led-handler)/status; do sleep 0.1; done", 20)

    # After a kill or a restart the LED is as before.
    for command, state in (("LED ON", "gpio_out hi"), ("LED OFF", "gpio_out lo")):
        assert pi.ask(command) == "OK " + command
        for how in ("kill -s KILL", "restart"):
            before = pi.property("led-line", "MainPID")
            pi(f"systemctl {how} led-line")
            eventually(lambda: pi.property("led-line", "MainPID") not in ("0", before), 60)
            pin(pi, state)
            assert pi.ask() == "OK " + command
    # After a stop the line is free: led-line(8).
    assert pi.ask("LED ON") == "OK LED ON"
    pi("systemctl stop led-line")
    pin(pi, "gpio_in")


@scenario("pi3", "man led-handler; memory and time of one command")
def figures(pi):
    assert "led-handler" in pi("man led-handler | cat")
    pi("systemctl enable --now led.socket")
    assert pi.ask("LED ON") == "OK LED ON"
    pi("for i in 1 2 3; do echo LED STATUS | nc pi 5555; done")
    took = pi("t=$(date +%s%N); for i in 1 2 3 4 5 6 7 8 9 10; do"
              " echo LED STATUS | nc pi 5555; done >/dev/null; echo $((($(date +%s%N) - t) / 10000000))")
    pss = pi("grep ^Pss: /proc/$(pgrep led-line)/smaps_rollup")
    print(f"# one command through led.socket, nc included: {took} ms on the emulated board")
    print(f"# led-line: {pss}")
    assert int(took) < 20000
