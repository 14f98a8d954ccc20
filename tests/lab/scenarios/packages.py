# SPDX-License-Identifier: MIT
"""The packages from installation to purge, on machines that never saw this project."""

import re
import time

from machines.common import SOURCE, build, eventually
from machines.container import another
from machines.install import (CHECKOUT, SOURCES, bring, changed_after_signing, copy,
                              install_commands, packages, publish, section)
from scenarios import scenario
from scenarios.container import CONFIGURE, setting
from scenarios.pi3 import PINS, pin
from scenarios.tls import MAKE
from scenarios.vm import GPIO, TRACE, guest, presses, trace

# When a changed setting differs from the new version's, the administrator keeps it, as dpkg
# proposes.
UPGRADE = "dpkg --force-confold --install /usr/src/next/*.deb"


def install(pi):
    for command in install_commands():
        pi(f"cd /{CHECKOUT} && {command}")


def files(pi):
    """All files, except what any package leaves in logs, caches and databases."""
    return set(pi(
        "find / /run -xdev '(' -path /tmp -o -path /var/tmp -o -path /var/cache -o -path /var/log"
        " -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /usr/src -o -path '/run/systemd/*'"
        " -o -path '/etc/*-' ')' -prune -o -print"
    ).splitlines())


@scenario("container", "a clean machine: apt install, README's lines, reboot, upgrade, purge")
def life(pi):
    with another(pi, build("clean", pi.suite)) as clean:
        before = files(clean)
        bring(clean.root, clean.suite)
        install(clean)
        assert clean("systemctl is-enabled button.service") == "enabled"
        assert clean("systemctl is-active button.service") == "active"
        assert "led-" not in clean.processes(), clean.processes()
        assert listening(clean) == "", listening(clean)

        # README.md's first lines, and again after a reboot.
        clean("echo LED=log >/etc/default/led")
        enable, led, netcat, manual = section("led-socket")[:4]
        clean(enable)
        for _ in range(2):
            assert clean(f"timeout 10 {led}") == "ON"
            assert clean(f"timeout 10 {netcat}") == "OK LED ON"
            assert "led-handler" in clean(f"{manual} | cat")
            assert clean("systemctl is-active button.service led.socket") == "active\nactive"
            clean.reboot()
        assert clean.says("systemctl --failed --no-legend") == ""
        assert int(clean("journalctl -b -q -t button | wc -l")) <= 2, clean.last_words()

        # Over TLS, from the machine to itself.
        clean(f"{MAKE}; echo TLS_CONNECT=pi:5556 >/etc/default/led-tls;"
              " systemctl enable --now led-tls.socket button-tls")
        over_tls = "echo LED ON | led-handler --line=/run/led-tls/button.sock"
        assert clean(over_tls) == "OK LED ON"
        tls = clean("systemctl show -P MainPID led-tls button-tls")
        clean("echo secret >/etc/led/mqtt.password")

        # A second button, whose unit no package knows by name.
        clean("echo BUTTON=fifo:/run/button/door/press >/etc/button/door.conf;"
              " systemctl enable --now button@door")

        # Changed files are kept, the others are replaced.
        assert clean.ask("LED ON") == "OK LED ON"
        holder = clean.property("led-line", "MainPID")
        count, slowest, *wrong = guest(clean, "upgrade", UPGRADE).split(maxsplit=2)
        print(f"# upgrade: asked {count} times, the longest wait {slowest} ms")
        assert not wrong and int(count) > 20, wrong
        assert clean("cat /etc/default/led") == "LED=log"
        assert clean("cat /etc/default/led-tls") == "TLS_CONNECT=pi:5556"
        assert "# next" in clean("cat /etc/default/button")
        assert "# next" in clean("systemctl cat led-line.service")
        restarted(clean, holder)
        clean.wait_for(over_tls)
        now = clean("systemctl show -P MainPID led-tls button-tls")
        assert not set(now.split()) & {"0", *tls.split()}, (now, tls)
        assert clean("systemctl is-enabled led.socket button.service") == "enabled\nenabled"

        # As in doc/install.md, and whoever types it says yes.
        remove = section("Remove")[-1]
        clean(f"{YES} && {remove}")
        assert clean.processes() == "", clean.processes()
        assert listening(clean) == "", listening(clean)
        assert clean("cat /etc/default/led /etc/led/mqtt.password") == "LED=log\nsecret"
        clean(f"{remove.replace('remove', 'purge')} && rm /etc/apt/apt.conf.d/yes")
        clean("systemctl daemon-reload; systemctl reset-failed")
        left = files(clean) - before
        assert left == {"/etc/button", "/etc/button/door.conf"}, left
        units = clean.says("for what in list-units list-unit-files; do"
                           " systemctl $what --plain --no-legend 'led*' 'button*'; done")
        assert units == "", units


@scenario("container", "the button's machine alone, with led-mqtt: README's lines, off, removed, purged")
def button_alone(pi):
    with another(pi, build("clean", pi.suite)) as clean:
        before = files(clean)
        bring(clean.root, clean.suite)
        for command in install_commands():
            if "led-button" in command or "led-mqtt" in command:
                clean(f"cd /{CHECKOUT} && {command}")
        clean("systemctl enable -q --now led-mqtt")
        clean.wait_for("[ -S /run/led/mqtt.sock ]")
        for command in section("Off again"):
            if re.search(r"button\b|led-mqtt", command):
                clean.says(command)
        assert clean.processes() == "", clean.processes()
        # apt knows led-web from no package that is installed here.
        remove = section("Remove")[-1]
        clean(f"{YES} && {remove} && {remove.replace('remove', 'purge')} && rm /etc/apt/apt.conf.d/yes")
        clean("systemctl daemon-reload; systemctl reset-failed")
        left = files(clean) - before
        assert left == set(), left


@scenario("container", "apt remove ends led-line without a warning, however it was started")
def remove(pi):
    with another(pi, *pi.lower) as other:
        other("echo LED=log >/etc/default/led")
        for start in ("systemctl start led.socket", "systemctl start led-wait.socket",
                      f"{CONFIGURE}; systemctl start xinetd"):
            other(start)
            eventually(lambda: other.ask("LED ON") == "OK LED ON")
            assert "led-line" in other.processes(), other.processes()
            said = other("apt-get remove -y led-socket")
            assert "led-line" not in other.processes(), other.processes()
            assert "led-line.service" not in said, said
            other("apt-get install -y /usr/src/packages/led-socket_*.deb")


def listening(pi):
    return pi.says("ss -Hltn 'sport >= 5555 and sport <= 5557'; ls -d /run/led/* /run/led-tls 2>/dev/null")


def restarted(pi, before):
    """The new led-line runs where the GPIO line can be handed over, elsewhere the old one."""
    now = pi.property("led-line", "MainPID")
    program = pi(f"readlink /proc/{now}/exe")
    if pi.suite == "bookworm":
        assert now == before and "deleted" in program, (now, before, program)
    else:
        assert now != before and "deleted" not in program, (now, before, program)


# The administrator says yes, and keeps changed settings.
YES = """echo 'APT::Get::Assume-Yes "true"; Dpkg::Options { "--force-confold"; };' >/etc/apt/apt.conf.d/yes
         rm -f /etc/apt/sources.list"""


def candidate(pi):
    return pi("apt-cache policy led-socket | sed -n 's/.*Candidate: //p'")


def installs(pi, typed):
    """apt installs what a user types, from a repository; led-client comes as a recommendation."""
    pi(YES)
    pi(typed, 200)
    for name in "led-socket", "led-button", "led-client":
        assert pi(f"dpkg-query -Wf '${{db:Status-Status}}' {name}") == "installed", name
    assert pi("systemctl is-active button.service") == "active"


def refuses(pi, *whys):
    """A machine that has not yet seen the repository takes nothing from it, and says why."""
    pi("rm -rf /var/lib/apt/lists/*")
    status, said = pi.run("apt-get update --error-on=any")
    assert status != 0 and any(why in said for why in whys), said
    known = pi("apt-cache madison led-socket")
    assert known == "", known


@scenario("container", "an apt repository: an installation and an upgrade; a change or another key is refused")
def repository(pi):
    with another(pi, build("clean", pi.suite)) as clean:
        files = packages(pi.suite, "amd64")
        bring(clean.root, pi.suite)
        folder = clean.root / "srv/led-socket"
        publish(folder, pi.suite, files, url="http://pi/led-socket")
        clean("systemd-run -q --unit=web python3 -m http.server -d /srv 80")
        clean.wait_for("ss -Hltn sport = 80 | grep -q .")
        installs(clean, (folder / "install.txt").read_text())
        clean("echo LED=log >/etc/default/led; systemctl enable --now led.socket")
        assert clean("led on") == "ON"

        # The next version, which apt finds beside the first; the LED stays lit.
        publish(folder, pi.suite, (clean.root / "usr/src/next").glob("*.deb"), url="http://pi/led-socket")
        before, holder = candidate(clean), clean.property("led-line", "MainPID")
        count, slowest, *wrong = guest(clean, "upgrade", "sh -c 'apt update && apt upgrade'").split(maxsplit=2)
        print(f"# upgrade by apt: asked {count} times, the longest wait {slowest} ms")
        assert not wrong and int(count) > 20, wrong
        restarted(clean, holder)
        assert candidate(clean) == f"{before}+next"
        assert clean("dpkg-query -Wf '${Version}\n' led-socket led-client led-button | sort -u") == f"{before}+next"
        assert clean("cat /etc/default/led; led status") == "LED=log\nON"
        # And back.
        clean(f"apt install --allow-downgrades led-socket={before}")
        assert clean("led status") == "ON"

        changed_after_signing(folder, pi.suite)
        refuses(clean, "Hash Sum mismatch")
        # Somebody else's repository in its place.
        (folder / "led-socket.asc").unlink()
        publish(folder, pi.suite, [], key="another")
        refuses(clean, "NO_PUBKEY", "Missing key")  # gpgv's words, and Sequoia's


@scenario("pi3", "an apt repository: an installation and an upgrade with the LED lit; a change is refused")
def repository_on_board(pi):
    # Its clock starts anew at each boot, and a signature of tomorrow is none.
    pi(f"date -s @{time.time():.0f}; ln -sfn first /srv/led-socket; rm -f /etc/default/{{led,button}}"
       " /var/lib/man-db/auto-update")
    installs(pi, pi("cat /srv/led-socket/install.txt"))
    pi("systemctl enable --now led.socket")
    assert pi("led on") == "ON"
    pin(pi, "gpio_out hi")

    before, holder = candidate(pi), pi.property("led-line", "MainPID")
    pi("ln -sfn second /srv/led-socket")
    pi(f"(until test -e /run/upgraded; do grep '^pin 17 ' {PINS}; sleep 0.1; done) >/run/seen 2>&1 &"
       " apt update && apt upgrade; status=$?; touch /run/upgraded; wait; exit $status", 200)
    seen = pi("cat /run/seen").splitlines()
    print(f"# upgrade by apt: pin 17 looked at {len(seen)} times")
    assert len(seen) > 20 and all("gpio_out" in line and " hi" in line for line in seen), set(seen)
    assert pi.property("led-line", "MainPID") not in ("0", holder)
    assert candidate(pi) == f"{before}+next" and pi("led status") == "ON"

    pi("ln -sfn changed /srv/led-socket")
    refuses(pi, "Hash Sum mismatch")


@scenario("container", "debian/tests pass after the packages are installed")
def autopkgtest(pi):
    with another(pi, build("clean", pi.suite)) as clean:
        bring(clean.root, clean.suite)
        install(clean)
        copy([SOURCE / "debian"], clean.root / "usr/src/led-socket")
        status, output = clean.run(
            "autopkgtest --ignore-restrictions=isolation-container --no-built-binaries"
            " /usr/src/led-socket -- null", 200
        )
        summary = output.rpartition("@@@@ summary")[2]
        results = re.findall(r"^(led-\w+) +(\w+)", summary, re.M)
        names = "led-socket", "led-client", "led-button", "led-mqtt", "led-web", "led-tls"
        assert status == 0 and results == [(name, "PASS") for name in names], output


@scenario("container", "built from source, as doc/install.md says")
def source(pi):
    with another(pi, build("tree", pi.suite)) as other:
        copy([SOURCE / name for name in SOURCES], other.root / "usr/src/led-socket")
        for command in section("From source"):
            other(f"cd /usr/src/led-socket && {command}", 300)
        assert other("systemctl is-active button.service") == "active"
        other("echo LED=log >/etc/default/led; systemctl enable --now led.socket")
        assert other.ask("LED ON") == "OK LED ON"

        # An update: new units, and the settings as they were.
        other("cd /usr/src/led-socket && for file in units/*; do echo '# next' >>$file; done")
        before = other.property("led-line", "MainPID")
        for command in section("Update from source"):
            other(f"cd /usr/src/led-socket && {command.removeprefix('git pull && ')}", 300)
        assert other("cat /etc/default/led") == "LED=log"
        assert "# next" not in other("cat /etc/default/{button,led-mqtt,led-tls,led-web}")
        assert "# next" in other("systemctl cat led-line.service")
        assert other.property("led-line", "MainPID") not in ("0", before)
        assert other.ask() == "OK LED ON"

        for command in section("Uninstall what was built"):
            other(f"cd /usr/src/led-socket && {command}")
        assert other.processes() == "" and listening(other) == "", other.processes()
        left = other.says("systemctl list-unit-files --plain --no-legend 'led*' 'button*';"
                          " cd /etc/systemd/system; ls *.wants | grep -E '^(led|button)';"
                          " ls /usr/sbin/led-line /usr/sbin/button /usr/bin/led* 2>/dev/null")
        assert left == "", left
        assert other("cat /etc/default/led") == "LED=log"


@scenario("vm", "an upgrade while the LED is lit: it stays lit, and every client is answered")
def upgrade(pi):
    pi("systemctl enable --now led.socket button.service")
    trace(pi)
    assert pi.ask("LED ON") == "OK LED ON"
    holder = pi.property("led-line", "MainPID")
    count, slowest, *wrong = guest(pi, "upgrade", UPGRADE, seconds=200).split(maxsplit=2)
    print(f"# upgrade: asked {count} times, the longest wait {slowest} ms")
    assert not wrong and int(count) > 20, wrong
    restarted(pi, holder)

    # Since LED ON, the line has only been read.
    text = pi(f"grep -v '^#' {TRACE}; echo 0 >{GPIO}")
    events = re.findall(r"gpio_(value|direction): (\d+) +(.*)", text)
    line = next(line for kind, line, rest in events if rest == "set 1")
    ours = [rest for _, its_line, rest in events if its_line == line and "get" not in rest]
    print(f"# upgrade: the LED's line: {ours}")
    assert ours.index("set 1") == len(ours) - 1, ours
    assert pi.led() == "1"
    eventually(lambda: pi.property("button", "ActiveState") == "active", 60)
    assert pi.ask("LED OFF") == "OK LED OFF" and presses(pi, 2) == ["1", "0"]


@scenario("vm", "configuring a package leaves GPIO chips of group gpio alone", once=True)
def configure(pi):
    # As on Raspberry Pi OS: a link that a "change" of the chip takes away.
    pi("echo 'SUBSYSTEM==\"gpio\", KERNEL==\"gpiochip*\", ACTION!=\"change\", SYMLINK+=\"old-name\"'"
       " >/etc/udev/rules.d/99-link.rules; udevadm control --reload")
    pi.live(False)
    pi.live(True)
    pi.wait_for("udevadm settle; test -L /dev/old-name")
    led = pi("ls -d /sys/class/leds/*capslock | head -n 1")
    for spoilt in False, True:
        if spoilt:
            pi(f"chgrp root {pi.chip()} {led}/*; chmod 600 {pi.chip()}; chmod 644 {led}/brightness")
        for _ in range(2):
            # What dpkg runs; dpkg-reconfigure would spend a minute on its questions.
            pi("for name in led-socket led-button; do DPKG_MAINTSCRIPT_PACKAGE=$name"
               " /var/lib/dpkg/info/$name.postinst configure || exit; done", 200)
            pi("udevadm settle; test -L /dev/old-name")
            assert pi(f"stat -c %G:%a {pi.chip()} {led}/brightness") == "gpio:660\ngpio:664"
    pi("rm /etc/udev/rules.d/99-link.rules")


@scenario("vm", "recipe: settings for other pins, across a reboot", once=True)
def pins(pi):
    by_name, _ = setting("LED=gpio:GPIO27")
    by_number, _ = setting("LED=gpio:gpiochip0/27,active-low")
    button, _ = setting("BUTTON=gpio:GPIO22")
    pi("systemctl enable led.socket button.service")
    pi(f"echo {button} >/etc/default/button")
    for led, lit in (by_name, "1"), (by_number, "0"):
        pi(f"echo {led} >/etc/default/led")
        pi.reboot()
        pi.wait_for("systemctl is-active button.service")
        assert "GPIO22" in pi.status("button"), pi.status("button")
        pi("cd /run/chip/sim_gpio22; echo pull-down >pull; sleep 0.5; echo pull-up >pull")
        eventually(lambda: pi("cat /run/chip/sim_gpio27/value") == lit, 60)
        assert pi.ask() == "OK LED ON"
