"""What cli/report_page.sh asks of the page of a report.

report_page.py make-large PAYLOAD LARGE       a payload of about 2 MB, with the panels of another
report_page.py check PAYLOAD PAGE LARGE_PAGE  opens the pages and complains of what is wrong
"""

import json
import math
import re
import sys

import chromium

SCREENS = ("ttft", "instances_prompt", "size_histogram")
HELPERS = """
window.test = {
	panel: (id) => document.getElementById('panel-' + id.replace(/_/g, '-')),
	see(id) { this.panel(id).scrollIntoView({ block: 'center', behavior: 'instant' }); },
	box(id) {
		const { x, y, width, height } = this.panel(id).querySelector('.u-over').getBoundingClientRect();
		return { x, y, width, height };
	},
	/* How many pixels of a chart are neither grey nor empty. */
	coloured(id) {
		const canvas = this.panel(id).querySelector('canvas');
		if (!canvas) return -1;
		const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
		copy.drawImage(canvas, 0, 0);
		const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
		let count = 0;
		for (let i = 0; i < data.length; i += 4) {
			const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
			if (data[i + 3] > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 40) count++;
		}
		return count;
	},
	/* What the legend says: label to value, '' while the cursor is elsewhere. */
	legend(id) {
		const found = {};
		const idle = this.panel(id).querySelector('.uplot').classList.contains('idle');
		for (const row of this.panel(id).querySelectorAll('.u-series')) {
			found[row.querySelector('.u-label').textContent] = idle ? '' : row.querySelector('.u-value').textContent;
		}
		return found;
	},
};
0
"""

failures = 0


def expect(holds, *what):
    global failures
    if not holds:
        failures += 1
        print("wrong:", *what)


def make_large(payload_path, large_path):
    """More bins and more panels of the same: about 40 panels of 1,000 values a series."""
    payload = json.load(open(payload_path, encoding="utf-8"))
    run = payload["runs"][0]
    panels = []
    for copy in range(2):
        for panel in run["panels"]:
            panel = json.loads(json.dumps(panel))
            panel["id"] += f"_{copy}"
            x = panel["x"]["values"]
            if panel["kind"] not in ("cdf", "histogram"):
                panel["x"]["values"] = [x[0] + (x[-1] - x[0]) * k / 1499 for k in range(1500)]
                for series in panel["series"]:
                    old = series["values"]
                    series["values"] = [old[k * len(old) // 1500] for k in range(1500)]
                    series["values"] = [v if v is None else round(v * (1 + 0.01 * math.sin(k)), 9)
                                        for k, v in enumerate(series["values"])]
            panels.append(panel)
    run["panels"] = panels
    text = json.dumps(payload)
    if not 1.5e6 < len(text) < 4e6:
        sys.exit(f"the large payload has {len(text)} bytes")
    with open(large_path, "w", encoding="utf-8") as file:
        file.write(text)


def value_of(text):
    """A legend's text as a number and a unit."""
    if text in ("", "–"):
        return None, ""
    number, _, unit = text.replace("−", "-").replace(",", "").partition("\u202f")
    return float(number.lstrip("$")), unit


def seconds_of(text):
    """h:mm:ss as seconds."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def luminance(colour):
    def linear(part):
        part /= 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
    red, green, blue = (linear(int(colour[i:i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a, b):
    """WCAG 2.2, definition of contrast ratio."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class Page:
    def __init__(self, browser, payload):
        self.browser = browser
        self.run = payload["runs"][0]
        self.panels = {panel["id"]: panel for panel in self.run["panels"]}

    def open(self, path):
        self.browser.open(path)
        self.browser.wait("document.documentElement.dataset.ready")
        self.browser.run(HELPERS)
        self.browser.settle()

    def ask(self, verb, panel):
        return self.browser.run(f"test.{verb}({json.dumps(panel)})")

    def see(self, panel):
        self.ask("see", panel)
        self.browser.settle()
        self.browser.wait(f"test.panel({json.dumps(panel)}).querySelector('.uplot, .empty') !== null")
        self.browser.settle()

    def hover(self, panel, share, height=0.6):
        self.see(panel)
        box = self.ask("box", panel)
        self.browser.mouse("mouseMoved", box["x"] + box["width"] * share, box["y"] + box["height"] * height)
        self.browser.settle()
        return self.ask("legend", panel)

    def leave(self):
        self.browser.mouse("mouseMoved", 5, 5)
        self.browser.settle()

    def drag(self, panel, start, end):
        self.see(panel)
        box = self.ask("box", panel)
        self.browser.drag(box["x"] + box["width"] * start, box["x"] + box["width"] * end,
                          box["y"] + box["height"] * 0.6)

    def shown_range(self, panel, label="time"):
        """The x values at the panel's edges."""
        return [self.hover(panel, share)[label] for share in (0.001, 0.999)]

    def nearest(self, panel, legend):
        at = seconds_of(legend["time"])
        x = self.panels[panel]["x"]["values"]
        return min(range(len(x)), key=lambda i: abs(x[i] - at))


def check_look(page, scheme):
    """Everything is drawn, in colours of the theme that can be read."""
    browser = page.browser
    dark = scheme == "dark"
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    bright = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
    expect(bright < 60 if dark else bright > 200, scheme, "background is", background)

    names = ("paper card ink muted accent good bad limit prompt token mixed booting active draining flipping failed low "
             "middle high k1 k2 k3 k4 k5 k6").split()
    colours = browser.run(f"""Object.fromEntries({json.dumps(names)}.map((name) =>
        [name, getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()]))""")
    grounds = {name: colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
               for name, colour in colours.items()}
    for name in names[2:]:
        for ground in ("paper", "card"):
            ratio = contrast(grounds[name], grounds[ground])
            expect(ratio >= 4.5, f"{scheme}: contrast of {name} on {ground} is {ratio:.2f}")
    for group in ("prompt token mixed", "booting active draining", "low middle high"):
        used = [grounds[name] for name in group.split()]
        expect(len(set(used)) == 3, scheme, group, "look alike")

    for name, panel in page.panels.items():
        page.see(name)
        count = page.ask("coloured", name)
        empty = all(value is None for series in panel["series"] for value in series["values"])
        if empty:
            expect(count == -1, name, "has nothing to draw, but a canvas")
            text = browser.run(f"test.panel('{name}').textContent")
            expect("no values were recorded" in text, name, "does not say that it is empty:", text)
        else:
            lone = name == "lone"
            expect(count > (60 if lone else 400), f"{scheme}: {name} has {count} coloured pixels")
        if name in SCREENS:
            box = browser.run(f"""(() => {{
                const {{ x, y, width, height }} = test.panel('{name}').querySelector('.u-over').getBoundingClientRect();
                return {{ x: x + scrollX + width / 4, y: y + scrollY, width: Math.min(width / 2, 260), height }};
            }})()""")
            _, _, rows = chromium.pixels(browser.screenshot(clip=box))
            seen = [pixel for row in rows for pixel in row]
            ground = max(set(seen), key=seen.count)
            vivid = sum(max(pixel) - min(pixel) > 40 for pixel in seen) / len(seen)
            expect(len(set(seen)) > 8 and vivid > 0.004, f"{scheme}: screenshot of {name}: {len(set(seen))} colours, "
                   f"{vivid:.4f} of it coloured")
            expect((sum(ground) < 300) == dark or name != "ttft", scheme, name, "stands on", ground)


def check_words(page):
    """What was run and the verdict, above the fold; the config as it was; names for assistive tools."""
    browser = page.browser
    run = page.run
    fold = browser.run("innerHeight")
    for selector in ("h1", ".verdict", ".banner", ".tiles", ".facts"):
        bottom = browser.run(f"document.querySelector('{selector}').getBoundingClientRect().bottom + scrollY")
        expect(bottom <= fold, selector, "ends at", bottom, "below the fold at", fold)
    overview = browser.run("document.getElementById('overview').innerText")
    for text in [run["name"], run["partial"], run["verdict"]["text"], "318,204", "83.0", "68.4", "$139.20", "91.4",
                 *[part for fact in run["facts"] for part in (fact["label"], fact["value"])]]:
        expect(text in overview, "the overview lacks", text)
    expect(browser.run("document.querySelector('.config pre').textContent") == run["config"], "the config differs")
    expect(browser.run("document.querySelector('.config details').open") is False, "the config is not collapsed")
    expect(browser.run("document.title") == "diurnal · weir report", "title")
    sections = browser.run("[...document.querySelectorAll('#charts h2')].map((e) => e.textContent)")
    expect(sections == ["Load", "Latency", "Pools", "Instances", "Loads", "Memory", "Network", "Power and cost",
                        "Learning"], sections)
    nameless = browser.run("""[...document.querySelectorAll('button, a, [role], select')].filter((e) =>
        !e.textContent.trim() && !e.getAttribute('aria-label')).map((e) => e.outerHTML)""")
    expect(nameless == [], "without a name:", nameless)
    lost = browser.run("""[...document.querySelectorAll('a[href^="#"]')].filter((a) =>
        !document.getElementById(a.hash.slice(1))).map((a) => a.hash)""")
    expect(lost == [], "links to nowhere:", lost)
    head = browser.run("getComputedStyle(document.querySelector('.data thead th')).position")
    expect(head == "sticky", "head of the table:", head)
    cells = browser.run("[...document.querySelectorAll('#table-summary tr')].map((r) => [...r.cells].map((c) => c.textContent))")
    expect(cells[0] == ["metric", "mean s", "p50 s", "p90 s", "p99 s"] and cells[1] == ["TTFT", "0.201", "0.142", "0.402", "2.318"],
           "table:", cells)


def check_hover(page):
    """The legend shows the recorded values at the cursor, in all panels of the section over time."""
    for name, label, scale in (("arrivals", "arrivals", 1), ("busy", "prompt", 1), ("instances_token", "draining", 1),
                               ("tbt", "p99", 1e-3), ("memory", "mixed", 2 ** 30), ("power", "token", 1000)):
        panel = page.panels[name]
        values = next(series["values"] for series in panel["series"] if series["label"] == label)
        for share in (0.11, 0.52, 0.93):
            legend = page.hover(name, share)
            at = page.nearest(name, legend)
            found, unit = value_of(legend[label])
            wanted = values[at] / scale
            expect(abs(found - wanted) <= 6e-4 * abs(wanted), name, label, "at", share, "shows", legend, "not", wanted)
            expect(abs(panel["x"]["values"][at] - share * 7050) <= 80, name, "is at", legend["time"], "at", share)
    expect(page.hover("sizes", 21.5 / 47)["prompt tokens"] == "–", "a gap has a value")
    page.hover("queue", 0.5)
    alike = page.ask("legend", "batch")
    expect(alike["token"] != "" and alike["time"] == page.ask("legend", "queue")["time"], "not in step:", alike)
    page.leave()
    expect(page.ask("legend", "queue")["token"] == "", "the legend stays when the cursor leaves")
    page.see("instances_prompt")
    page.hover("instances_prompt", 3300 / 7050)
    said = page.browser.run("test.panel('instances_prompt').querySelector('.marks').textContent")
    expect(said == "◆ flip: prompt to token at 0:55:00", "mark:", said)
    page.leave()
    said = page.browser.run("test.panel('instances_prompt').querySelector('.marks').textContent")
    expect("scaled up (3)" in said, "marks:", said)


def zoom_button(page, section):
    return page.browser.run(f"!document.querySelector('#section-{section} > header button').hidden")


def check_zoom(page):
    """Dragging zooms all panels of the section over time, also those that are drawn later."""
    browser = page.browser
    expect(not zoom_button(page, "latency"), "a reset button with nothing to reset")
    page.drag("ttft", 0.25, 0.5)
    first, last = (seconds_of(text) for text in page.shown_range("ttft"))
    expect(abs(first - 1762) <= 160 and abs(last - 3525) <= 160, "zoomed to", first, last)
    expect(page.shown_range("e2e") == page.shown_range("ttft"), "panels are not zoomed alike", page.shown_range("e2e"))
    low, high = (value_of(text)[0] for text in page.shown_range("ttft_cdf", "TTFT"))
    expect(low == 20 and high > 8, "a CDF was zoomed along:", low, high)
    expect(seconds_of(page.shown_range("queue")[1]) == 7050, "another section was zoomed along")
    expect(zoom_button(page, "latency"), "no reset button")
    page.see("tbt")
    box = page.ask("box", "tbt")
    browser.double_click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for name in ("ttft", "tbt", "e2e"):
        first, last = (seconds_of(text) for text in page.shown_range(name))
        expect(first == 0 and last == 7050, "a double click leaves", name, "at", first, last)
    expect(not zoom_button(page, "latency"), "the reset button stays")
    page.drag("tbt", 0.6, 0.4)
    expect(zoom_button(page, "latency"), "dragging to the left does not zoom")
    browser.run("document.querySelector('#section-latency > header button').click()")
    browser.settle()
    expect(seconds_of(page.shown_range("ttft")[1]) == 7050, "the button does not reset")
    page.drag("ttft_cdf", 0.3, 0.6)
    low, high = (value_of(text)[0] for text in page.shown_range("ttft_cdf", "TTFT"))
    expect(low > 20, "a CDF does not zoom:", low, high)
    expect(not zoom_button(page, "latency"), "a CDF zooms the others")
    page.leave()


def check_zoom_before_drawing(page):
    """A panel that is drawn after the zoom shows what the others show."""
    browser = page.browser
    browser.resize(800, 420)
    browser.run("scrollTo({ top: 0, behavior: 'instant' })")
    browser.settle()
    page.drag("ttft", 0.25, 0.5)
    expect(browser.run("test.panel('e2e').querySelector('.uplot') === null"), "the last panel was drawn early")
    expect(page.shown_range("e2e") == page.shown_range("ttft"), "a late panel is not zoomed")
    browser.resize(1280, 800)


def check_keys(page):
    browser = page.browser
    page.leave()
    page.see("arrivals")
    browser.run("test.panel('arrivals').querySelector('.chart').focus({ preventScroll: true })")
    values = page.panels["arrivals"]["series"][0]["values"]

    def press(key, wanted, **more):
        browser.key(key, **more)
        legend = page.ask("legend", "arrivals")
        found = value_of(legend["arrivals"])[0]
        expect(found is not None and abs(found - wanted) <= 6e-4 * wanted, "after", key, more, "the legend shows", legend,
               "not", wanted)

    press("ArrowRight", values[0])
    press("ArrowRight", values[1])
    press("ArrowRight", values[11], modifiers=8)
    press("ArrowLeft", values[10])
    press("End", values[47])
    press("ArrowRight", values[47])
    press("Home", values[0])
    for _ in range(2):
        browser.key("ArrowRight", modifiers=8)
    browser.key("+")
    expect(zoom_button(page, "load"), "+ does not zoom")
    press("ArrowRight", values[21])
    text = browser.wait("(document.getElementById('spoken').textContent.match(/.*0:52:30.*/) || [''])[0]")
    expect(f"arrivals {values[21]:.4g}\u202frequests/s" in text, "said:", text)
    for _ in range(30):
        browser.key("ArrowRight")
    press("ArrowLeft", values[46])
    browser.key("-")
    browser.key("-")
    expect(not zoom_button(page, "load"), "- does not lead back")
    browser.key("+")
    browser.key("0")
    expect(not zoom_button(page, "load"), "0 does not lead back")
    browser.key("Escape")
    expect(page.ask("legend", "arrivals")["arrivals"] == "", "Escape leaves the cursor")

    # The first stops of the tabulator are the links that skip.
    browser.run("document.activeElement.blur(); scrollTo({ top: 0, behavior: 'instant' })")
    browser.run("getSelection().removeAllRanges(); document.querySelector('.skip a').focus()")
    seen = browser.run("document.activeElement.getBoundingClientRect().left")
    expect(seen >= 0, "the skip link cannot be seen")


def check_series(page):
    """A click on a name hides the series; a stack then stands on what is left."""
    browser = page.browser
    page.see("memory")
    page.leave()
    full = page.ask("coloured", "memory")
    heads = "[...test.panel('memory').querySelectorAll('.u-series:not(:first-child) th')]"
    browser.run(f"{heads}[1].click()")
    browser.settle()
    expect(browser.run(f"{heads}[1].getAttribute('aria-pressed')") == "false", "aria-pressed")
    legend = page.hover("memory", 0.52)
    at = page.nearest("memory", legend)
    wanted = page.panels["memory"]["series"][2]["values"][at] / 2 ** 30
    expect(abs(value_of(legend["mixed"])[0] - wanted) < 6e-4 * wanted, "stacked:", legend)
    page.leave()
    browser.run(f"{heads}[0].focus(); {heads}[0].click(); {heads}[2].click()")
    browser.settle()
    none = page.ask("coloured", "memory")
    expect(none < 0.01 * full, "with every series hidden there are", none, "coloured pixels of", full)
    browser.run(f"{heads}[1].focus()")
    browser.key(" ")
    expect(browser.run(f"{heads}[1].getAttribute('aria-pressed')") == "true", "the space bar does not show a series")
    browser.run(f"{heads}[0].click(); {heads}[2].click()")
    browser.settle()
    expect(abs(page.ask("coloured", "memory") - full) < 0.02 * full, "shown again it is not as before")


def check_tables(page):
    browser = page.browser
    browser.run("test.panel('instances_prompt').querySelector('details').open = true")
    browser.settle()
    rows = browser.run("""[...test.panel('instances_prompt').querySelectorAll('table.data')].map((t) =>
        [...t.rows].map((r) => [...r.cells].map((c) => c.textContent)))""")
    expect(len(rows) == 2 and len(rows[0]) == 49 and rows[0][13] == ["1,800", "9", "0", "0", "9"], "values:", rows[0][:14])
    expect(rows[1][1] == ["1,500", "hpa:prompt +3"], "marks:", rows[1])


def check_print(page):
    browser = page.browser
    browser.scheme("dark")
    browser.settle()
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.settle()
    found = browser.run("""({ look: document.documentElement.dataset.look, undrawn:
        [...document.querySelectorAll('.chart:not(.empty)')].filter((c) => !c.querySelector('canvas')).length,
        widest: Math.max(...[...document.querySelectorAll('.u-wrap')].map((w) => w.offsetWidth)) })""")
    expect(found == {"look": "light", "undrawn": 0, "widest": 690}, "on paper:", found)
    browser.run("dispatchEvent(new Event('afterprint'))")
    browser.settle()
    expect(browser.run("document.documentElement.dataset.look") == "dark", "after printing it is not dark again")
    pdf = browser.pdf()
    expect(pdf.startswith(b"%PDF") and len(pdf) > 50000, "printed:", len(pdf), "bytes")
    browser.scheme("light")


def check_theme_button(page):
    browser = page.browser
    looks = []
    for _ in range(3):
        browser.run("document.getElementById('theme').click()")
        browser.settle()
        looks.append(browser.run("document.documentElement.dataset.look"))
    expect(looks == ["light", "dark", "light"], "the button shows", looks)


def check_other_runs(page, payload):
    browser = page.browser
    for k, words in ((1, "SLO met"), (2, "There are no charts")):
        browser.run(f"document.querySelectorAll('.runs button')[{k}].click()")
        browser.settle()
        text = browser.run("document.getElementById('main').innerText")
        expect(words in text and payload["runs"][k]["verdict"]["text"] in text, "run", k, "says", text[:500])
        expect("Partial record" not in text, "run", k, "is called partial")
        expect(browser.run("document.activeElement.textContent") == payload["runs"][k]["name"], "the focus is lost")
    browser.run("document.querySelectorAll('.runs button')[1].click()")
    browser.settle()
    page.see("arrivals")
    page.see("one_cdf")
    expect(page.ask("coloured", "one_cdf") >= 0, "one value is not drawn")
    legend = page.hover("arrivals", 0.5)
    expect(value_of(legend["arrivals"])[0] == 0.2, "one value:", legend)
    browser.run("document.querySelectorAll('.runs button')[0].click()")
    browser.settle()


def check_narrow(page):
    browser = page.browser
    browser.resize(390, 800, 2)
    browser.settle()
    page.see("ttft")
    wide = browser.run("document.documentElement.scrollWidth")
    expect(wide <= 390, "on a narrow screen the page is", wide, "wide")
    width = browser.run("test.panel('ttft').querySelector('.u-wrap').offsetWidth")
    expect(200 < width < 390, "on a narrow screen a chart is", width, "wide")
    browser.resize(1280, 800)


def check_speed(browser, path):
    """Interactive within a second of the main thread's time: a busy machine must not decide."""
    browser.call("Performance.enable", timeDomain="threadTicks")
    browser.open(path)
    ready = browser.wait("document.documentElement.dataset.ready")
    browser.settle()
    metrics = {metric["name"]: metric["value"] for metric in browser.call("Performance.getMetrics")["metrics"]}
    drawn = browser.run("document.querySelectorAll('.uplot').length")
    panels = browser.run("document.querySelectorAll('.panel').length")
    print(f"large page: ready after {ready} ms, {metrics['TaskDuration']:.3f} s of the main thread, "
          f"{drawn} of {panels} charts drawn")
    expect(metrics["TaskDuration"] < 1, "the large page took", metrics["TaskDuration"], "s")
    expect(drawn < panels / 2, "charts out of sight were drawn:", drawn)


def check(payload_path, page_path, large_path):
    payload = json.load(open(payload_path, encoding="utf-8"))
    with chromium.Browser() as browser:
        browser.call("Network.enable")
        page = Page(browser, payload)
        for scheme in ("light", "dark"):
            browser.scheme(scheme)
            page.open(page_path)
            check_look(page, scheme)
        browser.scheme("light")
        page.open(page_path)
        for part in (check_words, check_hover, check_zoom, check_keys, check_series, check_tables, check_print,
                     check_theme_button, check_narrow):
            part(page)
        check_other_runs(page, payload)
        page.open(page_path)
        check_zoom_before_drawing(page)
        check_speed(browser, large_path)
        asked = {event["params"]["request"]["url"] for event in browser.events
                 if event.get("method") == "Network.requestWillBeSent"}
        expect(len(asked) == 2 and all(url.startswith("file://") for url in asked), "loads", asked)
        expect(browser.complaints() == [], "console:", browser.complaints())
    print(failures, "wrong")
    return failures > 0


if __name__ == "__main__":
    sys.exit({"make-large": make_large, "check": check}[sys.argv[1]](*sys.argv[2:]))
