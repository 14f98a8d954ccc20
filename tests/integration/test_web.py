# SPDX-License-Identifier: MIT
"""led-web: what is asked over HTTP, who may, and what its pages are told."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import random
import re
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from world import (
    AFAR, INFO, LED_WEB, SLOW, WARNING, WRAP, Skip, accepts, ask, connect, eventually, need_program, read_all, test,
)

PORT = 5557
HERE = ("127.0.0.1", PORT)
LEDS = "led=log kitchen=log door=log,pulse=500 pump=gpio:NOPE,kind=switch"


def web(w, *options, led=LEDS, **kwargs):
    """led-line and led-web, which listens by itself and has led-line's list."""
    if led:
        w.line_process = w.line(led=led)
    options = f"--line={w.dir}/line.sock", f"--listen={HERE[0]}:{PORT}", *options
    program = w.notified(LED_WEB, *options, **kwargs)
    eventually(lambda: not led or re.search(r", LEDs: [1-9]", program.manager.status()))
    return program


def request(method, path, body=None, headers=None, address=HERE):
    """Returns the status, the headers and the text."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def get(path, **headers):
    status, _, text = request("GET", path, headers=headers)
    return status, text


def post(path, body, **headers):
    status, _, text = request("POST", path, body, headers)
    return status, text


def switched(w):
    """What the LEDs have shown since the start."""
    return [text for text in w.log("led-line") if "Status: " in text][3:]


def raw(data, address=HERE, end=True):
    """Everything that is answered to some bytes until the connection ends."""
    with connect(address, 20) as s:
        s.sendall(data)
        if end:
            s.shutdown(socket.SHUT_WR)
        return read_all(s)


def statuses(data):
    return [int(n) for n in re.findall(rb"HTTP/1\.[01] (\d+)", data) if n != b"100"]


class Page:
    """A stream of events."""

    def __init__(self, path="/events", address=HERE, read=True):
        self.socket = connect(address, 20)
        self.socket.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        self.text = ""
        self.ended = False
        if read:
            self.read(lambda: "\r\n\r\n" in self.text)
            self.head, _, self.text = self.text.partition("\r\n\r\n")

    def read(self, condition):
        """Reads until a condition is true."""
        while not condition():
            data = self.socket.recv(65536)
            self.ended |= not data
            assert data or condition(), f"it ended: {self.text}"
            self.text += data.decode()

    def events(self):
        return [e for e in self.text.split("\n\n") if e and not e.startswith(":")]

    def has(self, *events):
        """Waits until these are the events, and forgets them."""
        self.read(lambda: len(self.events()) >= len(events) and self.text.endswith("\n\n"))
        assert self.events() == list(events), self.text
        self.text = ""

    def wait_for_end(self):
        self.socket.settimeout(20)
        while data := self.socket.recv(65536):
            self.text += data.decode()


def element(name, kind="light", **more):
    return json.dumps({"name": name, "kind": kind, **more}, separators=(",", ":"))


def data(*args, **kwargs):
    return f"data: {element(*args, **kwargs)}"


def ALL(led="OFF", kitchen="OFF", door="OFF"):
    why = "this machine has no GPIO chip (/dev/gpiochip*)"
    return [
        ("led", "light", {"state": led}), ("kitchen", "light", {"state": kitchen}),
        ("door", "switch", {"pulse": 500, "state": door}), ("pump", "switch", {"error": why}),
    ]


@contextlib.contextmanager
def page(*args, **kwargs):
    p = Page(*args, **kwargs)
    try:
        yield p
    finally:
        p.socket.close()


@test("web: every row of the table")
def table(w):
    web(w, "--name=Kitchen & Co")
    status, headers, text = request("GET", "/")
    assert status == 200 and "<title>Kitchen &amp; Co</title>" in text
    assert headers["Content-Type"] == "text/html; charset=utf-8" and headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert len(text.encode()) <= 8192
    connection = http.client.HTTPConnection(*HERE)
    connection.request("GET", "/icon.png")
    icon = connection.getresponse()
    assert icon.read(8) == b"\x89PNG\r\n\x1a\n" and "max-age" in icon.headers["Cache-Control"]
    connection.close()
    status, headers, text = request("GET", "/leds")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert [tuple(e.items())[:2] for e in json.loads(text)] == [
        (("name", name), ("kind", kind)) for name, kind, _ in ALL()]
    assert get("/leds/kitchen") == (200, "OFF")
    for command, state in (("ON", "ON"), ("OFF", "OFF"), ("TOGGLE", "ON"), ("toggle\n", "OFF"), ("PULSE 100", "ON")):
        assert post("/leds/kitchen", command) == (200, state)
        assert get("/leds/kitchen") == (200, state), command
    eventually(lambda: get("/leds/kitchen") == (200, "OFF"))
    assert post("/leds/KITCHEN", "ON") == (200, "ON")
    status, headers, text = request("POST", "/leds/kitchen", "command=OFF")
    assert (status, headers["Location"], text) == (303, "/", "")
    assert get("/leds/kitchen") == (200, "OFF")
    status, text = get("/leds/pump")
    assert status == 503 and text.startswith("ERR this machine has no GPIO chip"), text
    assert post("/leds/pump", "ON")[0] == 503
    status, text = post("/leds/all", "ON")
    assert status == 200 and text.startswith("ON except pump: "), text
    assert get("/leds/door") == (200, "OFF")
    status, text = post("/leds/all", "OFF")
    assert status == 200 and text.startswith("OFF except pump: "), text
    assert post("/leds/cellar", "ON") == (404, "ERR no LED is called cellar; LED LIST names them")
    assert get("/leds/cellar") == (404, "ERR no LED is called cellar")
    assert get("/favicon.ico")[0] == 404
    status, headers, _ = request("DELETE", "/leds/kitchen")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
    assert post("/leds/kitchen", "ONE")[0] == 400
    assert post("/leds/kitchen", "x" * 65)[0] == 413


@test("web: a page has at most 8 KiB, and 32 LEDs that are missing say why")
def small(w):
    # Their settings are wrong, which takes many words.
    names = [f"wwwwwwwwwwwwww{i:02}" for i in range(32)]
    w.notified(
        os.environ["BUILD"] + "/led-line", f"--listen={w.dir}/line.sock",
        env={"LED": " ".join(f"{name}=gpio17,kind=switch" for name in names)},
    )
    program = web(w, "--name=" + "&" * 128, led=None)
    eventually(lambda: ", LEDs: 32," in program.manager.status())
    text = get("/")[1]
    assert len(text.encode()) <= 8192
    assert len(re.findall("<p>a setting is wrong[^<]*…</form>", text)) == 32, text
    assert all(e["error"].startswith(f"a setting is wrong: {e['name']}=gpio17") for e in json.loads(get("/leds")[1]))


@test("web: a GET and a HEAD change nothing, and are in no log; a command is, with who sent it")
def logged(w):
    web(w)
    before = w.log("led-web")
    get("/"), get("/leds"), get("/leds/led"), get("/nothing"), request("HEAD", "/")
    with page() as p:
        p.has(*(data(name, kind, **more) for name, kind, more in ALL()))
    assert w.log("led-web") == before
    post("/leds/led", "ON"), post("/leds/led", 'ON"\x07'), post("/leds/led", "command=OFF")
    lines = w.log("led-web")[len(before):]
    assert len(lines) == 3, lines
    assert re.fullmatch(r'127\.0\.0\.1:\d+ sent "LED led ON": OK LED ON', lines[0]), lines
    assert re.fullmatch(r'127\.0\.0\.1:\d+ sent "ON\\x22\\x07": ERR a body has one line, .*', lines[1]), lines
    assert lines[2].endswith('sent "LED led OFF": OK LED OFF'), lines


@test("web: HEAD, keep-alive, pipelining, 100-continue, chunks, HTTP/1.0")
def http_itself(w):
    web(w)
    status, headers, text = request("HEAD", "/")
    assert status == 200 and text == "" and int(headers["Content-Length"]) > 1000
    # A stream has a head, and then nothing that could be taken for the next answer.
    asked = b"HEAD /events HTTP/1.1\r\nHost: pi\r\n\r\nGET /leds/led HTTP/1.1\r\nHost: pi\r\n\r\n"
    answer = raw(asked, end=False)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.index(b"\r\n\r\n") + 4 == len(answer), answer
    assert b"Content-Type: text/event-stream\r\n" in answer and b"Connection: close\r\n" in answer, answer
    connection = http.client.HTTPConnection(*HERE)
    for state in "ON", "OFF", "ON":
        connection.request("POST", "/leds/led", state)
        assert connection.getresponse().read().decode() == state
    sock = connection.sock
    connection.request("GET", "/nothing")
    connection.getresponse().read()
    connection.request("GET", "/leds/led")
    assert connection.getresponse().read() == b"ON" and connection.sock is sock
    connection.close()
    one = b"POST /leds/led HTTP/1.1\r\nHost: pi\r\n"
    answer = raw(one + b"Content-Length: 3\r\n\r\nOFF" + one + b"Content-Length: 2\r\n\r\nON")
    assert statuses(answer) == [200, 200] and answer.endswith(b"ON"), answer
    with connect(HERE) as s:
        s.sendall(one + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 100")
        s.sendall(b"OFF")
        assert s.recv(2000).endswith(b"OFF")
    chunked = one + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert raw(chunked + b"1\r\nO\r\n1\r\nN\r\n0\r\n\r\n").endswith(b"ON")
    # Too long without a word about its length: at its end.
    for size in 80, 70000, 1000000:
        assert statuses(raw(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size))) == [413], size
    answer = raw(b"POST /leds/led HTTP/1.0\r\nContent-Length: 3\r\n\r\nOFF")
    assert statuses(answer) == [200] and answer.endswith(b"OFF"), answer
    assert sum("Status: On" in line for line in switched(w)) == 4, switched(w)


@test("web: where two could read a request differently, it is 400, and the connection ends")
def not_lax(w):
    web(w)
    start = b"POST /leds/led HTTP/1.1\r\n"
    for head in (
        b"Host: pi\r\nHost: pi\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\n",
        b"Host: pi\r\nContent-Length: 2\r\nContent-Length: 2\r\n",
        b"Host: pi\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Host: pi\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Host: pi\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Host: pi\r\nTransfer-Encoding: xchunked\r\n",
        b"Host: pi\r\nContent-Length: +2\r\n",
        b"Host: pi\r\nContent-Length: 2, 2\r\n",
        b"Host: pi\r\nContent-Length : 2\r\n",
        b"Host: pi\r\nContent-Length\t: 2\r\n",
        b"Host: pi\r\nTransfer-Encoding : chunked\r\n",
        b"Host: pi\r\nHost : pi\r\n",
    ):
        # A second request behind it is not read. (libmicrohttpd 0.9.75 writes the head of its own
        # errors twice.)
        answer = raw(start + head + b"\r\nONGET /leds/led HTTP/1.1\r\nHost: pi\r\n\r\n", end=False)
        assert set(statuses(answer)) == {400}, (head, answer)
    answer = raw(b"GET / HTTP/1.1\r\nHost: pi\r\nContent-Length: 2\r\n\r\nxxGET / HTTP/1.1\r\nHost: pi\r\n\r\n", end=False)
    assert statuses(answer) == [400], answer
    assert statuses(raw(b"GET / HTTP/1.0\r\n\r\n")) == [200]
    assert switched(w) == []
    # libmicrohttpd 1.0 reads a length on a line of its own; 0.9.75 takes it for a part of the name.
    answer = raw(start + b"Host: pi\r\nContent-Length:\r\n 3\r\n\r\nOFFGET /leds/led HTTP/1.0\r\nHost: pi\r\n\r\n", end=False)
    assert statuses(answer) in ([400], [200, 200]), answer


@test("web: a body over 64 bytes is refused at the header, before it is sent")
def early(w):
    web(w)
    with connect(HERE) as s:
        s.sendall(b"POST /leds/led HTTP/1.1\r\nHost: pi\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
        assert statuses(read_all(s)) == [413]


@test("web: other names are 421, with the line that allows them")
def hosts(w):
    web(w, "--hosts=led.example.org pi.example")
    for host in "pi", "pi:", "pi:5557", "192.0.2.1", "[::1]:5557", "pi.local", "a.home.arpa", "led.example.org", "PI.example:80":
        assert get("/leds/led", Host=host) == (200, "OFF"), host
    absolute = "GET http://{}/leds/led HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"
    assert raw(absolute.format("localhost", "evil.example").encode()).endswith(b"\r\n\r\nOFF")
    assert statuses(raw(absolute.format("evil.example", "pi").encode())) == [421]
    for host in "evil.example", "led.example.org.evil.example", "example.org":
        status, text = get("/", Host=host)
        assert status == 421 and f"WEB_HOSTS={host}" in text, text
        assert post("/leds/led", "ON", Host=host)[0] == 421
    assert switched(w) == []
    assert any("this machine is not known as evil.example;" in line for line in w.log("led-web", INFO))
    # The longest name that there may be stands in the answer twice, and is cut off in the log.
    long = ".".join(["x" * 63] * 4)[:253]
    status, text = get("/", Host=long)
    assert status == 421 and text.endswith(f"WEB_HOSTS={long}"), text
    said = w.log("led-web", INFO)
    assert "not known as xxx" in said[-1] and max(map(len, said)) <= 200, said[-1]


@test("web: other sites' pages may command nothing")
def sites(w):
    web(w)
    ours = f"http://127.0.0.1:{PORT}"
    for headers, status in (
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": ours}, 403),
        ({"Origin": ours}, 200),
        ({"Origin": "http://127.0.0.1:80"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({}, 200),
    ):
        before = get("/leds/led")[1]
        assert post("/leds/led", "TOGGLE", **headers)[0] == status, headers
        assert (get("/leds/led")[1] != before) == (status == 200), headers
    said = [line for line in w.log("led-web") if "a page of another site sent this" in line]
    assert len(said) == 5, said


@test("web: a password, for everything, and the log says who")
def password(w):
    file = w.dir / "password"
    file.write_text("anna:secret\n")
    file.chmod(0o600)
    web(w, f"--password-file={file}")
    right = "Basic " + base64.b64encode(b"anna:secret").decode()
    wrong = "Basic " + base64.b64encode(b"anna:secrer").decode()
    for path in "/", "/leds", "/leds/led", "/events", "/icon.png", "/nothing":
        status, headers, text = request("GET", path)
        assert (status, text) == (401, "ERR there is a password")
        assert headers["WWW-Authenticate"].startswith('Basic realm="')
        assert get(path, Authorization=wrong) == (401, "ERR the user or the password is wrong")
    assert post("/leds/led", "ON")[0] == 401 and post("/leds/led", "ON", Authorization=wrong)[0] == 401
    assert switched(w) == []
    assert post("/leds/led", "ON", Authorization=right) == (200, "ON")
    lines = w.log("led-web")
    assert re.fullmatch(r'anna at 127\.0\.0\.1:\d+ sent "LED led ON": OK LED ON', lines[-1]), lines
    assert sum("the user or the password is wrong" in line for line in lines) == 7, lines
    assert not any("there is a password" in line or "secre" in line for line in lines), lines


@test("web: a file that others can read is refused, with the command that mends it")
def permissions(w):
    file = w.dir / "password"
    file.write_text("anna:secret\n")
    for mode, status in ((0o644, 2), (0o640, 2), (0o600, None)):
        file.chmod(mode)
        if status is None:
            web(w, f"--password-file={file}")
            return
        p = w.spawn(LED_WEB, f"--password-file={file}", f"--listen={PORT}")
        assert p.wait(20) == status
        assert f"others can read it: chmod 600 {file}" in p.output() and "secret" not in p.output()


@test("web: the command is whole, or names no file, and a message has at most 200 printable characters")
def permissions_of_unusual_files(w):
    for name in "x" * 170, "a b", "a;b", "a\tb", "\u00e4", "me:s3cret@x":
        file = w.dir / name
        file.write_text("anna:secret\n")
        file.chmod(0o644)
        p = w.spawn(LED_WEB, f"--password-file={file}", f"--listen={PORT}")
        assert p.wait(20) == 2
        assert re.fullmatch("[ -~]{1,200}\n", p.output()), p.output()
        assert p.output().endswith(": others can read it: chmod 600 it\n"), p.output()
        assert "s3cret" not in p.output(), p.output()


def certificate(w, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", w.dir / f"{name}.key", "-out", w.dir / f"{name}.cert"],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return f"--cert={w.dir}/{name}.cert", f"--key={w.dir}/{name}.key"


@test("web: https alone, with a certificate and its key", quick=False)
def https(w):
    need_program("openssl")
    cert, key = certificate(w, "one")
    web(w, cert, key)
    context = ssl.create_default_context(cafile=w.dir / "one.cert")
    connection = http.client.HTTPSConnection("localhost", PORT, context=context, timeout=20)
    for state in "ON", "OFF":
        connection.request("POST", "/leds/led", state, {"Origin": f"https://localhost:{PORT}"})
        assert connection.getresponse().read().decode() == state
    connection.close()
    assert b"200" not in raw(b"GET / HTTP/1.0\r\n\r\n", end=False)
    with context.wrap_socket(connect(HERE), server_hostname="localhost") as s:
        s.sendall(b"GET /events HTTP/1.0\r\n\r\n")
        seen = b""
        while b'"led","kind":"light","state":"OFF"' not in seen:
            seen += s.recv(4096)
        post_state = ask(b"LED ON\n", w.dir / "line.sock")
        assert post_state == b"OK LED ON\n"
        while b'"led","kind":"light","state":"ON"' not in seen:
            seen += s.recv(4096)
    _, other = certificate(w, "two")
    p = w.spawn(LED_WEB, cert, other, f"--listen={PORT + 1}")
    assert p.wait(20) == 2 and "this is no certificate, or --key is not its key" in p.output(), p.output()


@test("web: strangers get 403, and a line in the log")
def strangers(w):
    w.line(led=LEDS)
    w.notified(LED_WEB, f"--line={w.dir}/line.sock", f"--listen={PORT}", "--allow=192.0.2.0/24")
    assert get("/") == (403, "ERR not allowed from this address")
    assert post("/leds/led", "ON")[0] == 403 and switched(w) == []
    assert any(re.fullmatch(r"127\.0\.0\.1:\d+: ERR not allowed from this address", line) for line in w.log("led-web"))


@test("web: the stream has each LED, then each change, whoever made it")
def events(w):
    web(w)
    with page() as p, page() as other:
        assert "Content-Type: text/event-stream" in p.head
        for one in p, other:
            one.has(*(data(name, kind, **more) for name, kind, more in ALL()))
        post("/leds/led", "ON")
        for one in p, other:
            one.has(data("led", state="ON"))
        ask(b"LED kitchen PULSE 50\n", w.dir / "line.sock")
        p.has(data("kitchen", state="ON"), data("kitchen", state="OFF"))
        # What changes nothing is no change.
        post("/leds/led", "ON")
        post("/leds/led", "OFF")
        p.has(data("led", state="OFF"))
    # One watcher of led-line serves all.
    assert sum("LED WATCH" in line for line in w.log("led-line")) == 1


@test("web: led-line goes and comes back: the pages hear of it, and commands say so", takes=6)
def away(w):
    program = web(w)
    with page() as p:
        p.has(*(data(name, kind, **more) for name, kind, more in ALL()))
        w.line_process.stop(signal.SIGKILL)
        p.read(lambda: p.text.endswith("\n\n"))
        assert p.text.startswith(f"event: away\ndata: no led-line at {w.dir}/line.sock: "), p.text
        p.text = ""
        status, text = post("/leds/led", "ON")
        assert status == 503 and text.startswith("ERR no led-line at "), text
        assert get("/leds/led")[0] == 503
        assert [e["error"] for e in json.loads(get("/leds")[1])]
        status, text = get("/")
        assert status == 200 and "no led-line at" in text and " disabled>Kitchen</button>" in text
        eventually(lambda: "; no led-line at " in program.manager.status())
        w.line_process = w.line(led=LEDS)
        p.read(lambda: len(p.events()) == 4)
        assert p.events()[1] == data("kitchen", state="OFF"), p.text
        p.text = ""
        assert post("/leds/led", "ON") == (200, "ON")
        p.has(data("led", state="ON"))
        # With other LEDs, the stream ends, and the page loads anew.
        w.line_process.stop()
        w.line_process = w.line(led="led=log attic=log")
        p.wait_for_end()
    eventually(lambda: "Attic</button>" in get("/")[1])


@test("web: from the start without led-line, the page says so after 2 s, and commands do", takes=6)
def never_there(w):
    web(w, led=None)
    status, text = get("/")
    assert status == 200 and "no led-line at" in text
    assert get("/leds")[0] == 503 and get("/leds/led")[0] == 503
    identity = re.search(r"<body id=(\w+)", text)[1]
    with page(f"/events?list={identity}") as p:
        p.read(lambda: "event: away" in p.text)
        w.line(led="log")
        p.wait_for_end()
    assert ">LED</button>" in get("/")[1]


@test("web: a page that has other LEDs than there are is ended at once")
def other_list(w):
    web(w)
    identity = re.search(r"<body id=(\w+)", get("/")[1])[1]
    with page(f"/events?list={identity}") as p:
        p.has(*(data(name, kind, **more) for name, kind, more in ALL()))
    with page("/events?list=l123") as p:
        p.wait_for_end()
        assert p.text == ""


@test("web: keys hold, and what nobody knows the end of is 502")
def keys(w):
    web(w)
    for _ in range(3):
        assert post("/leds/led", "TOGGLE #k1") == (200, "ON")
    assert switched(w) == ["LED Status: On"]


@test("web: a led-line that closes without a line: 502")
def unknown(w):
    listener = socket.socket(socket.AF_UNIX)
    w.at_end(listener.close)
    listener.bind(str(w.dir / "line.sock"))
    listener.listen(8)
    w.notified(LED_WEB, f"--line={w.dir}/line.sock", f"--listen={HERE[0]}:{PORT}")
    connection = http.client.HTTPConnection(*HERE, timeout=20)
    connection.request("POST", "/leds/led", "TOGGLE")
    while True:
        s, _ = listener.accept()
        with s:
            if b"TOGGLE" in s.recv(100):
                break
    answer = connection.getresponse()
    assert answer.status == 502
    assert answer.read() == b"ERR nobody knows what became of it: led-line closed the connection"
    connection.close()


@test("web: a led-line that hangs: 502 after the time that a command has, and others are served meanwhile", takes=10)
def hangs(w):
    web(w)
    with page() as p:
        p.has(*(data(name, kind, **more) for name, kind, more in ALL()))
        w.line_process.pause()
        began = time.monotonic()
        connection = http.client.HTTPConnection(*HERE, timeout=20)
        connection.request("POST", "/leds/led", "ON")
        assert get("/leds/led") == (200, "OFF") and not select.select([connection.sock], [], [], 0)[0]
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (
            502, b"ERR nobody knows what became of it: led-line does not answer")
        assert time.monotonic() - began > 5
        connection.close()
        # Now it counts as away.
        p.read(lambda: "event: away" in p.text)
        assert get("/leds/led")[0] == 503
        w.line_process.resume()
        p.read(lambda: data("pump", "switch", error=ALL()[3][2]["error"]) in p.text.partition("event: away")[2])
    # It has read the command by now, and long after it came.
    assert any(re.search(r'sent "LED led ON @\d+": ERR too late', line) for line in w.log("led-line"))
    assert switched(w) == []
    assert post("/leds/led", "ON") == (200, "ON")


@test("web: who has switched all LEDs and asks next gets the new states")
def settled(w):
    # The news of 32 may take an emulated machine more than the 50 ms.
    web(w, led=" ".join(f"l{i}=log" for i in range(4 if SLOW else 32)))
    connection = http.client.HTTPConnection(*HERE, timeout=20)
    for state in ["ON", "OFF"] * 20:
        connection.request("POST", "/leds/all", state)
        assert connection.getresponse().read().decode() == state
        connection.request("GET", "/leds")
        assert {e["state"] for e in json.loads(connection.getresponse().read())} == {state}
    connection.close()


@test("web: the answer to a command waits until the pages have the news, and for 50 ms at most")
def settles(w):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(w.dir / "line.sock"))
    listener.listen(8)
    connections = []

    def led_line():
        """Tells its watchers nothing."""
        with contextlib.suppress(OSError):  # until the listener is shut down
            while True:
                s, _ = listener.accept()
                connections.append(s)
                s.sendall({
                    b"LED WATCH\n": b"OK LED OFF\n",
                    b"LED LIST\n": b"OK LED LIST led=OFF\n",
                    b"LED LIST KINDS\n": b"OK LED LIST KINDS led=light\n",
                }.get(s.recv(100), b"OK LED ON\n"))

    thread = threading.Thread(target=led_line)
    thread.start()
    try:
        w.notified(LED_WEB, f"--line={w.dir}/line.sock", f"--listen={HERE[0]}:{PORT}")
        assert get("/leds/led") == (200, "OFF")
        began = time.monotonic()
        assert post("/leds/led", "ON") == (200, "ON")
        assert time.monotonic() - began >= 0.05
        assert get("/leds/led") == (200, "OFF")
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for s in listener, *connections:
            s.close()


@test("web: late is too late", takes=7)
def late(w):
    program = web(w)
    assert get("/leds/led") == (200, "OFF")
    program.pause()
    connection = http.client.HTTPConnection(*HERE, timeout=20)
    connection.request("POST", "/leds/led", "ON")
    time.sleep(5.5)
    program.resume()
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (503, b"ERR too late")
    connection.close()
    assert switched(w) == []
    eventually(lambda: post("/leds/led", "ON") == (200, "ON"))


@test("web: 32 connections from an address, and room again when one has gone")
def limits(w):
    web(w)
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(page()) for _ in range(32)]
        status, headers, text = request("GET", "/leds/led")
        assert (status, text) == (503, "ERR too many connections")
        pages[0].socket.close()
        eventually(lambda: get("/leds/led") == (200, "OFF"))
        # The headers that all have.
        others = request("GET", "/leds/led")[1]
        assert {*others} - {"Date"} <= {*headers}, (headers, others)
        assert all(headers[name] == others[name] for name in others if name not in ("Date", "Content-Length")), headers
        assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
        for p in pages[1:]:
            p.read(lambda p=p: data("led", state="ON") in p.text)


@test("web: 64 connections in all")
def limits_of_all(w):
    w.line(led=LEDS)
    w.notified(LED_WEB, f"--line={w.dir}/line.sock", f"--listen={PORT}", "--allow=any")
    with contextlib.ExitStack() as stack:
        for host in "127.0.0.1", AFAR:
            for _ in range(32):
                stack.enter_context(page(address=(host, PORT)))
        with socket.socket() as s:
            s.bind(("127.0.0.9", 0))
            s.connect(HERE)
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert read_all(s).endswith(b"ERR too many connections")
    eventually(lambda: get("/leds/led") == (200, "OFF"))


@test("web: a reader that does not read gets the newest state, and holds up nobody")
def slow_reader(w):
    web(w)
    with page(read=False) as slow, page() as quick:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        quick.read(lambda: len(quick.events()) == 4)
        start, rounds = time.monotonic(), 0
        # For half of the 15 s that a connection has on which nothing moves.
        while rounds % 2 or rounds < 2000 and time.monotonic() < start + 7:
            rounds += 1
            ask(b"LED ON\n" if rounds % 2 else b"LED OFF\n", w.dir / "line.sock")
        quick.read(lambda: data("led", state="OFF") in quick.text.rsplit('"ON"', 1)[-1])
        ask(b"LED kitchen ON\n", w.dir / "line.sock")
        quick.read(lambda: data("kitchen", state="ON") in quick.text)
        slow.read(lambda: data("kitchen", state="ON") in slow.text)
        assert len(slow.events()) < 0.95 * rounds, (len(slow.events()), rounds)


@test("web: slow requests end, and serve others meanwhile", takes=36, quick=False)
def slow_requests(w):
    web(w)
    head = connect(HERE, 60)
    head.sendall(b"GET / HTTP/1.1\r\nHost: pi\r\nX: ")
    body = connect(HERE, 60)
    body.sendall(b"POST /leds/led HTTP/1.1\r\nHost: pi\r\nContent-Length: 10\r\n\r\nO")
    began = time.monotonic()
    body.settimeout(20)
    assert read_all(body) in (b"", b"<reset>")
    assert time.monotonic() - began >= 4
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while time.monotonic() - began < 60:
            head.sendall(b"x")
            try:
                assert get("/leds/led") == (200, "OFF")
            except OSError as why:
                raise AssertionError("another one is not served") from why
            time.sleep(1)
    assert 25 < time.monotonic() - began < 59
    head.close()
    body.close()


@test("web: a body that does not end is closed after 5 s, and others are served meanwhile", takes=7)
def endless(w):
    program = web(w)

    def pour(s):
        with contextlib.suppress(OSError):
            while True:
                s.sendall(b"ffff\r\n" + b"x" * 65535 + b"\r\n")

    with connect(HERE, 20) as s:
        s.sendall(b"POST /leds/led HTTP/1.1\r\nHost: pi\r\nTransfer-Encoding: chunked\r\n\r\n")
        thread = threading.Thread(target=pour, args=(s,))
        thread.start()
        eventually(lambda: "connections: 1," in program.manager.status())
        for _ in range(10):
            assert get("/leds/led") == (200, "OFF")
        eventually(lambda: "connections: 0," in program.manager.status(), every=0.1)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        thread.join()


@test("web: hostile requests leave the LED as it is, and the page works")
def hostile(w):
    program = web(w)
    rng = random.Random(1)
    good = b"POST /leds/led HTTP/1.1\r\nHost: pi\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nExpect: x\r\n\r\n4\r\nONE \r\n0\r\n\r\n"
    for _ in range(300):
        bytes_ = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            what = rng.randrange(3)
            at = rng.randrange(len(bytes_))
            if what == 0:
                bytes_[at] = rng.randrange(256)
            elif what == 1:
                del bytes_[at:at + rng.randrange(1, 9)]
            else:
                bytes_[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        with contextlib.suppress(OSError), connect(HERE) as s:
            split = rng.randrange(len(bytes_))
            s.sendall(bytes_[:split])
            s.sendall(bytes_[split:])
            s.shutdown(socket.SHUT_WR)
            read_all(s)
    with contextlib.suppress(OSError):
        raw(b"GET / HTTP/1.1\r\nHost: pi\r\n" + b"X: " + b"x" * 1000000)
    with contextlib.suppress(OSError):
        raw(b"GET /" + b"x" * 1000000)
    assert program.poll() is None and switched(w) == []
    assert get("/leds/led") == (200, "OFF") and post("/leds/led", "ON") == (200, "ON")


def with_socket(w, *options, **kwargs):
    """led-web as its socket unit starts it."""
    manager = w.manager()
    process = w.spawn(
        "bash", "-c", 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "-",
        *WRAP, LED_WEB, f"--line={w.dir}/line.sock", *options, stdin=w.listener,
        env={**kwargs.pop("env", {}), "NOTIFY_SOCKET": manager.path}, **kwargs,
    )
    process.manager = manager
    return process


def listen(w):
    w.listener = socket.socket()
    w.at_end(w.listener.close)
    w.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    w.listener.bind(HERE)
    w.listener.listen(64)


@contextlib.contextmanager
def asked_without_end(count):
    """A client sends requests as fast as it can. count[0]: the answers that it has got."""
    client = connect(HERE)
    client.settimeout(None)

    def ask_on():
        with contextlib.suppress(OSError):
            while True:
                client.sendall(b"GET /leds/led HTTP/1.1\r\nHost: pi\r\n\r\n" * 200)

    def read_on():
        with contextlib.suppress(OSError):
            while received := client.recv(1 << 16):
                count[0] += received.count(b"\r\n\r\n")

    threads = [threading.Thread(target=run, daemon=True) for run in (ask_on, read_on)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: count[0] > 1000)
        yield
    finally:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
        client.close()


@test("web: one that asks without end keeps nobody else from an answer, and no stop")
def asks_without_end(w):
    program = web(w)
    answers = [0]
    with asked_without_end(answers):
        for word in "ON", "OFF", "ON":
            assert post("/leds/led", word) == (200, word)
            before = answers[0]
            eventually(lambda: answers[0] > before)
        assert program.stop() == 0


@test("web: one that asks without end, and a standstill: commands are too late for some seconds only", quick=False, takes=12)
def asks_over_standstill(w):
    program = web(w)
    with asked_without_end([0]):
        program.send_signal(signal.SIGSTOP)
        time.sleep(5.5)
        program.send_signal(signal.SIGCONT)
        eventually(lambda: post("/leds/led", "ON") == (200, "ON"), 10, 0.2)


@test("web: out of descriptors: one line in the log, no rush, and service as soon as one is free", quick=False, takes=3)
def out_of_descriptors(w):
    program = web(w)
    warnings = lambda: [x for x in w.log("led-web", WARNING) if "accepted" in x]
    assert get("/", Host="evil.example")[0] == 421  # the log is a descriptor, too
    most = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (0, most))
    with connect(HERE) as s:
        s.sendall(b"GET /leds/led HTTP/1.0\r\n\r\n")
        eventually(warnings)
        before = program.cpu_seconds()
        time.sleep(2.5)
        assert program.cpu_seconds() < before + 0.25
        assert warnings() == ["no connection can be accepted: Too many open files"], warnings()
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (most, most))
        assert read_all(s).endswith(b"\r\n\r\nOFF")
    assert get("/leds/led") == (200, "OFF") and len(warnings()) == 1


@test("web: 20,000 connections, and led-line serves others meanwhile", quick=False, takes=15)
def flood(w):
    program = web(w)
    count = 2000 if SLOW else 20000
    garbage = [
        b"", b"G", b"\0" * 4096, b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: pi\r\n\r\n" * 50,
        b"POST /leds/led HTTP/1.1\r\nHost: pi\r\nContent-Length: 2\r\n\r\nO",
        b"POST /leds/led HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\nON",
    ]
    reset = struct.pack("ii", 1, 0)
    connected = [0] * 4
    memory = lambda: int(program.stat()[21]) * os.sysconf("SC_PAGE_SIZE")  # what is resident
    assert get("/leds/led") == (200, "OFF")
    before = memory()

    def client(number):
        # Until led-line has been asked three times meanwhile, too, however fast this machine is.
        for n in itertools.count():
            if n >= count // 4 and (asked > 2 or gave_up):
                break
            with contextlib.suppress(OSError), socket.create_connection(
                HERE, 20, source_address=(f"127.0.0.{2 + number}", 0)
            ) as s:
                connected[number] += 1
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset if n % 2 else bytes(8))
                s.sendall(garbage[(n + number) % len(garbage)])

    asked, gave_up = 0, False
    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in clients:
        thread.start()
    try:
        while any(thread.is_alive() for thread in clients):
            assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"
            asked += 1
            time.sleep(0.05)
    finally:
        gave_up = True
    assert asked > 2 and min(connected) >= count // 4, (asked, connected)
    eventually(lambda: program.manager.status().startswith("pages: 0,"), 30)

    def serves():
        try:
            return get("/leds/led") == (200, "OFF")
        except (OSError, http.client.HTTPException):  # those that have closed are not all counted yet
            return False

    eventually(serves, 30, 0.1)
    assert switched(w) == [], switched(w)
    # 64 connections have 16 KiB each.
    assert memory() < before + (4 << 20) or SLOW, (before, memory())


@test("web: started by its socket, it ends a minute after the last one has looked, and no visit is lost",
      takes=70, quick=False)
def idle(w):
    w.line(led=LEDS)
    listen(w)
    program = with_socket(w, "--allow=127.0.0.1")
    began = time.monotonic()
    assert get("/leds/led") == (200, "OFF")
    with page() as p:
        p.read(lambda: len(p.events()) == 4)
        silent = connect(HERE)  # says nothing, and is closed before the minute is over
        eventually(lambda: "pages: 1," in program.manager.status())
    eventually(lambda: "pages: 0," in program.manager.status())
    closed = time.monotonic()
    # A stranger keeps it neither by requests nor by a connection, nor does who is refused otherwise.
    stranger = http.client.HTTPConnection(*HERE, timeout=1, source_address=("127.0.0.9", 0))
    wrong = http.client.HTTPConnection(*HERE, timeout=1)
    while program.poll() is None and time.monotonic() - closed < 90:
        for client, refusal in (
            (stranger, (403, b"ERR not allowed from this address")), (wrong, (404, b"ERR there is nothing here"))
        ):
            try:
                client.request("GET", "/nothing")
                answer = client.getresponse()
                assert (answer.status, answer.read()) == refusal
            except OSError:  # in the queue of the socket, for the next process
                client.close()
        time.sleep(0.5)
    stranger.close()
    wrong.close()
    assert program.wait(1) == 0
    assert 55 < time.monotonic() - closed and time.monotonic() - began < 75
    silent.close()
    # Who comes now waits for the next process.
    connection = http.client.HTTPConnection(*HERE, timeout=20)
    connection.request("POST", "/leds/led", "ON")
    with_socket(w)
    assert connection.getresponse().read() == b"ON"
    connection.close()


@test("web: a stop ends the streams, and the commands that came are carried out")
def stop(w):
    program = web(w)
    with page() as p:
        p.read(lambda: len(p.events()) == 4)
        assert program.stop() == 0
        with contextlib.suppress(ConnectionResetError):
            p.wait_for_end()
    assert program.manager.said("STOPPING", "1")
    assert not accepts(HERE)


@test("web: a wrong setting is an answer for 5 s, and exit status 2", takes=6)
def wrong_setting(w):
    listen(w)
    wrong = "a setting is wrong: WEB_HOSTS=pi:80: names of this machine, with blanks between them, without a port"
    early = http.client.HTTPConnection(*HERE, timeout=20)
    early.request("GET", "/")
    began = time.monotonic()
    program = with_socket(w, env={"WEB_HOSTS": "pi:80"})
    answer = early.getresponse()
    assert (answer.status, answer.read().decode()) == (503, f"ERR {wrong}")
    early.close()
    assert post("/leds/led", "ON") == (503, f"ERR {wrong}")
    assert program.wait(30) == 2 and time.monotonic() - began > 4.5
    assert w.log("led-web", 3) == [wrong]
    assert program.manager.status() == wrong
    # Where nobody waits, at once. With a wrong LED_ALLOW, nobody learns more.
    began = time.monotonic()
    assert with_socket(w, env={"WEB_HOSTS": "pi:80"}).wait(20) == 2 and time.monotonic() - began < 4.5
    early = http.client.HTTPConnection(*HERE, timeout=20)
    early.request("GET", "/")
    program = with_socket(w, env={"WEB_HOSTS": "pi:80", "LED_ALLOW": "privat"})
    assert early.getresponse().read() == b"ERR a setting is wrong: see the log"
    early.close()
    log = w.log("led-web", 3)
    assert len(log) == 4 and wrong in log[-2:] and any("LED_ALLOW=privat: " in text for text in log[-2:]), log


@test("web: wrong options without a socket end it, with a line each")
def wrong_options(w):
    for option, why in (
        ("--name=\x07", "a text has up to 128 bytes of UTF-8"),
        ("--hosts=http://pi", "names of this machine"),
        ("--line=pi:5555", "names are not looked up here: an address is a number or a path"),
        ("--cert=/nonexistent", "No such file or directory"),
        ("--allow=x", ""),
        ("--listen=x", ""),
        ("--what", ""),
    ):
        p = w.spawn(LED_WEB, option)
        assert p.wait(20) == 2, option
        assert why in p.output() and p.output().count("\n") == 1, p.output()
    p = w.spawn(LED_WEB, "--help")
    assert p.wait(20) == 0 and "WEB_PASSWORD_FILE" in p.output()


@test("web: an LED whose setting is wrong is a light with its error")
def wrong_led(w):
    w.notified(
        os.environ["BUILD"] + "/led-line", f"--listen={w.dir}/line.sock",
        env={"LED": "led=log kitchen=gpio17,kind=switch"},
    )
    web(w, led=None)
    leds = json.loads(get("/leds")[1])
    assert [e["name"] for e in leds] == ["led", "kitchen"]
    assert leds[1]["kind"] == "light" and leds[1]["error"].startswith("a setting is wrong: kitchen=gpio17")


@test("web: Home Assistant's RESTful switch, curl, wget and w3m")
def clients(w):
    web(w)
    url = f"http://127.0.0.1:{PORT}/leds/led"
    # As its documentation has it: body_on is sent, and the state is body_on, or it is not on.
    for body in "ON", "OFF":
        status, text = post("/leds/led", body, **{"Content-Type": "text/plain; charset=utf-8"})
        assert status < 400 and get("/leds/led")[1] == body
    run = lambda *argv: subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20).stdout.decode()
    assert run(need_program("curl"), "-s", "-d", "ON", url) == "ON"
    assert run(need_program("curl"), "-s", "-d", "command=OFF", "-L", url).startswith("<!DOCTYPE")
    assert get("/leds/led") == (200, "OFF")
    assert run(need_program("wget"), "-q", "-O-", "--post-data=ON", url) == "ON"
    (w.dir / "command").write_text("OFF")
    assert run(need_program("w3m"), "-post", w.dir / "command", "-dump_source", url) == "OFF"
    assert "Kitchen" in run(need_program("w3m"), "-dump", f"http://127.0.0.1:{PORT}/")


@test("web: pages at rest wake nobody but for a comment, which every page gets", takes=35, quick=False)
def comments(w):
    program = web(w)
    with page() as one, page() as two:
        for p in one, two:
            p.read(lambda p=p: len(p.events()) == 4)
        before = program.cpu_seconds()
        one.socket.settimeout(60)
        one.read(lambda: "\n:\n\n" in one.text)
        two.read(lambda: "\n:\n\n" in two.text)
        assert program.cpu_seconds() - before <= 0.02
