"""Writes the study file of an authority whose data was fetched."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from community_routes.fetch.days import ordinary_days
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import schema_hint

EMPLOYMENT_TAGS = {"landuse": ["industrial", "commercial", "retail"]}
SHARED_TAGS = {
    "amenity": [
        "library", "community_centre", "place_of_worship", "social_centre", "arts_centre", "theatre", "cinema", "marketplace"
    ],
    "leisure": ["park", "sports_centre", "swimming_pool", "playground"],
}  # fmt: skip
"""What OpenStreetMap calls employment zones and shared spaces."""


def study_text(name: str, code: str, feed: Feed, folder: Path) -> str:
    """The study file for the files in a folder, with comments that say what can be changed."""
    census = _heading(folder / "census.csv")
    rail = (folder / "rail.zip").is_file()
    dates = ordinary_days(feed).dates
    lines = [
        schema_hint(),
        f"# {name} ({code}), written by `community-routes fetch`. Where each file comes from, and its licence: sources.json.",
        f"study: {re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}",
        f"title: {json.dumps(name, ensure_ascii=False)}",
        f"service_date: {calendar_text(dates)}",
        "streets: {osm: streets.osm.pbf}",
        f"timetables: [bus.zip{', rail.zip' if rail else ''}]"
        + (
            ""
            if rail
            else "    # buses alone: trains are not in the Bus Open Data Service; add a GTFS of them with --rail FILE"
        ),
        "neighbourhoods:",
        "  file: lsoa.geojson",
        "  id: LSOA21CD",
        "  name: LSOA21NM",
        "  group: ward",
        "  origin_points: {file: centroids.csv, id: LSOA21CD, lon: lon, lat: lat}",
        "  population: {file: census.csv, id: LSOA21CD, column: residents}",
    ]
    if (folder / "deprivation.csv").is_file():
        lines += _deprivation_lines(_heading(folder / "deprivation.csv"))
    if "asian" in census:
        lines += [
            "  groups:",
            "    file: census.csv",
            "    id: LSOA21CD",
            "    columns: {asian: asian, black: black, mixed: mixed, white: white, other: other}",
        ]
    if "no_car" in census:
        lines.append("  # census.csv also has households and no_car (households without a car or van), by LSOA")
    lines += [
        "destinations:",
        *osm_lines("employment", EMPLOYMENT_TAGS, "employment zones by their land use; each counts 1"),
        *osm_lines("shared_spaces", SHARED_TAGS),
    ]
    if (folder / "jobs.csv").is_file():
        lines.append("  jobs: {file: jobs.csv, id: id, name: name, lon: lon, lat: lat, amount: jobs}")
    else:
        lines.append(
            "  # jobs: {file: jobs.csv, id: id, lon: lon, lat: lat, amount: jobs}    # fetch --jobs FILE adds your own"
        )
    lines += travel_lines(dates)
    return "\n".join(lines) + "\n"


def calendar_text(dates: Mapping[str, dt.date]) -> str:
    """Days and dates as the key `service_date` takes them."""
    return f"{{{', '.join(f'{day}: {date.isoformat()}' for day, date in dates.items())}}}"


def osm_lines(key: str, tags: Mapping[str, Sequence[str]], remark: str = "") -> list[str]:
    """Destinations that are read from the streets file by their tags."""
    said = f"    # {remark}" if remark else ""
    if len(tags) == 1:
        ((tag, values),) = tags.items()
        return [f"  {key}: {{osm: {{{tag}: [{', '.join(values)}]}}}}{said}"]
    return [f"  {key}:{said}", "    osm:", *(f"      {tag}: [{', '.join(values)}]" for tag, values in tags.items())]


def travel_lines(dates: Mapping[str, dt.date]) -> list[str]:
    """Windows that are asked for on the days on which they mean something: a morning peak is none on a Sunday."""
    if "weekday" not in dates:
        return []
    weekend = [day for day in dates if day != "weekday"]
    lines = [
        "travel:",
        "  windows:",
        "    morning_peak: {time: 07:00-09:00, days: [weekday]}",
        "    evening: {time: 18:00-22:00, days: [weekday]}",
    ]
    return [*lines, f"    weekend_day: {{time: 10:00-16:00, days: [{', '.join(weekend)}]}}"] if weekend else lines


def _heading(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()[0].split(",")


def _deprivation_lines(heading: list[str]) -> list[str]:
    parts = ["rank: rank", "decile: decile"]
    if "income_rank" in heading:
        parts.append("income_rank: income_rank")
    if "LSOA11CD" not in heading:
        return [f"  deprivation: {{file: deprivation.csv, id: LSOA21CD, {', '.join(parts)}}}"]
    leads = "{file: lsoa_2011_to_2021.csv, from: LSOA11CD, to: LSOA21CD}"
    return [
        "  deprivation:    # by the LSOAs of 2011; the lookup leads to those of 2021",
        f"    {{file: deprivation.csv, id: LSOA11CD, {', '.join(parts)}, lookup: {leads}}}",
    ]
