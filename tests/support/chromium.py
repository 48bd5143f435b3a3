"""Drives headless Chromium by its DevTools protocol, over pipes, with the standard library alone."""

import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find():
    """The browser's program, or None."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    return None


class Browser:
    """One page of one browser: call() for any command of the protocol, and what tests want of it."""

    def __init__(self, width=1280, height=800):
        self.profile = tempfile.mkdtemp(prefix="weir-chromium-")
        from_browser, to_us = os.pipe()
        from_us, to_browser = os.pipe()
        # The browser reads commands from descriptor 3 and writes answers to 4.
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (from_us, to_us)]
        os.close(from_us)
        os.close(to_us)

        def place():
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        command = [find(), "--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + self.profile,
                   "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--disable-background-networking", f"--window-size={width},{height}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command + ["about:blank"], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, pass_fds=(3, 4), preexec_fn=place)
        for end in theirs:
            os.close(end)
        self.reading, self.writing = from_browser, to_browser
        self.unread = b""
        self.count = 0
        self.events = []
        self.session = None
        target = next(target for target in self.call("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")
        self.resize(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.reading)
        os.close(self.writing)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _message(self, until):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.reading], [], [], max(until - time.monotonic(), 0))
            part = os.read(self.reading, 1 << 20) if ready else b""
            if not part:
                self.log.seek(0)
                raise RuntimeError("the browser does not answer: " + self.log.read().decode("utf-8", "replace")[-2000:])
            self.unread += part
        text, self.unread = self.unread.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        """One command and its answer; what happens meanwhile is kept in self.events."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writing, data):]
        until = time.monotonic() + 60
        while True:
            answer = self._message(until)
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer.get("result", {})
            self.events.append(answer)

    def run(self, script):
        """The value of a piece of JavaScript; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, script, seconds=20):
        """Waits until the script gives something true, and returns it."""
        until = time.monotonic() + seconds
        while True:
            value = self.run(script)
            if value:
                return value
            if time.monotonic() > until:
                raise RuntimeError(f"this did not come true in {seconds} s: {script}")
            time.sleep(0.05)

    def settle(self):
        """Until what was asked for has been painted."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))")

    def open(self, path):
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        self.wait("document.readyState === 'complete'")

    def resize(self, width, height, ratio=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio, mobile=False)

    def scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, x0, x1, y):
        self.mouse("mouseMoved", x0, y)
        self.mouse("mousePressed", x0, y, button="left", buttons=1, clickCount=1)
        for k in range(1, 9):
            self.mouse("mouseMoved", x0 + (x1 - x0) * k / 8, y, button="left", buttons=1)
        self.mouse("mouseReleased", x1, y, button="left", clickCount=1)
        self.settle()

    def double_click(self, x, y):
        for count in (1, 2):
            self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=count)
            self.mouse("mouseReleased", x, y, button="left", clickCount=count)
        self.settle()

    def key(self, key, **more):
        text = key if len(key) == 1 else ""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **more)
        self.settle()

    def screenshot(self, clip=None, whole=False):
        """A PNG of what is seen, of a box {x, y, width, height} of the page, or of all of it."""
        import base64
        parameters = {"format": "png"}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        if clip:
            parameters.update(clip=dict(clip, scale=1), captureBeyondViewport=True)
        return base64.b64decode(self.call("Page.captureScreenshot", **parameters)["data"])

    def pdf(self):
        import base64
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])

    def complaints(self):
        """Errors and warnings of the console, uncaught exceptions, and what could not be loaded."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(details.get("exception", {}).get("description") or details["text"])
            elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                found.append(str(parameters["args"]))
            elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"])
        return found


def pixels(png):
    """Width, height and the rows of (red, green, blue) of a PNG with 8 bits and no interlacing."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, bits, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert bits == 8 and colour in (2, 6) and interlace == 0
        elif kind == b"IDAT":
            data += body
        at += 12 + size
    step = 3 if colour == 2 else 4
    raw = zlib.decompress(data)
    stride = width * step
    before = bytearray(stride)
    rows = []
    for y in range(height):
        kind = raw[y * (stride + 1)]
        line = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride) if kind else ():
            left = line[i - step] if i >= step else 0
            up = before[i]
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            else:
                corner = before[i - step] if i >= step else 0
                guess = min((abs(up - corner), 0, left), (abs(left - corner), 1, up),
                            (abs(left + up - 2 * corner), 2, corner))[2]
            line[i] = (line[i] + guess) & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, stride, step)])
        before = line
    return width, height, rows
