#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A fleet on one broker: BUILD=folder fleet.py [--size=N] [--real=N] [--presses=N] [--outage=SECONDS]

Starts mosquitto, and --real machines, each a led-line and a led-mqtt. Plain clients, which publish
a state as soon as they get a command, fill the fleet up to --size; as many more are what it is
compared with. Needs mosquitto, and two cores or more; by hand only.

  a press    from the button's connection until the state of the last LED was seen, of the fleet
             and of the plain clients in turn
  changes    each real LED changes once at each press, in order
  restart    the broker is away for --outage seconds: when the real ones try, and when they are back
"""

import argparse
import collections
import contextlib
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HOST, PORT = "127.0.0.1", 18931
SETTLE = 0.15  # seconds until nothing that a press has caused is still to be done
BUILD = Path(os.environ.get("BUILD") or sys.exit("fleet.py: BUILD= says where the programs are"))


def cut(buffer):
    """The complete MQTT packets of a buffer, as (first byte, body), and what is left."""
    packets = []
    while len(buffer) >= 2:
        length, start = buffer[1] & 127, 2
        while buffer[start - 1] & 128 and start < len(buffer):
            length |= (buffer[start] & 127) << 7 * (start - 1)
            start += 1
        if buffer[start - 1] & 128 or len(buffer) < start + length:
            break
        packets.append((buffer[0], buffer[start : start + length]))
        buffer = buffer[start + length :]
    return packets, buffer


def packet(first, *parts):
    """A packet shorter than 16384 bytes; a str among its parts is one of MQTT's."""
    body = b"".join(
        len(part).to_bytes(2, "big") + part.encode() if isinstance(part, str) else part
        for part in parts
    )
    n = len(body)
    return bytes([first] + ([n] if n < 128 else [n & 127 | 128, n >> 7])) + body


class Client:
    """A client of MQTT 3.1.1 that does no more than it has to."""

    def __init__(self, name, *filters, qos=1):
        self.topic = f"plain/{name}"
        self.socket = socket.create_connection((HOST, PORT))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            packet(0x10, "MQTT", b"\4\2", b"\0\0", name)
            + packet(0x82, b"\0\1", *(part for f in filters for part in (f, bytes([qos]))))
        )
        self.buffer, self.early = b"", []
        # What is retained may come before the broker's answer.
        while not any(first >> 4 == 9 for first, _ in self.early):
            self.early += self.read()

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the broker closed the connection")
        packets, self.buffer = cut(self.buffer + data)
        return packets

    def messages(self):
        """What has come, as (topic, text); all of it is acknowledged."""
        found, out = [], b""
        packets, self.early = self.early or self.read(), []
        for first, body in packets:
            if first >> 4 != 3:
                continue
            end = 2 + int.from_bytes(body[:2], "big")
            if first & 6:
                out += packet(0x40, body[end : end + 2])
            found.append((body[2:end].decode(), body[end + (2 if first & 6 else 0) :].decode()))
        if out:
            self.socket.sendall(out)
        return found

    def answer(self):
        """Publishes each command as a state, as led-mqtt does when its LED has changed."""
        for _, text in self.messages():
            self.socket.sendall(packet(0x33, self.topic, b"\0\2", text.encode()))


def serve(clients):
    poll = select.epoll()
    by_number = {client.socket.fileno(): client for client in clients}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            by_number[number].answer()


class Watcher:
    """Counts the states that are seen."""

    def __init__(self):
        self.client = Client("watcher", "led/+/led", "led/+/availability", "plain/+", qos=0)
        self.changed = threading.Condition()
        self.states = {}
        self.online = {}  # when each machine was seen online last
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                messages = self.client.messages()
            except OSError:
                return
            now = time.monotonic()
            with self.changed:
                for topic, text in messages:
                    if topic.endswith("/availability"):
                        if text == "online":
                            self.online[topic] = now
                    else:
                        self.states[topic] = text
                self.changed.notify()

    def count(self, kind, state):
        return sum(t.startswith(kind) and text == state for t, text in self.states.items())

    def wait(self, condition, patience=60):
        with self.changed:
            if not self.changed.wait_for(condition, patience):
                raise TimeoutError(f"{len(self.states)} states were seen")


started = []


def start(*argv, log=subprocess.DEVNULL):
    process = subprocess.Popen(
        [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
    )
    started.append(process)
    return process


class Broker:
    def __init__(self, folder):
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {PORT} {HOST}\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n"
            "max_queued_messages 10000\n"
        )
        self.start()

    def start(self):
        self.process = start("mosquitto", "-c", self.config)
        while True:
            try:
                return socket.create_connection((HOST, PORT)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)


class Machine:
    """A real one. Its led-line logs each change of the LED."""

    def __init__(self, folder, name, *options):
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.line = start(
                BUILD / "led-line", "--led=log", f"--listen={folder}/{name}.line", log=log
            )
        while not (folder / f"{name}.line").exists():
            time.sleep(0.001)
        self.socket = folder / f"{name}.mqtt"
        self.mqtt = start(
            BUILD / "led-mqtt", f"--broker=mqtt://{HOST}:{PORT}", f"--host={name}",
            f"--line={folder}/{name}.line", f"--listen={self.socket}", "--discovery=", *options
        )

    def press(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.socket))
            s.sendall(f"LED {command}\n".encode())
            answer = s.recv(100).decode()
        assert answer == f"OK LED {command}\n", answer

    def changes(self):
        return [line.split()[-1].upper() for line in self.log.read_text().splitlines()
                if "LED Status: " in line][1:]

    def cpu(self):
        """Seconds that both have run."""
        return sum(
            int(Path(f"/proc/{p.pid}/schedstat").read_text().split()[0]) / 1e9
            for p in (self.line, self.mqtt)
        )


def milliseconds(times):
    times = sorted(times)
    return (f"p50 {statistics.median(times) * 1000:.1f} ms,"
            f" p99 {times[int(len(times) * 0.99)] * 1000:.1f} ms")


def measure_presses(options, watcher, machines, presser):
    real = machines[0]
    kinds = [("led/pi", real), ("plain/fleet", real), ("plain/bare", presser)]
    times = {"fleet": [], "bare": []}
    cpu = sum(machine.cpu() for machine in machines)
    for i in range(options.presses):
        command = ("ON", "OFF")[i % 2]
        for name in ("fleet", "bare") if i % 4 < 2 else ("bare", "fleet"):
            began = time.monotonic()
            (real if name == "fleet" else presser).press(command)
            seen = lambda: sum(
                watcher.count(kind, command)
                for kind, by in kinds if (by is real) == (name == "fleet")
            )
            watcher.wait(lambda: seen() == options.size)
            times[name].append(time.monotonic() - began)
            time.sleep(SETTLE)
    cpu = (sum(machine.cpu() for machine in machines) - cpu) / options.presses / len(machines)
    ratio = statistics.median(times["fleet"]) / statistics.median(times["bare"])
    print(f"{options.presses} presses, {options.size} LEDs, {len(machines)} of them real")
    print(f"  fleet          {milliseconds(times['fleet'])}")
    print(f"  plain clients  {milliseconds(times['bare'])}")
    print(f"  ratio {ratio:.2f}; led-line and led-mqtt of one machine run {cpu * 1000:.2f} ms a press")
    wanted = [("ON", "OFF")[i % 2] for i in range(options.presses)]
    right = sum(machine.changes() == wanted for machine in machines)
    print(f"  {right} of {len(machines)} real LEDs changed {options.presses} times, in order")


def measure_restart(options, broker, machines):
    broker.process.kill()
    broker.process.wait()
    began = time.monotonic()
    tries = collections.Counter()
    # In its place something accepts and closes, and counts.
    with socket.create_server((HOST, PORT), backlog=4096) as listener:
        while (left := began + options.outage - time.monotonic()) > 0:
            listener.settimeout(left)
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                break
            connection.close()
            tries[int(time.monotonic() - began)] += 1
    broker.start()
    began = time.monotonic()
    watcher = Watcher()
    watcher.wait(lambda: len(watcher.online) == len(machines), 180)
    back = collections.Counter(int(t - began) for t in watcher.online.values())
    last = max(watcher.online.values()) - began
    print(f"restart: broker away for {options.outage} s; the last of {len(machines)} was online"
          f" {last:.1f} s after it was back")
    for what, counter in ("tries while it was away", tries), ("online after it was back", back):
        print(f"  {what}, by second: {' '.join(str(counter[s]) for s in range(max(counter, default=-1) + 1))}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--real", type=int, default=100)
    parser.add_argument("--presses", type=int, default=1000)
    parser.add_argument("--outage", type=int, default=100)
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    children = []
    with tempfile.TemporaryDirectory(prefix="led-fleet.") as name:
        folder = Path(name)
        try:
            broker = Broker(folder)
            machines = [Machine(folder, f"pi{i}") for i in range(options.real)]
            presser = Machine(folder, "presser", "--groups=bare", "--send=group/other")
            watcher = Watcher()
            watcher.wait(lambda: watcher.count("led/", "OFF") == options.real + 1)
            child = os.fork()
            if child == 0:
                with contextlib.suppress(ConnectionError):  # at the end
                    serve([Client(f"fleet{i}", "led/group/all/set")
                           for i in range(options.real, options.size)]
                          + [Client(f"bare{i}", "led/group/other/set")
                             for i in range(options.size)])
                os._exit(0)
            children.append(child)
            clients = lambda: int(
                subprocess.run(["ss", "-Htn", "sport", f"= :{PORT}"], capture_output=True, text=True)
                .stdout.count("ESTAB")
            )
            while clients() < 2 * options.size + 2:
                time.sleep(0.2)
            time.sleep(1)
            measure_presses(options, watcher, machines, presser)
            if options.outage:
                measure_restart(options, broker, [*machines, presser])
        finally:
            for process in started:
                process.kill()
            for child in children:
                os.kill(child, signal.SIGKILL)


main()
