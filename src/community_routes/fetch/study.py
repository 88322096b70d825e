"""Writes the study file of an authority whose data was fetched."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

from community_routes.sources.checks import count_trips, usual_date
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.dates import bank_holiday, school_holiday
from community_routes.sources.study.models import day_type
from community_routes.sources.study.yaml import schema_hint


def service_dates_of(feed: Feed) -> dict[str, dt.date]:
    """An ordinary weekday of the feed (no holiday where there is a choice), and the Saturday and Sunday after it."""
    days = count_trips(feed)
    usual = usual_date(feed)
    near = sorted(range(-52, 53), key=lambda weeks: (abs(weeks), weeks < 0))
    dates = [usual + dt.timedelta(weeks=weeks) for weeks in near]
    served = [date for date in dates if days.on(date) > 0.8 * days.on(usual)]
    calm = [date for date in served if bank_holiday(date) is None and school_holiday(date) is None]
    chosen = (calm or served or [usual])[0]
    found = {day_type(chosen): chosen}
    for ahead in range(1, 7):
        date = chosen + dt.timedelta(days=ahead)
        if day_type(date) not in found and day_type(date) != "weekday" and days.on(date):
            found[day_type(date)] = date
    return found


def study_text(name: str, code: str, feed: Feed, folder: Path) -> str:
    """The study file for the files in a folder, with comments that say what can be changed."""
    census = _heading(folder / "census.csv")
    rail = (folder / "rail.zip").is_file()
    dates = service_dates_of(feed)
    calendar = ", ".join(f"{day}: {date.isoformat()}" for day, date in dates.items())
    weekend = [day for day in dates if day != "weekday"]
    lines = [
        schema_hint(),
        f"# {name} ({code}), written by `community-routes fetch`. Where each file comes from, and its licence: sources.json.",
        f"study: {re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}",
        f"title: {json.dumps(name, ensure_ascii=False)}",
        f"service_date: {{{calendar}}}",
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
        "  employment: {osm: {landuse: [industrial, commercial, retail]}}    # employment zones by their land use; each counts 1",
        "  shared_spaces:",
        "    osm:",
        "      amenity: [library, community_centre, place_of_worship, social_centre, arts_centre, theatre, cinema, marketplace]",
        "      leisure: [park, sports_centre, swimming_pool, playground]",
    ]
    if (folder / "jobs.csv").is_file():
        lines.append("  jobs: {file: jobs.csv, id: id, name: name, lon: lon, lat: lat, amount: jobs}")
    else:
        lines.append(
            "  # jobs: {file: jobs.csv, id: id, lon: lon, lat: lat, amount: jobs}    # fetch --jobs FILE adds your own"
        )
    if "weekday" in dates:
        lines += [
            "travel:",
            "  windows:",
            "    morning_peak: {time: 07:00-09:00, days: [weekday]}",
            "    evening: {time: 18:00-22:00, days: [weekday]}",
        ]
        if weekend:
            lines.append(f"    weekend_day: {{time: 10:00-16:00, days: [{', '.join(weekend)}]}}")
    return "\n".join(lines) + "\n"


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
