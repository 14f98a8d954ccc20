# SPDX-License-Identifier: MIT
"""The service on a kernel with a GPIO chip, watching the lines themselves."""

import os
import random
import re
import time

from machines.common import LAB, eventually
from machines.install import section
from scenarios import Skip, scenario

GPIO = "/sys/kernel/tracing/events/gpio/enable"
TRACE = "/sys/kernel/tracing/trace"


def guest(pi, name, *arguments, seconds=100):
    """Runs tests/lab/guest/NAME.py in the machine."""
    code = (LAB / f"guest/{name}.py").read_text()
    return pi(f"python3 - {' '.join(map(str, arguments))} <<'END'\n{code}\nEND", seconds)


def trace(pi):
    """Starts to record what happens to GPIO lines."""
    pi(f"echo 1 >{GPIO}; echo >{TRACE}")


def traced(pi, *lines):
    """What has happened to these lines, or the LED's: "0" and "1" when one was set, other events
    as words."""
    text = pi(f"grep -v '^#' {TRACE}; echo 0 >{GPIO}")
    base = int(pi("cat /sys/class/gpio/gpiochip*/base 2>/dev/null | head -n 1; :") or -1)
    events = []
    for kind, line, rest in re.findall(r"gpio_(value|direction): (\d+) +(.*)", text):
        if base >= 0 and int(line) - base not in (lines or (17,)):
            continue
        if kind == "direction":
            events.append(rest)
        elif rest.startswith("set"):
            events.append(rest.split()[1])
    return events


def presses(pi, count):
    """Presses without bounce; returns what the LED shows after each."""
    return guest(pi, "press", count, "clean").split()


@scenario("vm", "LED ON lasts: the handler gone, a second later, a minute later")
def lasts(pi):
    pi("systemctl enable --now led.socket")
    assert pi.ask("LED ON") == "OK LED ON"
    pi.wait_for("! pgrep led-handler")
    for pause in (0, 1, 60):
        time.sleep(pause)
        assert pi.led() == "1"
    for command, answer, value in (
        ("LED STATUS", "OK LED ON", "1"),
        ("LED OFF", "OK LED OFF", "0"),
        ("LED TOGGLE", "OK LED ON", "1"),
        ("LED TOGGLE", "OK LED OFF", "0"),
    ):
        assert pi.ask(command) == answer
        assert pi.led() == value, command


@scenario("vm", "led-line killed and restarted at random: only commands change the line")
def storm(pi):
    pi("systemctl enable --now led.socket")
    assert pi.ask("LED ON") == "OK LED ON"
    if pi.suite == "bookworm":
        # libgpiod 1.6 cannot adopt a line: the kernel frees it, and the next led-line
        # requests it with the state that it had.
        for how in ("kill -s KILL", "restart"):
            gap = guest(pi, "gap", how)
            print(f"# libgpiod 1.6, systemctl {how} led-line: the line was away for {gap} ms")
            assert float(gap) < 10000, gap
            assert pi.led() == "1"
        assert pi.ask("LED TOGGLE") == "OK LED OFF" and pi.led() == "0"
        return

    trace(pi)
    for how in ("kill -s KILL", "restart"):
        before = pi.property("led-line", "MainPID")
        pi(f"systemctl {how} led-line")
        eventually(lambda: pi.property("led-line", "MainPID") not in ("0", before), 30)
        assert pi.led() == "1" and pi.ask() == "OK LED ON"
    sent = guest(pi, "storm", 20, seconds=200)
    # "1" is LED ON and answered, "1?" is LED ON whose answer was lost.
    changes = traced(pi)
    assert all(event in ("0", "1") for event in changes), changes
    assert re.fullmatch(sent.replace(" ", ""), "".join(changes)), (sent, changes)
    assert pi.ask("LED ON") == "OK LED ON" and pi.led() == "1"


@scenario("vm", "200 presses with bounce are 200 commands")
def bounce(pi):
    # An emulated machine can stand still for longer than a contact bounces, beside others for
    # 150 ms: what is quiet for 400 ms here is quiet for 15 ms on a real one. Nine of ten
    # presses take the quicker way to the LED.
    pi("echo BUTTON_DEBOUNCE=400 >/etc/default/button")
    pi("systemctl enable --now led.socket led-line.service button.service")
    for count in 20, 180:
        trace(pi)
        results = guest(pi, "press", count, "bounce", seconds=400).split()
        assert results == ["1", "0"] * (count // 2), results
        changes = traced(pi)
        assert changes == results, (changes, results)
        pi("systemctl disable --now led.socket; systemctl stop led-line.service;"
           "systemctl enable --now led-wait.socket led-line.service")
    pi.wait_for("systemctl show -P StatusText button | grep '200 delivered'")
    assert "200 presses, 200 delivered" in pi.status("button"), pi.status("button")


@scenario("vm", "led.socket away for 3 s: no press is lost")
def away(pi):
    pi("systemctl enable --now led.socket button.service")
    assert pi.ask("LED OFF") == "OK LED OFF"
    trace(pi)
    pi("systemctl stop led.socket")
    guest(pi, "press", 3, "blind")
    time.sleep(3)
    pi("systemctl start led.socket")
    eventually(lambda: "3 delivered" in pi.status("button"), 30)
    assert traced(pi) == ["1", "0", "1"]
    assert pi.led() == "1"


@scenario("vm", "the LED's line held by another program, and its chip taken away")
def hardware(pi):
    pi("systemctl enable --now led.socket")
    how = "--mode=signal" if pi.suite == "bookworm" else "-c"
    hold = f"gpioset {how} {pi.chip()} 17=0"
    pi(f"systemd-run -q --unit=other {hold}")
    pi.wait_for("gpioinfo | grep -q gpioset")
    answer = pi.ask("LED ON")
    assert answer.startswith("ERR ") and "GPIO17" in answer and "gpioset" in answer, answer
    assert "gpioset" in pi.status("led-line"), pi.status("led-line")
    pi("systemctl stop other")
    started = pi.property("led-line", "MainPID")
    eventually(lambda: pi.ask("LED ON") == "OK LED ON", 30)
    assert pi.led() == "1"
    assert "held" not in pi.status("led-line"), pi.status("led-line")

    for _ in range(3):
        pi.cursor()
        pi.live(False)
        answer = pi.ask("LED ON")
        assert answer.startswith("ERR ") and "GPIO chip" in answer, answer
        assert "GPIO chip" in pi.status("led-line"), pi.status("led-line")
        pi.live(True)
        # The chip comes back with the state of the last command.
        eventually(lambda: pi.led() == "1", 30)
        # The chip's first moment without its group is not logged.
        lines = [line for line in pi.journal() if "led-line[" in line]
        assert not any("Permission denied" in line for line in lines), lines
        assert sum("works again" in line for line in lines) == 1, lines
    assert pi.ask("LED OFF") == "OK LED OFF" and pi.led() == "0"
    assert pi.property("led-line", "MainPID") == started
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("vm", "a latching switch and its LED agree, with restarts on either side")
def latching(pi):
    # A line that is pulled again at each start would open the simulated switch.
    pi("""printf '%s\\n' BUTTON=gpio:GPIO4,pull-off BUTTON_DEBOUNCE=150 'BUTTON_COMMANDS="LED ON"' \
        'BUTTON_RELEASE_COMMANDS="LED OFF"' >/etc/default/button""")
    pi("echo pull-up >/run/chip/sim_gpio4/pull; systemctl enable --now led.socket;"
       "systemctl restart button")
    try:
        agrees = guest(pi, "throw", 50, seconds=400).split()
        assert agrees == ["1"] * 10, agrees
        # While nobody looks, the switch stays where it is.
        pi("echo pull-down >/run/chip/sim_gpio4/pull")
        eventually(lambda: pi.led() == "1", 30)
        pi("systemctl stop button led-line; systemctl start button")
        eventually(lambda: pi.led() == "1", 30)
    finally:
        pi("rm /etc/default/button; systemctl restart button")


@scenario("vm", "a switch that bounces for a second is one position", once=True)
def bouncing_switch(pi):
    # As in the scenario of 200 presses, quiet for 400 ms here is quiet for 15 ms on a real machine.
    pi("""printf '%s\\n' BUTTON=gpio:GPIO4,pull-off BUTTON_DEBOUNCE=400 'BUTTON_COMMANDS="LED ON"' \
        'BUTTON_RELEASE_COMMANDS="LED OFF"' >/etc/default/button""")
    pi("echo pull-up >/run/chip/sim_gpio4/pull; systemctl enable --now led.socket; systemctl restart button")
    eventually(lambda: "has LED OFF: OK" in pi.status("button"), 30)
    try:
        for closed, command in (True, "LED ON"), (False, "LED OFF"), (True, "LED ON"):
            pi.cursor()
            pi(f"""python3 - <<'END'
import os, time
pull = os.open("/run/chip/sim_gpio4/pull", os.O_WRONLY)
end = time.monotonic() + 1
while time.monotonic() < end:
    for down in {closed}, not {closed}:
        os.pwrite(pull, b"pull-down" if down else b"pull-up", 0)
        time.sleep(0.002)
os.pwrite(pull, b"pull-down" if {closed} else b"pull-up", 0)
END""")
            eventually(lambda: f"has {command}: OK" in pi.status("button"), 30)
            time.sleep(3)
            said = [line.split(": ", 1)[1] for line in pi.journal() if line.startswith("button[")]
            assert said == [f"{'closed' if closed else 'open'}: {command}: OK {command}"], said
    finally:
        pi("rm /etc/default/button; systemctl restart button")


# By hand: THROWS=1000 tests/run lab 'vm trixie' 'random throws'; THROWS_SEED repeats a run.
THROWS = int(os.environ.get("THROWS", 60))


@scenario("vm", "random throws while servers are killed, frozen and stopped: a switch's LED and a contact agree")
def throws(pi):
    seed = os.environ.get("THROWS_SEED") or random.randrange(10**6)
    settings = {
        "default/led": ['LED="gpio:GPIO17 b=gpio:GPIO27"', "LED_INITIAL=last"],
        "default/button": ["BUTTON=gpio:GPIO4,pull-off", "BUTTON_DEBOUNCE=150",
                           'BUTTON_COMMANDS="LED ON"', 'BUTTON_RELEASE_COMMANDS="LED OFF"'],
        "button/door.conf": ["BUTTON=gpio:GPIO5,pull-off", "BUTTON_DEBOUNCE=150",
                             "BUTTON_CONNECT=/run/led/mqtt.sock", 'BUTTON_COMMANDS="CONTACT door ON"',
                             'BUTTON_RELEASE_COMMANDS="CONTACT door OFF"'],
        # No press is older than this when the outages are over.
        "button/toggle.conf": ["BUTTON=fifo:/run/button/toggle/press", "BUTTON_RETRY=300",
                               "BUTTON_CONNECT=/run/led/line.sock", 'BUTTON_COMMANDS="LED b TOGGLE"'],
        "default/led-mqtt": ["MQTT_CONTACTS=door:door"],
    }
    for file, lines in settings.items():
        pi(f"cat >/etc/{file} <<'END'\n" + "\n".join(lines) + "\nEND")
    pi("for line in 4 5; do echo pull-up >/run/chip/sim_gpio$line/pull; done; systemctl restart led-line button;"
       "systemctl start led.socket mosquitto led-mqtt button@door button@toggle", 100)
    keeps = "" if pi.suite == "bookworm" else "keeps"
    try:
        did, *wrong = guest(pi, "agree", THROWS, seed, keeps, seconds=100 + 10 * THROWS).splitlines()[::-1]
        print(f"# seed {seed}: {did}")
        assert not wrong and did.startswith(f"{THROWS} throws"), (seed, did, wrong)
    finally:
        pi("rm /etc/default/led /etc/default/button; systemctl stop button@door button@toggle led-mqtt mosquitto;"
           "systemctl restart led-line button")


@scenario("vm", "the words after a line reach the kernel")
def line_words(pi):
    pi("systemctl enable --now led.socket")
    for led, wanted in (
        ("gpio:GPIO17,open-drain,pull-up", ("open-drain", "pull-up")),
        ("gpio:GPIO17,open-source,pull-down", ("open-source", "pull-down")),
        ("gpio:GPIO17,open-drain,pull-up,active-low", ("open-drain", "pull-up", "active-low")),
    ):
        pi(f"echo LED={led} >/etc/default/led; systemctl restart led-line")
        # Its state says nothing: gpio-sim does not pull a line that nobody drives.
        assert pi.ask("LED ON").startswith("OK LED ")
        line = pi("gpioinfo | grep GPIO17")
        assert all(word in line for word in wanted), line
    for button, wanted in (
        ("pull-off", ("active-low", "disabled")),
        ("active-high,pull-up", ("pull-up",)),
        ("active-high", ("pull-down",)),
    ):
        pi(f"echo BUTTON=gpio:GPIO4,{button} >/etc/default/button; systemctl restart button")
        pi.wait_for("systemctl show -P StatusText button | grep 'no press yet'")
        line = pi("gpioinfo | grep 'GPIO4\\b'")
        assert all(word in line for word in wanted), line
    pi("rm /etc/default/led /etc/default/button; systemctl restart led-line button")


@scenario("vm", "another setting for the same line, on one processor: every restart applies it")
def changed_setting(pi):
    # The store lets go of the old request after led-line has asked for the new one, where there
    # is one processor for both.
    pi("echo 0 >/sys/devices/system/cpu/cpu1/online; systemctl enable --now led.socket")
    try:
        pi.cursor()
        for number in range(8):
            low = number % 2 == 0
            pi(f"echo LED=gpio:GPIO17{',active-low' * low} >/etc/default/led;"
               "systemctl restart led-line")
            assert pi.ask("LED ON") == "OK LED ON"
            assert pi.led() == ("0" if low else "1")
        lines = pi.journal()
        assert not any(re.search("held by|busy|closing", line) for line in lines), lines
    finally:
        pi("echo 1 >/sys/devices/system/cpu/cpu1/online; rm /etc/default/led")
    pi("systemctl restart led-line")


@scenario("vm", "several LEDs: a restart with another list touches no line that stays")
def several(pi):
    def values(*lines):
        return [pi(f"cat /run/chip/sim_gpio{line}/value") for line in lines]

    def configure(led):
        pi(f"echo 'LED=\"{led}\"' >/etc/default/led; systemctl restart led-line")

    configure("gpio:GPIO17 kitchen=gpio:GPIO22 door=gpio:GPIO23,active-low cellar=gpio:GPIO24")
    pi("systemctl enable --now led.socket")
    assert values(17, 22, 23, 24) == ["0", "0", "1", "0"]
    assert pi.ask("LED ALL ON") == "OK LED ALL ON"
    assert pi.ask("LED cellar TOGGLE") == "OK LED cellar OFF"
    assert values(17, 22, 23, 24) == ["1", "1", "0", "0"]

    trace(pi)
    configure("lamp=gpio:GPIO25,initial=on door=gpio:GPIO23,active-low gpio:GPIO17 kitchen=gpio:GPIO22")
    assert pi.ask("LED LIST") == "OK LED LIST lamp=ON door=ON led=ON kitchen=ON"
    assert values(17, 22, 23, 25) == ["1", "1", "0", "1"]
    assert "led-socket" not in pi("gpioinfo | grep 'line  24:'"), pi("gpioinfo")
    if pi.suite != "bookworm":  # libgpiod 1.6 requests every line again
        events = traced(pi, 17, 22, 23)
        assert events == [], events

    # A pulse ends over a crash.
    assert pi.ask("LED ALL OFF") == "OK LED ALL OFF"
    assert pi.ask("LED kitchen PULSE 3000") == "OK LED kitchen ON"
    pi("systemctl kill -s KILL led-line")
    eventually(lambda: values(17, 22, 23, 25) == ["0", "0", "1", "0"], 60)
    pi("rm /etc/default/led; systemctl restart led-line")


@scenario("vm", "eight clients and eight LEDs: each line does what its own commands say, and no other", once=True)
def many(pi):
    leds = " ".join(f"l{i}=gpio:GPIO{20 + i}" for i in range(8))
    pi(f"echo 'LED=\"{leds}\"' >/etc/default/led; systemctl restart led-line")
    for socket, count in ("led.socket", 80), ("led-wait.socket", 400):
        pi(f"systemctl stop led.socket; systemctl start {socket}")
        changes, known, *wrong = guest(pi, "many", count, seconds=200).splitlines()
        assert not wrong, wrong[:20]
        print(f"# {socket}: {count} commands, {changes} changes, {known} commands had one possible effect")
        assert int(changes) > count / 8 and int(known) > count / 16, (changes, known)
    pi("systemctl stop led-wait.socket; rm /etc/default/led; systemctl restart led-line")


@scenario("vm", "a pulse ends on time: led-line killed, the clock set, the chip taken away")
def pulses(pi):
    pi("echo LED_INITIAL=last >/etc/default/led; systemctl enable --now led.socket led-line")
    keeps = "" if pi.suite == "bookworm" else "keeps"
    did, late, *wrong = guest(pi, "pulse", 10, keeps, seconds=200).splitlines()
    assert not wrong, (did, wrong)
    print(f"# {did}; at most {late} of a restart late")
    assert pi.ask("LED PULSE 3600000") == "OK LED ON"
    pi.wait_for("grep -qx off /var/lib/led/last")
    pi("rm /etc/default/led; systemctl restart led-line")


@scenario("vm", "the button's chip taken away, and brought back")
def button_chip(pi):
    if pi.suite == "bookworm":
        # It frees the interrupt with the chip, and once more when button closes the line: a
        # kernel with slub_debug=P dies there, and one without whenever it needs that memory.
        raise Skip("Linux 6.1 corrupts its memory when a chip goes whose edges somebody waits for")
    pi("systemctl enable --now led.socket button.service")
    started = pi.property("button", "MainPID")
    pi.live(False)
    eventually(lambda: "GPIO chip" in pi.status("button"), 30)
    pi.live(True)
    eventually(lambda: "GPIO chip" not in pi.status("button"), 30)
    # udev gives a new chip to its group a moment after it came.
    log = pi.journal()
    assert any("is there" in line for line in log) and "Permission denied" not in str(log), log
    assert presses(pi, 2) == ["1", "0"]
    assert pi.property("button", "MainPID") == started
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("vm", "an LED of the kernel's LED class, under the shipped unit", once=True)
def led_class(pi):
    led = pi("basename $(ls -d /sys/class/leds/*capslock | head -n 1)")
    pi(f"echo LED=leds:{led} >/etc/default/led; systemctl enable --now led.socket")
    for command, brightness in ("LED ON", "1"), ("LED OFF", "0"), ("LED ON", "1"):
        assert pi.ask(command) == f"OK {command}"
        assert pi(f"cat /sys/class/leds/{led}/brightness") == brightness
    pi("systemctl restart led-line")
    assert pi.ask() == "OK LED ON"
    pi("rm /etc/default/led")


@scenario("vm", "reboot: button.service runs, led.socket listens, a press lights the LED", once=True)
def reboot(pi):
    pi("systemctl enable led.socket button.service")
    pi.reboot()
    assert pi("systemctl is-active led.socket button.service") == "active\nactive"
    assert "led-line" not in pi.processes()
    assert pi.led() == "0"
    assert presses(pi, 2) == ["1", "0"]


# Runs in led-line's place, under everything that the unit grants and denies.
PROBE = """
mkdir -p /etc/systemd/system/led-line.service.d
cat >/etc/systemd/system/led-line.service.d/test.conf <<'END'
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/bin/sh -c 'for f in $(find /dev -type b -o -type c); do (: <>$f) 2>/dev/null && echo opened $f; done; exit 0'
END
systemctl daemon-reload
systemctl start led-line.service
"""


@scenario("vm", "led-handler's user cannot open the chip; led-line's can, and nothing more")
def devices(pi):
    chip = pi.chip()
    opened = pi.says(f"runuser -u led-handler -- sh -c ': <>{chip}'")
    assert "Permission denied" in opened, opened
    pi.cursor()
    pi(PROBE, 100)
    lines = pi.journal()
    opened = {line.split()[-1] for line in lines if "opened" in line}
    # Every process may open these: zeros, random numbers, its terminal.
    opened -= {f"/dev/{name}" for name in "null zero full random urandom tty ptmx pts/ptmx".split()}
    assert opened == {chip}, (opened, lines)


@scenario("vm", "nc and systemctl status say what is wrong and what to do", once=True)
def messages(pi):
    pi("systemctl enable --now led.socket")

    def both(*words):
        answer = pi.ask("LED ON")
        status = pi.status("led-line")
        assert answer.startswith("ERR "), answer
        for word in words:
            assert word in answer and word in status, (word, answer, status)

    # No udev rule.
    chip = pi.chip()
    pi(f"chgrp root {chip}")
    both(chip, "group gpio", "udev")
    pi(f"chgrp gpio {chip}")
    eventually(lambda: pi.ask("LED ON") == "OK LED ON", 30)

    # A wrong line or a wrong chip: the answer names the tool that lists them.
    for led, *words in (
        ("gpio:GPIO99", "GPIO99", "gpioinfo"),
        ("gpio:nochip/17", "nochip", "gpiodetect"),
        (f"gpio:{chip.removeprefix('/dev/')}/99", "no line 99"),
    ):
        pi(f"echo LED={led} >/etc/default/led; systemctl restart led-line")
        both(*words)
    pi("rm /etc/default/led; systemctl restart led-line")

    # No chip.
    pi.live(False)
    both("no GPIO chip")
    pi.live(True)

    # No group gpio.
    chip = pi.chip()
    pi(f"systemctl stop led-line; groupdel gpio; chgrp root {chip}")
    try:
        both("group gpio")
    finally:
        pi(f"systemd-sysusers; chgrp gpio {chip}; systemctl restart led-line")
    eventually(lambda: pi.ask("LED ON") == "OK LED ON", 30)


@scenario("vm", "a chip named by a symbolic link from udev, for the LED and for the button")
def by_path(pi):
    pi("""echo 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", SYMLINK+="relays"' \
        >/etc/udev/rules.d/70-relays.rules; udevadm control --reload""")
    # Udev makes the link when the chip comes.
    pi.live(False)
    pi.live(True)
    pi.wait_for("test -L /dev/relays")
    pi("echo LED=gpio:/dev/relays/17 >/etc/default/led;"
       "echo BUTTON=gpio:/dev/relays/4 >/etc/default/button;"
       "systemctl enable --now led.socket; systemctl restart led-line button")
    assert pi.ask("LED ON") == "OK LED ON" and pi.led() == "1"
    assert presses(pi, 3) == ["1", "0", "1"]
    pi("systemctl stop button")

    # The link disappears and comes back with the chip, and the LED's state comes back too.
    pi.live(False)
    answer = pi.ask("LED ON")
    assert answer == "ERR there is no /dev/relays; gpiodetect shows the GPIO chips", answer
    pi.live(True)
    eventually(lambda: pi.led() == "1", 30)

    # The answer names the link's target.
    for target, why in (
        ("gpiochip99", "is a link that leads nowhere: its GPIO chip is not there"),
        ("null", "is no GPIO chip, and leads to none; gpiodetect shows them"),
    ):
        # A restart would take the line over from the store.
        pi(f"systemctl stop led-line; ln -sfn {target} /dev/relays; systemctl start led-line button")
        answer = pi.ask("LED ON")
        assert answer == f"ERR /dev/relays {why}", answer
        for unit in "led-line", "button":
            eventually(lambda: why in pi.status(unit), 30)
        pi("systemctl stop button")
    pi("rm /etc/default/led /etc/default/button /etc/udev/rules.d/70-relays.rules /dev/relays;"
       "udevadm control --reload")


ENTER, A = 28, 30


def plug(pi):
    """Plugs in a keyboard called pedal, whose keys move as /run/keys says."""
    code = (LAB / "guest/keyboard.py").read_text()
    pi(f"cat >/run/keyboard.py <<'END'\n{code}\nEND\ntest -p /run/keys || mkfifo /run/keys;"
       " systemctl stop keyboard 2>/dev/null; systemd-run -q --collect --unit=keyboard bash -c"
       " 'exec python3 /run/keyboard.py pedal 0<>/run/keys'")
    pi.wait_for("grep -qx pedal /sys/class/input/event*/device/name")


def unplug(pi):
    pi("systemctl stop keyboard")


def move(*movements):
    """The shell command for movements of keys: a code and a value each."""
    lines = "\\n".join(f"{code} {value}" for code, value in movements)
    return f"printf '{lines}\\n' >/run/keys"


TAP = move((ENTER, 1), (ENTER, 2), (ENTER, 0))


def input_button(pi, spec):
    """Has this as the button, and led-line's own socket as the server."""
    pi(f"printf 'BUTTON={spec}\nBUTTON_CONNECT=/run/led/line.sock\n' >/etc/default/button;"
       " systemctl start led-line.socket; systemctl restart button")


def delivered(pi, count):
    said = f"{count} press{'es' * (count > 1)}, {count} delivered, 0 dropped, 0 waiting"
    try:
        eventually(lambda: said in pi.status("button"), 60)
    except AssertionError:
        raise AssertionError(f"{said}: {pi.status('button')}") from None


@scenario("vm", "a keyboard: pressed, repeated, unplugged, back; 200 presses, 200 commands", once=True)
def keyboard(pi):
    # The kernel gives a new device to root, and udev to its group. This makes udev slow.
    rule = "/etc/udev/rules.d/10-slow.rules"
    pi(f"""echo 'SUBSYSTEM=="input", KERNEL=="event*", PROGRAM="/bin/sleep 0.3"' >{rule};
        udevadm control --reload""")
    input_button(pi, "input:pedal,KEY_ENTER")
    started = pi.property("button", "MainPID")
    missing = "no input device is called pedal"
    count = 0
    for rounds in 24, 1:
        eventually(lambda: missing in pi.status("button"), 30)
        pi.cursor()
        plug(pi)
        eventually(lambda: missing not in pi.status("button"), 30)
        log = str(pi.journal())
        assert "button input:pedal,KEY_ENTER is there" in log and "denied" not in log, log
        # The kernel's queue has 64 places, and a movement takes two; button's has 16.
        for _ in range(rounds):
            pi(f"for i in $(seq 8); do {TAP}; done; {move((A, 1), (A, 0))}")
            count += 8
            delivered(pi, count)
        unplug(pi)
    assert pi.led() == "0"
    assert pi.property("button", "MainPID") == started
    pi(f"rm {rule}; udevadm control --reload")


@scenario("vm", "a keyboard by its path, any of its keys, and a key that is held at the start", once=True)
def keyboard_by_path(pi):
    plug(pi)
    name = pi("grep -lx pedal /sys/class/input/event*/device/name | cut -d/ -f5")
    pi(move((ENTER, 1)))
    input_button(pi, f"input:/dev/input/{name},grab")
    eventually(lambda: "no press yet" in pi.status("button"), 30)
    pi(f"{move((ENTER, 0))}; {TAP}; {move((A, 1), (ENTER, 1), (A, 0), (ENTER, 0))}")
    delivered(pi, 3)

    # It is grabbed, and another program is told.
    said = pi.says("timeout 5 button --button=input:pedal,grab 2>&1")
    assert "another program has grabbed pedal" in said, said

    unplug(pi)
    eventually(lambda: f"there is no /dev/input/{name}" in pi.status("button"), 30)
    plug(pi)
    eventually(lambda: "there is no" not in pi.status("button"), 30)
    pi(TAP)
    delivered(pi, 4)

    for spec, why in (
        ("input:pedal,750", "pedal has no key 750"),
        ("input:pedal,BTN_0", "pedal has no BTN_0"),
        ("input:/dev/null", "/dev/null is no input device"),
    ):
        input_button(pi, spec)
        eventually(lambda: why in pi.status("button"), 30)
    unplug(pi)


@scenario("vm", "the first keyboard comes, and with it the folder of the input devices", once=True)
def first_keyboard(pi):
    pi("systemctl stop systemd-logind; modprobe -r evdev && udevadm settle && rm -rf /dev/input")
    input_button(pi, "input:pedal,KEY_ENTER")
    eventually(lambda: "no input device" in pi.status("button"), 30)
    pi("modprobe evdev")
    plug(pi)
    eventually(lambda: "no input device" not in pi.status("button"), 30)
    pi(TAP)
    delivered(pi, 1)
    unplug(pi)


@scenario("vm", "a keyboard's events that the kernel drops: a press that lasts counts once", once=True)
def dropped_events(pi):
    plug(pi)
    input_button(pi, "input:pedal,KEY_ENTER")
    eventually(lambda: "no press yet" in pi.status("button"), 30)
    noise = "for i in $(seq 500); do printf '30 1\\n30 0\\n'; done >/run/keys"
    pid = pi.property("button", "MainPID")
    for count, *movements in (
        (1, move((ENTER, 1)), noise),
        (1, move((ENTER, 0)), noise),
        # Nobody knows of this one, and half of it is not taken for another.
        (1, move((ENTER, 1)), noise, move((ENTER, 0))),
        (2, move((ENTER, 1)), noise),
    ):
        pi(f"kill -STOP {pid}; {'; '.join(movements)}")
        pi.wait_for("grep pipe_read /proc/$(systemctl show -P MainPID keyboard)/wchan")
        pi(f"kill -CONT {pid}")
        delivered(pi, count)
    unplug(pi)


ATTACK = "/usr/src/led-socket/attack"


def attempts(pi):
    """What attack.c has tried since cursor(), and in what it has succeeded."""
    tried, done = set(), set()
    for what, how in re.findall(r"attack: (.*): (.*)", "\n".join(pi.journal())):
        tried.add(what)
        if how == "done":
            done.add(what)
    return tried, done


@scenario("vm", "an attacker inside a program cannot get out of it", once=True)
def attack(pi):
    pi("systemctl enable --now led.socket led-line.service button.service")

    # As root and without confinement, the same program can do all of it.
    pi.cursor()
    pid = pi.property("led-line", "MainPID")
    chip = f"ATTACK_CHIP={pi.chip()}"
    pi(f"echo LED ON | LD_PRELOAD=' ' ATTACK={pid} {chip} {ATTACK}/led-handler-attack;"
       " rm /run/led/attack")
    everything, done = attempts(pi)
    assert done == everything and len(everything) == 15, everything - done

    def attacked(unit, program, other, command="LED ON"):
        pid = pi.property(other, "MainPID")
        pi(f"mkdir -p /etc/systemd/system/{unit}.service.d;"
           f"printf '[Service]\nExecStart=\nExecStart={ATTACK}/{program}-attack\n"
           f"Environment=ATTACK={pid} {chip}\n' >/etc/systemd/system/{unit}.service.d/attack.conf;"
           "systemctl daemon-reload")
        pi.cursor()
        if unit != "led@":
            pi(f"systemctl restart {unit}")
        if command == "LED WATCH":  # and once more while it passes on
            assert pi.says(f"echo {command} | timeout 20 nc -q 1 pi 5555 | head -n 1") == "OK LED ON"
            everywhere = [line for line in pi.journal() if "attack: fork: " in line]
            assert len(everywhere) == 2, everywhere
        else:
            assert pi.ask(command) == "OK LED ON"
        tried, done = attempts(pi)
        assert tried == everything, everything - tried
        pi(f"rm /etc/systemd/system/{unit}.service.d/attack.conf; systemctl daemon-reload")
        return done

    # Except for its own job; and it sends to the service manager by address.
    connect = {"connect", "connect by sending", "reconnect a socket"}
    holder = {"open the GPIO chip", "send to another"}
    assert attacked("led@", "led-handler", "led-line") == set()
    assert attacked("led@", "led-handler", "led-line", "LED WATCH") == set()
    assert attacked("led-line", "led-line", "button") == holder
    assert attacked("button", "button", "led-line") == holder | connect
    # With the TCP port itself, which needs the machine's network.
    pi("systemctl stop led.socket led-line.service; systemctl start led-wait.socket")
    assert attacked("led-line", "led-line", "button") == holder

    # Under xinetd, only the programs' own confinement is left.
    pi("systemctl stop led-wait.socket led-line.socket led-line.service")
    pid = pi.property("button", "MainPID")
    pi(f"sed 's,/usr/s*bin/\\(led-.*\\),{ATTACK}/\\1-attack\\n\\tenv = ATTACK={pid} {chip},'"
       " /usr/share/doc/led-socket/xinetd/led >/etc/xinetd.d/led; systemctl start xinetd")
    pi.wait_for("ss -Hltn sport = 5555 | grep -q .")
    pi.cursor()
    assert pi.ask("LED ON") == "OK LED ON"
    log = "\n".join(pi.journal())
    others = {"trace another", "signal another", "have the kernel signal another", "limit another"}
    refused_to_line = connect | others | {
        "fork", "execute /bin/sh", "map code", "use io_uring"}
    for program, refused in (("led-handler", everything), ("led-line", refused_to_line)):
        done = set(re.findall(rf"{program}\[\d+\]: attack: (.*): done", log))
        tried = set(re.findall(rf"{program}\[\d+\]: attack: (.*): ", log))
        assert tried == everything and not done & refused, (program, tried, done)
    pi("systemctl stop xinetd; pkill led-line || :")


@scenario("vm", "recipe: the kernel blinks an LED, and led off ends it", once=True)
def blinking(pi):
    *blink, off = section("A blinking LED")
    led = pi("basename $(ls -d /sys/class/leds/*capslock | head -n 1)")
    pi(f"echo LED=leds:{led} >/etc/default/led; systemctl start led.socket")
    assert pi.ask("LED ON") == "OK LED ON"
    pi("\n".join(blink).replace("ACT", led))
    look = f"for i in $(seq 30); do cat /sys/class/leds/{led}/brightness; sleep 0.1; done"
    assert set(pi(look).split()) == {"0", "1"}
    assert pi(off) == "OFF"
    assert "[none]" in pi(f"cat /sys/class/leds/{led}/trigger")
    assert set(pi(look).split()) == {"0"}
    assert pi("led on") == "ON" and set(pi(look).split()) == {"1"}


@scenario("vm", "recipe: an expander's lines, by the label of its chip", once=True)
def expander(pi):
    setting = section("An expander")[-1]
    chip = pi("""set -e; modprobe gpio-sim; cd /sys/kernel/config/gpio-sim; mkdir -p expander/bank0
        echo mcp23017 >expander/bank0/label; echo 16 >expander/bank0/num_lines; echo 1 >expander/live
        echo /sys/devices/platform/$(cat expander/dev_name)/$(cat expander/bank0/chip_name)""")
    pi(f"udevadm settle; echo '{setting}' >/etc/default/led; systemctl start led.socket")
    levels = f"cat {chip}/sim_gpio0/value {chip}/sim_gpio15/value"
    for command, wanted in ("list", "1\n0"), ("pump on", "0\n0"), ("valve on", "0\n1"), ("all off", "1\n0"):
        pi(f"led {command}")
        assert pi(levels) == wanted, command
    pi("systemctl stop led.socket led-line.socket led-line; cd /sys/kernel/config/gpio-sim;"
       " echo 0 >expander/live; rmdir expander/bank0 expander")
