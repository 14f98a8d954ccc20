# SPDX-License-Identifier: MIT
"""led-mqtt: LEDs and buttons on the topics of a real broker."""

import array
import fcntl
import json
import random
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from world import (
    LED_LINE,
    LED_MQTT,
    SLOW,
    SOURCE,
    WARNING,
    Skip,
    accepts,
    ask,
    connect,
    eventually,
    need_program,
    read_all,
    test,
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


class Broker:
    """mosquitto, which can be killed and started again."""

    def __init__(self, w, *settings, start=True):
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
        self.process = self.w.spawn(need_program("mosquitto"), "-c", self.config)
        eventually(lambda: accepts((HOST, BROKER_PORT)), 10)

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


def retained(w):
    """What is retained at the broker, asked for with a fresh client, the broker's own left out."""
    client = Client(w, "#", "led-test/end")
    # What comes behind this message came after what is retained.
    client.publish("led-test/end", "")
    eventually(lambda: client.of("led-test/end"), 10)
    client.close()
    return {topic: text for topic, text, is_retained in client.messages if is_retained}


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


@test("mqtt: an LED over the broker, both ways")
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


@test("mqtt: mosquitto_pub and mosquitto_sub as people use them")
def command_line(w):
    pub, sub = need_program("mosquitto_pub"), need_program("mosquitto_sub")
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w)
    eventually(lambda: retained(w).get("led/pi/kitchen") == "OFF", 10, 0.2)
    to = ["-h", HOST, "-p", str(BROKER_PORT)]
    subprocess.run([pub, *to, "-t", "led/pi/kitchen/set", "-m", "ON"], check=True)
    eventually(lambda: state(w) == "ON")
    seen = subprocess.run(
        [sub, *to, "-t", "led/pi/kitchen", "-C", "1", "-W", "20"],
        check=True, stdout=subprocess.PIPE, text=True,
    )
    assert seen.stdout in ("ON\n", "OFF\n")
    eventually(lambda: retained(w).get("led/pi/kitchen") == "ON", 10, 0.2)


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


@test("mqtt: after a restart of the broker, states are there anew and offline does not stay")
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
    # It has forgotten everything.
    eventually(lambda: client.has(availability="online", kitchen="ON"), 20)
    now = retained(w)
    assert now["led/pi/availability"] == "online" and now["led/pi/kitchen"] == "ON"
    assert "homeassistant/device/led_pi/config" in now
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


@test("mqtt: somebody who publishes on its topics, over and over, is corrected once a second")
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


@test("mqtt: kill -9 leaves offline, a regular stop too, and a start online")
def offline(w):
    Broker(w)
    w.line(led="kitchen=log")
    client = Client(w)
    for signum in signal.SIGKILL, signal.SIGTERM:
        program = mqtt(w)
        eventually(lambda: client.has(availability="online", kitchen="OFF"))
        assert program.stop(signum) == (0 if signum == signal.SIGTERM else -signum)
        eventually(lambda: client.has(availability="offline"))
    assert retained(w)["led/pi/availability"] == "offline"


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


@test("mqtt: a broker that accepts and says nothing is given up", quick=False)
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
    ]:
        words = command.decode().upper().strip("\0\r\n ").split()
        answer = press(w, command).decode()
        assert answer.upper().split() == ["OK", *words], answer
        eventually(lambda: (*message, False) in client.messages)
    before = len([m for m in client.messages if m[0].endswith(("/set", "/door"))])
    for command in (b"LED STATUS\n", b"LED kitchen ON\n", b"LED ALL ON\n", b"LED WATCH\n", b"LED LIST\n",
                    b"PRESS\n", b"PRESS set\n", b"PRESS a/b\n", b"hello\n", b"\n", b"LED ON\nLED OFF\n",
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


@test("mqtt: a command behind another one is not held back by either end", quick=False)
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


@test("mqtt: a button that tries again while the broker hangs: its press is published once", quick=False)
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


@test("mqtt: a broker that hangs is noticed by what it does not acknowledge", quick=False)
def hanging_broker(w):
    broker = Broker(w)
    program = mqtt(w)
    eventually(lambda: retained(w).get("led/pi/availability") == "online", 10, 0.2)
    broker.process.pause()
    assert press(w, b"PRESS door\n") == b""
    eventually(lambda: "the broker does not answer; trying again" in program.manager.status(), 20)
    assert press(w, b"PRESS door\n").startswith(b"ERR the broker is away: mqtt://127.0.0.1:18830: ")
    broker.process.resume()
    eventually(lambda: press(w, b"PRESS door\n") == b"OK PRESS door\n", 30, 0.5)


@test("mqtt: a press goes to every LED of the group, and home")
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


@test("mqtt: 100 presses of TOGGLE over a restart of the broker: none lost, none doubled")
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


@test("mqtt: kill -9 of broker, led-line or led-mqtt amid commands: what is retained is what is lit", quick=False)
def kills(w):
    broker = Broker(w)
    line, program = w.line(led="kitchen=log"), mqtt(w)
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
            program = mqtt(w)
        over.set()
        commander.join()
        # Those that still wait are carried out before this one, which has a key to be known by.
        last = f"TOGGLE #last{turn}"
        eventually(lambda: press(w, f"LED {last}\n".encode()).startswith(b"OK"), 20, 0.1)
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


@test("mqtt: a command that led-line can look at only 5 s later is too late, and an older one changes nothing", quick=False)
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
    # led-mqtt hangs, and meanwhile somebody else has a newer command.
    program.pause()
    client.publish("led/pi/kitchen/set", "ON")
    time.sleep(0.1)  # many ticks
    assert ask(b"LED kitchen OFF\n", w.dir / "line.sock") == b"OK LED kitchen OFF\n"
    program.resume()
    eventually(lambda: any('"LED kitchen ON": OK LED kitchen OFF' in t for t in w.log("led-mqtt")))
    assert state(w) == "OFF"
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: state(w) == "ON")


@test("mqtt: led-line comes back with other LEDs: the topics of those that are gone are cleared")
def other_leds(w):
    Broker(w)
    line = w.line(led="kitchen=log cellar=log")
    program = mqtt(w)
    config = "homeassistant/device/led_pi/config"
    client = Client(w)
    eventually(lambda: client.has(kitchen="OFF", cellar="OFF"))
    line.stop()
    line = w.line(led="kitchen=log attic=log")
    eventually(lambda: client.has(kitchen="OFF", attic="OFF", cellar="", cellar__availability=""), 10)
    components = lambda: json.loads(retained(w)[config])["components"]
    eventually(lambda: components().get("led_attic", {}).get("name") == "attic", 10, 0.2)
    assert components()["led_cellar"] == {"platform": "light"}
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
    eventually(lambda: components().get("led_kitchen") == {"platform": "light"}, 10, 0.2)


@test("mqtt: Home Assistant is told of all LEDs at once, also when led-line has been restarted")
def discovery_at_once(w):
    Broker(w)
    topic = "homeassistant/device/led_pi/config"
    client = Client(w)
    mqtt(w)
    eventually(lambda: client.has(availability="online"))
    names = [f"lamp{i}" for i in range(8)]
    line = w.line(led=" ".join(f"{name}=log" for name in names))
    eventually(lambda: client.of(topic), 10)
    line.stop()
    w.line(led=" ".join(f"{name}=log" for name in [*names[4:], "attic", "cellar"]))
    eventually(lambda: client.has(cellar="OFF", lamp0="") and len(client.of(topic)) > 1, 10)
    parts = [json.loads(message)["components"] for message in client.of(topic)]
    gone = [[name for name in part if len(part[name]) == 1] for part in parts]
    assert [len(part) for part in parts] == [8, 10] and list(map(len, gone)) == [0, 4], parts


@test("mqtt: without led-line its LEDs are offline, and online when it is back")
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


@test("mqtt: discovery is Home Assistant's device format")
def discovery(w):
    Broker(w)
    w.line(led="log kitchen=log")
    mqtt(w, "--base=home/led", "--host=pi.local", "--buttons=door bell")
    topic = "homeassistant/device/home_led_pi_local/config"
    eventually(lambda: "led_kitchen" in retained(w).get(topic, ""), 10, 0.2)
    config = json.loads(retained(w)[topic])
    assert config["device"]["identifiers"] == ["home_led_pi_local"]
    assert config["device"]["name"] == "pi.local" and config["origin"]["name"] == "led-mqtt"
    parts = config["components"]
    assert sorted(parts) == ["button_bell", "button_door", "led_kitchen", "led_led"]
    assert len({part["unique_id"] for part in parts.values()}) == 4
    light = parts["led_kitchen"]
    assert light["platform"] == "light" and light["command_topic"] == "home/led/pi.local/kitchen/set"
    assert light["state_topic"] == "home/led/pi.local/kitchen"
    assert (light["payload_on"], light["payload_off"]) == ("ON", "OFF")
    assert light["availability_mode"] == "all"
    assert [a["topic"] for a in light["availability"]] == [
        "home/led/pi.local/availability", "home/led/pi.local/kitchen/availability"
    ]
    trigger = parts["button_door"]
    assert trigger["platform"] == "device_automation" and trigger["automation_type"] == "trigger"
    assert trigger["type"] == "button_short_press" and trigger["subtype"] == "door"
    client = Client(w, trigger["topic"])
    press(w, b"PRESS door\n")
    eventually(lambda: client.of(trigger["topic"]) == [trigger["payload"]])
    # The light works as it is described.
    client = Client(w, light["state_topic"])
    client.publish(light["command_topic"], light["payload_on"])
    eventually(lambda: client.of(light["state_topic"])[-1:] == [light["payload_on"]])


@test("mqtt: a button that is taken out of MQTT_BUTTONS is told to be gone, and can come back")
def button_gone(w):
    Broker(w)
    w.line(led="kitchen=log")
    gone = {"platform": "device_automation"}

    def parts():
        text = retained(w).get("homeassistant/device/led_pi/config", "{}")
        return json.loads(text).get("components", {})

    for names, here, missing in (
        ("door bell", "door bell", ""), ("bell", "bell", "door"), ("", "", "bell door"), ("door", "door", "bell")
    ):
        program = mqtt(w, f"--buttons={names}")
        wanted = {f"button_{name}" for name in f"{here} {missing}".split()} | {"led_kitchen"}

        def is_right():
            found = parts()  # those that are missing come when the broker has told what was there
            return (
                set(found) == wanted
                and all(found[f"button_{name}"] == gone for name in missing.split())
                and all(found[f"button_{name}"].get("subtype") == name for name in here.split())
            )

        eventually(is_right, 10, 0.2)
        assert program.stop() == 0


@test("mqtt: whatever is retained as the message for Home Assistant, only names are taken from it")
def hostile_discovery(w):
    Broker(w)
    w.line(led="kitchen=log")
    client = Client(w, "none")
    topic = "homeassistant/device/led_pi/config"
    names = "".join(f'"button_b{i}":{{}},' for i in range(1000))
    client.publish(topic, '"button_a":"button_":"button_B b":"button_set":' + names + '"button_', retain=True)
    mqtt(w)
    # Its own, with no more of the others than there is room for.
    eventually(lambda: '"led_kitchen"' in retained(w)[topic], 10, 0.2)
    parts = lambda: json.loads(retained(w)[topic])["components"]
    eventually(lambda: len(parts()) == 65, 10, 0.2)
    assert {"button_a", "button_b0", "button_b62"} < set(parts()), set(parts())


@test("mqtt: an empty MQTT_DISCOVERY: none")
def no_discovery(w):
    Broker(w)
    w.line(led="kitchen=log")
    mqtt(w, env={"MQTT_DISCOVERY": ""})
    eventually(lambda: retained(w).get("led/pi/kitchen") == "OFF", 10, 0.2)
    assert not [topic for topic in retained(w) if "config" in topic]


@test("mqtt: --forget leaves nothing retained of this host, and the others alone")
def forget(w):
    Broker(w)
    w.line(led=" ".join(f"a{i}=log" for i in range(32)))
    client = Client(w)
    client.publish("led/pi/kitchen/set", "ON", retain=True)
    client.publish("led/other/kitchen", "ON", retain=True)
    program = mqtt(w)
    eventually(lambda: client.has(a31="OFF", a31__availability="online"), 10)
    assert program.stop() == 0
    assert len(retained(w)) == 2 * 32 + 4
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
    before = memory()
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
    assert len(w.log("led-mqtt")) < 1100
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


@test("mqtt: a broker that sends rubbish, or too much, is left, and the log is bounded")
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


@test("mqtt: it wakes up for the keepalive alone, and keeps it where only the broker speaks", quick=False)
def keepalive(w):
    w.line(led="kitchen=log")
    with socket.create_server((HOST, BROKER_PORT)) as listener:
        listener.settimeout(10)
        idle, quiet = mqtt(w), KeepAlive(listener.accept()[0])
        mqtt(w, f"--listen={w.dir}/other.sock")
        chatty = KeepAlive(listener.accept()[0], chatty=True)
        mqtt(w, f"--listen={w.dir}/third.sock")
        eager = KeepAlive(listener.accept()[0], seconds=10)
        # It has said all that it had to say.
        eventually(lambda: time.monotonic() - quiet.last > 3, 20)

        def sleeps():
            proc = Path(f"/proc/{idle.pid}")
            count = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (proc / "status").read_text(), re.M)[1]
            # It also sleeps while a page comes back from the disk: field 12 of proc_pid_stat(5).
            return int(count) - int((proc / "stat").read_text().split()[11])

        before = sleeps()
        # A broker waits one and a half times as long.
        for end, seconds in (eager, 10), (quiet, 30), (chatty, 30):
            end.join(60)
            assert end.silence and seconds - 2 < end.silence < 1.5 * seconds, end.silence
        # The question may be here before it sleeps again.
        assert sleeps() - before <= 2, sleeps() - before


@test("mqtt: a broker that floods with answers that nobody asked for fills neither log nor memory")
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


@test("mqtt: frozen for longer than a broker may take, it still reads what the broker has sent", quick=False)
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
    eventually(lambda: press(w, b"PRESS door\n") == b"OK PRESS door\n", 10, 0.2)
    answer = press(w, b"LED ON\n")
    assert answer == b"ERR the broker refuses it: Not authorized\n", answer
    refused = "homeassistant/device/led_pi/config cannot be published: Not authorized"
    eventually(lambda: refused in w.log("led-mqtt", WARNING))


@test("mqtt: the manual's access list is enough, for --forget too")
def manual_access_list(w):
    manual = (SOURCE / "man/led-mqtt.8").read_text()
    rules = re.search(r"^user lamp\n(?:topic .*\n)+", manual, re.M)[0]
    (w.dir / "acl").write_text(f"topic readwrite #\n{rules}")
    broker = Broker(w, f"acl_file {w.dir}/acl", "log_type all")
    w.line(led="kitchen=log")
    client = Client(w)
    # What an earlier process has left.
    client.publish("led/pi/gone", "ON", retain=True)
    client.publish("homeassistant/device/led_pi/config", '{"button_old":{}}', retain=True)
    program = mqtt(w, "--user=lamp", "--buttons=door")
    eventually(lambda: client.has(availability="online", kitchen="OFF", gone=""), 10)
    eventually(lambda: "button_old" in client.last["homeassistant/device/led_pi/config"]
               and "button_door" in client.last["homeassistant/device/led_pi/config"])
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
        ("--line=somewhere:5555", "led-line is at a path or a numeric address"),
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


@test("mqtt: whatever the kernel calls this machine, the error is one clear line")
def wrong_host_name(w):
    unshare = need_program("unshare")
    script = (
        "import os, socket, sys; socket.sethostname(os.fsencode(sys.argv[1]));"
        "os.execv(sys.argv[2], sys.argv[2:])"
    )
    for name in "a/b", "a+b", "a#b", "a b", "a\nb", "\x1b[31m", "group", "(none)", "\udcff":
        p = w.spawn(unshare, "--uts", sys.executable, "-c", script, name, LED_MQTT)
        why = "led-mqtt: --host=: this machine's name cannot be a part of a topic: set MQTT_HOST\n"
        assert p.wait(20) == 2 and p.output() == why, (name, p.output())


@test("mqtt: a flood of commands: led-line gets them in order, and the last one counts", quick=False)
def flood(w):
    Broker(w, "max_inflight_messages 0")
    w.line(led="kitchen=log")
    program = mqtt(w)
    client = Client(w, "led/pi/kitchen")
    eventually(lambda: client.has(kitchen="OFF"))
    for i in range(3000):
        client.client.publish("led/pi/kitchen/set", "ON" if i % 2 == 0 else "OFF", 1)
    client.publish("led/pi/kitchen/set", "ON")
    eventually(lambda: "3001 commands" in program.manager.status(), 60)
    assert state(w) == "ON"
    eventually(lambda: client.has(kitchen="ON"))
    assert len(w.log("led-mqtt")) < 1100
