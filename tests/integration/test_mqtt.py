# SPDX-License-Identifier: MIT
"""led-mqtt: LEDs and buttons on the topics of a real broker."""

import array
import contextlib
import fcntl
import json
import os
import random
import re
import resource
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import homeassistant
import other_brokers
from other_brokers import need
from world import (
    ERR,
    LED_LINE,
    LED_MQTT,
    MS_BIND,
    SLOW,
    SOURCE,
    WARNING,
    WRAP,
    Skip,
    accepts,
    ask,
    connect,
    eventually,
    mount,
    need_program,
    read_all,
    test,
    unmount,
)

BROKER_PORT = 18830
HOST = "127.0.0.1"


# Debian's modules, where another python3 comes first in PATH.
sys.path.append("/usr/lib/python3/dist-packages")


def paho():
    try:
        import paho.mqtt.client
    except ImportError as why:
        raise Skip("there is no python3-paho-mqtt") from why
    return paho.mqtt.client


OTHER_BROKER = other_brokers.BROKER != "mosquitto"


class Broker:
    """mosquitto, or BROKER, which can be killed and started again."""

    def __init__(self, w, *settings, start=True):
        if OTHER_BROKER and settings:
            raise Skip("it needs a setting of mosquitto")
        self.w = w
        self.config = w.dir / "mosquitto.conf"
        self.config.write_text(
            "\n".join(
                [f"listener {BROKER_PORT} {HOST}", "allow_anonymous true", "user root",
                 "max_queued_messages 10000", *settings, ""]
            )
        )
        if start:
            self.start()

    def start(self):
        if OTHER_BROKER:
            folder = Path(__file__).parent / "brokers"
            command = [folder / other_brokers.BROKER, BROKER_PORT, self.w.dir]
        else:
            command = [need_program("mosquitto"), "-c", self.config]
        self.process = self.w.spawn(*command)
        eventually(lambda: accepts((HOST, BROKER_PORT)), 60 if OTHER_BROKER else 10)

    def kill(self):
        self.process.stop(signal.SIGKILL)


class Client:
    """A second client: every message that came, and what each topic had last."""

    def __init__(self, w, *filters, name=None, will=None):
        mqtt = paho()
        version = getattr(mqtt, "CallbackAPIVersion", None)
        self.client = mqtt.Client(*([version.VERSION1] if version else []), client_id=name or "")
        self.messages = []  # (topic, text, retained)
        self.last = {}
        self.subscribed = 0
        self.filters = filters or ("#",)
        self.client.on_message = self._take
        self.client.on_connect = lambda *_: [self.client.subscribe(f, 1) for f in self.filters]
        self.client.on_subscribe = lambda *_: setattr(self, "subscribed", self.subscribed + 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect(HOST, BROKER_PORT)
        self.client.loop_start()
        w.at_end(self.close)
        eventually(lambda: self.subscribed >= len(self.filters), 10)

    def _take(self, client, userdata, message):
        text = message.payload.decode(errors="replace")
        self.messages.append((message.topic, text, message.retain))
        self.last[message.topic] = text

    def has(self, **topics):
        """Whether topics of the host have these payloads: kitchen="ON", kitchen__availability=…"""
        return all(
            self.last.get(f"led/pi/{topic.replace('__', '/')}", "") == text
            for topic, text in topics.items()
        )

    def publish(self, topic, payload, retain=False):
        message = self.client.publish(topic, payload, 1, retain)
        message.wait_for_publish(20)

    def of(self, topic):
        return [text for its, text, _ in self.messages if its == topic]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def retained(w, *topics):
    """
    What is retained at the broker, asked for with a fresh client: on these topics, or on any but the
    broker's own
    """
    if not topics:
        need("wildcards")
    client = Client(w, *(topics or ["#"]), "led-test/end")
    # What comes behind this message came after what is retained.
    client.publish("led-test/end", "")
    eventually(lambda: client.of("led-test/end"), 10)
    if OTHER_BROKER:
        time.sleep(1)  # nothing says when it has sent all
    client.close()
    return {topic: text for topic, text, is_retained in client.messages if is_retained}


def things(w, machine="led_pi", prefix="homeassistant", seen=None):
    """
    Discovery of a machine that is retained, as light/led_kitchen: message. Home Assistant takes it.
    seen: a client that has seen everything, instead of a new one
    """
    found = {}
    for topic, text in (seen.last if seen else retained(w)).items():
        part = re.fullmatch(f"{prefix}/(.*)/{machine}/(.*)/config", topic)
        if part and text:
            why = homeassistant.why_not(prefix, topic, text)
            assert not why, why
            found["/".join(part.groups())] = json.loads(text)
    why = homeassistant.why_not_together(found)
    assert not why, why
    return found


def mqtt(w, *options, **kwargs):
    return w.notified(
        LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=pi",
        f"--line={w.dir}/line.sock", f"--listen={w.dir}/mqtt.sock", *options, **kwargs
    )


def press(w, command):
    return ask(command, w.dir / "mqtt.sock")


def state(w, name="kitchen"):
    """What led-line says of an LED."""
    return ask(f"LED {name} STATUS\n".encode(), w.dir / "line.sock").decode().split()[-1]


def can(w, feature):
    """Whether the broker has a feature of the table in led-mqtt(8)."""
    if feature == "MQTT 5":
        codes = []
        version = getattr(paho(), "CallbackAPIVersion", None)
        client = paho().Client(*([version.VERSION1] if version else []), protocol=paho().MQTTv5)
        client.on_connect = lambda *args: codes.append(args[3])
        client.on_disconnect = lambda *args: codes.append("end")
        client.connect(HOST, BROKER_PORT)
        client.loop_start()
        eventually(lambda: codes, 10)
        client.loop_stop()
        return codes[0] == 0
    topic = "led-test/a.b" if feature == "dots" else "led-test/a"
    client = Client(w, "led-test/+")
    client.publish(topic, "now", retain=True)
    client.publish("led-test/z", "end")
    eventually(lambda: client.of("led-test/z"), 10)
    if feature == "dots":
        return client.of(topic) == ["now"]
    late = Client(w, "led-test/+")
    eventually(lambda: retained(w, topic), 10, 0.2)
    late.publish("led-test/z", "end")
    eventually(lambda: late.of("led-test/z"), 10)
    time.sleep(1 if OTHER_BROKER else 0)
    return late.of(topic) == ["now"]


@test("mqtt: what a broker lacks is what led-mqtt(8) says", brokers=True)
def features(w):
    table = re.findall(r"^\.It (?:Em )?(.* Ta .*)$", (SOURCE / "man/led-mqtt.8").read_text(), re.M)
    table = [line.replace("Em ", "").split(" Ta ") for line in table]
    assert table == [["Broker", *other_brokers.FEATURES], *other_brokers.rows()], table
    Broker(w)
    lacks = {feature for feature in other_brokers.FEATURES if not can(w, feature)}
    assert lacks == other_brokers.LACKS[other_brokers.BROKER][1], lacks


@test("mqtt: an LED over the broker, both ways", brokers=True)
def both_ways(w):
    Broker(w)
    w.line(led="log kitchen=log pump=leds:nothing")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(availability="online", led="OFF", kitchen="OFF"))
    eventually(lambda: client.has(kitchen__availability="online", pump__availability="offline"))
    assert "led/pi/pump" not in client.last
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: client.has(kitchen="ON", led="OFF"))
    client.publish("led/pi/led/set", " toggle \n")
    eventually(lambda: client.has(led="ON"))
    ask(b"LED kitchen OFF\n", w.dir / "line.sock")
    eventually(lambda: client.has(kitchen="OFF"))
    client.publish("led/group/all/set", "OFF")
    eventually(lambda: client.has(led="OFF"))
    client.publish("led/pi/kitchen/set", "PULSE 50")
    eventually(lambda: client.of("led/pi/kitchen") == ["OFF", "ON", "OFF", "ON", "OFF"])
    # A message that the broker has twice is carried out once.
    for _ in range(2):
        client.publish("led/group/all/set", "TOGGLE #k1")
    client.publish("led/pi/nothing/set", "ON")
    eventually(lambda: any("no LED is called nothing" in line for line in w.log("led-mqtt")))
    assert state(w, "kitchen") == state(w, "led") == "ON"
    eventually(lambda: client.has(kitchen="ON", led="ON"))


@test("mqtt: mosquitto_pub and mosquitto_sub as people use them", brokers=True)
def command_line(w):
    pub, sub = need_program("mosquitto_pub"), need_program("mosquitto_sub")
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    eventually(lambda: retained(w, "led/pi/kitchen").get("led/pi/kitchen") == "OFF", 10, 0.2)
    to = ["-h", HOST, "-p", str(BROKER_PORT)]
    subprocess.run([pub, *to, "-t", "led/pi/kitchen/set", "-m", "ON"], check=True)
    eventually(lambda: state(w) == "ON")
    seen = subprocess.run(
        [sub, *to, "-t", "led/pi/kitchen", "-C", "1", "-W", "20"],
        check=True, stdout=subprocess.PIPE, text=True,
    )
    assert seen.stdout in ("ON\n", "OFF\n")
    eventually(lambda: retained(w, "led/pi/kitchen").get("led/pi/kitchen") == "ON", 10, 0.2)


@test("mqtt: a retained command is ignored, now and after a reconnect")
def retained_command(w):
    broker = Broker(w, "persistence true", f"persistence_location {w.dir}/")
    w.line(led="kitchen=log")
    client = Client(w)
    for topic in "led/pi/kitchen/set", "led/group/all/set":
        client.publish(topic, "ON", retain=True)
    mqtt(w)
    online = ("led/pi/availability", "online", False)
    eventually(lambda: online in client.messages and client.has(kitchen="OFF"))
    broker.process.stop()
    broker.start()
    eventually(lambda: client.subscribed == 2, 20)
    eventually(lambda: press(w, b"PRESS door\n") == b"OK PRESS door\n", 20, 0.1)
    assert "led/pi/kitchen/set" in retained(w)
    # A command behind it is carried out, so that what came before it has been looked at.
    client.publish("led/pi/kitchen/set", "TOGGLE")
    eventually(lambda: client.has(kitchen="ON"))
    assert client.of("led/pi/kitchen").count("ON") == 1


@test("mqtt: after a restart of the broker, states are there anew and offline does not stay", brokers=True)
def broker_restart(w):
    broker = Broker(w)
    w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(availability="online", kitchen="OFF"))
    broker.kill()
    eventually(lambda: "trying again" in program.manager.status())
    ask(b"LED kitchen ON\n", w.dir / "line.sock")
    broker.start()
    # It has forgotten everything. Another broker may take so long that a minute goes by until it is
    # tried again.
    eventually(lambda: client.has(availability="online", kitchen="ON"), 40 if OTHER_BROKER else 20)
    now = retained(w, "led/pi/availability", "led/pi/kitchen")
    assert now == {"led/pi/availability": "online", "led/pi/kitchen": "ON"}
    topic = "homeassistant/light/led_pi/led_kitchen/config"
    eventually(lambda: topic in retained(w, topic), 10, 0.2)
    eventually(lambda: "connected" in program.manager.status())


@test("mqtt: a will that comes late does not stay")
def late_will(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(availability="online", kitchen="OFF"))
    client.publish("led/pi/availability", "offline", retain=True)
    eventually(lambda: client.of("led/pi/availability")[-2:] == ["offline", "online"])
    assert retained(w)["led/pi/availability"] == "online"


@test("mqtt: somebody who publishes on its topics, over and over, is corrected once a second", takes=4)
def war(w):
    Broker(w, "set_tcp_nodelay true")
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w, "led/pi/kitchen")
    eventually(lambda: client.has(kitchen="OFF"))
    rival = Client(w, "led/pi/kitchen")
    rival.client.on_message = lambda c, _, m: m.payload == b"OFF" and c.publish("led/pi/kitchen", "ON", 1, True)
    began = time.monotonic()
    rival.publish("led/pi/kitchen", "ON", retain=True)
    time.sleep(3)
    count, seconds = client.of("led/pi/kitchen").count("OFF"), time.monotonic() - began
    assert 2 <= count <= 2 + seconds, (count, seconds)
    rival.close()
    eventually(lambda: retained(w)["led/pi/kitchen"] == "OFF", 5, 0.2)


@test("mqtt: whatever is retained on topics of LEDs, led-line's own have their places")
def junk(w):
    Broker(w)
    client = Client(w, "none")
    for i in range(70):
        client.publish(f"led/pi/junk{i}", "ON", retain=True)
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    w.line(led="led=log kitchen=log")
    wanted = {"led/pi/led": "OFF", "led/pi/kitchen": "OFF"}
    eventually(lambda: wanted.items() <= retained(w).items(), 20, 0.2)


@test("mqtt: kill -9 leaves offline, a regular stop too, and a start online", brokers=True)
def offline(w):
    Broker(w)
    w.line(led="kitchen=log")
    client = Client(w)
    for signum in signal.SIGKILL, signal.SIGTERM:
        program = mqtt(w)
        eventually(lambda: client.has(availability="online", kitchen="OFF"))
        assert program.stop(signum) == (0 if signum == signal.SIGTERM else -signum)
        eventually(lambda: client.has(availability="offline"))
    assert retained(w, "led/pi/availability") == {"led/pi/availability": "offline"}


@test("mqtt: without a broker READY, and STATUS and ERR say why; it connects when there is one")
def broker_away(w):
    broker = Broker(w, start=False)
    w.line(led="kitchen=log")
    program = mqtt(w)
    eventually(lambda: "Connection refused; trying again" in program.manager.status())
    why = f"ERR the broker is away: mqtt://{HOST}:{BROKER_PORT}: Connection refused"
    assert press(w, b"LED ON\n").decode().startswith(why)
    broker.start()
    eventually(lambda: "connected; 1 LED;" in program.manager.status(), 20)
    assert press(w, b"LED ON\n") == b"OK LED ON\n"
    # Each reason is in the log once.
    assert len([t for t in w.log("led-mqtt", WARNING) if "refused" in t]) == 1
    eventually(lambda: state(w) == "ON")


@test("mqtt: a name that nobody answers for blocks nothing")
def slow_name(w):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind((HOST, 53))
        manager = w.manager()
        program = w.spawn(
            LED_MQTT, "--broker=mqtt://broker.example", "--host=pi", f"--line={w.dir}/line.sock",
            f"--listen={w.dir}/mqtt.sock", env={"NOTIFY_SOCKET": manager.path},
        )
        eventually(lambda: manager.said("READY", "1"), 10)
        eventually(lambda: "looking up its name" in manager.status())
        assert press(w, b"LED ON\n").startswith(b"ERR the broker is away: mqtt://broker.example:1883")
        assert program.stop() == 0


@test("mqtt: a broker that accepts and says nothing is given up", quick=False, takes=10)
def silent_broker(w):
    with socket.create_server((HOST, BROKER_PORT)):
        program = mqtt(w)
        eventually(lambda: "the broker does not answer; trying again" in program.manager.status(), 20)
        assert program.cpu_seconds() < 2
        assert program.stop() == 0


@test("mqtt: what the socket takes, and what it does not")
def what_the_socket_takes(w):
    Broker(w)
    w.line(led="kitchen=log cellar=log")
    mqtt(w, "--send=pi/cellar")
    client = Client(w)
    eventually(lambda: client.has(availability="online", kitchen="OFF", cellar="OFF"))
    for command, message in [
        (b"LED ON\n", ("led/pi/cellar/set", "ON")),
        (b"led  off\r\n", ("led/pi/cellar/set", "OFF")),
        (b"LED TOGGLE #abc\0", ("led/pi/cellar/set", "TOGGLE #abc")),
        (b"LED PULSE 1000\n", ("led/pi/cellar/set", "PULSE 1000")),
        (b"PRESS Door\n", ("led/pi/button/door", "press")),
        (b"press door long\n", ("led/pi/button/door", "long")),
    ]:
        words = command.decode().upper().strip("\0\r\n ").split()
        answer = press(w, command).decode()
        assert answer.upper().split() == ["OK", *words], answer
        eventually(lambda: (*message, False) in client.messages)
    before = len([m for m in client.messages if m[0].endswith(("/set", "/door"))])
    for command in (b"LED STATUS\n", b"LED kitchen ON\n", b"LED ALL ON\n", b"LED WATCH\n", b"LED LIST\n",
                    b"PRESS\n", b"PRESS set\n", b"PRESS a LONGER\n", b"PRESS a/b\n", b"hello\n", b"\n", b"LED ON\nLED OFF\n",
                    b"x" * 100 + b"\n"):
        answer = press(w, command)
        assert answer.startswith(b"ERR send LED ON") and b"MQTT_SEND decides which LED" in answer, answer
    assert ask(b"LED ON", w.dir / "mqtt.sock", end=True) == b"OK LED ON\n"
    sent = lambda: [m[1] for m in client.messages if m[0].endswith(("/set", "/door"))][before:]
    eventually(sent)
    assert sent() == ["ON"], sent()


@test("mqtt: sent and not acknowledged, the socket closes without a line")
def unacknowledged(w):
    broker = Broker(w)
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    broker.process.pause()
    with connect(w.dir / "mqtt.sock") as s:
        s.sendall(b"LED ON\n")
        time.sleep(0.1)  # for the message to be on its way, or it would be ERR
        broker.kill()
        assert s.recv(100) == b""


@test("mqtt: a command behind another one is not held back by either end", quick=False, takes=8)
def not_held_back(w):
    Broker(w)  # as people have it: with Nagle's algorithm
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w, "led/pi/kitchen/availability")
    client.client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    eventually(lambda: client.has(kitchen__availability="online"))
    times = {"alone": [], "behind": []}
    with connect(w.dir / "line.sock") as led:
        led.sendall(b"LED kitchen WATCH\n")
        led.recv(100)
        for i in range(60):
            for kind, pause, command in ("alone", 0.1, "ON"), ("behind", 0.005, "OFF"):
                time.sleep(pause)
                began = time.monotonic()
                client.client.publish("led/pi/kitchen/set", command, 0)
                assert led.recv(100) == f"OK LED kitchen {command}\n".encode()
                times[kind].append(time.monotonic() - began)
    alone, behind = (statistics.median(times[kind]) for kind in ("alone", "behind"))
    # The kernel's delay is 40 ms, fifty times what a command takes.
    assert behind < 10 * alone, (alone, behind)


@test("mqtt: 64 silent clients are held, and one more evicts the oldest")
def room(w):
    Broker(w)
    w.line()
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    held = [connect(w.dir / "mqtt.sock") for _ in range(64)]
    w.at_end(lambda: [s.close() for s in held])
    assert press(w, b"LED ON\n") == b"OK LED ON\n"
    assert read_all(held[0]) == b"ERR too many connections\n"
    for s in held[1:]:
        s.sendall(b"LED OFF\n")
    answers = [read_all(s) for s in held[1:]]
    assert answers == [b"OK LED OFF\n"] * 63, answers


@test("mqtt: 64 clients wait for the broker: none of them makes room for one more")
def no_room(w):
    broker = Broker(w)
    w.line()
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    broker.process.pause()
    held = []
    w.at_end(lambda: [s.close() for s in held])
    for _ in range(64):
        held.append(connect(w.dir / "mqtt.sock"))
        held[-1].sendall(b"LED ON\n")
    answer = press(w, b"LED OFF\n")
    assert answer == b"ERR too many connections\n", answer
    broker.process.resume()
    assert [read_all(s) for s in held] == [b"OK LED ON\n"] * 64


@test("mqtt: out of descriptors: one line in the log, and service as soon as one is free", quick=False)
def out_of_descriptors(w):
    Broker(w)
    process = mqtt(w)
    Client(w)  # or nobody takes the command
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    warnings = lambda: [x for x in w.log("led-mqtt", WARNING) if "accepted" in x]
    most = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (0, most))
    with connect(w.dir / "mqtt.sock") as s:
        s.sendall(b"LED ON\n")
        time.sleep(2.5)
        assert warnings() == ["no connection can be accepted: Too many open files"], warnings()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, most))
        assert read_all(s) == b"OK LED ON\n"


def is_read(s):
    """Whether the other end has read all that was sent."""
    unread = array.array("i", [0])
    fcntl.ioctl(s, termios.TIOCOUTQ, unread)
    return unread[0] == 0


@test("mqtt: a button that tries again while the broker hangs: its press is published once", brokers=True, quick=False, takes=6)
def hangs(w):
    broker = Broker(w)
    mqtt(w)
    client = Client(w, "led/pi/button/door", "led/pi/availability")
    eventually(lambda: client.has(availability="online"))
    broker.process.pause()
    tries = [press(w, b"PRESS door\n")]
    again = connect(w.dir / "mqtt.sock")
    again.sendall(b"PRESS door\n")
    other = connect(w.dir / "mqtt.sock")  # another one while the first waits
    other.sendall(b"PRESS door\n")
    for s in again, other:
        eventually(lambda: is_read(s))
    broker.process.resume()
    tries += [read_all(again), read_all(other)]
    assert tries == [b"", b"OK PRESS door\n", b"OK PRESS door\n"], tries
    press(w, b"PRESS end\n")
    client.publish("led/pi/button/door", "end")
    eventually(lambda: "end" in client.of("led/pi/button/door"))
    assert client.of("led/pi/button/door") == ["press", "press", "end"]


@test("mqtt: a broker that hangs is noticed by what it does not acknowledge", quick=False, takes=13)
def hanging_broker(w):
    broker = Broker(w)
    program = mqtt(w)
    Client(w)  # or nobody takes the press
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    broker.process.pause()
    assert press(w, b"PRESS door\n") == b""
    eventually(lambda: "the broker does not answer; trying again" in program.manager.status(), 20)
    assert press(w, b"PRESS door\n").startswith(b"ERR the broker is away: mqtt://127.0.0.1:18830: ")
    broker.process.resume()
    eventually(lambda: press(w, b"PRESS door\n") == b"OK PRESS door\n", 30, 0.5)


@test("mqtt: a press goes to every LED of the group, and home", brokers=True)
def group(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w, "--groups=upstairs all")
    other = w.dir / "other.sock"
    w.line(led="log lamp=log", listen=[other])
    w.notified(
        LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=attic", f"--line={other}",
        f"--listen={w.dir}/attic.sock",
    )
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF") and client.last.get("led/attic/lamp") == "OFF")
    w.button(f"--connect={w.dir}/mqtt.sock", "--command=LED TOGGLE")
    w.press()
    eventually(lambda: client.has(kitchen="ON"))
    eventually(lambda: client.last.get("led/attic/lamp") == client.last.get("led/attic/led") == "ON")
    client.publish("led/group/upstairs/set", "OFF")
    eventually(lambda: client.has(kitchen="OFF"))
    assert client.last["led/attic/lamp"] == "ON"


@test("mqtt: a group that was out of step is in step after one press of TOGGLE")
def group_in_step(w):
    broker = Broker(w, "log_type all")
    w.line(led="kitchen=log door=log,pulse=60000")
    mqtt(w)
    other = w.dir / "other.sock"
    w.line(led="log", listen=[other])
    attic = [LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=attic", f"--line={other}",
             f"--listen={w.dir}/attic.sock"]
    away = w.notified(*attic)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", door="OFF") and client.last.get("led/attic/led") == "OFF")
    away.stop(signal.SIGKILL)
    assert press(w, b"LED TOGGLE #k1\n") == b"OK LED ON\n"
    eventually(lambda: client.has(kitchen="ON"))
    away = w.notified(*attic)
    eventually(lambda: client.last.get("led/attic/availability") == "online")
    eventually(lambda: client.last.get("led/attic/led") == "OFF")
    # It is subscribed to the group, as it was before it was killed.
    subscribed = "led-mqtt/led/attic 1 led/group/all/set"
    eventually(lambda: broker.process.output().count(subscribed) == 2, 10)
    # Tried again, it is what it was.
    assert press(w, b"LED TOGGLE #k1\n") == b"OK LED ON\n"
    eventually(lambda: client.last["led/attic/led"] == "ON")
    ask(b"LED OFF\n", other)
    eventually(lambda: client.last["led/attic/led"] == "OFF")
    assert press(w, b"LED TOGGLE #k2\n") == b"OK LED OFF\n"
    eventually(lambda: client.has(kitchen="OFF"))
    # Two quick ones; and the door opener takes no part.
    assert [press(w, b"LED TOGGLE #k%d\n" % i) for i in (3, 4, 5)] == [
        b"OK LED ON\n", b"OK LED OFF\n", b"OK LED ON\n"
    ]
    eventually(lambda: client.has(kitchen="ON", door="OFF") and client.last["led/attic/led"] == "ON")
    assert set(client.of("led/group/all/set")) == {"ON", "OFF"} and client.of("led/pi/door") == ["OFF"]
    # What others publish stays one.
    client.publish("led/group/all/set", "TOGGLE")
    eventually(lambda: client.has(kitchen="OFF", door="OFF") and client.last["led/attic/led"] == "OFF")
    # OFF reaches the door opener, and its own topic everything.
    client.publish("led/pi/door/set", "ON")
    eventually(lambda: client.has(door="ON", kitchen="OFF"))
    client.publish("led/group/all/set", "OFF")
    eventually(lambda: client.has(door="OFF"))


@test("mqtt: twenty machines in a group, one of them away for one of 50 presses: in step after the next", quick=False, takes=4)
def twenty_machines(w):
    Broker(w)
    machines = []
    for i in range(20):
        line = w.dir / f"line{i}.sock"
        w.line(led="log", listen=[line])
        machines.append([
            LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", f"--host=m{i}", f"--line={line}",
            f"--listen={w.dir}/m{i}.sock",
        ])
    programs = [w.notified(*machine) for machine in machines]
    client = Client(w)
    states = lambda: {client.last.get(f"led/m{i}/led") for i in range(20)}
    eventually(lambda: states() == {"OFF"}, 20)
    victim, moment = random.randrange(20), random.randrange(1, 49)
    wanted = "OFF"
    for turn in range(50):
        button = (victim + 1 + turn) % 20 if turn == moment else turn % 20
        if button == victim and turn == moment:
            button = (button + 1) % 20
        if turn == moment:
            programs[victim].stop(signal.SIGKILL)
        answer = ask(b"LED TOGGLE #p%d\n" % turn, w.dir / f"m{button}.sock")
        assert answer.startswith(b"OK LED "), answer
        wanted = answer.decode().split()[-1]
        if turn == moment:
            programs[victim] = w.notified(*machines[victim])
            eventually(lambda: client.last.get(f"led/m{victim}/availability") == "online", 10)
        if turn != moment:
            eventually(lambda: states() == {wanted}, 10)
    assert states() == {wanted}, (victim, moment)


@test("mqtt: a group's command that reaches no LED is a line in the log")
def door_openers(w):
    Broker(w)
    w.line(led="door=log,pulse=60000")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(door="OFF"))
    for command, why in (("ON", "ERR every LED here has pulse=: name one"), ("TOGGLE", "every LED here has pulse="),
                         ("PULSE 100", "every LED here has pulse=")):
        client.publish("led/group/all/set", command)
        line = f'the broker sent "LED {"ALL " if command == "ON" else ""}{command}": {why}'
        eventually(lambda: line in w.log("led-mqtt"))
    client.publish("led/pi/door/set", "toggle")
    eventually(lambda: client.of("led/pi/door") == ["OFF", "ON"])


@test("mqtt: 1, 0, true and false, as others send them")
def other_words(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF"))
    for topic in "led/pi/kitchen/set", "led/group/all/set":
        for payload, shown in (("true", "ON"), ("false", "OFF"), ("1", "ON"), ("0\n", "OFF"), ("True", "ON"),
                               (" FALSE ", "OFF")):
            client.publish(topic, payload)
            eventually(lambda: client.has(kitchen=shown))


@test("mqtt: two machines of one name: both logs say what it means, and which setting helps", takes=6)
def taken_over(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    w.notified(
        LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=pi", f"--line={w.dir}/line.sock",
        f"--listen={w.dir}/other.sock",
    )
    whys = (
        "another machine has the same MQTT_HOST, and has taken the session over: set MQTT_HOST; trying again",
        "the broker closes one connection after the other: another machine may have the same MQTT_HOST; trying again",
    )
    eventually(lambda: sum(line.endswith(whys) for line in w.log("led-mqtt", WARNING)) >= 2, 30)


@test("mqtt: a session that is taken over: the broker's own word for it is explained")
def taken_over_said(w):
    FakeBroker(w, lambda version, s: packet(0x20, b"\0\0\0") + packet(0xE0, b"\x8e\0"))
    mqtt(w)
    why = (f"mqtt://{HOST}:{BROKER_PORT}: another machine has the same MQTT_HOST, and has taken the session over: "
           "set MQTT_HOST; trying again")
    eventually(lambda: why in w.log("led-mqtt", WARNING), 10)


@test("mqtt: 100 presses of TOGGLE over a restart of the broker: none lost, none doubled", takes=8)
def presses_over_restart(w):
    broker = Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(availability="online", kitchen="OFF"))
    button = w.button(f"--connect={w.dir}/mqtt.sock", "--command=LED TOGGLE", "--retry=60")
    for i in range(100):
        w.press()
        eventually(lambda: f"{i + 1} press" in button.manager.status(), 10)
        if i == 50:
            broker.kill()
        if i == 55:
            broker.start()
        # Not more than the button keeps.
        eventually(
            lambda: int(button.manager.status().split(" waiting")[0].split()[-1]) < 8, 60
        )
    eventually(lambda: "100 delivered, 0 dropped" in button.manager.status(), 60)
    shown = lambda: [t.split()[-1] for t in w.log("led-line") if "kitchen Status:" in t][1:]
    eventually(lambda: len(shown()) == 100, 10)
    assert shown() == ["On", "Off"] * 50


@test("mqtt: kill -9 of broker, led-line or led-mqtt amid commands: what is retained is what is lit", quick=False, takes=22)
def kills(w):
    broker = Broker(w)
    line, program = w.line(led="kitchen=log"), mqtt(w, "--send=pi/kitchen")
    over = threading.Event()

    def command_all_the_time():
        """Over the broker and at led-line in turn, whoever is there."""
        while not over.wait(random.random() / 50):
            command = random.choice(["ON", "OFF", "TOGGLE"])
            try:
                if random.random() < 0.5:
                    ask(f"LED kitchen {command}\n".encode(), w.dir / "line.sock")
                else:
                    press(w, f"LED {command}\n".encode())
            except OSError:
                pass

    for turn in range(15):
        over.clear()
        commander = threading.Thread(target=command_all_the_time, daemon=True)
        commander.start()
        time.sleep(random.random() / 2)  # any moment may be the worst
        victim = random.choice(["broker", "line", "mqtt"])
        if victim == "broker":
            broker.kill()
            time.sleep(random.random())
            broker.start()
        elif victim == "line":
            line.stop(signal.SIGKILL)
            time.sleep(random.random())
            line = w.line(led="kitchen=log")
        else:
            program.stop(signal.SIGKILL)
            program = mqtt(w, "--send=pi/kitchen")
        over.set()
        commander.join()
        # Those that still wait are carried out before this one, which has a key to be known by.
        # After some kills of the broker in a row, led-mqtt tries again after a minute at the most.
        last = f"TOGGLE #last{turn}"
        eventually(lambda: press(w, f"LED {last}\n".encode()).startswith(b"OK"), 70, 0.1)
        carried_out = f'the broker sent "LED kitchen {last}": OK'
        eventually(lambda: any(carried_out in t for t in w.log("led-mqtt")), 20, 0.1)
        lit = state(w)

        def agrees():
            now = retained(w)
            return (
                now.get("led/pi/availability") == now.get("led/pi/kitchen/availability") == "online"
                and now.get("led/pi/kitchen") == lit
            )

        eventually(agrees, 20, 0.1)
        assert state(w) == lit, victim


@test("mqtt: a command that led-line can look at only 5 s later is too late, and an older one changes nothing", quick=False, takes=7)
def late(w):
    Broker(w)
    line = w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF"))
    # led-line hangs.
    line.pause()
    client.publish("led/pi/kitchen/set", "ON")
    time.sleep(6)  # what is measured: longer than 5 s
    line.resume()
    eventually(lambda: any('sent "LED kitchen ON @' in t and "ERR too late" in t for t in w.log("led-line")), 10)
    assert state(w) == "OFF"
    # What comes after a command, and is read with it, makes its time uncertain.
    eventually(lambda: client.has(availability="online", kitchen__availability="online"), 10)
    seen = -1
    while seen != len(client.messages):
        seen = len(client.messages)
        time.sleep(1)
    # led-mqtt hangs, and meanwhile somebody else has a newer command.
    program.pause()
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: client.of("led/pi/kitchen/set")[1:] == ["ON"])
    time.sleep(0.1)  # many ticks
    assert ask(b"LED kitchen OFF\n", w.dir / "line.sock") == b"OK LED kitchen OFF\n"
    program.resume()
    eventually(lambda: any('"LED kitchen ON": OK LED kitchen OFF' in t for t in w.log("led-mqtt")))
    assert state(w) == "OFF"
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: state(w) == "ON")


@test("mqtt: led-line comes back with other LEDs: the topics of those that are gone are cleared", brokers=True)
def other_leds(w):
    need("wildcards")
    Broker(w)
    line = w.line(led="kitchen=log cellar=log")
    program = mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", cellar="OFF"))
    line.stop()
    line = w.line(led="kitchen=log attic=log")
    eventually(lambda: client.has(kitchen="OFF", attic="OFF", cellar="", cellar__availability=""), 10)
    eventually(lambda: set(things(w)) == {"light/led_attic", "light/led_kitchen"}, 10, 0.2)
    # What an earlier process left is cleared too, as soon as led-line says what there is.
    program.stop()
    line.stop()
    mqtt(w)
    w.line(led="attic=log")
    eventually(lambda: client.has(kitchen="", kitchen__availability="", attic="OFF"), 20)
    now = retained(w)
    assert sorted(t for t in now if t.startswith("led/")) == [
        "led/pi/attic", "led/pi/attic/availability", "led/pi/availability"
    ]
    eventually(lambda: set(things(w)) == {"light/led_attic"}, 10, 0.2)


@test("mqtt: a message of discovery comes once, also when led-line has been restarted", brokers=True)
def discovery_at_once(w):
    Broker(w)
    client = Client(w)
    mqtt(w)
    eventually(lambda: client.has(availability="online"))
    names = [f"lamp{i}" for i in range(8)]
    topic = lambda name: f"homeassistant/light/led_pi/led_{name}/config"
    line = w.line(led=" ".join(f"{name}=log" for name in names))
    eventually(lambda: all(client.of(topic(name)) for name in names), 10)
    line.stop()
    w.line(led=" ".join(f"{name}=log" for name in [*names[4:], "attic", "cellar"]))
    eventually(lambda: client.has(cellar="OFF", lamp0=""), 10)
    gone, there = names[:4], [*names[4:], "attic", "cellar"]
    # They come in any order.
    eventually(lambda: all(client.of(topic(name))[1:] == [""] for name in gone), 10)
    eventually(lambda: all(client.of(topic(name)) for name in there), 10)
    # What is published after all of that shows that nothing came twice.
    client.publish("led/pi/cellar/set", "ON")
    eventually(lambda: client.has(cellar="ON"), 10)
    for name in gone:
        assert len(client.of(topic(name))) == 2, client.of(topic(name))
    for name in there:
        assert len(client.of(topic(name))) == 1 and client.of(topic(name))[0], client.of(topic(name))


@test("mqtt: without led-line its LEDs are offline, and online when it is back", brokers=True, takes=5)
def line_away(w):
    Broker(w)
    line = w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", kitchen__availability="online"))
    line.stop(signal.SIGKILL)
    eventually(lambda: client.has(kitchen__availability="offline", availability="online"), 15)
    eventually(lambda: f"no led-line at {w.dir}/line.sock: " in program.manager.status())
    client.publish("led/pi/kitchen/set", "ON")  # waits for it
    w.line(led="kitchen=log")
    eventually(lambda: client.has(kitchen__availability="online", kitchen="ON"), 15)
    eventually(lambda: "no led-line" not in program.manager.status())


@test("mqtt: discovery has a message for each thing, and each is what Home Assistant takes", brokers=True)
def discovery(w):
    need("wildcards")
    need("dots")
    Broker(w)
    w.line(led="log garden-pump=log,kind=switch door=log,pulse=300 stairs=log,pulse=9000,kind=light")
    mqtt(w, "--base=home/led", "--host=pi.local", "--buttons=door front-bell", "--name=Kitchen \u03c0",
         "--area=Kitchen", "--url=http://pi:5557/")
    its = lambda: things(w, "home_2Fled__pi_2Elocal")
    eventually(lambda: len(its()) == 10, 10, 0.2)
    found = its()
    assert set(found) == {
        "light/led_led", "switch/led_garden-pump", "switch/led_door", "light/led_stairs",
        *(f"event/button_{name}" for name in ("door", "front-bell")),
        *(f"device_automation/button_{name}" for name in ("door", "front-bell")),
        *(f"device_automation/button_{name}_long" for name in ("door", "front-bell")),
    }, found
    for thing in found.values():
        assert thing["device"]["identifiers"] == ["home_2Fled__pi_2Elocal"]
        assert thing["device"]["name"] == "Kitchen \u03c0" and thing["device"]["suggested_area"] == "Kitchen"
        assert thing["device"]["configuration_url"] == "http://pi:5557/"
        assert thing["device"].get("model") != "led-socket" and thing["origin"]["name"] == "led-mqtt"
    ids = [thing["unique_id"] for thing in found.values() if "unique_id" in thing]
    assert len(ids) == len(set(ids)) == 6
    assert [found[f"{key}"]["name"] for key in ("light/led_led", "switch/led_garden-pump", "event/button_front-bell")] \
        == [None, "Garden pump", "Front bell"]
    pump = found["switch/led_garden-pump"]
    assert pump["command_topic"] == "home/led/pi.local/garden-pump/set"
    assert [a["topic"] for a in pump["availability"]] == [
        "home/led/pi.local/availability", "home/led/pi.local/garden-pump/availability"
    ] and pump["availability_mode"] == "all"
    # What is described works so.
    client = Client(w, "home/led/pi.local/#")
    client.publish(pump["command_topic"], pump["payload_on"])
    eventually(lambda: client.of(pump["state_topic"])[-1:] == [pump["payload_on"]])
    event = found["event/button_door"]
    for command, key in ((b"PRESS door\n", "button_door"), (b"PRESS door LONG\n", "button_door_long")):
        assert press(w, command).startswith(b"OK PRESS door")
        trigger = found[f"device_automation/{key}"]
        eventually(lambda: client.of(trigger["topic"])[-1:] == [trigger["payload"]])
        payload = client.of(event["state_topic"])[-1]
        assert homeassistant.event_of(event["value_template"], payload)["event_type"] in event["event_types"]
    assert [found[f"device_automation/button_door{end}"]["type"] for end in ("", "_long")] == [
        "button_short_press", "button_long_press"
    ]


@test("mqtt: two machines whose names look alike do not share discovery")
def names_alike(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w, "--host=pi.attic")
    w.notified(
        LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=pi_attic", f"--line={w.dir}/line.sock",
        f"--listen={w.dir}/other.sock",
    )
    eventually(lambda: things(w, "led__pi_2Eattic") and things(w, "led__pi_5Fattic"), 10, 0.2)


@test("mqtt: an LED that becomes a switch is no light any more")
def kind_changes(w):
    Broker(w)
    line = w.line(led="pump=log door=log")
    mqtt(w)
    eventually(lambda: set(things(w)) == {"light/led_pump", "light/led_door"}, 10, 0.2)
    line.stop()
    w.line(led="pump=log,kind=switch door=log")
    eventually(lambda: set(things(w)) == {"switch/led_pump", "light/led_door"}, 10, 0.2)
    assert retained(w)["led/pi/pump"] == "OFF"


@test("mqtt: while a setting of led-line is wrong, discovery stays as it is")
def wrong_line_setting(w):
    Broker(w)
    line = w.line(led="pump=log,kind=switch kitchen=log")
    program = mqtt(w, "--buttons=door bell")
    eventually(lambda: len(things(w)) == 2 + 2 * 3, 10, 0.2)
    before = things(w)
    program.stop()
    line.stop()
    for led in ("pump=log,kind=swich kitchen=log", "pump=log,kind=switch kitchen=log Pump2=log"):
        line = w.line(led="", env={"LED": led})
        program = mqtt(w, "--buttons=door bell")
        client = Client(w, "led/pi/#")
        pump = "offline" if "swich" in led else "online"
        eventually(lambda: client.has(kitchen__availability="online", pump__availability=pump), 10)
        client.close()
        assert things(w) == before
        program.stop()
        line.stop()


@test("mqtt: an older led-line, which knows no kinds, has lights")
def old_line(w):
    Broker(w)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(w.dir / "line.sock"))
    listener.listen()
    w.at_end(listener.close)
    kept = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                kept.append(connection)
                command = connection.recv(100)
                answer = {b"LED WATCH\n": b"OK LED ON\n", b"LED LIST\n": b"OK LED LIST led=ON\n"}
                connection.sendall(answer.get(command, b"ERR unknown command: send LED ON or LED OFF\n"))
                if command != b"LED WATCH\n":
                    connection.close()

    threading.Thread(target=serve, daemon=True).start()
    mqtt(w)
    eventually(lambda: set(things(w)) == {"light/led_led"}, 10, 0.2)


OLD_TOPIC = "homeassistant/device/led_pi/config"


def old_message(host="pi", leds=("kitchen", "pump", "gone"), buttons=("door", "bell")):
    """What 0.4.1 leaves retained for Home Assistant."""
    identity = f"led_{host}".replace(".", "_")
    topic = f"led/{host}"
    components = {}
    for name in leds:
        components[f"led_{name}"] = {
            "platform": "light", "unique_id": f"{identity}_led_{name}", "name": name, "schema": "basic",
            "command_topic": f"{topic}/{name}/set", "state_topic": f"{topic}/{name}", "payload_on": "ON",
            "payload_off": "OFF", "qos": 1, "availability_mode": "all",
            "availability": [{"topic": f"{topic}/availability"}, {"topic": f"{topic}/{name}/availability"}],
        }
    for name in buttons:
        components[f"button_{name}"] = {
            "platform": "device_automation", "unique_id": f"{identity}_button_{name}",
            "automation_type": "trigger", "type": "button_short_press", "subtype": name,
            "topic": f"{topic}/button/{name}", "payload": "press", "qos": 1,
        }
    return {
        "device": {"identifiers": [identity], "name": host, "model": "led-socket", "sw_version": "0.4.1"},
        "origin": {"name": "led-mqtt", "sw_version": "0.4.1"}, "components": components,
    }


NEW = {
    "light/led_kitchen", "switch/led_pump", "event/button_door", "device_automation/button_door",
    "device_automation/button_door_long",
}


@test("mqtt: from 0.4: reduced, announced, each thing for itself, and the old message is gone", brokers=True)
def from_0_4(w):
    Broker(w)
    client = Client(w)
    client.publish(OLD_TOPIC, json.dumps(old_message()), retain=True)
    for name in ("kitchen", "pump", "gone"):
        client.publish(f"led/pi/{name}", "ON", retain=True)
        client.publish(f"led/pi/{name}/availability", "online", retain=True)
    program = mqtt(w, "--buttons=door")
    w.line(led="kitchen=log pump=log,kind=switch")
    eventually(lambda: client.last.get(OLD_TOPIC) == "", 10)
    if other_brokers.has("wildcards"):
        eventually(lambda: client.has(gone=""), 10)
    messages = [(topic, text) for topic, text, _ in client.messages if topic.startswith("homeassistant/")]
    assert messages[0][0] == messages[1][0] == messages[2][0] == messages[-1][0] == OLD_TOPIC
    old = old_message()
    for key in ("led_pump", "led_gone", "button_bell"):
        old["components"][key] = {"platform": old["components"][key]["platform"]}
    assert json.loads(messages[1][1]) == old
    assert json.loads(messages[2][1]) == {"migrate_discovery": True}
    assert all(re.fullmatch(r"homeassistant/[^/]*/led_pi/[^/]*/config", topic) for topic, _ in messages[3:-1])
    assert len(messages) == 4 + len(NEW), messages
    found = things(w, seen=client if OTHER_BROKER else None)
    assert set(found) == NEW and not retained(w, OLD_TOPIC)
    # What Home Assistant knows an LED and a machine by is as it was.
    was = old_message()
    assert found["light/led_kitchen"]["unique_id"] == was["components"]["led_kitchen"]["unique_id"]
    assert found["light/led_kitchen"]["device"]["identifiers"] == was["device"]["identifiers"]
    # The next start has nothing to move.
    program.stop()
    before = len(client.of(OLD_TOPIC))
    mqtt(w, "--buttons=door")
    eventually(lambda: client.has(availability="online"))
    eventually(lambda: len(client.of("homeassistant/light/led_pi/led_kitchen/config")) == 2, 10)
    assert len(client.of(OLD_TOPIC)) == before


@test("mqtt: from 0.4: without led-line, or while a setting of it is wrong, it waits")
def from_0_4_waits(w):
    Broker(w)
    client = Client(w)
    client.publish(OLD_TOPIC, json.dumps(old_message()), retain=True)
    mqtt(w, "--buttons=door")
    eventually(lambda: client.has(availability="online"))
    line = w.line(led="", env={"LED": "kitchen=log pump=log,kind=swich"})
    eventually(lambda: client.has(kitchen="OFF", pump__availability="offline"), 10)
    assert json.loads(retained(w)[OLD_TOPIC]) == old_message() and not things(w)
    line.stop()
    w.line(led="kitchen=log pump=log,kind=switch")
    eventually(lambda: client.last.get(OLD_TOPIC) == "", 20)
    assert set(things(w)) == NEW


@test("mqtt: from 0.4: a move that is interrupted anywhere goes on", takes=20)
def from_0_4_interrupted(w):
    broker = Broker(w, "persistence true", f"persistence_location {w.dir}/", "autosave_interval 1",
                    "autosave_on_changes true")
    w.line(led="kitchen=log pump=log,kind=switch")
    for turn in range(12):
        client = Client(w, "none")
        for topic in retained(w):
            if topic.startswith("homeassistant/"):
                client.publish(topic, "", retain=True)
        client.publish(OLD_TOPIC, json.dumps(old_message()), retain=True)
        client.close()
        program = w.spawn(
            LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=pi", f"--line={w.dir}/line.sock",
            f"--listen={w.dir}/mqtt.sock", "--buttons=door",
        )
        time.sleep(0.002 * turn * turn)
        program.stop(signal.SIGKILL)
        if turn % 4 == 3:
            broker.kill()
            broker.start()
        program = mqtt(w, "--buttons=door")
        eventually(lambda: set(things(w)) == NEW and OLD_TOPIC not in retained(w), 20, 0.1)
        assert program.stop() == 0


@test("mqtt: from 0.4: with an ID that is another one now, the old message goes if it is this machine's", takes=11)
def from_0_4_other_id(w):
    Broker(w)
    w.line(led="kitchen=log")
    client = Client(w)
    topic = "homeassistant/device/led_pi_x/config"
    for other in (True, False):
        client.publish(topic, json.dumps(old_message("pi_x" if other else "pi.x")), retain=True)
        program = mqtt(w, "--host=pi.x")
        eventually(lambda: things(w, "led__pi_2Ex"), 10, 0.2)
        eventually(lambda: (topic in retained(w)) == other, 10, 0.2)
        assert client.of(topic)[1:] == ([] if other else client.of(topic)[1:])
        assert program.stop() == 0
    # What --forget removes follows the same rule.
    for other in (True, False):
        client.publish(topic, json.dumps(old_message("pi_x" if other else "pi.x")), retain=True)
        assert mqtt_forget(w, "--host=pi.x").wait(40) == 0
        assert (topic in retained(w)) == other and not things(w, "led__pi_2Ex")


@test("mqtt: Home Assistant starts: discovery comes anew within a second, also what was deleted", brokers=True)
def birth(w):
    Broker(w)
    client = Client(w)
    w.line(led="kitchen=log")
    mqtt(w, "--buttons=door")
    topic = "homeassistant/light/led_pi/led_kitchen/config"
    eventually(lambda: client.last.get(topic) and len(things(w, seen=client)) == 4, 10, 0.2)
    client.publish(topic, "", retain=True)
    client.publish("homeassistant/status", "offline")
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: client.has(kitchen="ON"))
    assert topic not in retained(w, topic)
    before = len(client.messages)
    client.publish("homeassistant/status", "online", retain=True)
    eventually(lambda: topic in retained(w, topic), 5, 0.2)
    seen = lambda: {t for t, _, _ in client.messages[before:] if t.endswith("/config")}
    eventually(lambda: len(seen()) == 4)
    # What is retained there is no start.
    client.close()
    late = Client(w, *seen(), "homeassistant/status")
    eventually(lambda: len(late.messages) == 5)
    press(w, b"PRESS door\n")
    assert len(late.messages) == 5


@test("mqtt: a button that is taken out of MQTT_BUTTONS disappears, and can come back")
def button_gone(w):
    Broker(w)
    w.line(led="kitchen=log")
    for names in ("door bell", "bell", "", "door"):
        program = mqtt(w, f"--buttons={names}")
        wanted = {"light/led_kitchen"}
        for name in names.split():
            wanted |= {f"event/button_{name}", f"device_automation/button_{name}",
                       f"device_automation/button_{name}_long"}
        eventually(lambda: set(things(w)) == wanted, 10, 0.2)
        assert program.stop() == 0


@test("mqtt: whatever is retained as discovery of this machine, what is none of its things stays", takes=8)
def hostile_discovery(w):
    Broker(w)
    w.line(led="kitchen=log")
    client = Client(w, "none")
    names = "".join(f',"button_b{i}":{{}}' for i in range(1000))
    wrong = '"button_":1,"button_B b":2,"button_B":[],"button_set":{},"led_x":{}'
    client.publish(OLD_TOPIC, f'{{"components":{{"button_a":null,{wrong}{names}}}}} "button_c":', retain=True)
    for i in range(200):
        client.publish(f"homeassistant/light/led_pi/led_junk{i}/config", "{}", retain=True)
        client.publish(f"homeassistant/event/led_pi/button_junk{i}/config", "x", retain=True)
    others = {
        f"homeassistant/{path}/config": "{}" for path in (
            "sensor/led_pi/heat", "light/led_pi/led_On", "light/led_pi/led_on", "light/led_pi/button_a",
            "event/led_pi/button_set", "light/led_other/led_kitchen", "light/led_pi/led_a/b",
        )
    }
    for topic in others:
        client.publish(topic, "{}", retain=True)
    ours = "homeassistant/light/led_pi/led_kitchen/config"
    # At each start it finds as many as it has room for: 64 LEDs, and 64 buttons.
    found = lambda: {topic for topic in retained(w) if topic.endswith("/config")}
    left = found()
    for _ in range(7):
        program = mqtt(w)
        most = max(len(others) + 1, len(left) - 60)
        eventually(lambda: ours in retained(w) and len(found()) <= most, 10, 0.2)
        program.stop()
        left = found()
    assert left == {ours, *others}, left


@test("mqtt: an empty MQTT_DISCOVERY: none")
def no_discovery(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w, env={"MQTT_DISCOVERY": ""})
    eventually(lambda: retained(w).get("led/pi/kitchen") == "OFF", 10, 0.2)
    assert not [topic for topic in retained(w) if "config" in topic]


@test("mqtt: --forget leaves nothing retained of this host, and the others alone", brokers=True)
def forget(w):
    need("wildcards")
    Broker(w)
    w.line(led=" ".join(f"a{i}=log" for i in range(32)))
    client = Client(w)
    client.publish("led/pi/kitchen/set", "ON", retain=True)
    client.publish("led/other/kitchen", "ON", retain=True)
    program = mqtt(w)
    eventually(lambda: client.has(a31="OFF", a31__availability="online"), 10)
    eventually(lambda: len(things(w)) == 32, 10, 0.2)
    assert program.stop() == 0
    assert len(retained(w)) == 3 * 32 + 3
    assert mqtt_forget(w).wait(40) == 0
    assert retained(w) == {"led/other/kitchen": "ON"}


def mqtt_forget(w, *options):
    return w.spawn(
        LED_MQTT, f"--broker=mqtt://{HOST}:{BROKER_PORT}", "--host=pi", "--forget", *options
    )


@test("mqtt: --forget clears what it may, and says what was refused")
def forget_refused(w):
    (w.dir / "acl").write_text("topic readwrite led/#\ntopic readwrite led-test/#\n")
    Broker(w, f"acl_file {w.dir}/acl")
    client = Client(w)
    for i in range(3):
        client.publish(f"led/pi/x{i}", "ON", retain=True)
    program = mqtt_forget(w)
    assert program.wait(40) == 1 and "led-mqtt: Not authorized" in program.output(), program.output()
    assert retained(w) == {}


@test("mqtt: --forget without a broker says why")
def forget_nothing(w):
    program = mqtt_forget(w)
    assert program.wait(40) == 1
    assert program.output().splitlines()[-1] == (
        f"led-mqtt: mqtt://{HOST}:{BROKER_PORT}: Connection refused; trying again"
    ), program.output()


@test("mqtt: whatever is published moves no LED, fills no memory and little of the log")
def hostile_publisher(w):
    Broker(w)
    w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w, "led/pi/kitchen", "led/pi/availability")
    eventually(lambda: client.has(kitchen="OFF", availability="online"))
    memory = lambda: int(Path(f"/proc/{program.pid}/statm").read_text().split()[1]) * 4096
    before, start = memory(), time.monotonic()
    big = b"ON" + b"\0" * (1 << 20)
    for payload in (big, b"ON\0OFF", b"\xff" * 60, b"", b"ONE", b"ON " * 30, b"PULSE -1", b"PULSE 99999999999"):
        for topic in ("led/pi/kitchen/set", "led/group/all/set", "led/pi/availability", "led/pi/kitchen"):
            client.publish(topic, payload, retain=topic.endswith("/set"))
    for topic in ("led/pi/kitchen/set/x", "led/pi//set", "led/pi/Kitchen/set", "led/pi/a b/set",
                  "led/pi/\u00e4/set", "led/pi/kitchen/x", "led/pi/" + "x" * 1000 + "/set", "led/pi"):
        client.publish(topic, "ON")
        client.publish(topic, "ON", retain=True)
    for _ in range(20):
        for i in range(100):
            client.client.publish("led/pi/kitchen/set", f"x{i}", 0)
        client.publish("led/pi/kitchen/set", "x")
    # A last command is carried out, so that everything before it has been looked at.
    client.publish("led/pi/kitchen/set", "TOGGLE")
    eventually(lambda: state(w) == "ON", 20)
    assert [t.split()[-1] for t in w.log("led-line") if "kitchen Status:" in t] == ["Off", "On"]
    assert len(w.log("led-mqtt")) < 1100 * (1 + (time.monotonic() - start) // 10)  # 1000 in 10 s
    if not SLOW:
        assert memory() < before + (4 << 20), (before, memory())
    eventually(lambda: client.has(availability="online", kitchen="ON"))
    assert program.poll() is None


def packet(kind, body):
    length, n = b"", len(body)
    while True:
        length += bytes([n % 128 | (128 if n >= 128 else 0)])
        n //= 128
        if n == 0:
            return bytes([kind]) + length + body


class FakeBroker:
    """One that says what it is told to, to whoever connects; replies maps a version to bytes."""

    def __init__(self, w, replies):
        self.versions = []
        self.replies = replies
        self.listener = socket.create_server((HOST, BROKER_PORT))
        w.at_end(self.close)
        threading.Thread(target=self._run, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends accept(2)
        self.listener.close()

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def _run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connection = s
            with s:
                s.settimeout(5)
                try:
                    connect_packet = s.recv(1000)
                    version = connect_packet[connect_packet.index(b"MQTT") + 4]
                    self.versions.append(version)
                    s.sendall(self.replies(version, s) or b"")
                    while s.recv(1000):
                        pass
                except (OSError, ValueError, IndexError):
                    pass


@test("mqtt: a broker that does not know MQTT 5 is asked in MQTT 3.1.1")
def old_broker(w):
    broker = FakeBroker(
        w, lambda version, s: packet(0x20, b"\0\0") if version == 4 else packet(0x20, b"\0\1")
    )
    program = mqtt(w)
    eventually(lambda: ": connected" in program.manager.status())
    assert broker.versions == [5, 4]


@test("mqtt: a broker that sends rubbish, or too much, is left, and the log is bounded", takes=10)
def hostile_broker(w):
    connack = packet(0x20, b"\0\0\0")
    publish = lambda topic, text: packet(
        0x30, len(topic).to_bytes(2, "big") + topic + b"\0" + text
    )
    says = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        packet(0x20, b"\0\x87\0"),
        connack + b"\xff" * 10,
        connack + publish(b"led/pi/kitchen/set", b"ON" * 100) * 3 + b"\x30\xff\xff\xff\xff\xff",
        connack + publish(b"led/+/\0/set", b"ON"),
        connack + packet(0x40, b"\0\1") * 1000 + packet(0x90, b"\0\1\0\x80" * 10),
        connack + packet(0xE0, b"\x8d"),
    ]
    w.line(led="kitchen=log")
    broker = FakeBroker(w, lambda version, s: says[min(len(broker.versions), len(says)) - 1])
    program = mqtt(w)
    # Each of them, and the pauses between them, and each has to be survived.
    eventually(lambda: len(broker.versions) >= 4, 60)
    assert program.poll() is None
    assert len(w.log("led-mqtt")) < 60
    assert state(w) == "OFF"
    assert program.stop() == 0


@test("mqtt: a broker that sends without end keeps nobody from the socket, and no stop")
def flooding_broker(w):
    topic = b"led/pi/kitchen/set"
    flood = packet(0x30, len(topic).to_bytes(2, "big") + topic + b"\0junk") * 1000
    sent = [0]

    def replies(version, s):
        def run():
            with contextlib.suppress(OSError):
                while True:
                    s.sendall(flood)
                    sent[0] += 1

        s.settimeout(None)
        s.sendall(packet(0x20, b"\0\0\0"))
        threading.Thread(target=run, daemon=True).start()

    FakeBroker(w, replies)
    w.line(led="kitchen=log")
    program = mqtt(w)
    eventually(lambda: sent[0] > 10)
    for _ in range(20):
        assert press(w, b"LED STATUS\n").startswith(b"ERR ")
    before = sent[0]
    eventually(lambda: sent[0] > before)
    assert program.stop() == 0


def read_packet(file):
    kind, length, shift = file.read(1)[0], 0, 0
    while True:
        byte = file.read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, file.read(length)


class KeepAlive(threading.Thread):
    """A broker's end of a connection until it is asked whether it is there."""

    def __init__(self, connection, chatty=False, seconds=None):
        super().__init__(daemon=True)
        self.connection, self.chatty = connection, chatty
        # The broker's own number of seconds is property 19 of its CONNACK.
        self.properties = b"\0" if seconds is None else b"\3\x13" + seconds.to_bytes(2, "big")
        self.last = time.monotonic()  # when the last packet came
        self.silence = None  # seconds from the packet before the question
        self.start()

    def run(self):
        file = self.connection.makefile("rb")
        while True:
            kind, body = read_packet(file)
            before, self.last = self.last, time.monotonic()
            if kind >> 4 == 12:
                self.silence = self.last - before
                return
            if kind >> 4 == 1:
                self.connection.sendall(packet(0x20, b"\0\0" + self.properties))
                threading.Thread(target=self.chat, daemon=True).start()
            if kind >> 4 == 3:
                end = 2 + int.from_bytes(body[:2], "big")
                self.connection.sendall(packet(0x40, body[end : end + 2]))

    def chat(self):
        while self.chatty and self.silence is None:
            self.connection.sendall(packet(0x30, b"\0\1x\0"))
            time.sleep(0.5)


@test("mqtt: it wakes up for the keepalive alone, and keeps it where only the broker speaks", quick=False, takes=32)
def keepalive(w):
    w.line(led="kitchen=log")
    with socket.create_server((HOST, BROKER_PORT)) as listener:
        listener.settimeout(10)
        idle, quiet = mqtt(w), KeepAlive(listener.accept()[0])
        mqtt(w, f"--listen={w.dir}/other.sock")
        chatty = KeepAlive(listener.accept()[0], chatty=True)
        mqtt(w, f"--listen={w.dir}/third.sock")
        eager = KeepAlive(listener.accept()[0], seconds=10)
        mqtt(w, f"--listen={w.dir}/fourth.sock")
        hasty = KeepAlive(listener.accept()[0], seconds=1)
        # It has said all that it had to say.
        eventually(lambda: time.monotonic() - quiet.last > 3, 20)

        def sleeps():
            proc = Path(f"/proc/{idle.pid}")
            count = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (proc / "status").read_text(), re.M)[1]
            # It also sleeps while a page comes back from the disk: field 12 of proc_pid_stat(5).
            return int(count) - int((proc / "stat").read_text().split()[11])

        before = sleeps()
        # A broker waits one and a half times as long.
        for end, seconds in (hasty, 1), (eager, 10), (quiet, 30), (chatty, 30):
            end.join(60)
            assert end.silence and seconds - 2 < end.silence < 1.5 * seconds, end.silence
        # The question may be here before it sleeps again.
        assert sleeps() - before <= 2, sleeps() - before


@test("mqtt: a broker that floods with answers that nobody asked for fills neither log nor memory", takes=8)
def unasked_answers(w):
    connack = packet(0x20, b"\0\0\0")
    floods = [connack * 100000, connack + packet(0x90, b"\0\1\0\x87") * 100000,
              connack + packet(0x32, b"\0\x0eled/pi/x/state\0\1\0") * 100000]
    done = threading.Event()

    def replies(version, s):
        flood = floods[min(len(broker.versions), len(floods)) - 1]
        s.settimeout(1)
        try:
            s.sendall(flood)
        except TimeoutError:
            pass  # it does not read on, since its acknowledgements are not read
        if len(broker.versions) >= len(floods):
            done.set()
        return b""

    broker = FakeBroker(w, replies)
    # Each connection ends when the next flood is due.
    program = mqtt(w)
    memory = lambda: int(Path(f"/proc/{program.pid}/statm").read_text().split()[1]) * 4096
    before = memory()
    for n in range(1, 4):
        eventually(lambda: len(broker.versions) >= n, 20)
        if n < 3:
            time.sleep(0.5)
            broker.hang_up()
    assert done.wait(20)
    assert len(w.log("led-mqtt")) < 30, len(w.log("led-mqtt"))
    assert any("the broker refuses a subscription: Not authorized" in t for t in w.log("led-mqtt", WARNING))
    if not SLOW:
        assert memory() < before + (4 << 20), (before, memory())
    assert program.poll() is None


@test("mqtt: frozen for longer than a broker may take, it still reads what the broker has sent", quick=False, takes=11)
def frozen(w):
    def acknowledgement(body):
        end = 2 + int.from_bytes(body[:2], "big")
        return packet(0x40, body[end : end + 2])

    with socket.create_server((HOST, BROKER_PORT)) as listener:
        listener.settimeout(10)
        program = mqtt(w)
        broker = listener.accept()[0]
        file = broker.makefile("rb")

        def next_publish():
            while True:
                kind, body = read_packet(file)
                if kind >> 4 == 3:
                    return body

        broker.sendall(packet(0x20, b"\0\0\0"))
        broker.sendall(acknowledgement(next_publish()))  # of its availability
        with connect(w.dir / "mqtt.sock") as s:
            s.sendall(b"LED ON\n")
            body = next_publish()
            program.pause()
            broker.sendall(packet(0x30, b"\0\1x\0") * 50 + acknowledgement(body))
            time.sleep(10.6)  # what is measured: more than the 10 s
            program.resume()
        with connect(w.dir / "mqtt.sock") as s:
            s.sendall(b"LED OFF\n")
            broker.sendall(acknowledgement(next_publish()))
            assert read_all(s) == b"OK LED OFF\n"
    assert not w.log("led-mqtt", WARNING), w.log("led-mqtt", WARNING)


@test("mqtt: TLS: the certificates of both ends have to be of the authority, the broker's of its name")
def tls(w):
    openssl = need_program("openssl")

    def run(*arguments):
        subprocess.run([openssl, *arguments], check=True, cwd=w.dir, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
        "-keyout", "key.pem", "-out", "request.pem")
    (w.dir / "names").write_text("subjectAltName=DNS:localhost\n")
    run("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
        "-CAcreateserial", "-extfile", "names", "-out", "cert.pem")
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=another", "-keyout", "other.key", "-out", "other.pem")
    Broker(w, f"cafile {w.dir}/ca.pem", f"certfile {w.dir}/cert.pem", f"keyfile {w.dir}/key.pem",
           "require_certificate true")
    w.line(led="kitchen=log")

    def start(host, authority, own):
        return w.notified(
            LED_MQTT, f"--broker=mqtts://{host}:{BROKER_PORT}", "--host=pi", f"--line={w.dir}/line.sock",
            f"--listen={w.dir}/mqtt.sock", f"--cafile={w.dir}/{authority}.pem", *own,
        )

    ours = f"--cert={w.dir}/cert.pem", f"--key={w.dir}/key.pem"
    theirs = f"--cert={w.dir}/other.pem", f"--key={w.dir}/other.key"
    for host, authority, own in (
        ("localhost", "other", ours), (HOST, "ca", ours), ("localhost", "ca", theirs), ("localhost", "ca", ())
    ):
        program = start(host, authority, own)
        eventually(lambda: "trying again" in program.manager.status(), 20)
        assert "connected" not in program.manager.status()
        assert program.stop() == 0
    program = start("localhost", "ca", ours)
    eventually(lambda: ": connected; 1 LED;" in program.manager.status(), 20)
    assert press(w, b"LED ON\n") == b"OK LED ON\n"
    eventually(lambda: state(w) == "ON")


@test("mqtt: a user and a password from a file")
def password(w):
    need_program("mosquitto_passwd")
    (w.dir / "users").write_text("lamp:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", w.dir / "users"], check=True)
    (w.dir / "users").chmod(0o644)
    broker = Broker(w, f"password_file {w.dir}/users", start=False)
    config = broker.config.read_text()
    broker.config.write_text(config.replace("allow_anonymous true", "allow_anonymous false"))
    broker.start()
    secret = w.dir / "secret"
    secret.write_text("wrong\n")
    program = mqtt(w, "--user=lamp", f"--password-file={secret}")
    eventually(lambda: "ot authori" in program.manager.status(), 10)
    program.stop()
    secret.write_text("secret\n")
    program = mqtt(w, "--user=lamp", env={"MQTT_PASSWORD_FILE": secret})
    eventually(lambda: ": connected" in program.manager.status(), 10)
    assert "secret" not in Path(f"/proc/{program.pid}/cmdline").read_text().replace(str(secret), "")


@test("mqtt: an access list that refuses is named: a press is ERR, what cannot be retained a warning")
def access_list(w):
    (w.dir / "acl").write_text("topic readwrite led/pi/#\n")
    Broker(w, f"acl_file {w.dir}/acl")
    w.line(led="kitchen=log")
    mqtt(w)
    Client(w, "led/pi/button/door")
    eventually(lambda: press(w, b"PRESS door\n") == b"OK PRESS door\n", 10, 0.2)
    answer = press(w, b"LED ON\n")
    assert answer == b"ERR the broker refuses it: Not authorized\n", answer
    refused = "homeassistant/light/led_pi/led_kitchen/config cannot be published: Not authorized"
    eventually(lambda: refused in w.log("led-mqtt", WARNING))


@test("mqtt: the manual's access list is enough, for --forget too", takes=9)
def manual_access_list(w):
    manual = (SOURCE / "man/led-mqtt.8").read_text()
    rules = re.search(r"^user lamp\n(?:topic .*\n)+", manual, re.M)[0]
    (w.dir / "acl").write_text(f"topic readwrite #\n{rules}")
    broker = Broker(w, f"acl_file {w.dir}/acl", "log_type all")
    w.line(led="kitchen=log")
    client = Client(w)
    # What an earlier process has left.
    client.publish("led/pi/gone", "ON", retain=True)
    client.publish(OLD_TOPIC, json.dumps(old_message()), retain=True)
    client.publish("homeassistant/event/led_pi/button_old/config", "{}", retain=True)
    program = mqtt(w, "--user=lamp", "--buttons=door")
    eventually(lambda: client.has(availability="online", kitchen="OFF", gone=""), 10)
    eventually(lambda: "homeassistant/event/led_pi/button_old/config" not in retained(w), 20, 0.2)
    wanted = NEW - {"switch/led_pump"}
    eventually(lambda: set(things(w)) == wanted and OLD_TOPIC not in retained(w), 10, 0.2)
    client.publish("homeassistant/light/led_pi/led_kitchen/config", "", retain=True)
    client.publish("homeassistant/status", "online")
    eventually(lambda: set(things(w)) == wanted, 10, 0.2)
    client.publish("led/group/all/set", "ON")
    eventually(lambda: client.has(kitchen="ON", kitchen__availability="online"))
    client.publish("led/pi/kitchen/set", "OFF")
    eventually(lambda: client.has(kitchen="OFF"))
    for command in b"PRESS door", b"LED ON":
        assert press(w, command + b"\n") == b"OK " + command + b"\n"
    program.stop(signal.SIGKILL)
    eventually(lambda: client.has(availability="offline"))
    assert mqtt_forget(w, "--user=lamp").wait(40) == 0
    assert retained(w) == {}, retained(w)
    assert "Denied" not in broker.process.output()
    # Not that of another machine.
    assert mqtt_forget(w, "--user=lamp", "--host=other").wait(40) == 1
    assert "Denied" in broker.process.output()


@test("mqtt: wrong settings: one clear line and exit status 2")
def wrong_settings(w):
    (w.dir / "long").write_text("x" * 2000)
    for option, why in [
        ("--broker=pi", "a broker is mqtt://HOST or mqtts://HOST"),
        ("--broker=mqtt://pi:99999", "a port is a number"),
        ("--base=", "a part of a topic has"),
        ("--base=a/#", "a part of a topic has"),
        ("--base=" + "x/" * 70 + "x", "too long"),
        ("--host=a/b", "a part of a topic has"),
        ("--host=a+b", "a part of a topic has"),
        ("--host=" + "x" * 65, "a part of a topic has"),
        ("--host=group", "group is the topic of groups"),
        ("--groups=all a/b", "a part of a topic has"),
        ("--groups=" + "a " * 33, "too many: there may be 32"),
        ("--send=all", "commands go to group/GROUP or to HOST/NAME"),
        ("--send=a/b/c", "commands go to"),
        ("--password-file=/nowhere", "No such file or directory"),
        (f"--password-file={w.dir}/long", "a password has at most 1023 bytes"),
        (f"--password-file={w.dir}/mosquitto", "No such file"),
        ("--cafile=/nowhere", "No such file or directory"),
        ("--cert=/etc/passwd", "a certificate and its key go together"),
        ("--discovery=a b", "a part of a topic has"),
        ("--buttons=Door", "a button's name is like an LED's"),
        ("--name=a\tb", "a text has up to 128 bytes of UTF-8"),
        ("--area=" + "x" * 129, "a text has up to 128 bytes of UTF-8"),
        ("--url=pi:5557", "an address begins with http:// or https://"),
        ("--url=http://pi/a b", "an address has letters, digits and punctuation marks alone"),
        ("--url=http://" + "x" * 512, "too long"),
        ("--url=http://[::1/", "an address has a host, and a port from 1 to 65535 or none"),
        ("--line=somewhere:5555", "names are not looked up here: an address is a number or a path"),
        ("--listen=5555", "buttons connect to the path of a socket"),
        ("--lime=x", "unrecognized option"),
        ("x", "unexpected argument 'x'"),
    ]:
        p = w.spawn(LED_MQTT, option)
        assert p.wait(20) == 2, (option, p.returncode, p.output())
        assert why in p.output() and p.output().count("\n") == 1, p.output()
    for variable in "MQTT_BROKER", "MQTT_HOST", "MQTT_SEND", "MQTT_BUTTONS", "MQTT_PASSWORD_FILE":
        p = w.spawn(LED_MQTT, env={variable: "a+b /"})
        assert p.wait(20) == 2 and f"led-mqtt: {variable}=a+b /: " in p.output(), p.output()
    (w.dir / "password").write_text("secret\n")
    p = w.spawn(LED_MQTT, f"--password-file={w.dir}/password")
    assert p.wait(20) == 2 and "a password needs a user" in p.output() and "secret" not in p.output()
    for option in "--help", "--version":
        p = w.spawn(LED_MQTT, option)
        assert p.wait(20) == 0 and "led-mqtt" in p.output()


def with_socket(w, *options, **kwargs):
    """led-mqtt as its socket unit starts it."""
    manager = w.manager()
    process = w.spawn(
        "bash", "-c", 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "-",
        *WRAP, LED_MQTT, *options, stdin=w.listener,
        env={**kwargs.pop("env", {}), "NOTIFY_SOCKET": manager.path}, **kwargs,
    )
    process.manager = manager
    return process


@test("mqtt: a wrong setting is an answer to each press for 5 s, and exit status 2", takes=6)
def wrong_setting(w):
    path = w.dir / "mqtt.sock"
    w.listener = socket.socket(socket.AF_UNIX)
    w.at_end(w.listener.close)
    w.listener.bind(str(path))
    w.listener.listen(8)
    wrong = "a setting is wrong: MQTT_SEND=all: commands go to group/GROUP or to HOST/NAME"
    began = time.monotonic()
    with connect(path) as silent, connect(path) as early:
        early.sendall(b"PRESS door\n")
        program = with_socket(w, env={"MQTT_SEND": "all"})
        for s in silent, early:
            assert read_all(s).decode() == f"ERR {wrong}\n"
    # Those who come later, too, and they do not fill the log.
    for _ in range(100):
        assert press(w, b"LED ON\n").decode() == f"ERR {wrong}\n"
    assert program.poll() is None
    assert program.wait(30) == 2 and time.monotonic() - began >= 5
    assert w.log("led-mqtt") == [wrong] == w.log("led-mqtt", ERR), w.log("led-mqtt")
    assert program.manager.status() == wrong and not program.manager.said("READY")
    # Each wrong setting is in the log.
    assert with_socket(w, env={"MQTT_SEND": "all", "MQTT_BASE": "a/#"}).wait(20) == 2
    assert len(w.log("led-mqtt", ERR)) == 3 and wrong in w.log("led-mqtt", ERR)[1:], w.log("led-mqtt", ERR)
    # Nobody waits: it ends at once. Options are answers, too.
    for option, why in [
        ("--lime=x", "unrecognized option '--lime=x'"),
        ("x", "unexpected argument 'x'"),
        ("--base=a/#", "--base=a/#: a part of a topic has"),
        ("--broker=mqtt://lamp:s3cret@host", "--broker: a broker is mqtt://HOST"),
        ("--cafile=" + "x" * 300, "--cafile=xxx"),
    ]:
        began = time.monotonic()
        program = with_socket(w, option)
        assert program.wait(20) == 2
        assert time.monotonic() - began < 4 or SLOW
        assert w.log("led-mqtt", ERR)[-1].startswith(f"a setting is wrong: {why}")
        with connect(path) as s:
            program = with_socket(w, option)
            line = read_all(s)
            program.stop()
        assert line.startswith(f"ERR a setting is wrong: {why}".encode()), line
        assert len(line) <= 201 and b"s3cret" not in line, line
    assert not any("s3cret" in line for line in w.log())


@test("mqtt: a variable that only looks like a setting is a warning")
def unknown_variable(w):
    mqtt(w, env={"MQTT_BORKER": "s3cret"})
    said = "MQTT_BORKER is no setting, and is ignored: MQTT_BROKER is the nearest"
    assert said in w.log("led-mqtt", WARNING) and not any("s3cret" in line for line in w.log())


@test("mqtt: whatever the kernel calls this machine, the error is one clear line")
def wrong_host_name(w):
    unshare = need_program("unshare")
    script = (
        "import os, socket, sys; socket.sethostname(os.fsencode(sys.argv[1]));"
        "os.execv(sys.argv[2], sys.argv[2:])"
    )
    for name in "a/b", "a+b", "a#b", "a b", "a\nb", "\x1b[31m", "group", "(none)", "\udcff":
        p = w.spawn(unshare, "--uts", sys.executable, "-c", script, name, LED_MQTT)
        why = "led-mqtt: MQTT_HOST: this machine's name cannot be a part of a topic: set MQTT_HOST\n"
        assert p.wait(20) == 2 and p.output() == why, (name, p.output())


@test("mqtt: a flood of commands: led-line gets them in order, and the last one counts", quick=False)
def flood(w):
    Broker(w, "max_inflight_messages 0")
    w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w, "led/pi/kitchen")
    eventually(lambda: client.has(kitchen="OFF"))
    count = 500 if SLOW else 3000  # what has waited for 5 s is too late
    start = time.monotonic()
    for i in range(count):
        client.client.publish("led/pi/kitchen/set", "ON" if i % 2 == 0 else "OFF", 1)
    client.publish("led/pi/kitchen/set", "ON")
    is_late = lambda: any(line.endswith(": too late") for line in w.log("led-mqtt"))
    eventually(lambda: f"{count + 1} commands" in program.manager.status() or is_late(), 60)
    if is_late():
        raise Skip(f"this machine has no time for {count} commands in 5 s")
    assert state(w) == "ON"
    eventually(lambda: client.has(kitchen="ON"))
    assert len(w.log("led-mqtt")) < 1100 * (1 + (time.monotonic() - start) // 10)  # 1000 in 10 s


@test("mqtt: what may have waited for 5 s while led-mqtt stood still is too late, whatever came last", quick=False, takes=8)
def stood_still(w):
    Broker(w)
    w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w, "led/pi/kitchen", "led/pi/button/door")
    eventually(lambda: client.has(kitchen="OFF"))
    program.pause()
    client.publish("led/pi/kitchen/set", "PULSE 60000")
    # A button that has given up, and one that has not.
    with connect(w.dir / "mqtt.sock") as s:
        s.sendall(b"PRESS door\n")
    waiting = connect(w.dir / "mqtt.sock")
    waiting.sendall(b"PRESS door\n")
    time.sleep(5.5)  # what is measured: more than 5 s
    client.publish("led/group/none/set", "x")
    program.resume()
    assert read_all(waiting) == b"OK PRESS door\n"
    late = 'the broker sent "LED kitchen PULSE 60000": too late'
    eventually(lambda: late in w.log("led-mqtt"))
    eventually(lambda: client.of("led/pi/button/door") == ["press"])
    assert state(w) == "OFF"
    assert 'local user 0 sent "PRESS door": too late: not published' in w.log("led-mqtt")
    # And nothing else is.
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: state(w) == "ON")
    with connect(w.dir / "mqtt.sock") as s:
        s.sendall(b"PRESS door\n")
    eventually(lambda: client.of("led/pi/button/door") == ["press", "press"])


@test("mqtt: ON, OFF and ON again while the broker hangs: the LED ends on", quick=False, takes=9)
def newest_joins(w):
    broker = Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w, "led/group/all/set", "led/pi/kitchen")
    eventually(lambda: client.has(kitchen="OFF"))
    broker.process.pause()
    # The times are what is measured: the first two have no client any more when the third comes.
    clients = [connect(w.dir / "mqtt.sock", 20) for _ in range(3)]
    for s, command, pause in zip(clients, (b"LED ON\n", b"LED OFF\n", b"LED ON\n"), (1, 5.3, 0.5)):
        s.sendall(command)
        time.sleep(pause)
    broker.process.resume()
    assert [read_all(s) for s in clients] == [b"", b"", b"OK LED ON\n"]
    eventually(lambda: len(client.of("led/group/all/set")) == 3)
    assert client.of("led/group/all/set") == ["ON", "OFF", "ON"]
    eventually(lambda: client.has(kitchen="ON"))


@test("mqtt: led-line away while many commands come: what is read from the broker goes on with it", quick=False, takes=10)
def not_deaf(w):
    Broker(w, "max_inflight_messages 0", "max_queued_messages 0")
    line = w.line(led="kitchen=log")
    mqtt(w)
    client = Client(w, "led/pi/kitchen")
    eventually(lambda: client.has(kitchen="OFF"))
    line.stop()
    for i in range(400):
        client.client.publish("led/pi/kitchen/set", "OFF", 1)
    time.sleep(5.5)  # what is measured: longer than 5 s
    w.line(led="kitchen=log")
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: state(w) == "ON", 5)
    # Each was carried out, or is in the log as late: the last one after its answer.
    sent = 'the broker sent "LED kitchen '
    eventually(lambda: len([t for t in w.log("led-mqtt") if t.startswith(sent)]) == 401)


@test("mqtt: led-line that hangs, or accepts nothing, is offline within seconds", quick=False, takes=12)
def hanging_line(w):
    Broker(w)
    line = w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w)
    both = {"kitchen": "OFF", "kitchen__availability": "online"}
    eventually(lambda: client.has(**both))
    line.pause()
    client.publish("led/pi/kitchen/set", "OFF")
    eventually(lambda: client.has(kitchen__availability="offline"), 4)
    eventually(lambda: "no led-line" in program.manager.status())
    line.resume()
    eventually(lambda: client.has(**both), 15)
    # From the start, with an LED that only the broker knows of.
    program.stop()
    line.stop()
    (w.dir / "line.sock").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(w.dir / "line.sock"))
        s.listen()
        client.publish("led/pi/cellar", "ON", retain=True)
        client.publish("led/pi/cellar/availability", "online", retain=True)
        program = mqtt(w)
        eventually(lambda: client.has(kitchen__availability="offline", cellar__availability="offline"), 6)
        assert client.has(kitchen="OFF", cellar="ON")


@test("mqtt: what waits at a stop is carried out, or in the log")
def stop_waiting(w):
    Broker(w)
    line = w.line(led="kitchen=log pump=log")
    program = mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", pump="OFF"))
    line.pause()
    for command in "ON", "TOGGLE":
        client.publish("led/group/all/set", command)
    # It has been asked for the first.
    eventually(lambda: is_read(client.client.socket()))
    time.sleep(0.2)  # and the second is there
    assert program.stop() == 0
    log = w.log("led-mqtt")
    assert 'the broker sent "LED ALL ON": led-mqtt is stopping' in log, log
    assert 'the broker sent "LED kitchen TOGGLE": led-mqtt is stopping' in log, log
    line.resume()


@test("mqtt: a button whose command nobody takes is told so", brokers=True)
def nobody(w):
    need("MQTT 5")
    Broker(w)
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    # The client that asked may not have left yet.
    for command in b"LED ON\n", b"PRESS door\n":
        eventually(lambda: press(w, command) == b"ERR nobody has subscribed to its topic\n")
    # The group has a member as soon as led-line names an LED: the sender.
    w.line(led="kitchen=log")
    eventually(lambda: press(w, b"LED ON\n") == b"OK LED ON\n", 20, 0.1)
    eventually(lambda: state(w) == "ON")


@test("mqtt: what becomes of a refusal: another version at once, the next time, or the same one", takes=25)
def refusals(w):
    ok = {5: packet(0x20, b"\0\0\0"), 4: packet(0x20, b"\0\0")}
    says = []

    def replies(version, s):
        reply = says.pop(0) if says else ok[version]
        if reply == b"":
            s.shutdown(socket.SHUT_RDWR)
        return reply

    broker = FakeBroker(w, replies)
    old, refused, closed = packet(0x20, b"\0\1"), lambda code: packet(0x20, bytes([0, code, 0])), b""
    for first, versions, reason in (
        ([closed], [5, 4], "the broker has closed the connection"),
        ([old], [5, 4], None),
        ([packet(0x20, b"\0\x84\0")], [5, 4], None),
        ([refused(0x86)], [5, 5], "Bad User Name or Password"),
        ([refused(0x97)], [5, 5], "Quota exceeded"),
        ([refused(0x9A)], [5, 5], "Retain not supported"),
        ([refused(0x9B)], [5, 5], "QoS not supported"),
        ([packet(0x20, b"\0\5")], [5, 5], "Connection Refused: not authorised"),
        ([closed, closed], [5, 4, 5], "the broker has closed the connection"),
    ):
        broker.versions.clear()
        says[:] = first
        before = len(w.log("led-mqtt", WARNING))
        program = mqtt(w)
        eventually(lambda: ": connected" in program.manager.status(), 20)
        assert broker.versions == versions, (first, broker.versions)
        warnings = w.log("led-mqtt", WARNING)[before:]
        wanted = [f"mqtt://{HOST}:{BROKER_PORT}: {reason}; trying again"] if reason else []
        assert warnings == wanted, warnings
        assert program.stop() == 0


@test("mqtt: no packet ends it")
def broken_packets(w):
    connack = packet(0x20, b"\0\0\0")
    says = [
        packet(0x20, b"\0\0\2\x7f\1"),  # a property that there is not
        connack + packet(0xF0, b"\x18\2\x7f\1"),
        connack + packet(0xF0, b""),
        connack + packet(0x40, b"\0\1\0\2\x7f\1"),
        connack + packet(0x30, b"\0\1x\2\x7f\1"),
        connack + packet(0xE0, b"\0\2\x7f\1"),
        connack + packet(0x90, b"\0\1\2\x7f\1\0"),
    ]
    FakeBroker(w, lambda version, s: says[0])
    while says:
        program = mqtt(w)
        why = "the broker has sent a broken packet; trying again"
        eventually(lambda: why in program.manager.status() or program.poll() is not None)
        assert program.poll() is None, (says[0], program.returncode)
        assert program.stop() == 0
        says.pop(0)


@test("mqtt: a name with a dead address and a good one")
def dead_address(w):
    hosts = w.dir / "hosts"
    hosts.write_text("::1 two.example\n127.0.0.1 two.example\n")
    mount(str(hosts), "/etc/hosts", flags=MS_BIND)
    w.at_end(lambda: unmount("/etc/hosts"))
    found = [a[4][0] for a in socket.getaddrinfo("two.example", BROKER_PORT, type=socket.SOCK_STREAM)]
    if found != ["::1", HOST]:
        raise Skip(f"the name has the addresses {found} here")
    # With a full queue, this one answers nothing.
    with socket.socket(socket.AF_INET6) as dead, socket.socket(socket.AF_INET6) as first:
        dead.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        dead.bind(("::1", BROKER_PORT))
        dead.listen(0)
        first.connect(("::1", BROKER_PORT))
        Broker(w)
        program = w.notified(
            LED_MQTT, f"--broker=mqtt://two.example:{BROKER_PORT}", "--host=pi",
            f"--line={w.dir}/line.sock", f"--listen={w.dir}/mqtt.sock",
        )
        eventually(lambda: ": connected" in program.manager.status(), 5)
        assert not w.log("led-mqtt", WARNING)


@test("mqtt: what is gone is cleared once, and what somebody overwrites is corrected", takes=4)
def corrections(w):
    Broker(w)
    topic = "homeassistant/light/led_pi/led_kitchen/config"
    gone = "homeassistant/light/led_pi/led_cellar/config"
    line = w.line(led="kitchen=log cellar=log")
    mqtt(w)
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", cellar="OFF") and {topic, gone} <= set(client.last))
    line.stop()
    w.line(led="kitchen=log")
    eventually(lambda: client.has(cellar="", cellar__availability=""), 10)
    eventually(lambda: client.last[gone] == "")
    before = len(client.messages)
    for command in "ON", "OFF", "ON":
        ask(f"LED kitchen {command}\n".encode(), w.dir / "line.sock")
        eventually(lambda: client.has(kitchen=command))
    assert [m[:2] for m in client.messages[before:]] == [
        ("led/pi/kitchen", "ON"), ("led/pi/kitchen", "OFF"), ("led/pi/kitchen", "ON")
    ]
    right = client.last[topic]
    client.publish(topic, "{}", retain=True)
    eventually(lambda: client.last[topic] == right)
    # Home Assistant's user has removed the device.
    client.publish(topic, "", retain=True)
    client.publish("led/pi/kitchen", "OFF", retain=True)
    eventually(lambda: client.has(kitchen="ON") and client.of("led/pi/kitchen")[-2:] == ["OFF", "ON"])
    assert client.last[topic] == ""


class LateBroker:
    """One without MQTT 5 that sends what is retained late, in no order, to wildcards or not."""

    def __init__(self, w, retained, wildcards, delay):
        self.retained, self.wildcards, self.delay = retained, wildcards, delay
        self.listener = socket.create_server((HOST, BROKER_PORT))
        w.at_end(self.close)
        threading.Thread(target=self._run, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends accept(2)
        self.listener.close()

    def _run(self):
        while True:
            try:
                s, _ = self.listener.accept()
                self._serve(s, s.makefile("rb"))
            except (OSError, IndexError):
                if self.listener.fileno() < 0:
                    return

    def _serve(self, s, file):
        while True:
            kind, body = read_packet(file)
            if kind >> 4 == 1:
                if body[6] != 4:
                    s.shutdown(socket.SHUT_RDWR)
                    return
                s.sendall(packet(0x20, b"\0\0"))
            elif kind >> 4 == 3:
                end = 2 + int.from_bytes(body[:2], "big")
                topic, number, payload = body[2:end].decode(), body[end : end + 2], body[end + 2 :]
                if kind & 1 and payload:
                    self.retained[topic] = payload
                elif kind & 1:
                    self.retained.pop(topic, None)
                s.sendall(packet(0x40, number))
            elif kind >> 4 == 12:
                s.sendall(packet(0xD0, b""))
            elif kind >> 4 == 8:
                end = 4 + int.from_bytes(body[2:4], "big")
                topic = body[4:end].decode()
                s.sendall(packet(0x90, body[:2] + b"\1"))
                threading.Thread(target=self._send, args=(s, topic), daemon=True).start()

    def _send(self, s, its):
        pattern = re.escape(its).replace(r"\+", "[^/]+").replace(r"\#", ".*") if self.wildcards else re.escape(its)
        fits = lambda topic: re.fullmatch(pattern, topic)
        for topic in sorted(filter(fits, self.retained), reverse=True):
            time.sleep(self.delay)
            payload = self.retained.get(topic)
            if payload is not None:
                s.sendall(packet(0x31, len(topic).to_bytes(2, "big") + topic.encode() + payload))


@test("mqtt: --forget with a broker that sends late: all is gone; with one that sends nothing, it says so", quick=False, takes=40)
def forget_late(w):
    def left():
        topics = ["availability", "kitchen", "kitchen/availability", "old/set", "zebra"]
        config = b'{"components":{"led_kitchen":{},"button_door":{}}}'
        return {f"led/pi/{topic}": b"x" for topic in topics} | {"homeassistant/device/led_pi/config": config}

    late = LateBroker(w, left(), True, 0.5)
    program = mqtt_forget(w)
    assert program.wait(100) == 0, program.output()
    assert late.retained == {}, late.retained
    late.wildcards, late.delay = False, 0.1
    late.retained.update(left())
    program = mqtt_forget(w)
    assert program.wait(100) == 1
    assert "the broker does not send what is retained: topics may be left" in program.output()
    assert sorted(late.retained) == ["led/pi/old/set", "led/pi/zebra"], late.retained


@test("mqtt: a TLS record full of commands, and one with a broken packet", takes=3)
def tls_record(w):
    openssl = need_program("openssl")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", w.dir / "key.pem", "-out", w.dir / "cert.pem"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(w.dir / "cert.pem", w.dir / "key.pem")
    w.line(led="kitchen=log")
    topic = b"led/pi/kitchen/set"
    publish = lambda text: packet(0x30, len(topic).to_bytes(2, "big") + topic + b"\0" + text)
    with socket.create_server((HOST, BROKER_PORT)) as listener:
        listener.settimeout(10)
        manager = w.manager()
        program = w.spawn(
            LED_MQTT, f"--broker=mqtts://{HOST}:{BROKER_PORT}", "--host=pi", f"--line={w.dir}/line.sock",
            f"--listen={w.dir}/mqtt.sock", f"--cafile={w.dir}/cert.pem", env={"NOTIFY_SOCKET": manager.path},
        )
        with context.wrap_socket(listener.accept()[0], server_side=True) as s:
            s.recv(1000)
            commands = b"".join(publish(b"OFF" if i % 2 else b"ON") for i in range(600)) + publish(b"ON")
            assert len(commands) < 16384  # what a record has room for
            s.sendall(packet(0x20, b"\0\0\0"))
            s.sendall(commands)
            eventually(lambda: "601 commands" in manager.status(), 20)
            assert state(w) == "ON"
            s.sendall(packet(0x30, b"\0\1x\2\x7f\1"))
            eventually(lambda: "sent a broken packet" in manager.status())
            assert program.poll() is None
