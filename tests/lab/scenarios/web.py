# SPDX-License-Identifier: MIT
"""led-web under systemd: started by its socket, confined, and gone when nobody looks."""

import ctypes

from machines.common import eventually
from scenarios import scenario

LANDLOCK_CREATE_RULESET = 444
URL = "http://localhost:5557"


@scenario("container", "led-web: started by its socket, confined, with a password that only root can read")
def web(pi):
    pi("systemd-sysusers; echo 'LED=\"log door=log,pulse=500\"' >/etc/default/led; systemctl enable --now led-web.socket")
    assert "led-web" not in pi.processes(), pi.processes()
    page = pi(f"curl -s {URL}/")
    assert "<title>pi</title>" in page and ">Door</button>" in page, page
    for state in "ON", "OFF":
        assert pi(f"curl -s -d {state} {URL}/leds/led") == state
        assert pi("echo LED STATUS | led-handler") == f"OK LED {state}"
    assert "1 connection" not in pi.status("led-web") and pi.status("led-web").startswith("pages: 0, LEDs: 2,")
    sent = [line for line in pi.journal() if ' sent "LED led ON": OK LED ON' in line and "led-web" in line]
    assert len(sent) == 1, pi.journal()

    # It has no network, and cannot be reached but through the socket.
    pid = pi.property("led-web", "MainPID")
    assert pi(f"nsenter -t {pid} -n ss -Hltn; ip -o link | wc -l") != ""
    assert "eth" not in pi(f"nsenter -t {pid} -n ip -o link")
    # The unit's filter permits landlock(7), which this machine's kernel has for TCP from 6.7 on.
    has_landlock = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) >= 4
    refused = [line for line in pi.journal() if "may connect over TCP, see landlock(7): " in line]
    assert bool(refused) != has_landlock, refused

    # A password, and a file that others can read.
    pi("install -D -m 600 /dev/null /etc/led/web.password; echo anna:secret >/etc/led/web.password;"
       " systemctl stop led-web.service")
    code = f"curl -s -o /dev/null -w '%{{http_code}}' {URL}/leds/led"
    assert pi(code) == "401" and pi(f"{code} -u anna:secret") == "200"
    pi("systemctl stop led-web.service; chmod 644 /etc/led/web.password")
    said = pi(f"curl -s {URL}/leds/led")
    assert said.endswith("others can read it: chmod 600 /etc/led/web.password"), said
    eventually(lambda: pi.property("led-web", "ExecMainStatus") == "2", 20)
    assert pi.property("led-web", "NRestarts") == "0"
    assert "led-web.service" in pi.says("systemctl --failed --no-legend")
    # Through a link, the unit passes a file whose permissions the program cannot see.
    pi("mv /etc/led/web.password /root/; ln -s /root/web.password /etc/led/")
    said = pi(f"curl -s {URL}/leds/led")
    assert said.endswith(": it is a link out of /etc/led: copy the file there"), said
    eventually(lambda: pi.property("led-web", "ActiveState") == "failed", 20)
    pi("rm /etc/led/web.password")
    assert pi(code) == "200"


@scenario("container", "led-web: a minute after the last visit it is gone, and the next visit starts it")
def gone(pi):
    pi("systemd-sysusers; echo LED=log >/etc/default/led; systemctl start led-web.socket")
    for state in "ON", "OFF":
        assert pi(f"curl -s -d {state} {URL}/leds/led") == state
        eventually(lambda: pi.says("systemctl is-active led-web.service") == "inactive", 90)
        assert pi.property("led-web", "Result") == "success"
        assert pi("systemctl is-active led-web.socket") == "active"
