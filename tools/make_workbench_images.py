"""Takes the pictures of docs/workbench.md: the workbench on a study in Debian's Chromium, with a route drawn on it.

    python tools/make_workbench_images.py [--study STUDY] [--scenario FILE] [--out FOLDER]

The page is used as a reader of the document would use it; only the size and the colours are set from outside.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from make_images import shrink

ROOT = Path(__file__).resolve().parents[1]
NEWPORT = ROOT / "tests" / "acceptance" / "newport"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
READY_MS = 600_000


@contextmanager
def workbench(study: Path, scenario: Path) -> Iterator[str]:
    """The workbench as a process that writes nothing; the address that it prints."""
    command = [sys.executable, "-m", "community_routes.cli", "workbench", str(study), str(scenario)]
    process = subprocess.Popen([*command, "--no-browser", "--read-only"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield next(found.group(0) for line in process.stdout if (found := re.search(r"http://\S+", line)))
    finally:
        process.terminate()
        process.wait()


def answered(page: Page) -> None:
    """Wait for the figures of what is on the screen."""
    page.wait_for_timeout(200)
    page.locator('#answer[aria-busy="false"]').wait_for(timeout=READY_MS)
    page.wait_for_timeout(400)


def drawn(page: Page) -> None:
    """The form of the route open, its stops to be dragged."""
    page.locator(".sentence-button").first.click()


def wide(page: Page) -> None:
    """A neighbourhood that gains, with its journeys, the last of them drawn."""
    page.locator(".find summary").click()
    select = page.locator("#find").get_by_label("Neighbourhood")
    best = page.evaluate(
        """async () => { const { state } = await import("/static/state.js"), { id, change } = state.answer.neighbourhoods;
        return id[change.indexOf(Math.max(...change))]; }"""
    )
    select.select_option(best)
    page.locator(".find summary").click()
    trips = page.locator("#card .journeys summary")
    trips.first.wait_for(timeout=READY_MS)
    page.get_by_label("To", exact=True).select_option(label="Newport Retail Park")
    chosen = page.locator("#card .journeys").last.locator("summary").filter(has_text="Newport Retail Park")
    chosen.wait_for(timeout=READY_MS)
    chosen.click()
    page.locator("#card").evaluate("(card) => card.scrollIntoView()")


def text(page: Page) -> None:
    """The text, with a stop misspelt."""
    page.locator("#as-text").click()
    area = page.locator("#text")
    area.fill(area.input_value().replace("Spytty Lane", "Spitty Lane"))
    page.locator("#text-faults .fault").first.wait_for(timeout=READY_MS)


PICTURES: dict[str, tuple[tuple[int, int], Any, Callable[[Page], None]]] = {
    "drawn": ((1280, 800), "light", drawn),
    "wide": ((1920, 1080), "dark", wide),
    "text": ((1280, 800), "light", text),
}


def main() -> None:
    """Take them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--study", type=Path, default=NEWPORT / "study.yaml")
    options.add_argument("--scenario", type=Path, default=NEWPORT / "scenarios" / "cross-town.yaml")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "workbench")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with workbench(chosen.study, chosen.scenario) as address, sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, ((width, height), scheme, act) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.add_init_script("try { localStorage.setItem('workbench-tour', 'seen'); } catch (e) {}")
            page.goto(address)
            page.wait_for_selector('html[data-ready="yes"]', timeout=READY_MS)
            act(page)
            answered(page)
            path = chosen.out / f"{name}.png"
            page.screenshot(path=path)
            page.close()
            shrink(path, path, width=1280, colours=224)
            print(path)
        browser.close()


if __name__ == "__main__":
    main()
