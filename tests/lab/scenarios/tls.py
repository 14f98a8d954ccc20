# SPDX-License-Identifier: MIT
"""TLS and SSH between the button and its LED, with somebody on the way."""

import re
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from machines.common import SOURCE, eventually
from machines.container import ADDRESS, NEIGHBOUR, STREET, second, street
from machines.install import section
from scenarios import scenario

sys.path.insert(0, str(SOURCE / "tests/lib"))
from manual import Manual

TLS = 5556

# What led-tls(8) says about the log, for ten seconds.
LOG_LINES = 1800


def blocks(page, section):
    return [text for its_section, kind, text in Manual(SOURCE / "man" / page).parts
            if (its_section, kind) == (section, "block")]


# The manual's commands: a new key, the key on the other machine, a key taken away.
MAKE, BRING, REMOVE = [block for block in blocks("led-tls.8", "KEYS") if "tls.keys" in block]
CLIENT = next(block for block in blocks("led-tls.8", "EXAMPLES") if "s_client" in block)
RESTART = "systemctl try-restart led-tls"


class Relay:
    """Somebody in the street, through whom a client reaches a port of the machine."""

    def __init__(self, port=TLS):
        self.port, self.recorded = port, []
        self.listener = socket.create_server((STREET, 0))
        self.address = f"{STREET}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((ADDRESS, self.port))
            record = bytearray()
            self.recorded.append(record)
            for ends in (client, server, record), (server, client, bytearray()):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    @staticmethod
    def pass_on(source, target, record):
        try:
            while data := source.recv(4096):
                record += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextmanager
def captured():
    """A file with everything that passes through the street."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "capture"
        file.touch()
        file.chmod(0o666)
        tcpdump = subprocess.Popen(
            ["tcpdump", "-i", "ve-pi", "-U", "-w", file, "tcp"],
            stderr=subprocess.PIPE, text=True)
        assert "listening" in tcpdump.stderr.readline()
        try:
            yield file
        finally:
            tcpdump.terminate()
            tcpdump.wait()


def press(pi, count):
    """Presses, and waits until so many presses have been delivered in all."""
    pi.wait_for("test -p /run/button/press")
    pi("echo 0 >/run/button/press")
    eventually(lambda: f" {count} delivered" in pi.status("button"))


def connect_button(pi, address):
    pi(f"echo TLS_CONNECT={address} >/etc/default/led-tls;"
       "echo BUTTON_CONNECT=/run/led-tls/button.sock >>/etc/default/button;"
       "systemctl start button-tls; systemctl restart button")
    pi.wait_for("systemctl is-active button && test -S /run/led-tls/button.sock")


def key_of(pi, name="door"):
    return pi(f"sed -n s/^{name}://p /etc/led/tls.keys")


@scenario("container", "recipe: lines for TLS, on the button's machine and on the LED's")
def two_machines(pi):
    make, listen, bring, *connect, _ = section("Across networks that others read")
    with second(pi) as other:
        pi(f"{make}; {listen}")
        # root may log in from there.
        key = other("mkdir -p /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519;"
                    "cat /root/.ssh/id_ed25519.pub")
        pi(f"mkdir -p /root/.ssh; echo '{key}' >/root/.ssh/authorized_keys; systemctl start ssh")
        other("echo 'StrictHostKeyChecking accept-new' >>/etc/ssh/ssh_config")
        other("\n".join([bring, *connect]))
        with captured() as file:
            for number, state in (1, "ON"), (2, "OFF"), (3, "ON"):
                press(other, number)
                assert pi("echo LED STATUS | led-handler") == f"OK LED {state}"
            eventually(lambda: b"\x17\x03\x03" in file.read_bytes())
            assert b"LED" not in file.read_bytes()
        pi("systemctl stop ssh; rm -r /root/.ssh")


@scenario("container", "TLS: a press crosses the street, and nobody there can read it")
def crosses(pi):
    pi(f"{MAKE}; systemctl start led.socket led-tls.socket")
    key = key_of(pi)
    assert re.fullmatch("[0-9a-f]{64}", key), key
    relay = Relay()
    connect_button(pi, relay.address)
    with captured() as file:
        press(pi, 1)
        assert pi.ask() == "OK LED ON"
        press(pi, 2)
        assert pi.ask() == "OK LED OFF"
        eventually(lambda: b"\x17\x03\x03" in file.read_bytes())  # TLS's own data
        seen = file.read_bytes()
        secrets = b"LED", key.encode(), bytes.fromhex(key), b"OK "
        assert not [secret for secret in secrets if secret in seen]
        # The same capture would have seen it.
        street(f"echo LED ON | timeout 10 nc {ADDRESS} 5555")
        eventually(lambda: b"OK LED ON" in file.read_bytes() and b"LED ON\n" in file.read_bytes())
    relay.close()

    log = "\n".join(pi.journal())
    user = pi("id -u led-tls")
    number, address = re.search(
        rf"LOG5\[(\d+)\]: Service \[led-tls\] accepted connection from \S*({STREET}:\d+)\n", log
    ).groups()
    assert f'LOG5[{number}]: Key configured for PSK identity "door"\n' in log, log
    assert f'local user {user} for {address} sent "LED ON": OK LED ON\n' in log, log


def refused(pi, expected, answer, since):
    """An attempt got no answer, is in the log with its address and a reason, and did nothing."""
    assert "OK" not in answer, answer

    def logged():
        log = "\n".join(pi.journal())
        found = re.search(rf"LOG3\[(\d+)\]: .*{expected}", log)
        return found and re.search(
            rf"LOG5\[{found[1]}\]: Service \[led-tls\] accepted connection from \S*{STREET}:", log)
    try:
        eventually(logged)
    except AssertionError:
        raise AssertionError(f"{expected}: {answer}\n{pi.journal()}") from None
    assert pi.ask() == "OK LED OFF", since


def client(key, name="door", port=TLS, address=ADDRESS, more="-tls1_3"):
    """The manual's own client, in the street."""
    command = CLIENT.replace("pi:5556", f"{address}:{port}").replace("-tls1_3", more)
    command = command.replace("-psk_identity door", f"-psk_identity {name}" if name else "")
    return street(re.sub(r"-psk \$\(.*\)", f"-psk {key}" if key else "", command), 10)


@scenario("container", "TLS: wrong keys, TLS 1.2, plain text and a replay are refused")
def keys(pi):
    pi(f"{MAKE}; {MAKE.replace('door:', 'gate:')}; systemctl start led.socket led-tls.socket")
    assert pi.ask("LED OFF") == "OK LED OFF"
    key, gate = key_of(pi), key_of(pi, "gate")
    assert "OK LED OFF" in client(key).replace("LED ON", "LED OFF")
    assert pi.ask("LED OFF") == "OK LED OFF"

    for expected, arguments in {
        "binder does not verify": {"key": gate},
        "no suitable signature algorithm": {"key": None, "name": None},
        "unsupported protocol": {"key": key, "more": "-tls1_2"},
    }.items():
        pi.cursor()
        refused(pi, expected, client(**arguments), arguments)
    pi.cursor()
    refused(pi, "no suitable signature algorithm", client(key, "garden"), "another name")
    pi.cursor()
    refused(pi, "wrong version number", street(f"echo LED ON | timeout 10 nc {ADDRESS} {TLS}"), "")

    # What was said once is said again.
    relay = Relay()
    assert "OK LED ON" in client(key, address=STREET, port=relay.address.split(":")[1])
    relay.close()
    assert pi.ask("LED OFF") == "OK LED OFF"
    pi.cursor()
    with socket.create_connection((ADDRESS, TLS)) as s:
        s.settimeout(10)
        s.sendall(relay.recorded[0])
        try:
            answer = b"".join(iter(lambda: s.recv(4096), b""))
        except ConnectionResetError:
            answer = b""
    refused(pi, "bad record mac", answer.decode(errors="replace"), "replay")

    # One key less, and the other one works as before.
    pi(f"{REMOVE} && {RESTART}")
    pi.cursor()
    refused(pi, "no suitable signature algorithm", client(key), "removed")
    assert "OK LED ON" in client(gate, "gate")
    assert pi.ask("LED OFF") == "OK LED OFF"

    # Wrong lines are left out, and the key after them works.
    pi.cursor()
    pi("sed -i '1i # a comment\\n\\nshort:1234\\nwords:correct horse battery' /etc/led/tls.keys;"
       f" {RESTART}")
    assert "OK LED ON" in client(gate, "gate")
    assert pi.ask("LED OFF") == "OK LED OFF"
    left_out = re.findall(r"led-tls\[\d+\]: /etc/led/tls.keys: line (\d+) is left out",
                          "\n".join(pi.journal()))
    assert left_out == ["3", "4"], pi.journal()

    # A file that is no secret, and none at all.
    for spoil, message in (("chmod 640", "others can read /etc/led/tls.keys: chmod 600 "),
                           ("rm", "/etc/led/tls.keys is missing or has no key")):
        pi.cursor()
        pi(f"{spoil} /etc/led/tls.keys")
        pi.says(RESTART)
        with socket.create_connection((ADDRESS, TLS)):
            eventually(lambda: any(re.match(rf"led-tls\[\d+\]: .*{re.escape(message)}", line)
                                   for line in pi.journal()))
            time.sleep(1)  # it would start over and over
        starts = [line for line in pi.journal() if "Starting led-tls" in line]
        assert len(starts) < 6, starts
        assert pi.ask() == "OK LED OFF"
    assert pi("systemctl is-active led-tls.socket") == "active"


@scenario("container", "TLS: TLS_CONNECT without a port is an error when button-tls starts")
def no_port(pi):
    pi(MAKE)
    for setting, message in (
        ("", "TLS_CONNECT is not set in /etc/default/led-tls"),
        ("TLS_CONNECT=pi", "TLS_CONNECT in /etc/default/led-tls is not HOST:PORT"),
        ("TLS_CONNECT=pi:", "TLS_CONNECT in /etc/default/led-tls is not HOST:PORT"),
        ("TLS_CONNECT=pi:x", "TLS_CONNECT in /etc/default/led-tls is not HOST:PORT"),
    ):
        pi.cursor()
        pi(f"echo {setting} >/etc/default/led-tls; ! systemctl start button-tls")
        said = [line for line in pi.journal() if line.startswith("button-tls[")]
        assert len(said) == 1 and said[0].endswith(f": {message}"), (setting, said)
    pi("echo TLS_CONNECT=pi:5556 >/etc/default/led-tls; systemctl start button-tls")


@scenario("container", "TLS: a server with a certificate but no key gets nothing")
def impostor(pi):
    pi(f"{MAKE}; systemctl start led.socket")
    with TemporaryDirectory() as folder:
        street(f"cd {folder} && openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert"
               " -days 9 -subj /CN=pi")
        with open(f"{folder}/said", "wb") as said:
            server = subprocess.Popen(
                ["openssl", "s_server", "-accept", f"{STREET}:7000", "-tls1_3", "-cert",
                 f"{folder}/cert", "-key", f"{folder}/key"],
                stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            time.sleep(1)
            client_command = CLIENT.replace("pi:5556", f"{STREET}:7000")
            assert "certificate verify failed" in pi.says(client_command)
            connect_button(pi, f"{STREET}:7000")
            pi("echo 0 >/run/button/press")
            eventually(lambda: "certificate verify failed" in "\n".join(
                line for line in pi.journal() if line.startswith("button-tls[")))
            assert "1 delivered" not in pi.status("button"), pi.status("button")
            text = Path(said.name).read_text(errors="replace")
            assert "LED" not in text, text
            # That it would have shown it: the same without the check.
            pi.says("timeout 3 sh -c " + "'" + CLIENT.replace("pi:5556", f"{STREET}:7000")
                    .replace("-verify_return_error", "").replace("\\\n", "") + "'")
            eventually(lambda: "LED ON" in Path(said.name).read_text(errors="replace"))
        finally:
            server.kill()
            server.wait()


def half_handshakes(count, held=500):
    """Connections that begin a handshake and say no more, the newest of them held."""
    some = deque()
    for _ in range(count):
        some.append(socket.create_connection((ADDRESS, TLS), 10))
        some[-1].sendall(bytes.fromhex("1603010200010001fc0303"))  # as a ClientHello begins
        if len(some) > held:
            some.popleft().close()
    for s in some:
        s.close()


@scenario("container", "TLS: 20,000 half handshakes hold up nobody on port 5555")
def flood(pi):
    pi(f"{MAKE}; systemctl start led.socket led-tls.socket")
    key = key_of(pi)
    assert "OK LED ON" in client(key)
    pi.cursor()
    before = pi.property("led-tls", "MainPID")
    start, asked, slowest = time.monotonic(), 0, 0.0
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(half_handshakes, 20000)
        while not flooding.done():
            began = time.monotonic()
            answer = street(f"echo LED STATUS | timeout 10 nc {ADDRESS} 5555")
            assert answer == "OK LED ON\n", answer
            slowest, asked = max(slowest, time.monotonic() - began), asked + 1
        flooding.result()
    over = time.monotonic()
    eventually(lambda: "OK LED ON" in client(key), 15)
    print(f"# half handshakes for {over - start:.1f} s: {asked} answers on port 5555 meanwhile, the"
          f" slowest after {slowest:.2f} s; led-tls answers {time.monotonic() - over:.1f} s later"
          f" and has {pi(f'grep ^Pss: /proc/{before}/smaps_rollup')}", flush=True)
    assert asked > 3
    assert pi("systemctl is-active led-tls.socket led-tls led.socket") == "active\nactive\nactive"
    assert pi.property("led-tls", "MainPID") == before
    lines = sum(line.startswith("led-tls[") for line in pi.journal())
    assert lines <= LOG_LINES * ((time.monotonic() - start) // 10 + 1) + 5, lines


@contextmanager
def slow_handshakes():
    """As many connections as there are places and more, each with a byte of its ClientHello a second.
    Counts those that the machine lets in and does not close."""
    hello = bytes.fromhex("1603010200010001fc0303") + bytes(500)
    some, over = [], threading.Event()

    def say():
        for byte in hello:
            for s in some:
                try:
                    s.send(bytes([byte]))
                except OSError:
                    pass
            if over.wait(1):
                return

    for _ in range(140):
        s = socket.socket()
        s.settimeout(0.1)
        try:
            s.connect((ADDRESS, TLS))
        except OSError:
            pass
        s.setblocking(False)
        some.append(s)
    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield lambda: sum(is_open(s) for s in some)
    finally:
        over.set()
        thread.join()
        for s in some:
            s.close()


def is_open(s):
    try:
        return bool(s.getpeername() and s.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


@scenario("container", "TLS: slow handshakes take all places, except from whom IPAddressAllow= names")
def slow(pi):
    pi(f"{MAKE}; systemctl start led.socket led-tls.socket")
    key = key_of(pi)
    neighbour = f"-tls1_3 -bind {NEIGHBOUR}:0"
    assert "OK LED ON" in client(key, more=neighbour)
    with slow_handshakes() as held:
        time.sleep(12)  # more than twice what a silent client has
        # As led-tls(8) says of stunnel. When it has a limit, the manual can promise it.
        assert held() > 110, held()  # some of them may wait in the queue
        assert "OK" not in client(key, more=neighbour)
        assert street(f"echo LED OFF | timeout 10 nc {ADDRESS} 5555") == "OK LED OFF\n"
    eventually(lambda: "OK LED ON" in client(key, more=neighbour), 5)

    drop_in = "/etc/systemd/system/led-tls.socket.d"
    pi(f"mkdir {drop_in}; printf '[Socket]\nIPAddressAllow=\nIPAddressAllow={NEIGHBOUR}\n'"
       f" >{drop_in}/own.conf; systemctl daemon-reload; systemctl restart led-tls.socket")
    with slow_handshakes() as held:
        assert held() == 0
        assert "OK LED ON" in client(key, more=neighbour)


@scenario("container", "TLS: each stunnel is killed, and no press is lost or doubled")
def killed(pi):
    pi(f"{MAKE}; systemctl start led.socket led-tls.socket")
    connect_button(pi, "pi:5556")
    press(pi, 1)
    for count, unit in enumerate(["led-tls", "button-tls"] * 2, 2):
        before = pi.property(unit, "MainPID")
        pi(f"systemctl kill -s KILL {unit}; echo 0 >/run/button/press")
        eventually(lambda: f" {count} delivered" in pi.status("button"))
        assert pi.ask() == f"OK LED {'ON' if count % 2 else 'OFF'}"
        assert pi.property(unit, "MainPID") not in ("0", before)
    lines = [line for line in pi.journal() if re.match(r"led-line\[.* sent \"LED O[NF]", line)]
    assert len(lines) == 5, lines


ACCOUNT, OVER_SSH = (
    next(block for block in blocks("led-handler.8", "EXAMPLES") if word in block)
    for word in ("authorized_keys", "button-ssh.sock")
)
# What has to be there before: an SSH server, and root's key, which is the button's.
SSH_READY = (
    "systemctl start ssh; userdel -r led 2>/dev/null; mkdir -p -m 700 /root/.ssh;"
    " [ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519;"
    " ssh-keyscan pi 2>/dev/null >/root/.ssh/known_hosts; cp /root/.ssh/id_ed25519.pub /button.pub"
)


@contextmanager
def ssh_options(pi):
    """What ssh in the street needs to use root's key of the machine."""
    with TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        key.touch(0o600)
        key.write_text(pi("cat /root/.ssh/id_ed25519") + "\n")
        yield (f"-F none -i {key} -o IdentitiesOnly=yes -o UserKnownHostsFile={folder}/hosts"
               " -o StrictHostKeyChecking=no -o BatchMode=yes")


@scenario("container", "TLS: the manual's command brings the key to the button's machine")
def bring(pi):
    pi(f"{SSH_READY}; cp /button.pub /root/.ssh/authorized_keys; {MAKE}")
    pi(MAKE.replace("door:", "gate:"))
    with ssh_options(pi) as options, TemporaryDirectory() as folder:
        copy = f"{folder}/tls.keys"
        command = BRING.replace("root@pi", f"{options} root@{ADDRESS}")
        said = street(command.replace(">/etc/led/tls.keys", f">{copy}"))
        assert Path(copy).read_text() == f"door:{key_of(pi)}\n", said
        assert Path(copy).stat().st_mode & 0o777 == 0o600
    pi("rm /root/.ssh/authorized_keys")


@scenario("container", "SSH: a key may send LED commands and do nothing else")
def ssh(pi):
    pi(f"{SSH_READY}; systemctl start led-line.socket; {ACCOUNT}")
    with ssh_options(pi) as options:
        ssh = f"timeout 10 ssh {options}"
        assert "OK LED ON" in street(f"echo LED ON | {ssh} led@{ADDRESS}")
        user = pi("id -u led")
        log = "\n".join(pi.journal())
        assert f'local user {user} sent "LED ON": OK LED ON' in log, log
        assert re.search(rf"sshd\S*: Accepted publickey for led from {STREET} port \d+", log), log

        # Another command is led-handler all the same.
        assert "OK LED OFF" in street(f"echo LED OFF | {ssh} led@{ADDRESS} touch /tmp/touched")
        assert "uid=" not in street(f"{ssh} led@{ADDRESS} id </dev/null")
        pi("test ! -e /tmp/touched")
        assert "PTY allocation request failed" in street(f"echo LED ON | {ssh} -tt led@{ADDRESS}")
        assert "prohibited" in street(f"{ssh} -W 127.0.0.1:22 led@{ADDRESS}")
        forwarding = f"{ssh} -N -o ExitOnForwardFailure=yes -R 7000:127.0.0.1:22 led@{ADDRESS}"
        assert "remote port forwarding failed" in street(forwarding)
        sftp = street(f"echo ls | timeout 10 sftp {options} led@{ADDRESS}; echo $?")
        assert sftp.endswith("255\n"), sftp
        # And somebody without that key does not get in.
        pi(": >~led/.ssh/authorized_keys")
        assert "Permission denied" in street(f"echo LED ON | {ssh} led@{ADDRESS}")
    assert pi("echo LED STATUS | led-handler") == "OK LED OFF"


@scenario("container", "SSH: a button's presses go through it")
def button_over_ssh(pi):
    pi(f"{SSH_READY}; {ACCOUNT}")
    pi(f"systemctl start led-line.socket\n{OVER_SSH}", 20)
    press(pi, 1)
    press(pi, 2)
    log = "\n".join(pi.journal())
    user = pi("id -u led")
    for command in "LED ON", "LED OFF":
        assert re.search(rf'led-handler\[\d+\]: local user {user} sent "{command}": OK', log), log
    pi("systemctl disable --now button-ssh.socket; rm /etc/systemd/system/button-ssh*")
