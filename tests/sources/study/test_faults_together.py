"""Four faults of four kinds in one study file are four located messages, found in one go."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from community_routes.base.errors import CommunityRoutesError
from community_routes.base.notices import Notice, errors_in
from community_routes.sources.checks import check_service
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.places.opportunities import read_opportunities
from community_routes.sources.places.zones import read_zones
from community_routes.sources.study.file import read_study_file

STUDY = """\
study: town
service_date: 2031-03-05
streets: {crow_fly: {detour: 1.3}}
timetables: [bus.zip]
neighbourhoods:
  file: areas.geojson
  id: code
  population: {file: areas.csv, id: code, column: pepole}
destinations:
  work: {file: wrok.geojson, id: id}
travel: {cutofs_min: [30]}
"""
FEED = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,A,https://example.org,Europe/London\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nR,A,7,3\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "S,1,1,1,1,1,1,1,20240101,20241231\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\na,A,51.50,-3.00\nb,B,51.51,-3.00\n",
    "trips.txt": "route_id,service_id,trip_id\nR,S,T\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "T,08:00:00,08:00:00,a,1\nT,08:05:00,08:05:00,b,2\n",
}


def test_a_wrong_column_a_missing_file_a_day_without_service_and_a_misspelt_key(tmp_path: Path) -> None:
    ring = [[-3.0, 51.5], [-2.99, 51.5], [-2.99, 51.51], [-3.0, 51.5]]
    area = {
        "type": "Feature",
        "properties": {"code": "E01000001"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [area]})
    (tmp_path / "areas.geojson").write_text(text, encoding="utf-8")
    (tmp_path / "work.geojson").write_text(text, encoding="utf-8")
    (tmp_path / "areas.csv").write_text("code,people\nE01000001,5\n", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "bus.zip", "w") as archive:
        for name, table in FEED.items():
            archive.writestr(name, table)

    found: list[Notice] = []
    study = read_study_file(tmp_path / "study.yaml", found)
    feed = read_feed(study.timetables, notices=found)
    check_service(feed, study.dates["day"], found)
    for read in (
        lambda: read_zones(study.neighbourhoods, study.folder, found),
        lambda: read_opportunities(study.destinations, study.folder, {}, found),
    ):
        try:
            read()
        except CommunityRoutesError:
            continue
        raise AssertionError("a reader went on in spite of its faults")

    faults = sorted(errors_in(found), key=lambda notice: notice.code)
    assert [(n.code, n.file, n.row, n.column, n.value) for n in faults if n.file == "study.yaml"] == [
        ("missing_file", "study.yaml", 10, 16, "wrok.geojson"),
        ("unknown_column", "study.yaml", 8, 51, "pepole"),
        ("unknown_key", "study.yaml", 11, 10, "cutofs_min"),
    ]
    (service,) = [notice for notice in faults if notice.file != "study.yaml"]
    assert service.code == "no_service_on_date" and "2024" in service.message
    said = "\n".join(str(notice) for notice in faults)
    for hint in ("did you mean 'people'?", "did you mean 'work.geojson'?", "did you mean 'cutoffs_min'?"):
        assert hint in said
    assert len(faults) == 4
