# SPDX-License-Identifier: MIT
"""led-mqtt on one machine, and on two with a broker and a street between them."""

import random
import time

from machines.common import eventually
from machines.container import second
from machines.install import readme
from scenarios import scenario


def connected(*machines):
    for machine in machines:
        eventually(lambda: "connected; 1 LED" in machine.status("led-mqtt"), 90)


def changes(machine):
    """What the machine's LED has shown since cursor(), without what it was at a start."""
    states = [line.split()[-1] for line in machine.journal() if "]: LED Status: " in line]
    return [now for before, now in zip(["Off", *states], states) if now != before]


def retained(pi, topic):
    return pi.says(f"mosquitto_sub -t {topic} -C 1 -W 5")


def press(pi, total):
    """Presses, and waits until so many presses have been delivered in all."""
    pi("echo 0 >/run/button/press")
    eventually(lambda: f" {total} delivered" in pi.status("button"), 30)


@scenario("container", "README's one button and many LEDs, on two machines, over restarts and kills")
def many(pi):
    *listen, connect, toggle, enable, restart = readme("One button, many LEDs")
    with second(pi) as other:
        pi("\n".join(listen))
        pi(f"echo '{connect}' >>/etc/default/button; echo '{toggle}' >>/etc/default/button")
        other("echo MQTT_BROKER=mqtt://pi >/etc/default/led-mqtt")
        for machine in pi, other:
            machine(enable)
        pi(restart)
        connected(pi, other)
        both_follow(pi, other)
        survives_kills(pi, other)


def both_follow(pi, other):
    for machine in pi, other:
        machine.cursor()
    for total in range(1, 5):
        press(pi, total)
    wanted = ["On", "Off"] * 2
    for machine in pi, other:
        eventually(lambda: changes(machine) == wanted)

    # The broker is away for a moment, twice, and presses come meanwhile.
    for how in "restart", "kill -s KILL":
        pi(f"systemctl {how} mosquitto & for i in $(seq 8); do echo 0 >/run/button/press; sleep 0.2;"
           " done; wait; systemctl start mosquitto")
    eventually(lambda: " 20 delivered, 0 dropped" in pi.status("button"), 60)
    # It publishes and subscribes on one connection: its own LED misses nothing.
    eventually(lambda: changes(pi) == ["On", "Off"] * 10)
    connected(pi, other)
    # The other machine had to be there. From now on it is.
    before = len(changes(other))
    press(pi, 21)
    eventually(lambda: len(changes(other)) == before + 1)


def survives_kills(pi, other):
    numbers = random.Random(1)
    for _ in range(50 if pi.suite == "trixie" else 10):
        machine, unit = numbers.choice([
            (pi, "led-mqtt"), (other, "led-mqtt"), (pi, "led-line"), (other, "led-line"), (pi, "mosquitto")
        ])
        # Debian's mosquitto.service gives up after five starts within ten seconds.
        machine.says(f"systemctl reset-failed {unit}; systemctl kill -s KILL {unit}")
        machine(f"echo LED {numbers.choice(['ON', 'OFF', 'TOGGLE'])} | led-handler")
        time.sleep(numbers.uniform(0, 1))
    connected(pi, other)
    for machine, host in (pi, "pi"), (other, "pi2"):
        state = machine("echo LED STATUS | led-handler").removeprefix("OK LED ")
        eventually(lambda: retained(pi, f"led/{host}/led") == state)
        for topic in f"led/{host}/availability", f"led/{host}/led/availability":
            eventually(lambda: retained(pi, topic) == "online", 30)


@scenario("container", "led-mqtt: confined, with a password that only root can read")
def mqtt(pi):
    pi("""
        echo LED=log >/etc/default/led
        printf 'listener 18830 127.0.0.1\\npassword_file /tmp/users\\n' >/tmp/mosquitto.conf
        touch /tmp/users; chmod 644 /tmp/users; mosquitto_passwd -b /tmp/users lamp secret
        systemd-run -q --unit=broker mosquitto -c /tmp/mosquitto.conf
        printf 'MQTT_BROKER=mqtt://localhost:18830\\nMQTT_USER=lamp\\n' >/etc/default/led-mqtt
        install -D -m 600 /dev/null /etc/led/mqtt.password; echo secret >/etc/led/mqtt.password
        systemctl start led-mqtt
    """)
    eventually(lambda: "connected; 1 LED" in pi("systemctl show -P StatusText led-mqtt"))
    # A button of this machine, as the user of button.service.
    said = pi("echo LED ON | runuser -u led-button -- nc -NU /run/led/mqtt.sock")
    assert said == "OK LED ON", said
    assert f'local user {pi("id -u led-button")} sent "LED ON"' in "\n".join(pi.journal())
    seen = "mosquitto_sub -p 18830 -u lamp -P secret -t led/pi/led -C 1 -W 10"
    eventually(lambda: pi(seen) == "ON")
    # Without the file, there is no password; a wrong one is named.
    pi("rm /etc/led/mqtt.password; systemctl restart led-mqtt")
    eventually(lambda: "trying again" in pi("systemctl show -P StatusText led-mqtt"))
    assert pi.property("led-mqtt", "NRestarts") == "0"
    pi("systemctl stop led-mqtt.service led-mqtt.socket broker")
