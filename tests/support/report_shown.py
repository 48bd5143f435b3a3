"""Opens a page of real runs and looks at every chart of each: report_shown.py PAGE PAYLOAD."""

import json
import sys

import chromium


def main(page, payload):
    runs = json.load(open(payload, encoding="utf-8"))["runs"]
    with chromium.Browser() as browser:
        browser.open(page)
        browser.wait("document.documentElement.dataset.ready")
        for number, run in enumerate(runs):
            browser.run(f"(document.querySelectorAll('.runs button')[{number}] || document.body).click()")
            browser.settle()
            assert run["verdict"]["text"] in browser.run("document.getElementById('main').innerText")
            panels = browser.run("document.querySelectorAll('.panel').length")
            for panel in range(panels):
                sight = f"document.querySelectorAll('.panel')[{panel}]"
                browser.run(f"{sight}.scrollIntoView({{behavior: 'instant'}})")
                browser.wait(f"{sight}.querySelector('.uplot, .empty') !== null")
            drawn = browser.run("document.querySelectorAll('.panel .uplot').length")
            empty = sum(all(value is None for series in panel["series"] for value in series["values"])
                        for panel in run["panels"])
            print(f"{run['name']}: {drawn} of {panels} charts drawn, {empty} without a value")
            assert panels == len(run["panels"]) and drawn >= panels - empty
        assert browser.complaints() == [], browser.complaints()


if __name__ == "__main__":
    main(*sys.argv[1:])
