# SPDX-License-Identifier: MIT
"""led-web's page in real browsers, Debian's chromium and firefox-esr: tests/run browsers."""

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import statistics
import threading
import time
from pathlib import Path

from test_web import HERE, LEDS, PORT, get, switched, web
from world import AFAR, Skip, ask, eventually
from world import test as any_test

PAGE = f"http://127.0.0.1:{PORT}/"


def test(name, **kinds):
    """These are a part of their own: a browser takes long to start."""

    def register(function):
        def run(w):
            w.browsers = []
            try:
                function(w)
            finally:
                for browser in w.browsers:
                    browser.quit()

        if os.environ.get("BROWSERS") == "1":
            any_test(f"browser: {name}", quick=False, alone=True, **kinds)(run)
        return function

    return register


class Browser:
    """A chromium with one window."""

    def __init__(self, w, *arguments, javascript=True):
        try:
            from selenium import webdriver
            from selenium.webdriver.chrome.service import Service
        except ImportError as why:
            raise Skip("there is no python3-selenium") from why
        if not shutil.which("chromium") or not shutil.which("chromedriver"):
            raise Skip("there is no chromium with its driver")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        profile = w.dir / f"browser{len(w.browsers)}"
        for argument in (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={profile}", *arguments,
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        w.browsers.append(self)
        self.driver.set_page_load_timeout(60)

    def open(self, url=PAGE):
        self.driver.get(url)
        return self

    def quit(self):
        self.driver.quit()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def button(self, name):
        return self.driver.find_element("css selector", f'[action="leds/{name}"] button')

    def said(self, name):
        """What stands under a button."""
        return self.driver.find_element("css selector", f'[action="leds/{name}"] p').text

    def is_on(self, name):
        return self.button(name).get_attribute("aria-checked") == "true"

    def note(self):
        return self.driver.find_element("id", "note").text

    def complaints(self):
        """What the console has, such as a style that the policy refuses."""
        return [line["message"] for line in self.driver.get_log("browser")
                if "Security Policy" in line["message"] or "Uncaught" in line["message"]]


class Firefox:
    """A firefox-esr with one window, by its own protocol: Debian 12 has no driver for it."""

    PORT = 2828

    def __init__(self, w, javascript=True):
        if not shutil.which("firefox-esr"):
            raise Skip("there is no firefox-esr")
        profile = w.dir / "firefox"
        profile.mkdir()
        settings = {"javascript.enabled": javascript, "marionette.port": self.PORT}
        (profile / "user.js").write_text(
            "".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in settings.items())
        )
        self.process = w.spawn(
            "firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", profile,
            env={**os.environ, "HOME": str(w.dir)},
        )
        self.socket = eventually(self.connected, 60, 0.1)
        self.socket.settimeout(60)
        self.lines = self.socket.makefile("rb")
        self.read()
        self.do("NewSession")
        w.browsers.append(self)

    def connected(self):
        try:
            return socket.create_connection(("127.0.0.1", self.PORT))
        except OSError:
            return None

    def read(self):
        length = b""
        while (byte := self.lines.read(1)) != b":":
            length += byte
        return json.loads(self.lines.read(int(length)))

    def do(self, command, **parameters):
        message = json.dumps([0, 1, f"WebDriver:{command}", parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.read()
        assert not error, error
        return (result or {}).get("value")

    def open(self, url=PAGE):
        self.do("Navigate", url=url)
        return self

    def run(self, script):
        return self.do("ExecuteScript", script=script, args=[])

    def quit(self):
        self.socket.close()
        self.process.stop(signal.SIGKILL)

    def find(self, selector):
        return next(iter(self.do("FindElement", using="css selector", value=selector).values()))

    def click(self, name):
        self.do("ElementClick", id=self.find(f'[action="leds/{name}"] button'))

    def is_on(self, name):
        button = self.find(f'[action="leds/{name}"] button')
        return self.do("GetElementAttribute", id=button, name="aria-checked") == "true"


def commands(w):
    return [line for line in w.log("led-web") if " sent " in line]


@test("a tap switches, and is seen in a second browser; a change by led is seen", takes=20)
def tap(w):
    web(w)
    one, two = Browser(w).open(), Browser(w).open()
    assert one.button("kitchen").text == "Kitchen" and one.button("kitchen").get_attribute("role") == "switch"
    for state in True, False, True:
        one.button("kitchen").click()
        for browser in one, two:
            eventually(lambda browser=browser: browser.is_on("kitchen") == state)
        assert get("/leds/kitchen") == (200, "ON" if state else "OFF")
    ask(b"LED led ON\n", w.dir / "line.sock")
    for browser in one, two:
        eventually(lambda browser=browser: browser.is_on("led"))
    assert one.note() == "" and one.complaints() == [], one.complaints()
    # Hardware that is missing says why, and cannot be pressed.
    assert "no GPIO chip" in one.said("pump") and not one.button("pump").is_enabled()


@test("Firefox: a tap switches, and a change by led is seen", takes=20)
def firefox(w):
    web(w)
    browser = Firefox(w).open()
    for state in True, False:
        browser.click("kitchen")
        eventually(lambda: browser.is_on("kitchen") == state)
        assert get("/leds/kitchen") == (200, "ON" if state else "OFF")
    ask(b"LED led ON\n", w.dir / "line.sock")
    eventually(lambda: browser.is_on("led"))
    assert browser.run("return document.getElementById('note').textContent") == ""
    assert len(commands(w)) == 2, commands(w)


@test("Firefox without JavaScript: a tap switches", takes=15)
def plain_firefox(w):
    web(w)
    browser = Firefox(w, javascript=False).open()
    for state in True, False:
        browser.click("kitchen")
        eventually(lambda: browser.do("GetCurrentURL") == PAGE and browser.is_on("kitchen") == state)
    assert len(commands(w)) == 2, commands(w)


@test("a change is in the page as soon as a browser draws", takes=15)
def quick(w):
    program = web(w)
    browser = Browser(w).open()
    browser.run("""
        window.seen = []
        new MutationObserver(() => seen.push(performance.timeOrigin + performance.now()))
            .observe(document.querySelector('[action="leds/kitchen"] button'), {attributes: true})""")
    eventually(lambda: "pages: 1," in program.manager.status())
    took = []
    for n in range(50):
        before = len(browser.run("return seen"))
        start = time.time() * 1000
        ask(b"LED kitchen TOGGLE\n", w.dir / "line.sock")
        seen = eventually(lambda before=before: browser.run("return seen")[before:])
        took.append(seen[0] - start)
    print(f"# a change is in the page after {statistics.median(took):.1f} ms (median of {len(took)})")


def complaints(browser):
    """axe-core's."""
    found = browser.driver.execute_async_script("axe.run().then(arguments[0])")
    return [(rule["id"], node["html"], node["failureSummary"])
            for rule in found["violations"] for node in rule["nodes"]]


@test("contrast, and the names of all controls: axe-core has no complaint", takes=15)
def accessible(w):
    axe = Path(os.environ.get("AXE", ""))
    if not axe.is_file():
        raise Skip("there is no axe-core")
    web(w)
    browser = Browser(w).open()
    for scheme in "light", "dark":
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.run(axe.read_text())
        assert complaints(browser) == [], scheme
    # It would have some.
    browser.run("document.body.append(document.createElement('button'))")
    assert [rule for rule, *_ in complaints(browser)] == ["button-name"]


@test("a picture of it", takes=10)
def picture(w):
    web(w, "--name=Home", led="porch=log living-room=log door=log,pulse=500")
    ask(b"LED porch ON\n", w.dir / "line.sock")
    browser = Browser(w).open()
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 320, "height": 260, "deviceScaleFactor": 2, "mobile": True})
    eventually(lambda: browser.is_on("porch"))
    path = Path(os.environ.get("PICTURE", w.dir / "page.png"))
    assert browser.driver.save_screenshot(str(path)) and path.stat().st_size > 5000


@test("a momentary LED is a push-button", takes=10)
def momentary(w):
    web(w)
    browser = Browser(w).open()
    assert browser.button("door").get_attribute("role") != "switch"
    browser.button("door").click()
    eventually(lambda: switched(w) == ["LED door Status: On", "LED door Status: Off"])
    assert commands(w)[0].endswith('sent "LED door ON": OK LED door ON')


@test("without JavaScript; back and reload after a command send nothing twice", takes=15)
def plain(w):
    web(w)
    browser = Browser(w, javascript=False).open()
    assert "Show the states of now" in browser.driver.page_source
    for state in True, False:
        browser.button("kitchen").click()
        eventually(lambda: get("/leds/kitchen") == (200, "ON" if state else "OFF"))
        eventually(lambda: browser.driver.current_url == PAGE and browser.is_on("kitchen") == state)
    browser.driver.refresh()
    browser.driver.back()
    browser.driver.forward()
    browser.driver.refresh()
    assert len(commands(w)) == 2, commands(w)
    ask(b"LED kitchen ON\n", w.dir / "line.sock")
    browser.driver.find_element("css selector", "noscript a").click()
    eventually(lambda: browser.is_on("kitchen"))


@test("led-line is killed, and comes back; led-web is killed, and comes back", takes=20)
def killed(w):
    program = web(w)
    browser = Browser(w).open()
    eventually(lambda: "pages: 1," in program.manager.status(), 20)
    w.line_process.stop(signal.SIGKILL)
    eventually(lambda: "no led-line at" in browser.note())
    browser.button("kitchen").click()
    eventually(lambda: "no led-line at" in browser.said("kitchen"))
    # A page that is loaded now has buttons that send nothing yet.
    browser.open()
    assert not browser.button("kitchen").is_enabled() and not browser.button("door").is_enabled()
    w.line_process = w.line(led=LEDS)
    eventually(lambda: browser.note() == "", 20)
    eventually(lambda: browser.button("door").is_enabled())
    for name in "kitchen", "door":
        browser.button(name).click()
    eventually(lambda: [line.partition(" sent ")[2] for line in commands(w)][-2:] == [
        f'"LED {name} ON": OK LED {name} ON' for name in ("kitchen", "door")])
    program.stop(signal.SIGKILL)
    eventually(lambda: browser.note() == "The connection is lost.")
    browser.button("kitchen").click()
    eventually(lambda: browser.said("kitchen").startswith("No answer"))
    web(w, led=None)
    eventually(lambda: browser.note() == "", 20)
    browser.button("kitchen").click()
    eventually(lambda: not browser.is_on("kitchen"))
    # Other LEDs: the page loads anew.
    w.line_process.stop()
    w.line(led="attic=log")
    eventually(lambda: "Attic" in browser.driver.page_source, 20)


@test("a hidden page has no stream, and one that is shown again has the state of now", takes=15)
def hidden(w):
    program = web(w)
    browser = Browser(w).open()
    eventually(lambda: "pages: 1," in program.manager.status())
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    eventually(lambda: "pages: 0," in program.manager.status())
    ask(b"LED kitchen ON\n", w.dir / "line.sock")
    browser.driver.switch_to.window(first)
    eventually(lambda: "pages: 1," in program.manager.status())
    eventually(lambda: browser.is_on("kitchen"))
    # Nine tabs: the last one works.
    for _ in range(8):
        browser.driver.switch_to.new_window("tab")
        browser.open()
    browser.button("kitchen").click()
    eventually(lambda: not browser.is_on("kitchen"))


@contextlib.contextmanager
def site(html):
    """Another site."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((AFAR, 8000), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{AFAR}:8000/"
    finally:
        server.shutdown()
        server.server_close()


@test("another site's page: its fetch and its form do nothing", takes=15)
def foreign(w):
    web(w)
    browser = Browser(w)
    html = f"""<form action={PAGE}leds/led method=post><button name=command value=ON>x</button></form>
        <script>fetch('{PAGE}leds/led', {{method: 'POST', body: 'ON', mode: 'no-cors'}})
        .then(() => document.title = 'sent', () => document.title = 'failed')</script>"""
    with site(html) as url:
        browser.open(url)
        eventually(lambda: browser.driver.title in ("sent", "failed"))
        browser.driver.find_element("tag name", "button").click()
        eventually(lambda: "a page of another site sent this" in browser.driver.page_source)
    # Chromium may not even send the fetch, because the machine's own address is nearer.
    assert switched(w) == []
    assert any("a page of another site sent this" in line for line in w.log("led-web"))


@test("another site's name for this machine: 421, with the line that allows it", takes=10)
def rebinding(w):
    web(w)
    browser = Browser(w, "--host-resolver-rules=MAP evil.example 127.0.0.1")
    browser.open(f"http://evil.example:{PORT}/")
    assert "WEB_HOSTS=evil.example" in browser.driver.page_source
    assert switched(w) == []


@test("32 LEDs with the longest names: no horizontal scrolling, targets of 48 px, light and dark", takes=20)
def wide(w):
    web(w, led=" ".join(f"wwwwwwwwwwwwww{i:02}=log" for i in range(32)))
    browser = Browser(w).open()
    for width in 320, 360, 1280:
        for scheme in "light", "dark":
            browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": 640, "deviceScaleFactor": 1, "mobile": width < 1000})
            browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
            seen = browser.driver.execute_script("""
                const d = document.documentElement, b = [...document.querySelectorAll('button')]
                return [d.scrollWidth, d.clientWidth, b.length, Math.min(...b.map(x => x.offsetHeight)),
                    getComputedStyle(document.body).backgroundColor]""")
            assert seen[0] <= seen[1] <= width and seen[2] == 32 and seen[3] >= 48, (width, seen)
            light = [int(n) for n in re.findall(r"\d+", seen[4])][0] > 128
            assert light == (scheme == "light"), seen
