"""A study from files of one's own: what each file is, which column is what, which dates, and that the study can be read."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.fetch.areas import choose_areas
from community_routes.fetch.columns import (
    amount_column,
    deprivation_columns,
    group_columns,
    id_columns,
    name_column,
    people_column,
    ward_column,
)
from community_routes.fetch.days import ordinary_days
from community_routes.fetch.look import files_of, look_at
from community_routes.fetch.propose import Proposal, propose_study
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.places.coordinates import coordinates_of, words
from community_routes.sources.places.table import Table, read_table
from community_routes.sources.study.file import StudyFile, read_study_file
from conftest import shared_data
from feed_zip import feed_zip

ROOT = Path(__file__).resolve().parents[2]


def table(tmp_path: Path, text: str, name: str = "table.csv") -> Table:
    """A table of text as the program reads it."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = read_table(path, {}, [])
    assert found is not None
    return found


def squares(path: Path, codes: list[str], **more: list[object]) -> Path:
    """Squares of 0.01 degrees in a row to the east from 3 degrees west, where the stops of the good feed are."""
    features = []
    for i, code in enumerate(codes):
        x, y = -3.0 + i * 0.01, 51.595
        ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
        properties = {"code": code, **{key: values[i] for key, values in more.items()}}
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def proposed(folder: Path, out: Path | None = None, **options: object) -> tuple[Proposal, StudyFile]:
    """What is proposed of a folder, and the study as the program reads it back."""
    looks = [look for path in files_of([folder]) for look in look_at(path)]
    path = out or folder / "study.yaml"
    proposal = propose_study(looks, path, **options)  # type: ignore[arg-type]
    path.write_text(proposal.text, encoding="utf-8")
    return proposal, read_study_file(path)


_RANK = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"
_DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
_INCOME = "Income Rank (where 1 is most deprived)"
_CHILDREN = "Income Deprivation Affecting Children Index (IDACI) Rank (where 1 is most deprived)"
_SHORT = {"rank": "IMD_rank", "decile": "IMD_decile", "income_rank": "Income_rank"}


@pytest.mark.parametrize(
    ("headings", "found"),
    [
        ("lsoa11_code,IMD_rank,Income_rank,Crime_rank,IMD_decile", _SHORT),
        (
            f"LSOA code (2021),{_RANK},{_DECILE},{_CHILDREN},{_INCOME}",
            {"rank": _RANK, "decile": _DECILE, "income_rank": _INCOME},
        ),
        ("code,rank", {"rank": "rank"}),
        ("code,Employment Rank,Health decile", {}),
    ],
)
def test_columns_of_deprivation_as_publishers_head_them(tmp_path: Path, headings: str, found: dict[str, str]) -> None:
    """The overall rank and decile, and income alone; never a domain, nor income among children."""
    width = headings.count(",")
    assert deprivation_columns(table(tmp_path, f"{headings}\nE01000001{',1' * width}\n")) == found


def test_columns_of_places_residents_and_groups(tmp_path: Path) -> None:
    """Each by its heading in whatever spelling, and only where the cells are of the kind."""
    census = table(
        tmp_path,
        "LSOA21CD,LSOA21NM,Total: All usual residents,WhiteBrit,Irish,Indian,BlkAfrican,Mixed,Ward Name,Long,Lat\n"
        "E01000001,Town 001A,100,40,5,30,15,10,Mill,-3.01,51.6\n"
        "E01000002,Town 001B,200,80,10,60,30,20,Mill,-3.00,51.6\n"
        "E01000003,Town 002A,300,120,15,90,45,30,Hill,-2.99,51.6\n"
        "E01000004,Town 002B,400,160,20,120,60,40,Hill,-2.98,51.6\n",
    )
    assert id_columns(census)[0] == "LSOA21CD"
    assert name_column(census, "LSOA21CD") == "LSOA21NM"
    assert people_column(census) == "Total: All usual residents"
    groups = {"white": ["WhiteBrit", "Irish"], "asian": ["Indian"], "black": ["BlkAfrican"], "mixed": ["Mixed"]}
    assert group_columns(census) == groups
    assert ward_column(census, 4) == "Ward Name"
    assert coordinates_of(census.columns) == ("Long", "Lat", None)
    assert amount_column(census) is None
    assert words("WhiteBrit") == words("white_brit") == "white brit"


def test_metres_of_the_british_grid_are_coordinates_too(tmp_path: Path) -> None:
    """Eastings and northings where there are no degrees; text under such a heading is none."""
    grid = table(tmp_path, "id,Easting,Northing\na,330024.7,188534.2\nb,330100,188600\n")
    assert coordinates_of(grid.columns) == ("Easting", "Northing", "EPSG:27700")
    assert coordinates_of(table(tmp_path, "id,x,y\na,left,up\nb,right,down\n").columns) is None


def test_ordinary_days_are_in_term_and_the_weekend_after(tmp_path: Path) -> None:
    """One trip every day of 2024, and a second on weekdays: the middle ordinary Tuesday, its Saturday and Sunday."""
    calendar = (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20240101,20241231\nsat,0,0,0,0,0,1,0,20240101,20241231\n"
    )
    trips = "route_id,service_id,trip_id\nR7,daily,T1\nR7,sat,T2\n"
    feed = read_feed(feed_zip(tmp_path / "bus.zip", calendar=calendar, trips=trips), notices=[])
    found = ordinary_days(feed)
    assert [f"{day} {date:%a}" for day, date in found.dates.items()] == ["weekday Tue", "saturday Sat", "sunday Sun"]
    assert found.dates["saturday"] - found.dates["weekday"] == dt.timedelta(days=4)
    assert found.dates["sunday"] - found.dates["weekday"] == dt.timedelta(days=5)
    assert (
        dt.date(2024, 6, 1) < found.dates["weekday"] < dt.date(2024, 7, 20)
    )  # the middle of term dates, before the summer


def test_two_timetables_that_overlap_for_a_week_do_not_make_it_the_busiest(tmp_path: Path) -> None:
    """T1 runs to 7 June, T2 from 3 June: in the week of both, twice as many run, and no ordinary day lies in it."""
    calendar = (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "old,1,1,1,1,1,0,0,20240415,20240607\nnew,1,1,1,1,1,0,0,20240603,20240719\n"
    )
    trips = "route_id,service_id,trip_id\nR7,old,T1\nR7,new,T2\n"
    feed = read_feed(feed_zip(tmp_path / "bus.zip", calendar=calendar, trips=trips), notices=[])
    found = ordinary_days(feed)
    assert not dt.date(2024, 6, 3) <= found.dates["weekday"] <= dt.date(2024, 6, 7)
    assert list(found.dates) == ["weekday"]
    assert found.remarks == ("no Saturday and no Sunday has service in all the timetables, so the study has none",)


def test_a_timetable_cut_to_a_weekday_gives_no_weekend(tmp_path: Path) -> None:
    """T1 runs daily and T2 on weekdays: what is left of the Saturday is half, and no service is of weekends only."""
    calendar = (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20240101,20241231\nweekdays,1,1,1,1,1,0,0,20240101,20241231\n"
    )
    trips = "route_id,service_id,trip_id\nR7,daily,T1\nR7,weekdays,T2\n"
    feed = read_feed(feed_zip(tmp_path / "bus.zip", calendar=calendar, trips=trips), notices=[])
    found = ordinary_days(feed)
    assert list(found.dates) == ["weekday"]
    assert found.remarks[0].startswith("Saturdays and Sundays are left out")


def test_holidays_are_those_of_the_country(tmp_path: Path) -> None:
    """6 December is Finland's day of independence and an ordinary Friday in England; English school holidays bind no Finn."""
    calendar = (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,0,0,0,0,1,0,0,20241206,20241206\nlate,0,0,0,0,1,0,0,20240802,20240802\n"
    )
    trips = "route_id,service_id,trip_id\nR7,daily,T1\nR7,late,T2\n"
    feed = read_feed(feed_zip(tmp_path / "bus.zip", calendar=calendar, trips=trips), notices=[])
    assert ordinary_days(feed, "GB").dates == {"weekday": dt.date(2024, 12, 6)}
    assert ordinary_days(feed, "FI").dates == {"weekday": dt.date(2024, 8, 2)}


def test_a_folder_of_two_editions_maps_and_tables(tmp_path: Path) -> None:
    """Ten areas of 2021, a rank by codes of 2011 with a lookup, an older timetable, residents, workplaces and halls."""
    new = [f"E0104000{k}" for k in range(10)]
    old = [f"E0100000{k}" for k in range(10)]
    feed_zip(tmp_path / "bus.zip")
    feed_zip(tmp_path / "bus_before.zip", trips="route_id,service_id,trip_id\nR7,daily,T1\n")
    squares(tmp_path / "areas.geojson", new, name=[f"Mill 00{k}A" for k in range(10)])
    (tmp_path / "imd2019.csv").write_text(
        "lsoa11_code,IMD_rank,IMD_decile\n" + "".join(f"{code},{k + 1},1\n" for k, code in enumerate(old)), "utf-8"
    )
    (tmp_path / "lookup.csv").write_text(
        "lsoa11_code,lsoa21_code\n" + "".join(f"{a},{b}\n" for a, b in zip(old, new, strict=True)), "utf-8"
    )
    (tmp_path / "census.csv").write_text("geography code,total\n" + "".join(f"{code},100\n" for code in new), "utf-8")
    (tmp_path / "workplaces.csv").write_text("site,lon,lat,employees\nA,-2.99,51.6,120\nB,-2.95,51.6,80\n", "utf-8")
    (tmp_path / "community_halls.csv").write_text("id,name,lon,lat\nh1,Hall,-2.98,51.6\nh2,Barn,-2.96,51.6\n", "utf-8")
    (tmp_path / "far_away.csv").write_text("id,lon,lat\nx,10,50\n", "utf-8")
    proposal, study = proposed(tmp_path)
    fates = {name: fate for name, _, fate in proposal.files}
    places = study.neighbourhoods
    assert [path.name for path in study.timetables] == ["bus.zip"]
    assert fates["bus_before.zip"] == "not used: another edition of bus.zip, which has more trips"
    assert study.title == "Mill"
    assert (places.file.name, places.id, places.name) == ("areas.geojson", "code", "name")
    assert places.deprivation is not None and places.deprivation.lookup is not None
    assert (places.deprivation.rank, places.deprivation.decile) == ("IMD_rank", "IMD_decile")
    assert (places.deprivation.lookup.from_, places.deprivation.lookup.to) == ("lsoa11_code", "lsoa21_code")
    assert places.population is not None and places.population.column == "total"
    assert list(study.destinations) == ["employment", "shared_spaces"]
    assert study.destinations["employment"].amount == "employees"
    assert study.destinations["shared_spaces"].name == "name"
    assert fates["far_away.csv"] == "not used: none of its places is near the neighbourhoods"
    assert study.travel.windows["morning_peak"].days == ("weekday",)
    assert study.travel.windows["weekend_day"].days == ("saturday", "sunday")


def test_points_can_be_the_neighbourhoods_and_hold_what_is_reached(tmp_path: Path) -> None:
    """A table of points with residents and jobs, a timetable: a study without any map."""
    feed_zip(tmp_path / "bus.zip")
    (tmp_path / "points.csv").write_text(
        "id,lon,lat,population,jobs\na,-3.00,51.6,100,5\nb,-2.99,51.6,200,50\nc,-2.98,51.6,300,500\n", "utf-8"
    )
    _, study = proposed(tmp_path, title="Points")
    assert (study.neighbourhoods.lon, study.neighbourhoods.lat) == ("lon", "lat")
    assert study.neighbourhoods.population is not None and study.neighbourhoods.population.file is None
    assert study.destinations["employment"].amount == "jobs"
    assert study.streets.crow_fly is not None
    assert (study.title, study.study) == ("Points", "points")


def test_between_equal_maps_of_different_areas_somebody_is_asked(tmp_path: Path) -> None:
    """Two maps of which the files say the same: the question names both, and the answer decides."""
    feed_zip(tmp_path / "bus.zip")
    squares(tmp_path / "east.geojson", ["a", "b", "c"])
    squares(tmp_path / "west.geojson", ["d", "e", "f"])
    squares(tmp_path / "west_again.geojson", ["d", "e", "f"])
    looks = [look for path in files_of([tmp_path]) for look in look_at(path)]
    asked: list[list[str]] = []

    def second(question: str, answers: object) -> int:
        asked.append(list(answers))  # type: ignore[call-overload]
        return 1

    assert choose_areas(looks, second).look.path.name == "west.geojson"
    assert asked == [["east.geojson", "west.geojson"]]


@pytest.mark.parametrize(
    ("left_out", "words_of_it"),
    [
        ("bus.zip", "none of the files is a timetable"),
        ("areas.geojson", "holds neighbourhoods"),
        ("jobs.csv", "anything to reach"),
    ],
)
def test_what_no_study_can_do_without_is_named(tmp_path: Path, left_out: str, words_of_it: str) -> None:
    """A timetable, neighbourhoods and destinations: each missing is a sentence, and nothing is written."""
    feed_zip(tmp_path / "bus.zip")
    squares(tmp_path / "areas.geojson", ["a", "b", "c"], population=[1, 2, 3])
    (tmp_path / "jobs.csv").write_text("id,lon,lat,jobs\nA,-2.99,51.6,120\nB,-2.95,51.6,80\n", "utf-8")
    (tmp_path / left_out).unlink()
    looks = [look for path in files_of([tmp_path]) for look in look_at(path)]
    with pytest.raises(UsageError, match=words_of_it):
        propose_study(looks, tmp_path / "study.yaml")


def test_the_sample_from_its_raw_files_is_its_own_study(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The command on copies of the sample's data: the same files for the same things, and `check` accepts it unedited."""
    for folder in ("boundaries", "deprivation", "destinations", "groups", "gtfs", "osm", "population"):
        for path in (ROOT / "data" / folder).iterdir():
            shutil.copy(path, tmp_path)
    out = tmp_path / "study.yaml"
    assert run_command(["init", str(tmp_path), "--out", str(out), "--cache", "none"]) == 0
    assert capfd.readouterr().out.endswith(f"next: community-routes check {out}\n")
    study, own = read_study_file(out), read_study_file(ROOT / "data" / "study.yaml")
    mine, theirs = study.neighbourhoods, own.neighbourhoods
    for key in ("origin_points", "population", "deprivation"):
        one, other = getattr(mine, key), getattr(theirs, key)
        masked = ({**part.model_dump(), "file": part.file.name, "income_rank": None} for part in (one, other))
        first, second = masked
        assert first == second, key
    assert (mine.id, mine.name, mine.group) == (theirs.id, theirs.name, theirs.group)
    assert {path.name for path in study.timetables} == {path.name for path in own.timetables}
    assert list(study.destinations) == ["employment", "shared_spaces"]
    assert study.destinations["employment"].amount == "jobs"
    assert list(study.dates) == ["weekday", "saturday", "sunday"]
    assert run_command(["check", str(out), "--cache", "none"]) == 0
    assert run_command(["init", str(tmp_path), "--out", str(out)]) == 2  # a study is never written over


BLACKBURN = tuple(f"blackburn_{part}" for part in ("geography", "deprivation", "census", "places", "study"))


@pytest.mark.slow
@pytest.mark.parametrize("folders", [("newport_wales",), BLACKBURN, ("porto_alegre",), ("greater_manchester",)])
def test_towns_from_their_raw_files(tmp_path: Path, folders: tuple[str, ...]) -> None:
    """Everything that lies in the folder of a town, as downloaded: `check` accepts what `init` writes, without an edit."""
    given = [str(shared_data(folder)) for folder in folders]
    out = tmp_path / "study.yaml"
    assert run_command(["init", *given, "--out", str(out), "--cache", "none"]) == 0
    assert run_command(["check", str(out), "--cache", "none"]) == 0
