# SPDX-License-Identifier: MIT
"""The service as users have it, under systemd, with a log for an LED and a FIFO for a button."""

import re
import shlex
import time

from machines.common import eventually
from machines.container import ADDRESS, STREET, another, street
from machines.install import section
from scenarios import scenario
from scenarios.tls import MAKE

# Installs the xinetd example as a user would, for a machine without an LED.
CONFIGURE = (
    "sed 's/# Another LED: .*/env = LED=log/' /usr/share/doc/led-socket/xinetd/led"
    " >/etc/xinetd.d/led"
)
UNITS = ("led.socket led-wait.socket led-line.socket led-line.service led-wait.service button.service"
         " led-tls.socket led-tls.service button-tls.service")


def served(pi):
    """A client in the street can switch the LED."""
    answer = street(f"echo LED TOGGLE | timeout 10 nc {ADDRESS} 5555")
    assert answer.startswith("OK LED "), answer + pi.last_words()


@scenario("container", "enable --now led.socket, and LED ON from afar")
def led_on(pi):
    pi("systemctl enable --now led.socket")
    assert pi.processes() == "", pi.processes()
    pi.cursor()
    answer = street(f'echo "LED ON" | timeout 10 nc {ADDRESS} 5555')
    assert answer == "OK LED ON\n", answer
    log = pi.journal()
    assert any(re.match(r"led-line\[\d+\]: LED Status: On$", line) for line in log), log
    asked = rf'led-handler\[\d+\]: {STREET}:\d+ sent "LED ON": OK LED ON$'
    assert any(re.match(asked, line) for line in log), log
    assert street(f"echo LED STATUS | timeout 10 nc {ADDRESS} 5555") == "OK LED ON\n"
    eventually(lambda: "led-handler" not in pi.processes())


@scenario("container", "LED_INITIAL=last: the state file is written under the shipped unit")
def last(pi):
    pi("printf 'LED=log\nLED_INITIAL=last\n' >/etc/default/led; systemctl enable --now led.socket")
    pi.cursor()
    for command, state in ("LED ON", "on"), ("LED OFF", "off"), ("LED ON", "on"):
        assert pi.ask(command) == f"OK {command}"
        pi.wait_for(f"test $(cat /var/lib/led/last) = {state}")
        pi("systemctl stop led-line")
        assert pi.ask() == f"OK {command}"
    assert not any("not kept" in line for line in pi.journal()), pi.journal()


@scenario("container", "manual pages, systemctl cat, systemd-analyze verify")
def pages(pi):
    for page in ("led-handler", "led-line", "led-tls", "button.service"):
        text = pi(f"man {page} | cat")
        assert page.removesuffix(".service").upper() in text.upper() and "EXAMPLES" in text, text
    pi(f"systemctl cat {UNITS} led@.service")
    complaints = pi(f"systemd-analyze verify {UNITS} led@x.service")
    assert complaints == "", complaints


@scenario("container", "button.service runs on boot, and again after kill -9 and a hang")
def button(pi):
    pi("systemctl enable --now led.socket button.service")
    pi.reboot()
    assert pi.property("button", "ActiveState") == "active"
    eventually(lambda: "fifo:/run/button/press" in pi.status("button"))
    assert "led-line" not in pi.processes()
    pi("echo 0 >/run/button/press")
    eventually(lambda: "1 delivered" in pi.status("button"))
    assert pi.ask() == "OK LED ON"

    before = pi.property("button", "MainPID")
    pi("systemctl kill -s KILL button")
    eventually(lambda: pi.property("button", "MainPID") not in ("0", before), 30)
    pi.wait_for("systemctl is-active button && test -p /run/button/press")
    pi("echo 0 >/run/button/press")  # the list begins anew: LED ON
    eventually(lambda: "1 delivered" in pi.status("button"))
    assert pi.ask() == "OK LED ON"

    # A watchdog of 60 s is too long to wait for.
    for unit in ("button", "led-line"):
        pi(f"mkdir -p /etc/systemd/system/{unit}.service.d && printf '[Service]\\nWatchdogSec=2\\n'"
           f" >/etc/systemd/system/{unit}.service.d/test.conf")
    pi("systemctl daemon-reload; systemctl restart button led-line")
    for unit in ("button", "led-line"):
        pid = pi.property(unit, "MainPID")
        pi(f"kill -STOP {pid}")
        eventually(lambda: pi.property(unit, "MainPID") not in (pid, "0"), 30)
        pi.wait_for(f"systemctl is-active {unit}")
    pi.wait_for("test -p /run/button/press")
    pi("echo 0 >/run/button/press")
    eventually(lambda: "1 delivered" in pi.status("button"))
    assert pi.ask() == "OK LED ON"


@scenario("container", "the journal has one line a command, one a press, none for a port scan")
def journal(pi):
    pi("systemctl enable --now led.socket button.service")
    # systemd itself says once after a boot that it made a slice for the connections.
    street(f"nc -z {ADDRESS} 5555")
    pi.wait_for("systemctl is-active -q system-led.slice")
    pi.cursor()
    street(f"nc -z {ADDRESS} 5555; timeout 10 nc -d {ADDRESS} 5555")
    eventually(lambda: pi.says("systemctl list-units --plain --no-legend 'led@*'") == "")
    assert pi.journal() == [] and "led-line" not in pi.processes(), pi.journal()
    pi.ask("LED ON")  # led-line's own start is behind us
    pi.cursor()
    for command in ("LED OFF", "LED STATUS", "LED ONE"):
        street(f"echo {command} | timeout 10 nc {ADDRESS} 5555")
    eventually(lambda: pi.says("systemctl list-units --plain --no-legend 'led@*'") == "")
    lines = [line for line in pi.journal() if "LED Status" not in line]
    assert len(lines) == 3, lines
    for line, command in zip(lines, ("LED OFF", "LED STATUS", "LED ONE")):
        assert re.match(rf'led-handler\[\d+\]: {STREET}:\d+ sent "{command}": ', line), line

    pi.cursor()
    pi("echo 0 >/run/button/press")
    eventually(lambda: "1 delivered" in pi.status("button"))
    lines = [line for line in pi.journal() if "LED Status" not in line]
    of_button = [line for line in lines if line.startswith("button[")]
    of_handler = [line for line in lines if line.startswith("led-handler[")]
    assert len(of_button) == 1 and len(of_handler) == 1 and len(lines) == 2, lines


@scenario("container", "the integration tests of the LED side pass, and no unit fails")
def integration(pi):
    pi("systemctl enable --now led.socket")
    tests = "/usr/src/led-socket/tests/integration/run"
    status, output = pi.run(f"INSTALLED=1 python3 {tests}", 1200)
    results = re.findall(r"^(?:not )?ok .*", output, re.M)
    assert status == 0 and len(results) > 10, output
    assert not [line for line in results if line.startswith("not") or "SKIP" in line], results
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("container", "confined as far as systemd-analyze security can see")
def security(pi):
    pi("systemd-analyze security --threshold=12 led-line.service")
    pi("systemd-analyze security --threshold=18 button.service")
    pi("systemd-analyze security --threshold=12 led-tls.service button-tls.service")
    pi("systemd-analyze security --threshold=13 led-web.service")


@scenario("container", "a first boot, which enables every unit without a preset, opens no port")
def first_boot(pi):
    with another(pi, *pi.lower) as image:
        image("printf '[Install]\nWantedBy=multi-user.target\n[Service]\nExecStart=true\n'"
              " >/etc/systemd/system/canary.service; systemctl disable -q button.service")
        image.off()
        (image.root / "etc/machine-id").write_text("uninitialized\n")
        image.start()
        assert image("systemctl is-enabled canary button") == "enabled\nenabled"
        assert image("systemctl is-active button") == "active"
        sockets = ("led.socket led-wait.socket led-line.socket led-line.service led-tls.socket"
                   " led-tls.service button-tls.service")
        enabled = image.says(f"systemctl is-enabled {sockets}")
        assert enabled == "\n".join(["disabled"] * 7), enabled
        assert image.processes().count("\n") == 0, image.processes()
        assert image.says("ss -Hltn sport = 5555; ls /run/led") == ""


@scenario("container", "both sockets enabled: exactly one serves after each boot")
def both(pi):
    pi("systemctl enable led.socket led-wait.socket")
    for boot in range(6):
        if boot == 3:
            pi("systemctl enable led-line.service")
        pi.reboot()
        active = pi.says("systemctl is-active led.socket led-wait.socket").split()
        assert sorted(active) == ["active", "inactive"], active
        served(pi)
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("container", "IPv4 and IPv6 are served, whatever net.ipv6.bindv6only says")
def bindv6only(pi):
    setting = "/proc/sys/net/ipv6/bindv6only"
    try:
        pi(f"echo 1 >{setting}")
        for socket in ("led.socket", "led-wait.socket"):
            pi(f"systemctl start {socket}")
            for address in ("127.0.0.1", "::1"):
                answer = pi.says(f"echo LED STATUS | timeout 10 nc {address} 5555")
                assert answer == "OK LED OFF", (socket, address, answer)
    finally:
        pi(f"echo 0 >{setting}")


@scenario("container", "each socket listens after ten restarts in a row")
def restarts(pi):
    pi.cursor()
    for socket in ("led.socket", "led-wait.socket"):
        pi(f"systemctl start {socket}")
        for restarted in (socket, "led-line.socket"):
            pi(f"for i in $(seq 10); do systemctl restart {restarted} || exit; done")
            served(pi)
    assert pi.says("systemctl --failed --no-legend") == ""
    said = [line for line in pi.journal() if line.startswith("systemctl")]
    assert said == [], said


@scenario("container", "a command that fails is one line in the journal, from led-handler")
def failed_command(pi):
    pi("systemctl start led.socket")
    served(pi)
    pi("systemctl stop led-line.socket")
    for setting, wanted in (
        ("LED=log", r'led-handler\[\d+\]: \S+ sent "LED ON": ERR no led-line at .*'),
        ("LED_LINE=x", r"led-handler\[\d+\]: a setting is wrong: LED_LINE=x: an address is .*"),
    ):
        pi(f"echo {setting} >/etc/default/led")
        pi.cursor()
        street(f"echo LED ON | timeout 10 nc {ADDRESS} 5555")
        eventually(lambda: pi.says("systemctl list-units --plain --no-legend 'led@*'") == "")
        lines = pi.journal()
        assert len(lines) == 1 and re.fullmatch(wanted, lines[0]), lines


@scenario("container", "a setting that systemd ignores is an error in the unit's journal")
def ignored_setting(pi):
    for start in "export ", "\ufeff":
        pi(f"printf '{start}LED_INITIAL=on\\nLED=log\\n' >/etc/default/led")
        pi("systemctl restart led-line; journalctl --sync")
        said = pi("journalctl -q -b -u led-line -p err")
        assert f"Ignoring invalid environment assignment '{start}LED_INITIAL=on'" in said, said


def setting(name):
    """A setting of doc/recipes.md, and the comment above it."""
    lines = section("Another button" if name.startswith("BUTTON") else "Another LED, another pin")
    number = next(i for i, line in enumerate(lines) if line.startswith(name))
    return lines[number], lines[number - 1]


@scenario("container", "recipe: settings that need no hardware, across a reboot")
def settings(pi):
    log, _ = setting("LED=log")
    last, comment = setting("LED_INITIAL=last")
    fifo, _ = setting("BUTTON=fifo:")
    toggle, _ = setting("BUTTON_COMMANDS=")
    pi("systemctl enable --now led.socket")
    pi(f"echo '{log}' >/etc/default/led; echo '{fifo}' >/etc/default/button")
    pi("systemctl enable button")

    pi.reboot()
    pi.wait_for("test -p /run/button/press")
    pi("echo 0 > /run/button/press")
    eventually(lambda: pi.ask() == "OK LED ON")

    # After a power cut the LED has to be lit without a client's command.
    enable = re.search('"(systemctl .*?)"', comment)[1]
    pi(f"echo '{last}' >>/etc/default/led; {enable}; systemctl restart led-line")
    assert pi.ask("LED ON") == "OK LED ON"
    pi.reboot()
    eventually(lambda: "LED Status: On" in pi("journalctl -b -q -t led-line"))

    pi(f"echo '{toggle}' >>/etc/default/button")
    pi.reboot()
    pi.wait_for("test -p /run/button/press")
    for state in "OFF", "ON":
        pi("echo 0 > /run/button/press")
        eventually(lambda: pi.ask() == f"OK LED {state}")


@scenario("container", "recipe: several LEDs, with logs for lines")
def several(pi):
    *led, on, pulse, off, leds, kinds, watch, button = section("Several LEDs")
    led = re.sub(r"gpio:\w+(,active-low)?", "log", "\n".join(led))
    pi(f"echo {shlex.quote(led)} >/etc/default/led; systemctl enable --now led.socket")
    answers = [pi(command) for command in (on, pulse, off)]
    assert answers == ["kitchen ON", "cellar ON", "all OFF"], answers
    names = "kitchen", "cellar", "pump", "door"
    dark = "\n".join(f"{name} OFF" for name in names)
    assert pi(leds) == dark
    what = pi(kinds).splitlines()
    assert what == ["kitchen light", "cellar light", "pump switch", "door switch,pulse=500"], what
    assert kinds.endswith(f": {what[-1]}")
    assert pi.ask("LED door ON") == "OK LED door ON"
    eventually(lambda: pi(leds) == dark)
    assert pi.says(f"timeout 1 sh -c {shlex.quote(watch)}") == dark
    assert pi("systemctl show -P NFileDescriptorStore led-line") == "4"
    status = "LED " + ", ".join(f"{name} is off" for name in names)
    eventually(lambda: pi.status("led-line") == status)
    pi(f"echo '{button}' >>/etc/default/button; systemctl restart button")
    pi("echo 0 >/run/button/press")
    eventually(lambda: pi(leds) == dark.replace("kitchen OFF", "kitchen ON"))


@scenario("container", "recipe: timers switch the LED")
def timers(pi):
    commands = section("A timer")
    pi("systemctl enable --now led.socket")
    pi("\n".join(commands))
    for state in "on", "off":
        assert pi.says(f"systemctl is-enabled lamp-{state}.timer") == "enabled"
        pi(f"systemctl start lamp-{state}.service")
        assert pi.ask() == f"OK LED {state.upper()}"
    # The one of the last line is the only one without a name of ours.
    waiting = pi("systemctl list-timers --no-legend 'run-*.timer'")
    assert len(waiting.splitlines()) == 1, waiting
    next_on = pi("systemctl show -P NextElapseUSecRealtime lamp-on.timer")
    assert " 18:00:00 " in next_on, next_on
    pi("systemctl stop 'run-*.timer'; systemctl disable -q --now lamp-on.timer lamp-off.timer;"
       " rm /etc/systemd/system/lamp-*")


@scenario("container", "recipe: switch: when it and its LED agree")
def position(pi):
    settings = "\n".join(section("A switch, and long presses")[:2])
    pi(f"echo '{settings}\nBUTTON_RETRY=1' >>/etc/default/button; systemctl start led.socket button")

    def move(to, led):
        pi(f"echo {to} >/run/button/press")
        eventually(lambda: pi.ask() == f"OK LED {led}")

    # After a restart on either side. A FIFO is open at the start.
    move("down", "ON")
    pi("systemctl restart led-line")
    assert pi.ask() == "OK LED ON"
    pi("systemctl restart button")
    eventually(lambda: pi.ask() == "OK LED OFF")

    # After a power cut on the LED's side: led-line has nothing but its file.
    for initial, led in ("last", "ON"), ("off", "OFF"):
        pi(f"printf 'LED=log\nLED_INITIAL={initial}\n' >/etc/default/led; systemctl restart led-line")
        move("up", "OFF")
        move("down", "ON")
        pi("systemctl stop led-line.socket led-line; systemctl start led-line.socket led-line")
        assert pi.ask() == f"OK LED {led}", initial

    # After it was moved while the LED was out of reach.
    move("up", "OFF")
    pi("systemctl stop led.socket; echo down >/run/button/press")
    eventually(lambda: "not delivered: Connection refused" in pi.status("button"), 10)
    time.sleep(2)  # what is tried: longer than --retry
    pi("systemctl start led.socket")
    eventually(lambda: pi.ask() == "OK LED ON", 20)


@scenario("container", "recipe: eight relays, with logs for lines")
def relays(pi):
    led = re.sub(r"gpio:\w+,active-low", "log", "\n".join(section("Eight relays")))
    pi(f"echo {shlex.quote(led)} >/etc/default/led; systemctl enable --now led.socket")
    assert pi.ask("LED relay8 ON") == "OK LED relay8 ON"
    off = "".join(f" relay{i}=OFF" for i in range(1, 8))
    assert pi.ask("LED LIST") == f"OK LED LIST{off} relay8=ON"


@scenario("container", "recipe: lamp that follows another, over a restart of led-line")
def follows(pi):
    pi("echo 'LED=\"kitchen=log cellar=log\"' >/etc/default/led; systemctl enable --now led.socket")
    pi("\n".join(section("A lamp that follows another")))
    try:
        for state in "ON", "OFF", "ON":
            pi.ask(f"LED kitchen {state}")
            eventually(lambda: pi.ask("LED LIST") == f"OK LED LIST kitchen={state} cellar={state}")
        pi("systemctl restart led-line")
        pi.ask("LED kitchen OFF")
        eventually(lambda: pi.ask("LED LIST") == "OK LED LIST kitchen=OFF cellar=OFF")
    finally:
        pi("systemctl stop follow")


@scenario("container", "from led.socket to led-wait.socket and back, and across a boot")
def switch(pi):
    pi("systemctl enable --now led.socket led-line.service")
    served(pi)
    for old, new in ("led.socket", "led-wait.socket"), ("led-wait.socket", "led.socket"):
        pi(f"systemctl disable --now {old}; systemctl enable --now {new}")
        pi.cursor()
        served(pi)
        served(pi)
        by_handler = [line for line in pi.journal() if line.startswith("led-handler")]
        assert len(by_handler) == (2 if new == "led.socket" else 0), by_handler
    pi("systemctl disable --now led.socket; systemctl enable --now led-wait.socket")
    pi.reboot()
    assert pi("systemctl is-active led-wait.socket led-line.service") == "active\nactive"
    served(pi)
    pi("systemctl restart led-line")
    served(pi)
    pi("systemctl restart led-wait.socket")
    served(pi)

    # As an upgrade does: start what is already running.
    before = pi.property("led-line", "MainPID")
    pi("systemctl start led-wait.socket led-line.socket")
    assert pi.property("led-line", "MainPID") == before
    served(pi)

    # A wrong setting does not prevent the change to the other socket.
    pi("systemctl disable --now led-wait.socket; systemctl stop led-line; echo LED=x >/etc/default/led;"
       "systemctl enable --now led.socket")
    street(f"echo LED ON | timeout 2 nc {ADDRESS} 5555")
    pi("systemctl start led-wait.socket; echo LED=log >/etc/default/led; systemctl stop led-line")
    served(pi)
    pi("systemctl start led.socket")
    served(pi)
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("container", "an address that comes after its socket is served, and port 5555 has a short queue")
def later_address(pi):
    later = "192.168.77.5"
    pi(f"{MAKE}; echo LED=log >/etc/default/led")
    for name, port in ("led.socket", 5555), ("led-wait.socket", 5555), ("led-tls.socket", 5556):
        drop_in = f"/etc/systemd/system/{name}.d"
        pi(f"mkdir {drop_in}; printf '[Socket]\nListenStream=\nListenStream={later}:{port}\n'"
           f" >{drop_in}/one.conf; systemctl daemon-reload; systemctl start {name}")
        pi(f"ip addr add {later}/32 dev lo")
        if port == 5555:
            assert pi.says(f"echo LED ON | timeout 10 nc {later} {port}") == "OK LED ON"
            queue = pi(f"ss -Hltn sport = {port}").split()[2]
            assert queue == "64", queue
        else:
            pi(f"timeout 10 nc -z {later} {port}")
            pi.wait_for("systemctl is-active led-tls")
        pi(f"ip addr del {later}/32 dev lo; systemctl stop {name} led-line; rm -r {drop_in};"
           " systemctl daemon-reload")
    assert pi.says("systemctl --failed --no-legend") == ""


PUBLIC = "203.0.113"  # its first address is the street's, its second the machine's


def served_from(network, source):
    answer = street(f"echo LED STATUS | timeout 3 nc -s {source} {network}.2 5555")
    return answer.startswith("OK LED ")


@scenario("container", "private networks may connect, and others if IPAddressAllow= or only_from allows them")
def networks(pi):
    for socket in ("led.socket", "led-wait.socket"):
        drop_in = f"/etc/systemd/system/{socket}.d"
        pi(f"systemctl enable --now {socket}")
        assert served_from("192.168.55", STREET)
        assert not served_from(PUBLIC, PUBLIC + ".1")
        pi(f"mkdir -p {drop_in}; printf '[Socket]\nIPAddressAllow=any\n' >{drop_in}/all.conf;"
           f"echo LED_ALLOW=any >>/etc/default/led; systemctl daemon-reload;"
           f"systemctl restart {socket} led-line")
        assert served_from(PUBLIC, PUBLIC + ".1")
        pi(f"sed -i /ALLOW/d /etc/default/led; rm -r {drop_in}; systemctl daemon-reload; systemctl disable --now {socket}")

    pi("systemctl stop led-line.socket led-line.service")
    for everybody in (False, True):
        pi(CONFIGURE)
        if everybody:
            pi(r"sed -i 's,^\tonly_from .*,only_from = 0.0.0.0/0 ::/0\nenv = LED_ALLOW=any,'"
               " /etc/xinetd.d/led")
        pi("systemctl restart xinetd")
        pi.wait_for("ss -Hltn sport = 5555 | grep -q .")
        assert served_from("192.168.55", STREET)
        assert served_from(PUBLIC, PUBLIC + ".1") == everybody
    pi("systemctl stop xinetd; pkill led-line || :")


@scenario("container", "no BPF: a stranger is still refused, unless LED_ALLOW=any")
def no_bpf(pi):
    with another(pi, *pi.lower, bpf=False) as other:
        other("echo LED=log >/etc/default/led")
        for socket in ("led.socket", "led-wait.socket"):
            other(f"systemctl start {socket}")
            assert served_from("192.168.55", STREET)
            other.cursor()
            answer = street(f"echo LED ON | timeout 3 nc -s {PUBLIC}.1 {PUBLIC}.2 5555")
            assert answer == "ERR not allowed from this address\n", answer
            assert any(PUBLIC + ".1" in line for line in other.journal()), other.journal()
            assert other.ask() == "OK LED OFF"
            other("echo LED_ALLOW=any >>/etc/default/led; systemctl restart led-line")
            assert served_from(PUBLIC, PUBLIC + ".1")
            other("sed -i /ALLOW/d /etc/default/led; systemctl restart led-line")


@scenario("container", "xinetd in place of led.socket, beside systemd")
def xinetd(pi):
    pi(f"{CONFIGURE}; systemctl start xinetd")
    xinetd_serves(pi)
    pi("systemctl stop xinetd; pkill led-line || :")  # Debian 12 stops xinetd alone


def xinetd_serves(pi):
    pi.wait_for("ss -Hltn sport = 5555 | grep -q .")
    for command, answer in (("LED ON", "OK LED ON"), ("LED TOGGLE", "OK LED OFF")):
        got = street(f"echo {command} | timeout 10 nc {ADDRESS} 5555")
        assert got == answer + "\n", got


@scenario("container", "xinetd where systemd is not process 1")
def xinetd_alone(pi):
    with another(pi, *pi.lower, command=["sleep", "infinity"]) as alone:
        # The recipe's lines, where the package has not made the users.
        alone("for name in led-handler led-line gpio; do userdel $name; groupdel $name; done; :")
        for command in section("xinetd"):
            alone(command)
            if command.startswith("cp"):
                alone(CONFIGURE)
        xinetd_serves(alone)


@scenario("container", "xinetd with all hosts denied, and only_from as in led-line(8)")
def xinetd_locked(pi):
    with another(pi, *pi.lower) as other:
        other("echo ALL: ALL >/etc/hosts.deny; echo led-handler: ALL >/etc/hosts.allow")
        other(f"{CONFIGURE}; systemctl start xinetd")
        xinetd_serves(other)

        other("systemctl stop xinetd; pkill -x led-line || :")
        other("sed -i '/^{/a only_from = 192.168.0.0/16' /etc/xinetd.conf; systemctl start xinetd")
        other.wait_for("ss -Hltn sport = 5556 | grep -q .")
        if other.suite == "bookworm":
            answer = street(f"echo LED ON | timeout 20 nc {ADDRESS} 5555")
            assert not answer.startswith("OK"), answer
        else:
            xinetd_serves(other)
        other("sed -i '/^service led-line/,/^}/s/^{/&\\ndisable = yes/' /etc/xinetd.d/led;"
              " systemctl stop xinetd; pkill -x led-line; systemctl start xinetd")
        other("systemd-run -q --uid=led-line /usr/sbin/led-line --led=log --listen=127.0.0.1:5556")
        other.wait_for("ss -Hltn sport = 5556 | grep -q .")
        xinetd_serves(other)


@scenario("container", "a second button, button@NAME.service: neither removes the other's FIFO")
def second_button(pi):
    folders = {"button": "/run/button", "button@door": "/run/button/door"}
    pi("echo BUTTON=fifo:/run/button/door/press >/etc/button/door.conf;"
       " systemctl enable --now led.socket; systemctl start button@door button")
    for stopped, left in ("button@door", "button"), ("button", "button@door"):
        pi(f"systemctl stop {stopped} && test ! -e {folders[stopped]}/press &&"
           f" echo 0 >{folders[left]}/press")
        eventually(lambda: "delivered, 0 dropped, 0 waiting" in pi.status(left))
        pi(f"systemctl start {stopped}; echo 0 >{folders[stopped]}/press")
        eventually(lambda: "1 delivered" in pi.status(stopped))
    # What a crash leaves in the folder goes, and so does what a write at the wrong time makes.
    pi("kill -KILL $(systemctl show -P MainPID button)")
    pi.wait_for("systemctl is-active button && test $(systemctl show -P NRestarts button) = 1")
    pi("systemctl stop button && test -p /run/button/door/press && test ! -e /run/button/press")
    pi("echo 0 >/run/button/press; systemctl start button && test -p /run/button/press")


@scenario("container", "button@NAME.service without /etc/button/NAME.conf: the error names the file")
def no_settings(pi):
    pi.cursor()
    status, _ = pi.run("systemctl start button@door")
    assert status != 0
    for said in pi.says("systemctl status button@door"), "\n".join(pi.journal()):
        assert "/etc/button/door.conf" in said, said
    assert pi.property("button@door", "NRestarts") == "0"
    pi("echo BUTTON=fifo:/run/button/door/press >/etc/button/door.conf; systemctl start button@door")
    pi("test -p /run/button/door/press")


@scenario("container", "button.service at led-line's own socket, and a setting that systemd ignores")
def button_settings(pi):
    pi("echo BUTTON_CONNECT=/run/led/line.sock >>/etc/default/button;"
       "echo export BUTTON_RETRY=20 >>/etc/default/button; systemctl start led-line.socket")
    pi.cursor()
    pi("systemctl restart button; echo 0 >/run/button/press")
    eventually(lambda: "1 delivered" in pi.status("button"))
    assert pi("echo LED STATUS | led-handler") == "OK LED ON"
    log = "\n".join(pi.journal())
    assert "Ignoring invalid environment assignment 'export BUTTON_RETRY=20'" in log, log


@scenario("container", "a wrong LED is an answer, and led-line is not started again and again")
def wrong_led(pi):
    for socket in "led.socket", "led-wait.socket":
        pi("echo LED=x >/etc/default/led; systemctl stop led-line")
        pi.cursor()
        pi(f"systemctl enable --now {socket}")
        wrong = "a setting is wrong: LED=x: an LED is gpio:LINE, gpio:CHIP/OFFSET, leds:NAME or log"

        def answer(command):
            return street(f"echo {command} | timeout 20 nc {ADDRESS} 5555").strip()

        # led-line may take longer to start, beside other work, than its client waits.
        eventually(lambda: answer("LED ON") == f"ERR {wrong}", 10)
        for command in ("LED ON", "LED TOGGLE", "LED STATUS"):
            said = answer(command)
            assert said == f"ERR {wrong}", (command, said)
        assert pi.property("led-line", "NRestarts") == "0"
        assert wrong in pi.status("led-line")
        assert len([line for line in pi.journal() if line.endswith("]: " + wrong)]) == 1
        pi("echo LED=log >/etc/default/led; systemctl restart led-line")
        assert pi.ask() == "OK LED OFF"
        log = pi.journal()
        assert not any("LED Status: On" in line for line in log), log
        pi(f"systemctl disable --now {socket} led-line.socket")


@scenario("container", "after a stop nothing is left: no process, no socket, no FIFO")
def stop(pi):
    pi("systemctl enable --now led.socket led-line.service button.service")
    pi("for name in door gate; do echo BUTTON=fifo:/run/button/$name/press >/etc/button/$name.conf;"
       " done; systemctl enable --now button@door button@gate")
    pi("echo 0 >/run/button/press")
    eventually(lambda: "1 delivered" in pi.status("button"))
    pi("\n".join(section("Off again")))
    assert pi.processes() == "", pi.processes()
    enabled = pi.says("cd /etc/systemd/system; ls *.wants | grep -E '^(led|button(@|-tls|.service))'")
    assert enabled == "", enabled
    left = pi.says("ss -Hltn sport = 5555; find /run/led /run/button -mindepth 1")
    assert left == "", left
    assert pi.says("systemctl --failed --no-legend") == ""
