# SPDX-License-Identifier: MIT
"""Two models of kill -9: what has to be true after whatever happened, checked all the time.

MODEL_SECONDS is how long each runs: a minute, unless it is set. What happens is chosen by a seed,
which is printed; MODEL_SEED chooses the same again, although not to the microsecond.
"""

import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import struct
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from test_line import preload
from test_mqtt import BROKER_PORT, HOST, Broker, mqtt, paho, retained
from world import (
    LED_LINE,
    SLOW,
    WRAP,
    Manager,
    ask,
    connect,
    eventually,
    mount,
    read_all,
    test,
    unmount,
)

SECONDS = float(os.environ.get("MODEL_SECONDS", "60"))
KEYS = 64
WINDOW_MS = 3500  # how late a command of the model may be; 5000 are too late
SETTLED_MS = 8000  # older than all that could still come late
SLACK_MS = 400 * (10 if SLOW else 1)  # a pulse ends on time, on a busy machine


class Model:
    """Steps that a seed chooses, and their history, which a failure shows."""

    def __init__(self, name):
        self.seed = os.environ.get("MODEL_SEED") or str(random.randrange(1 << 32))
        self.name = name
        self.history, self.last = [], ""
        self.counts = {}
        self.end = time.monotonic() + SECONDS

    def steps(self):
        """A source of choices for each step, which depends on nothing that happened before."""
        step = 0
        while time.monotonic() < self.end:
            yield step, random.Random(f"{self.seed} {step}")
            step += 1

    def note(self, text):
        if text == self.last:
            self.history[-1] = f"{now():.0f} {text}, again and again"
        else:
            self.history.append(f"{now():.0f} {text}")
        self.last = text

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def run(self, step):
        self.say(f"MODEL_SEED={self.seed}")
        try:
            for number, choice in self.steps():
                step(number, choice)
        except Exception as why:
            past = "\n".join(self.history[-400:])
            raise AssertionError(f"MODEL_SEED={self.seed}\n{past}\n{why!r}") from why
        counts = ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items()))
        self.say(counts)

    def say(self, text):
        """A line at once, which is one write, also where Python buffers nothing: others print beside."""
        print(f"# {self.name}: {text}\n", end="", flush=True)


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1e6


TICK = socket.socket()
TCP_INFO, LAST_DATA_RECV, INITIAL_MS = 11, 52, -300000


def arrival():
    """Now, as led-line says when a command came: src/common/arrival.c. Ticks may lag behind."""
    info = TICK.getsockopt(socket.IPPROTO_TCP, TCP_INFO, LAST_DATA_RECV + 4)
    (tick,) = struct.unpack_from("I", info, LAST_DATA_RECV)
    lag = (int(now()) + INITIAL_MS - tick + (1 << 31)) % (1 << 32) - (1 << 31)
    return int(now()) - lag if abs(lag) < 600000 else int(now())


# --- the LEDs ---------------------------------------------------------------------------


@dataclass
class Course:
    """One possible course of events of an LED: what it was, and what happened since, in order."""

    limit: int = 0  # of its pulse= in milliseconds, or 0
    base: tuple = (False, 0)  # lit, and by which event with an end
    events: tuple = ()  # (when, number, verb), or (when, number, event that is over)
    deadline: tuple = ()  # of the event that lit it: earliest and latest
    keys: tuple = ()

    def replay(self):
        """Whether it is lit, and the number of the event whose pulse this is, or 0."""
        lit, pulse = self.base
        for _, number, verb in sorted(self.events, key=lambda event: event[:2]):
            lit, pulse = self.after(lit, pulse, number, verb)
        return lit, pulse

    def after(self, lit, pulse, number, verb):
        if isinstance(verb, int):  # the end of a pulse
            return (False, 0) if pulse == verb else (lit, pulse)
        lit = not lit if verb == "TOGGLE" else verb != "OFF"
        return lit, number if lit and (verb == "PULSE" or self.limit) else 0

    def carried_out(self, number, verb, ms, key, at, sent_at, earliest, latest):
        """
        The course after a command, which was carried out between two times. at: when it came, if
        that was earlier
        """
        if key and key in self.keys:
            return self
        keys = (*self.keys, key)[-KEYS:] if key else self.keys
        if not at:  # it comes after all else
            at = max([sent_at, *(event[0] for event in self.events)])
        events = (*self.events, (at, number, verb))
        course = Course(self.limit, self.base, events, self.deadline, keys)
        lit, pulse = course.replay()
        if lit and pulse == number:
            length = min(x for x in (ms if verb == "PULSE" else 0, self.limit) if x)
            course.deadline = (earliest + length, latest + length)
        elif not pulse:
            course.deadline = ()
        return course

    def over(self, number):
        """The course after the end of its pulse."""
        at = self.deadline[0] - now() + arrival()
        events = (*self.events, (at, number, self.replay()[1]))
        return Course(self.limit, self.base, events, (), self.keys)

    def forget(self, before):
        """Takes what cannot be overtaken any more into the base."""
        events = sorted(self.events, key=lambda event: event[:2])
        lit, pulse = self.base
        while events and events[0][0] < before:
            _, number, verb = events.pop(0)
            lit, pulse = self.after(lit, pulse, number, verb)
        return Course(self.limit, (lit, pulse), tuple(events), self.deadline, self.keys)

    def identity(self):
        return self.base, self.events, self.deadline, self.keys


@dataclass
class Led:
    """An LED: the courses that are possible."""

    spec: str
    initial: str = "off"
    limit: int = 0
    file: Path = None  # what the hardware shows
    courses: list = field(default_factory=list)
    gaps: list = field(default_factory=list)  # moments in which nothing happened

    def keep(self, courses):
        self.courses = list({course.identity(): course for course in courses}.values())

    def pass_time(self, number, earliest, latest):
        """Pulses end: those that may be over by now may be so."""
        courses = []
        for course in self.courses:
            if not course.deadline or latest < course.deadline[0]:
                courses.append(course)
                continue
            courses.append(course.over(number))
            if earliest <= course.deadline[1] + SLACK_MS:
                courses.append(course)
        self.keep(courses)

    def observe(self, lit):
        possible = [course.replay()[0] for course in self.courses]
        self.keep([course for course in self.courses if course.replay()[0] == lit])
        assert self.courses, f"{self.spec} is {lit}, and can only be {possible}"

    def tidy(self, time_ms):
        self.gaps = [gap for gap in self.gaps if gap > time_ms - WINDOW_MS]
        self.keep([course.forget(time_ms - SETTLED_MS) for course in self.courses])
        if len(self.courses) > 16:
            # Too many to go on with: nothing comes late from here on.
            self.gaps = []
            self.keep([course.forget(float("inf")) for course in self.courses])


class Line:
    """led-line as the service manager runs it: with its socket, and its descriptor store."""

    def __init__(self, w, leds, path, env=None):
        self.w = w
        self.env = env or {}
        self.leds = leds
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        w.at_end(self.listener.close)
        self.store = []  # (name, descriptor)
        self.starts = 0

    def spawn(self):
        """Starts it with what is in the store, and waits for nothing."""
        fds = [*self.store, ("led-line.socket", self.listener.fileno())]

        def put():
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 400) for _, fd in fds]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)

        self.starts += 1
        self.manager = Manager(self.w.dir / f"line-notify-{self.starts}", list)
        self.process = self.w.spawn(
            "sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *WRAP, LED_LINE,
            *(f"--led={led}" for led in self.leds),
            env={**self.env, "LISTEN_FDS": len(fds), "LISTEN_FDNAMES": ":".join(name for name, _ in fds),
                 "NOTIFY_SOCKET": self.manager.path, "STATE_DIRECTORY": self.w.dir},
            close_fds=False, preexec_fn=put,
        )  # fmt: skip

    def start(self):
        self.spawn()
        eventually(lambda: self.manager.said("READY", "1") or self.process.poll() is not None, 20)
        assert self.process.poll() is None, self.process.output()

    def end(self, signum):
        """What it has stored since its start is kept."""
        self.process.stop(signum)
        self.manager.socket.shutdown(socket.SHUT_RDWR)
        self.manager.thread.join()
        kept = [(name, os.dup(fd)) for name, fd in self.manager.store(self.store)]
        self.lose_store()
        self.manager.close()
        self.manager.path.unlink()
        self.store = kept
        self.w.processes.remove(self.process)

    def lose_store(self):
        for _, fd in self.store:
            os.close(fd)
        self.store = []


class Leds:
    """The LEDs of led-line, and what is known of each."""

    def __init__(self, w, model):
        self.model = model
        mount("tmpfs", "/sys/class", "tmpfs")
        w.at_end(lambda: unmount("/sys/class"))
        self.leds = {
            "a": Led("leds:a"),
            "b": Led("leds:b,initial=last", "last"),
            "c": Led("leds:c,pulse=700,kind=light", limit=700),
            "d": Led("log,initial=on", "on"),
            "e": Led("log,initial=last", "last"),
        }
        for name, led in self.leds.items():
            if led.spec.startswith("leds:"):
                led.file = Path("/sys/class/leds", name, "brightness")
                led.file.parent.mkdir(parents=True)
                led.file.write_text("0\n")
                (led.file.parent / "max_brightness").write_text("255\n")
                (led.file.parent / "trigger").write_text("[none]\n")
                # Time to be killed in, between a record and its LED.
                (led.file.parent / "slow").write_text("0" if name == "a" else "1500")
            led.courses = [Course(led.limit, (led.initial == "on", 0))]
        self.path = w.dir / "line.sock"
        specs = [f"{name}={led.spec}" for name, led in self.leds.items()]
        self.line = Line(w, specs, self.path, preload(w, "devices.c"))
        self.number = 0
        self.used = []  # (LED, words, key)
        self.start()

    # The process

    def start(self):
        self.line.start()
        ready = now()
        for led in self.leds.values():
            for course in led.courses:
                if course.deadline:  # over while nobody was there
                    course.deadline = (course.deadline[0], max(course.deadline[1], ready))

    def end(self, signum):
        before = now()
        self.line.end(signum)
        self.number += 1
        for led in self.leds.values():
            led.pass_time(self.number, before, now())

    def reboot(self):
        """The machine was off."""
        self.end(signal.SIGTERM)
        self.line.lose_store()
        self.used = []
        for led in self.leds.values():
            # What is in its pulse counts as off.
            last = {c.replay()[0] and not c.deadline for c in led.courses}
            lit = last if led.initial == "last" else {led.initial == "on"}
            led.courses = [Course(led.limit, (state, 0)) for state in lit]
            led.gaps = []
        self.start()

    # Commands

    def send(self, name, words, key="", at=None):
        """Sends a command, without waiting for its answer."""
        text = " ".join(["LED", name, *words, *(["#" + key] if key else [])])
        text += f" @{at:.0f}" if at else ""
        self.model.note(text)
        self.sent, self.sent_at = now(), arrival()
        self.connection = connect(self.path, 30)
        self.connection.sendall(text.encode() + b"\n")

    def receive(self):
        answer = read_all(self.connection).decode()
        self.connection.close()
        self.model.note("-> " + answer.strip())
        return answer.strip()

    def happened(self, name, words, key, at, known):
        """What a command may have changed, and, if it is known that it was carried out, has."""
        led, done = self.leds[name], now()
        self.number += 1
        led.pass_time(self.number, self.sent - 4, done)
        self.number += 1
        ms = int(words[1]) if len(words) > 1 else 0
        changed = [
            course.carried_out(self.number, words[0], ms, key, at, self.sent_at, self.sent - 4, done)
            for course in led.courses
        ]
        led.keep(changed if known else changed + led.courses)
        # A pulse may be shorter than the machine stood still.
        self.number += 1
        led.pass_time(self.number, self.sent, done)

    def command(self, name, words, key="", at=None, killed=None):
        """A command from beginning to end; killed: so many seconds after it was sent"""
        self.send(name, words, key, at)
        if killed is not None:
            time.sleep(killed)
            self.model.note("kill -9")
            self.end(signal.SIGKILL)
            self.start()
        answer = self.receive()
        state = {f"OK LED {name} ON": True, f"OK LED {name} OFF": False}.get(answer)
        assert state is not None or killed is not None, answer
        self.happened(name, words, key, at, state is not None)
        if state is not None:
            self.leds[name].observe(state)
        self.model.count("commands")
        return state is not None

    def command_all(self, verb):
        self.send("ALL", [verb])
        assert self.receive() == f"OK LED ALL {verb}"
        for name in self.leds:
            self.happened(name, [verb], "", None, True)

    def list(self):
        """All that can be seen has to be one of what is possible."""
        self.send("LIST", [])
        words = self.receive().split()[3:]
        files = {n: led.file.read_text() for n, led in self.leds.items() if led.file}
        done = now()
        for (name, led), word in zip(self.leds.items(), words, strict=True):
            self.number += 1
            led.pass_time(self.number, self.sent, done)
            led.observe({f"{name}=ON": True, f"{name}=OFF": False}[word])
            if led.file and not any(course.deadline for course in led.courses):
                led.observe(int(files[name].split()[0]) > 0)

    def gap(self):
        """A moment in which nothing happens, for commands that come late. A tick has 4 ms."""
        begin = now()
        time.sleep(0.008)
        middle = arrival()
        time.sleep(0.008)
        for led in self.leds.values():
            ends = [course.deadline[0] for course in led.courses if course.deadline]
            if all(begin + 20 < end for end in ends):
                led.gaps.append(middle)
            led.tidy(arrival())


def words_of(choice):
    verb = choice.choice(["ON", "OFF", "TOGGLE", "TOGGLE", "PULSE"])
    return [verb, str(choice.choice([30, 100, 300, 1000, 4000]))] if verb == "PULSE" else [verb]


def key_of(choice, words, number):
    keyed = words[0] in ("TOGGLE", "PULSE") and choice.random() < 0.6
    return f"k{number}" if keyed else ""


class LedSteps:
    """What happens to the LEDs."""

    def __init__(self, w, model):
        self.model = model
        self.leds = Leds(w, model)

    def step(self, number, choice):
        leds = self.leds
        leds.gap()
        name = choice.choice(list(leds.leds))
        words = words_of(choice)
        key = key_of(choice, words, number)
        what, weights = zip(
            (self.plain, 40), (self.late, 15), (self.too_late, 3), (self.all, 4), (self.wait, 10),
            (self.again, 8), (self.kill_amid, 12), (self.kill, 4), (self.stop, 4), (self.reboot, 2),
        )  # fmt: skip
        choice.choices(what, weights)[0](choice, name, words, key)
        if choice.random() < 0.3:
            leds.list()

    def plain(self, choice, name, words, key):
        self.leds.command(name, words, key)
        if key:
            self.leds.used.append((name, words, key))

    def late(self, choice, name, words, key):
        led = self.leds.leds[name]
        if led.limit and words[0] == "TOGGLE" or len(led.courses) > 4:
            words, key = ["OFF"], ""
        if not led.gaps:
            return
        at = led.gaps.pop(choice.randrange(len(led.gaps)))
        if led.limit and any(
            verb == "TOGGLE" and when >= at for course in led.courses for when, _, verb in course.events
        ):
            return
        self.leds.command(name, words, key, at)
        self.model.count("late commands")
        if key:
            self.leds.used.append((name, words, key))

    def too_late(self, choice, name, words, key):
        self.leds.send(name, words, "", arrival() - 5500)
        assert self.leds.receive() == "ERR too late"
        self.model.count("commands that were too late")

    def all(self, choice, name, words, key):
        self.leds.command_all(choice.choice(["ON", "OFF"]))

    def wait(self, choice, name, words, key):
        time.sleep(choice.random() ** 2 * 1.5)
        self.leds.list()

    def again(self, choice, name, words, key):
        """A key that has been carried out is not carried out once more."""
        used = self.leds.used[-20:]
        if used:
            self.leds.command(*choice.choice(used))
            self.model.count("repeated keys")

    def kill_amid(self, choice, name, words, key):
        # An older command may come afterwards, or one that is older than two.
        late = choice.random() < 0.6
        if late:
            self.leds.command(name, [choice.choice(["ON", "OFF", "TOGGLE"])])
        known = self.leds.command(name, words, key, killed=choice.random() ** 2 * 0.004)
        self.model.count("kills amid a command")
        if key:
            # As button does: until it knows.
            while not known:
                again = choice.random() * 0.003 if choice.random() < 0.3 else None
                known = self.leds.command(name, words, key, killed=again)
            self.leds.used.append((name, words, key))
        if late:
            self.late(choice, name, words_of(choice), "")
        if choice.random() < 0.5:
            self.leds.list()

    def kill(self, choice, name, words, key):
        """Also while it starts."""
        self.model.note("kill -9")
        self.leds.end(signal.SIGKILL)
        while choice.random() < 0.5:
            self.model.note("kill -9 at the start")
            self.leds.line.spawn()
            time.sleep(choice.random() * 0.03)
            self.leds.end(signal.SIGKILL)
            self.model.count("kills at the start")
        time.sleep(choice.random() ** 3)
        self.leds.start()
        self.leds.list()
        self.model.count("kills")

    def stop(self, choice, name, words, key):
        self.model.note("restart")
        self.leds.end(signal.SIGTERM)
        self.leds.start()
        self.leds.list()
        self.model.count("restarts")

    def reboot(self, choice, name, words, key):
        self.model.note("reboot")
        self.leds.reboot()
        self.leds.list()
        self.model.count("reboots")


@test("model: what each LED is after any command, late ones, keys, pulses, kill -9, restart and reboot",
      quick=False, takes=SECONDS)  # fmt: skip
def leds(w):
    model = Model("model of the LEDs")
    model.run(LedSteps(w, model).step)


# --- the broker -------------------------------------------------------------------------


def paho_publish():
    import paho.mqtt.publish

    return paho.mqtt.publish


class House:
    """A broker, led-mqtt and led-line, each of which may be killed at any moment."""

    def __init__(self, w, model):
        self.w, self.model = w, model
        self.socket = w.dir / "mqtt.sock"
        self.broker = Broker(w)
        self.line = Line(w, ["kitchen=log", "hall=log"], w.dir / "line.sock")
        self.line.start()
        self.start_mqtt()
        self.lit = False  # the kitchen, as the log says
        self.seen = 0  # lines of the log
        self.sending = threading.Event()
        self.begin()

    def begin(self):
        """A new round."""
        self.pressed, self.done = set(), set()  # keys
        self.changes = 0  # of the kitchen
        self.quiet_since = 0
        self.failure = None

    def start_mqtt(self):
        self.mqtt = mqtt(self.w, "--send=pi/kitchen")

    def end(self, victim):
        self.model.note(f"kill -9 {victim}")
        if victim == "broker":
            self.broker.kill()
            self.w.processes.remove(self.broker.process)
        elif victim == "led-line":
            self.line.end(signal.SIGKILL)
        else:
            self.mqtt.stop(signal.SIGKILL)
            self.mqtt.manager.close()
            self.mqtt.manager.path.unlink()
            self.w.managers.remove(self.mqtt.manager)
            self.w.processes.remove(self.mqtt)
        self.model.count(f"kills of {victim}")

    def start(self, victim):
        {"broker": self.broker.start, "led-line": self.line.start, "led-mqtt": self.start_mqtt}[victim]()
        self.model.note(f"{victim} is there")

    def kill(self, plan):
        """
        Carries out (amid, pause, victims, how long they are away), in a thread of its own. amid:
        the pause begins when a press is sent
        """
        try:
            self.kill_all(plan)
        except Exception:
            self.failure = traceback.format_exc()

    def kill_all(self, plan):
        for amid, pause, victims, away in plan:
            if amid:
                self.sending.clear()
                self.sending.wait(2)
            time.sleep(pause / 50 if amid else pause)
            for victim in victims:
                self.end(victim)
            time.sleep(away)
            for victim in reversed(victims):
                self.start(victim)
        self.quiet_since = now()

    # What button does

    def press(self, key):
        """A TOGGLE, again and again until it is acknowledged. Returns when it was first sent."""
        first = now()
        self.pressed.add(key)
        self.model.note(f"TOGGLE #{key}")

        def acknowledged():
            self.sending.set()
            try:
                answer = ask(f"LED TOGGLE #{key}\n".encode(), self.socket, timeout=15)
            except OSError as why:
                answer = str(why).encode()
            assert not self.failure, self.failure
            self.model.note(f"#{key} -> {answer.decode().strip()}")
            return answer.startswith(b"OK")

        eventually(acknowledged, 90, 0.1)
        self.model.count("presses")
        return first

    def publish(self, name, payload):
        """Somebody else's command, which may get lost with the broker."""
        self.model.note(f"{name}/set {payload}")
        with contextlib.suppress(OSError, ValueError):
            paho_publish().single(f"led/pi/{name}/set", payload, 1, hostname=HOST, port=BROKER_PORT)
        self.model.count("published commands")

    # What can be seen

    def read_log(self):
        """Counts the kitchen's changes, and collects the keys that were carried out."""
        lines = [text for text in self.w.log() if "kitchen" in text]
        for text in lines[self.seen :]:
            if state := re.fullmatch(r"LED kitchen Status: (On|Off)", text):
                self.changes += (state[1] == "On") != self.lit
                self.lit = state[1] == "On"
            elif sent := re.fullmatch(r'the broker sent "LED kitchen TOGGLE #(\w+)": OK .*', text):
                self.done.add(sent[1])
        self.seen = len(lines)

    def retained(self):
        """As retained() of the tests, without keeping each client until the end."""
        closers = len(self.w.closers)
        there = retained(self.w)
        del self.w.closers[closers:]
        return there

    def ask_line(self, command):
        return ask(command.encode() + b"\n", self.w.dir / "line.sock").decode().strip()

    def agree(self, hall):
        """Whether all that is retained is as it is."""
        states = {"kitchen": "ON" if self.lit else "OFF", "hall": hall}
        there = self.retained()
        wanted = {"led/pi/availability": "online"}
        for name, state in states.items():
            wanted |= {f"led/pi/{name}": state, f"led/pi/{name}/availability": "online"}
        self.wrong = {topic: there.get(topic) for topic in wanted if there.get(topic) != wanted[topic]}
        return not self.wrong

    def offline(self, victim, topics):
        """Without it, what is retained says so."""
        self.end(victim)
        wanted = {f"led/pi/{topic}": "offline" for topic in topics}
        eventually(lambda: wanted.items() <= self.retained().items(), 20, 0.2)
        self.start(victim)
        self.model.count("looks at what is offline")


class HouseSteps:
    def __init__(self, w, model):
        self.w, self.model = w, model
        self.house = House(w, model)

    def plan(self, choice):
        victims = ["broker", "led-line", "led-mqtt"]
        return [
            (choice.random() < 0.6, choice.random() ** 2,
             choice.sample(victims, choice.choice([1, 1, 1, 2, 3])), choice.random() ** 2)
            for _ in range(choice.choice([1, 1, 2]))
        ]  # fmt: skip

    def step(self, number, choice):
        house = self.house
        house.begin()
        killer = threading.Thread(target=house.kill, args=(self.plan(choice),), daemon=True)
        killer.start()
        first = {}
        for press in range(choice.randrange(1, 6)):
            key = f"k{number}x{press}"
            first[key] = house.press(key)
            if choice.random() < 0.5:
                house.publish("hall", choice.choice(["ON", "OFF", "TOGGLE"]))
            if choice.random() < 0.5:
                house.publish("kitchen", f"TOGGLE #{key}")  # a broker that has it twice
            time.sleep(choice.random() ** 3)
        killer.join()
        sure = {key for key, sent in first.items() if sent > house.quiet_since}
        self.settle(number, choice, sure)
        if choice.random() < 0.15:
            house.offline("led-line", ["kitchen/availability", "hall/availability"])
        elif choice.random() < 0.1:
            house.offline("led-mqtt", ["availability"])

    def settle(self, number, choice, sure):
        """Nobody is killed any more. What is carried out now comes after all that was before."""
        house = self.house
        last = f"end{number}"
        sure.add(last)
        house.press(last)
        hall = choice.choice(["ON", "OFF"])
        eventually(lambda: house.publish("hall", hall) or house.ask_line("LED hall STATUS") == f"OK LED hall {hall}",
                   60, 0.5)  # fmt: skip
        eventually(lambda: house.read_log() or last in house.done, 30, 0.1)
        assert sure <= house.done, f"OK, and not carried out: {sure - house.done}"
        # One that was killed may not have said so any more.
        assert len(house.done) <= house.changes <= len(house.pressed), (
            f"{house.changes} changes, {len(house.done)} of {len(house.pressed)} presses carried out"
        )
        assert house.ask_line("LED kitchen STATUS") == f"OK LED kitchen {'ON' if house.lit else 'OFF'}"
        try:
            eventually(lambda: house.agree(hall), 30, 0.2)
        except AssertionError as why:
            raise AssertionError(f"retained is not as it is: {house.wrong}") from why
        assert house.ask_line("LED hall STATUS") == f"OK LED hall {hall}"
        self.model.note("all agree")
        self.model.count("rounds")


@test("model: what is retained, and what was acknowledged, over kill -9 of broker, led-mqtt and led-line",
      quick=False, takes=SECONDS)  # fmt: skip
def house(w):
    paho()
    model = Model("model of the broker")
    model.run(HouseSteps(w, model).step)
