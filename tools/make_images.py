"""Draws the pictures of the documents anew, from the sample borough, with the tool's own maps."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

import community_routes as cr
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


def main() -> None:
    """Evaluate the sample as it is today and write its maps."""
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_maps(cr.compare(today).results, folder)
        for name, source in WANTED.items():
            shrink(Path(folder) / "maps" / source, IMAGES / f"{name}.png")
            print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
