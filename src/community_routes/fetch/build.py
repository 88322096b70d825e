"""Joins what was downloaded for an authority into the files of a study."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from community_routes.base.columns import NOTICES_COLUMNS
from community_routes.base.errors import FeedError, StreetsError, UsageError
from community_routes.base.notices import Notice, sort_notices
from community_routes.fetch.features import points_of, read_features
from community_routes.fetch.http import (
    TABLE_LIMIT,
    BadAnswerError,
    Client,
    FetchError,
    unusable,
    whole_number,
    write_whole,
)
from community_routes.fetch.options import Options
from community_routes.fetch.places import COUNTIES, REGIONS, counties_of, known_name, near_names, region_of
from community_routes.fetch.sources import Source
from community_routes.fetch.study import study_text
from community_routes.fetch.tables import (
    OWN_JOBS,
    Rows,
    census,
    census_columns,
    csv_bytes,
    deprivation_columns,
    is_pbf,
    is_table,
    is_zip,
    jobs_by_area,
    of_areas,
    read_as,
    read_rows,
)
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.originals import export_feed, with_originals
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.rows import without_unused
from community_routes.sources.osm.clip import Box, clip_streets
from community_routes.sources.study.file import study_schema
from community_routes.sources.study.yaml import STUDY_SCHEMA_NAME, schema_text

_CODE = re.compile(r"[EW]0[6789]\d{6}")
_AT_ONCE = 100  # codes in one question: its address stays under 2,000 letters
_WIMD = "https://www.gov.wales/welsh-index-multiple-deprivation"


@dataclass
class Town:
    """What is known so far of an authority, and where its files are built.

    ``told`` holds remarks for whoever asked.
    """

    client: Client
    sources: dict[str, Source]
    options: Options
    folder: Path
    code: str = ""
    name: str = ""
    areas: dict[str, dict[str, Any]] = field(default_factory=dict)
    box: Box = (0.0, 0.0, 0.0, 0.0)
    told: list[str] = field(default_factory=list)
    local: dict[str, Path] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """The LSOAs of the authority, sorted."""
        return sorted(self.areas)

    def has(self, part: str) -> bool:
        """Whether a part that may be left out is wanted."""
        return part not in self.options.without


def build_study(town: Town, authority: str, progress: Callable[[str], None]) -> None:
    """Download everything for an authority and write the files of its study into the town's folder.

    Raises
    ------
    UsageError
        No such authority, or something must be named with an option.
    FetchError
        A service failed, or gave less than it should.
    """
    find_authority(town, authority)
    region, counties = _places(town)
    if town.code.startswith("W") and town.has("deprivation") and town.options.deprivation is None:
        raise UsageError(
            f"{town.name} lies in Wales, whose index of deprivation is downloaded by hand: get the ranks by LSOA from "
            f"{_WIMD} and name the CSV file (columns with the LSOA code, rank and decile) with --deprivation FILE, or go on "
            "--without deprivation"
        )
    _write_areas(town)
    _write_centroids(town)
    _write_census(town)
    if town.has("deprivation"):
        _write_deprivation(town)
    _write_jobs(town)
    _write_streets(town, counties, progress)
    feed = _write_timetable(town, region, progress)
    if town.has("naptan"):
        _write_naptan(town, feed)
    write_whole(town.folder / STUDY_SCHEMA_NAME, schema_text(study_schema()).encode())
    write_whole(town.folder / "study.yaml", study_text(town.name, town.code, feed, town.folder).encode())


def find_authority(town: Town, text: str) -> None:
    """Find an authority by name or code, and its LSOAs with their wards."""
    source = town.sources["lookup"]
    fields = source.fields
    wanted = " ".join(text.split())
    by_code = _CODE.fullmatch(wanted.upper()) is not None
    wanted = wanted.upper() if by_code else known_name(wanted)
    column = fields["authority_code"] if by_code else fields["authority"]
    quoted = wanted.replace("'", "''")
    features = read_features(
        town.client,
        source,
        {"where": f"{column}='{quoted}'"},
        fields=[fields[key] for key in ("code", "name", "ward", "authority_code", "authority")],
    )
    if not features:
        near = near_names(text)
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        town.client.forget("lookup")
        raise UsageError(
            f"no authority of England or Wales is called {text!r}{hint} Write its name as the Office for National "
            "Statistics does, or its code, such as E06000008"
        )
    for feature in features:
        row = _properties(source, feature, list(fields.values()))
        code = str(row[fields["code"]])
        town.areas[code] = {"name": str(row[fields["name"]]), "ward": str(row[fields["ward"]])}
        town.code, town.name = str(row[fields["authority_code"]]), str(row[fields["authority"]])
    if len(town.areas) != len(features):
        said = f"{len(features)} rows hold {len(town.areas)} areas of {town.name}; each should stand once"
        raise unusable(source, f"{source.addresses[0]}: {said}")


def _places(town: Town) -> tuple[str, tuple[str, ...]]:
    """The region of the timetable and the extracts of the streets."""
    wales = town.code.startswith("W")
    region = town.options.region or ("wales" if wales else region_of(town.name))
    counties = town.options.counties or (("wales",) if wales else counties_of(town.name))
    lost = [option for option, value in (("--region", region), ("--county", counties)) if not value]
    if lost:
        raise UsageError(
            f"{town.name} ({town.code}) is not in the table of regions and counties; give {' and '.join(lost)}. Regions: "
            f"{', '.join(REGIONS)}. Counties: {', '.join(COUNTIES)}"
        )
    return region, counties


def _properties(source: Source, feature: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The cells of these columns, whatever the case of their names in the answer."""
    given = feature.get("properties") or {}
    row = {str(name).casefold(): value for name, value in given.items()}
    lost = [column for column in columns if row.get(column.casefold()) is None]
    if lost:
        said = f"{source.addresses[0]}: a row has no {lost[0]!r}, only {', '.join(given)}"
        cure = f"give what the columns are called with --sources (`{source.key}: {{fields: {{...}}}}`)"
        raise unusable(source, said, instead=cure)
    return {column: row[column.casefold()] for column in columns}


def _by_code(town: Town, key: str, column: str) -> list[dict[str, Any]]:
    """Features of a layer for the authority's areas."""
    source = town.sources[key]
    found: list[dict[str, Any]] = []
    codes = town.codes
    fields = list(dict.fromkeys([source.fields[column], *source.fields.values()]))
    for start in range(0, len(codes), _AT_ONCE):
        listed = ",".join(f"'{code}'" for code in codes[start : start + _AT_ONCE])
        where = {"where": f"{source.fields[column]} IN ({listed})"}
        found += read_features(town.client, source, where, fields=fields, shapes=True)
    return found


def _points_of(source: Source, feature: dict[str, Any], code: str, *, areas: bool = False) -> list[tuple[float, float]]:
    """The points of a feature; a fault names the service and the area."""
    try:
        return points_of(feature, areas=areas)
    except BadAnswerError as wrong:
        raise unusable(source, f"{source.addresses[0]}: {code} {wrong}") from None


def _once_each(town: Town, key: str, *, areas: bool = False) -> dict[str, tuple[Any, list[tuple[float, float]]]]:
    """The geometry of each area (or of its point), which must be there once, with its points."""
    source = town.sources[key]
    column = source.fields["code"]
    found: dict[str, tuple[Any, list[tuple[float, float]]]] = {}
    features = _by_code(town, key, "code")
    for feature in features:
        code = str(_properties(source, feature, [column])[column])
        found[code] = feature.get("geometry"), _points_of(source, feature, code, areas=areas)
    lost = sorted(set(town.areas) - set(found))
    if lost or len(features) != len(town.areas):
        said = f"{len(features)} rows came for the {len(town.areas)} areas of {town.name}"
        said += f"; not there: {', '.join(lost[:5])}" if lost else ""
        raise unusable(source, f"{source.addresses[0]}: {said}")
    return {code: found[code] for code in town.codes}


def _write_areas(town: Town) -> None:
    shapes = _once_each(town, "boundaries", areas=True)
    features = [
        {
            "type": "Feature",
            "properties": {"LSOA21CD": code, "LSOA21NM": town.areas[code]["name"], "ward": town.areas[code]["ward"]},
            "geometry": shape,
        }
        for code, (shape, _) in shapes.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    write_whole(town.folder / "lsoa.geojson", text.encode())
    points = np.array([point for _, own in shapes.values() for point in own])
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    if not (-9 <= west <= east <= 3 and 49 <= south <= north <= 61):
        said = f"the areas of {town.name} lie at {west:.4g},{south:.4g} to {east:.4g},{north:.4g}: no degrees in Great Britain"
        raise unusable(town.sources["boundaries"], said)
    up = town.options.buffer_km / 111.195
    across = up / math.cos(math.radians((south + north) / 2))
    low = [math.floor((value - by) * 1e4) / 1e4 for value, by in ((west, across), (south, up))]
    high = [math.ceil((value + by) * 1e4) / 1e4 for value, by in ((east, across), (north, up))]
    town.box = (low[0], low[1], high[0], high[1])


def _write_centroids(town: Town) -> None:
    rows = []
    for code, (_, own) in _once_each(town, "centroids").items():
        lon, lat = own[0]
        rows.append({"LSOA21CD": code, "lon": f"{lon:.6f}", "lat": f"{lat:.6f}"})
    write_whole(town.folder / "centroids.csv", csv_bytes(rows, ["LSOA21CD", "lon", "lat"]))


def _write_census(town: Town) -> None:
    tables = ["population", *(table for table in ("ethnicity", "cars") if town.has(table))]
    joined: dict[str, dict[str, str]] = {code: {"LSOA21CD": code} for code in town.codes}
    columns = ["LSOA21CD"]
    for table in tables:
        source = town.sources[table]
        rows = census(town.client, source, town.codes)
        names = census_columns(table, source, next(iter(rows.values())))
        columns += names
        for code, row in rows.items():
            for ours, theirs in names.items():
                if whole_number(row[theirs].strip()) is None:
                    raise unusable(
                        source, f"{source.addresses[0]}: {code}: {row[theirs][:40]!r} is no number of {ours}"
                    )
                joined[code][ours] = row[theirs].strip()
    write_whole(town.folder / "census.csv", csv_bytes(list(joined.values()), columns))


def _write_deprivation(town: Town) -> None:
    """Write ranks and deciles; where they are by the areas of 2011, a lookup beside them."""
    own = town.options.deprivation
    if own is not None:
        rows = _own_rows("--deprivation", own)
        if not rows:
            raise UsageError(f"--deprivation {own.name}: the table has no rows")
        try:
            columns = deprivation_columns(rows[0], own.name, ours=True)
        except BadAnswerError as wrong:
            raise UsageError(f"--deprivation {own.name}: {wrong}") from None
        known = {row[columns["code"]].strip() for row in rows}
        by_2011 = len(known & set(town.areas)) < 0.95 * len(town.areas)
        source = Source("deprivation", f"--deprivation {own.name}", (own.name,), "that of the file")
        town.local["deprivation"] = own
    else:
        source = town.sources[f"imd_{town.options.imd}"]
        kept = town.client.get(source, source.addresses, is_table, most=TABLE_LIMIT)
        rows = read_as(source, kept, read_rows)
        columns = read_as(source, kept, lambda path: deprivation_columns(rows[0], "the table"))
        by_2011 = town.options.imd == 2019
    codes = _write_lookup(town) if by_2011 else town.codes
    found = _rows_of(town, source, rows, columns["code"], codes)
    heads = {"code": "LSOA11CD" if by_2011 else "LSOA21CD"}
    named = [
        {heads.get(ours, ours): row[theirs].strip().replace(",", "") for ours, theirs in columns.items()}
        for row in found
    ]
    write_whole(town.folder / "deprivation.csv", csv_bytes(named, [heads.get(ours, ours) for ours in columns]))


def _own_rows(option: str, path: Path) -> Rows:
    """The rows of a table of the caller's."""
    try:
        return read_rows(path)
    except BadAnswerError as wrong:
        raise UsageError(f"{option} {path.name}: {wrong}") from None


def _rows_of(town: Town, source: Source, rows: Rows, column: str, codes: Sequence[str]) -> Rows:
    if source.key == "deprivation":
        index = {row[column].strip(): row for row in rows}
        lost = [code for code in codes if code not in index]
        if lost:
            raise UsageError(
                f"{source.title}: {len(lost)} of the {len(codes)} areas of {town.name} have no row: {', '.join(lost[:5])}; "
                "a table of all LSOAs of 2011 or of 2021 is needed"
            )
        return [index[code] for code in codes]
    kept = town.client.used[source.key][-1]
    return list(of_areas(source, kept, rows, column, codes).values())


def _write_lookup(town: Town) -> list[str]:
    """Write which areas of 2011 the areas of 2021 came from; gives the codes of 2011."""
    source = town.sources["lsoa_2011"]
    old, new = source.fields["old"], source.fields["code"]
    pairs = sorted(
        {
            (str(row[old]), str(row[new]))
            for row in (_properties(source, feature, [old, new]) for feature in _by_code(town, "lsoa_2011", "code"))
        }
    )
    lost = sorted(set(town.areas) - {pair[1] for pair in pairs})
    if lost:
        raise unusable(source, f"{source.addresses[0]}: no area of 2011 for {', '.join(lost[:5])}")
    rows = [{"LSOA11CD": a, "LSOA21CD": b} for a, b in pairs]
    write_whole(town.folder / "lsoa_2011_to_2021.csv", csv_bytes(rows, ["LSOA11CD", "LSOA21CD"]))
    return sorted({pair[0] for pair in pairs})


def _write_jobs(town: Town) -> None:
    """Write jobs.csv from the caller's file or the survey."""
    columns = ["id", "name", "lon", "lat", "jobs"]
    own = town.options.jobs
    if own is not None:
        rows = _own_rows("--jobs", own)
        lost = [column for column in ("id", "lon", "lat", "jobs") if not rows or column not in rows[0]]
        if lost:
            raise UsageError(
                f"--jobs {own.name}: a table with the columns id, lon, lat and jobs is needed; {', '.join(lost)} missing"
            )
        write_whole(town.folder / "jobs.csv", csv_bytes([{"name": "", **row} for row in rows], columns))
        town.local["jobs"] = own
        return
    if not town.has("jobs"):
        return
    source, points = town.sources["jobs"], town.sources["job_points"]
    try:
        jobs = jobs_by_area(town.client, source)
    except FetchError as wrong:
        if not wrong.refused:
            raise
        town.told.append(
            f"jobs are left out, because the survey is not available: {str(wrong).splitlines()[0]}; name a file with --jobs"
        )
        return
    question = {
        "geometry": ",".join(f"{value:g}" for value in town.box), "geometryType": "esriGeometryEnvelope", "inSR": "4326",
        "spatialRel": "esriSpatialRelIntersects",
    }  # fmt: skip
    column = points.fields["code"]
    rows = []
    for feature in read_features(town.client, points, question, fields=[column], shapes=True):
        code = str(_properties(points, feature, [column])[column])
        if code not in jobs:
            said = f"{source.addresses[0]}: no row for {code} of {len(jobs):,} areas that came"
            raise unusable(source, said, instead=OWN_JOBS)
        lon, lat = _points_of(points, feature, code)[0]
        rows.append({"id": code, "name": code, "lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "jobs": jobs[code]})
    if not rows:
        raise unusable(
            points, f"{points.addresses[0]}: no area of 2011 lies in or around {town.name}", instead=OWN_JOBS
        )
    rows.sort(key=lambda row: row["id"])
    write_whole(town.folder / "jobs.csv", csv_bytes(rows, columns))


def _write_streets(town: Town, counties: Sequence[str], progress: Callable[[str], None]) -> None:
    source = town.sources["streets"]
    extracts = []
    for county in counties:
        place = county if county == "wales" else f"england/{county}"
        kept = town.client.get(source, [address.replace("{place}", place) for address in source.addresses], is_pbf)
        extracts.append(kept.path)
    progress("cutting the streets to the area")
    try:
        clip_streets(extracts, town.box, town.folder / "streets.osm.pbf")
    except StreetsError as wrong:
        said = f"{', '.join(counties)}: {wrong}"
        raise unusable(source, said, instead="name the extracts with --county") from None
    town.told.append(
        f"streets are those of {', '.join(counties)}; where the buffer of {town.options.buffer_km:g} km reaches into a "
        "neighbouring county, name both with --county"
    )


def _write_timetable(town: Town, region: str, progress: Callable[[str], None]) -> Feed:
    source = town.sources["timetable"]
    kept = town.client.get(source, [address.replace("{region}", region) for address in source.addresses], is_zip)
    progress("cutting the timetable to the area")
    found: list[Notice] = []
    try:
        feed = _clipped(kept.path, town.box, f"{region}.zip", found)
    except FeedError as wrong:
        said = f"{kept.address}: the timetable cannot be used: {wrong}"
        raise unusable(source, said, instead="name the region with --region") from None
    stamp = dt.date.fromisoformat(kept.date) if kept.date else dt.date(1980, 1, 1)
    export_feed(with_originals(feed), feed, [kept.path], town.folder / "bus.zip", date_stamp=stamp)
    if town.options.rail is not None:
        try:
            rail = _clipped(town.options.rail, town.box, town.options.rail.name, found)
        except FeedError as wrong:
            raise UsageError(f"--rail {town.options.rail.name}: the timetable cannot be used: {wrong}") from None
        export_feed(with_originals(rail), rail, [town.options.rail], town.folder / "rail.zip", date_stamp=stamp)
        town.local["rail"] = town.options.rail
    _write_notices(town, found)
    return feed


def _clipped(path: Path, box: Box, name: str, found: list[Notice]) -> Feed:
    """A timetable narrowed to a box; its notices bear a name that tells something, which that of a download does not."""
    notices: list[Notice] = []
    try:
        return without_unused(read_feed(path, area=box, notices=notices))
    except FeedError as wrong:
        raise FeedError(str(wrong).replace(f"{path.name}/", "").replace(path.name, "the zip")) from None
    finally:
        found += [replace(n, file=n.file.replace(path.name, name, 1)) for n in sort_notices(notices)]


def _write_notices(town: Town, found: list[Notice]) -> None:
    """Write what reading the whole timetables found: what was left out there cannot be seen in those that were cut."""
    rows = [{name: "" if (cell := getattr(n, name)) is None else str(cell) for name in NOTICES_COLUMNS} for n in found]
    write_whole(town.folder / "timetable_notices.csv", csv_bytes(rows, NOTICES_COLUMNS))
    kinds = Counter(notice.code for notice in found if notice.severity == "warning")
    if kinds:
        listed = ", ".join(f"{code} ({n})" for code, n in sorted(kinds.items()))
        town.told.append(f"reading the whole timetable gave warnings, listed in timetable_notices.csv: {listed}")


def _write_naptan(town: Town, feed: Feed) -> None:
    """Stops of the national register in the box; its area codes are the first three digits of the timetable's stops."""
    source = town.sources["naptan"]
    west, south, east, north = town.box
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    ids = [str(stop) for stop in feed.stops["stop_id"].to_numpy()[inside]]
    areas = sorted({stop[:3] for stop in ids if re.match(r"\d{4}", stop) and not stop.startswith("9")})
    if not areas:
        town.told.append("NaPTAN is left out: no stop of the timetable bears a code of the register")
        return
    addresses = [address.replace("{areas}", ",".join(areas)) for address in source.addresses]
    kept = town.client.get(source, addresses, is_table, most=TABLE_LIMIT)
    rows = read_as(source, kept, read_rows)
    lost = [column for column in ("ATCOCode", "Longitude", "Latitude") if column not in rows[0]]
    if lost:
        raise unusable(source, f"{kept.address}: no column {lost[0]!r}", instead="go on --without naptan")
    known = {row["ATCOCode"] for row in rows}
    share = sum(stop in known for stop in ids) / len(ids)
    if share < 0.5:
        said = f"only {share:.0%} of the {len(ids):,} stops of the timetable are among the {len(rows):,} rows that came"
        raise unusable(source, f"{kept.address}: {said}", instead="go on --without naptan")
    near = [row for row in rows if _lies_in(row, town.box)]
    write_whole(town.folder / "naptan.csv", csv_bytes(near, list(rows[0])))


def _lies_in(row: dict[str, str], box: Box) -> bool:
    try:
        lon, lat = float(row["Longitude"]), float(row["Latitude"])
    except ValueError:  # many rows have the British grid alone
        return False
    return box[0] <= lon <= box[2] and box[1] <= lat <= box[3]
