# SPDX-License-Identifier: MIT
"""led-mqtt on one machine, and on two with a broker and a street between them."""

import json
import random
import re
import time

from machines.common import NotBuilt, build, eventually
from machines.container import another, second
from machines.install import copy, packages, section
from scenarios import Skip, scenario


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


@scenario("container", "recipe: one button and many LEDs, on two machines, over restarts and kills")
def many(pi):
    *listen, connect, toggle, enable, restart = section("One button, many LEDs")
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
    # The other machine had to be there. From now on it is: in step after one press, and then it follows.
    press(pi, 21)
    press(pi, 22)
    eventually(lambda: changes(other)[-2:] == ["On", "Off"])


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


CONTACTS = "A door contact and a motion sensor"


def set_up_contacts(pi):
    """The recipe's door contact and motion sensor, with FIFOs for their lines."""
    contacts, *settings, restart, enable = section(CONTACTS)
    assert len(settings) == 8, settings
    pi(f"echo '{contacts}' >>/etc/default/led-mqtt")
    for name, lines in ("front", settings[:4]), ("hall", settings[4:]):
        assert lines[0].startswith("BUTTON=gpio:GPIO"), lines
        lines = [f"BUTTON=fifo:/run/button/{name}/press", *lines[1:]]
        pi(f"cat >/etc/button/{name}.conf <<'END'\n" + "\n".join(lines) + "\nEND")
    pi(f"{restart}; {enable}")


def move(pi, name, to):
    pi(f"echo {to} >/run/button/{name}/press")


@scenario("container", "recipe: door contact and motion sensor: at the broker, over a restart of each, and in systemctl status")
def contacts(pi):
    pi("systemctl start mosquitto")
    set_up_contacts(pi)
    topics = {name: f"led/pi/contact/{name}" for name in ("front", "hall")}
    for name, device_class in ("front", "door"), ("hall", "motion"):
        sensor = json.loads(retained(pi, f"homeassistant/binary_sensor/led_pi/contact_{name}/config"))
        assert (sensor["device_class"], sensor["state_topic"]) == (device_class, topics[name]), sensor
        eventually(lambda: retained(pi, topics[name]) == "OFF", 30)
        assert retained(pi, f"{topics[name]}/availability") == "online"
    before = int(pi("date +%s"))
    move(pi, "front", "down")
    eventually(lambda: retained(pi, topics["front"]) == "ON", 30)
    assert retained(pi, topics["hall"]) == "OFF"

    # systemctl status says how it is, since when, and what the server has.
    says = re.compile(r'Status: "fifo:/run/button/front/press: closed since (\w+ \S+ \S+ \w+);'
                      r' the server has CONTACT front ON: OK CONTACT front ON"')
    since = eventually(lambda: says.search(pi.says("systemctl status -l --no-pager button@front")))[1]
    assert before - 2 <= int(pi(f"date -d '{since}' +%s")) <= before + 60, since
    pi("systemctl stop mosquitto")
    move(pi, "front", "up")
    away = "open since .*; the server has CONTACT front ON: OK CONTACT front ON; not delivered: ERR the broker is away"
    eventually(lambda: re.search(away, pi.status("button@front")), 30)
    move(pi, "hall", "down")
    pi("systemctl start mosquitto")
    for name, state in ("front", "OFF"), ("hall", "ON"):
        eventually(lambda: retained(pi, topics[name]) == state, 100)

    # A restart of led-mqtt keeps what they said; a stop of a contact's button says that it is gone.
    pi("systemctl restart led-mqtt")
    connected_without_leds = lambda: ": connected" in pi.status("led-mqtt")
    eventually(connected_without_leds, 30)
    assert (retained(pi, topics["front"]), retained(pi, topics["hall"])) == ("OFF", "ON")
    pi("systemctl stop button@hall")
    assert retained(pi, f"{topics['hall']}/availability") == "offline"
    # At a shutdown, led-mqtt is there for it.
    assert "led-mqtt.service" in pi("systemctl show -P After button@front")
    pi("systemctl stop button@front led-mqtt.socket led-mqtt mosquitto")


@scenario("container", "recipe: lamp that follows a contact on another machine")
def follows_contact(pi):
    *listen, _, _, _, _ = section("One button, many LEDs")
    lines = "\n".join(section("A lamp that follows a contact"))
    with second(pi) as other:
        pi("\n".join(listen))
        set_up_contacts(pi)
        other("systemctl start led.socket; echo 192.168.55.2 broker >>/etc/hosts")
        other(lines)
        shows = lambda: other("echo LED STATUS | led-handler").removeprefix("OK LED ")
        move(pi, "front", "down")
        eventually(lambda: shows() == "ON", 30)
        # After a start of the lamp's machine, and of the broker's.
        other("systemctl stop led-line; systemctl restart follow-front")
        eventually(lambda: shows() == "ON", 30)
        pi("systemctl restart mosquitto")
        for to, state in ("up", "OFF"), ("down", "ON"):
            move(pi, "front", to)
            eventually(lambda: shows() == state, 100)
        other("systemctl stop follow-front")
        pi("systemctl stop button@front button@hall led-mqtt.socket led-mqtt mosquitto")


@scenario("container", "recipe: a button for Home Assistant on another machine than the LED", once=True)
def button_elsewhere(pi):
    *listen, _, _, _, _ = section("One button, many LEDs")
    lines = section("Home Assistant")
    needed = [line for line in lines if line.startswith(("MQTT_BROKER=", "MQTT_BUTTONS="))]
    button = [line for line in lines if line.startswith("BUTTON_")]
    enable, restart = lines[-2:]
    with second(pi) as other:
        pi("\n".join(listen))
        other("sed -i 's/ pi$/ pi broker/' /etc/hosts")
        for line in needed:
            other(f"echo '{line}' >>/etc/default/led-mqtt")
        for line in button:
            other(f"echo '{line}' >>/etc/default/button")
        other(f"{enable}\n{restart}")
        connected(other)
        told = json.loads(retained(pi, "homeassistant/event/led_pi2/button_door/config"))
        assert told["state_topic"] == "led/pi2/button/door", told
        pi("systemd-run -q --unit=heard stdbuf -oL mosquitto_sub -d -t led/pi2/button/door")
        eventually(lambda: "Subscribed" in pi.says("journalctl --sync; journalctl -u heard"))
        press(other, 1)
        eventually(lambda: "]: press\n" in pi.says("journalctl --sync; journalctl -u heard") + "\n")
        pi("systemctl stop heard")


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


# --- an upgrade from 0.4.1 ----------------------------------------------------------------

OLD = "homeassistant/device/led_pi/config"
LIGHT, SWITCH = (f"homeassistant/{kind}/led_pi/led_pump/config" for kind in ("light", "switch"))
THINGS = {
    "homeassistant/light/led_pi/led_kitchen/config",
    SWITCH,
    "homeassistant/event/led_pi/button_door/config",
    "homeassistant/device_automation/led_pi/button_door/config",
    "homeassistant/device_automation/led_pi/button_door_long/config",
}
LIGHTS = THINGS - {SWITCH} | {LIGHT}
# An administrator who has changed settings keeps them.
INSTALL = "dpkg --force-confold --install"


@scenario("container", "an upgrade from 0.4.1 with a broker: the move, and again after a downgrade")
def upgrade(pi):
    if pi.suite != "bookworm":
        raise Skip("Debian 12 has it, where the older led-line goes on for a while")
    try:
        older = build("older", pi.suite)
    except NotBuilt as why:
        if "the history has no" in why.said:
            raise Skip("the history of this checkout does not go back so far") from why
        raise
    with another(pi, build("clean", pi.suite)) as clean:
        names = "led-socket", "led-mqtt"
        copy([next(older.glob(f"{name}_*.deb")) for name in names], clean.root / "usr/src/older")
        new = [file for file in packages(clean.suite, "amd64") if file.name.split("_")[0] in names]
        copy(new, clean.root / "usr/src/newer")
        clean("""
            printf 'listener 1883\\nallow_anonymous true\\n' >/etc/mosquitto/conf.d/led.conf
            systemctl restart mosquitto
            dpkg --install /usr/src/older/*.deb
            echo 'LED="kitchen=log pump=log,pulse=60000 gone=log"' >/etc/default/led
            printf 'MQTT_BROKER=mqtt://localhost\\nMQTT_BUTTONS=door\\n' >/etc/default/led-mqtt
            systemctl enable --now led.socket led-mqtt
        """)
        eventually(lambda: "connected; 3 LED" in clean.status("led-mqtt"), 30)
        # An LED that 0.4.1 has removed leaves a mark in its message.
        clean("""echo 'LED="kitchen=log pump=log,pulse=60000"' >/etc/default/led
                 systemctl restart led-line; echo LED kitchen ON | led-handler""")
        eventually(lambda: "connected; 2 LED" in clean.status("led-mqtt"), 30)
        was = json.loads(retained(clean, OLD))
        # led-line goes on as it is on Debian 12: it knows no kinds, and all are lights.
        first = moved(clean, LIGHTS)
        assert first["components"]["led_pump"] == was["components"]["led_pump"], first
        kept(clean, was)
        clean("systemctl restart led-line")
        eventually(lambda: set(all_retained(clean)) == THINGS, 30)
        kept(clean, was)
        # Back to 0.4.1, whose message is beside the new ones then, and forth again.
        clean(f"{INSTALL} /usr/src/older/*.deb")
        eventually(lambda: set(all_retained(clean)) == {OLD, *THINGS}, 30)
        first = moved(clean, THINGS)
        assert first["components"]["led_pump"] == {"platform": "light"}, first
        assert first["components"]["led_kitchen"] == was["components"]["led_kitchen"], first
        kept(clean, was)


def all_retained(machine, topics="homeassistant/#"):
    """What is retained, by topic."""
    said = machine(f"mosquitto_sub -t '{topics}' -F '%t %p' --retained-only -W 2 2>/dev/null || true")
    return dict(line.split(" ", 1) for line in said.splitlines())


def moved(machine, things):
    """Upgrades, and returns what the old message is reduced to, after a look at the order of all."""
    machine(f"""
        rm -f /tmp/seen
        systemd-run -q --unit=seen sh -c "mosquitto_sub -R -t 'homeassistant/#' -F '%t %p' >/tmp/seen"
        sleep 1; {INSTALL} /usr/src/newer/*.deb
    """)
    eventually(lambda: set(all_retained(machine)) == things, 30)
    machine("systemctl stop seen")
    seen = [line.partition(" ")[::2] for line in machine("cat /tmp/seen").splitlines()]
    steps = [topic for topic, _ in seen]
    assert steps[:2] == [OLD, OLD] and json.loads(seen[1][1]) == {"migrate_discovery": True}, seen
    assert seen[-1] == (OLD, "") and set(steps[2:-1]) == things and len(steps) == 3 + len(things), seen
    return json.loads(seen[0][1])


def kept(machine, was):
    """What Home Assistant knows each thing by is as it was, and what the LEDs show is."""
    now = {topic: json.loads(text) for topic, text in all_retained(machine).items()}
    for key in "led_kitchen", "led_pump":
        thing = next(its for topic, its in now.items() if f"/{key}/" in topic)
        for its in "unique_id", "command_topic", "state_topic":
            assert thing[its] == was["components"][key][its], (thing, was)
    for thing in now.values():
        assert thing["device"]["identifiers"] == was["device"]["identifiers"], (thing, was)
    trigger = now["homeassistant/device_automation/led_pi/button_door/config"]
    old = was["components"]["button_door"]
    for its in "type", "subtype", "topic", "payload":
        assert trigger[its] == old[its], (trigger, was)
    assert retained(machine, "led/pi/kitchen") == "ON"
    states = {topic for topic in all_retained(machine, "led/#") if not topic.endswith("/availability")}
    assert states == {"led/pi/kitchen", "led/pi/pump"}, states
