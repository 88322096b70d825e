"""Draws the pictures of the documents anew, from the sample borough, with the tool's own maps."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image

import community_routes as cr
from community_routes.cli import run_command
from community_routes.report.pictures import write_maps

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH = 1000
WANTED = {
    "jobs-morning-peak": "today-employment-weekday-morning_peak.png",
    "spaces-morning-peak": "today-shared_spaces-weekday-morning_peak.png",
}


def shrink(source: Path, target: Path, *, width: int = WIDTH, colours: int = 96) -> None:
    """A picture small enough for a page: few colours, and without the empty margin at the sides."""
    picture = Image.open(source).convert("RGB")
    box = Image.eval(picture.convert("L"), lambda grey: 255 if grey < 250 else 0).getbbox()
    if box is not None:
        picture = picture.crop((max(box[0] - 12, 0), 0, min(box[2] + 12, picture.width), picture.height))
    height = round(width * picture.height / picture.width)
    picture.resize((width, height), Image.Resampling.LANCZOS).quantize(colours, kmeans=2).save(target, optimize=True)


def photograph(page: Path, name: str) -> None:
    """The first screen of a page in a browser (Chromium), as a small picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools, tempfile.TemporaryDirectory() as folder:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = tools.chromium.launch(executable_path=program, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        view.goto(page.absolute().as_uri())
        view.wait_for_timeout(1500)
        view.screenshot(path=str(Path(folder) / "page.png"))
        browser.close()
        shrink(Path(folder) / "page.png", IMAGES / f"{name}.png", width=900, colours=128)
    print(IMAGES / f"{name}.png")


def main() -> None:
    """Evaluate the sample and write its maps; photograph its report and the map of its inputs."""
    with tempfile.TemporaryDirectory() as folder:
        study, scenarios = str(cr.sample_study()), [str(path) for path in cr.sample_scenarios()]
        run_command(["run", study, *scenarios, "--out", f"{folder}/run", "--no-maps", "--no-keep-inputs", "--quiet"])
        photograph(Path(folder) / "run" / "report.html", "report")
        run_command(["check", study, "--map", f"{folder}/inputs.html"])
        photograph(Path(folder) / "inputs.html", "inputs")
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_maps(cr.compare(today).results, folder)
        for name, source in WANTED.items():
            shrink(Path(folder) / "maps" / source, IMAGES / f"{name}.png")
            print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
