"""Makes the sample borough anew: an invented valley with its streets, buses, people and places, from one seed.

    python tools/make_sample.py [--out FOLDER]

The same seed and the same versions of the geometry libraries give the same bytes (``data/made.json`` names them).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sample import buses, osm_file, people, places, plan, rail, streets, timetable, town

ROOT = Path(__file__).resolve().parents[1]


def write_geojson(path: Path, table: gpd.GeoDataFrame, title: str) -> None:
    """Write features one per line, coordinates to 6 decimals, with a title that says they are invented."""
    features = []
    for row in table.to_dict("records"):
        geometry = shapely.set_precision(row.pop("geometry"), 1e-6)
        properties = {key: value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        features.append(
            json.dumps(
                {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(geometry))},
                ensure_ascii=False, separators=(",", ":"),
            )
        )  # fmt: skip
    head = json.dumps({"type": "FeatureCollection", "name": title, "description": plan.NOTE})[:-1]
    text = head + ',"features":[\n' + ",\n".join(features) + "\n]}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a plain table."""
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")


def versions() -> dict[str, str | int]:
    """The seed and what else decides the bytes."""
    return {
        "note": plan.NOTE,
        "seed": plan.SEED,
        "geos": shapely.geos_version_string,
        "numpy": ".".join(np.__version__.split(".")[:2]),
        "shapely": ".".join(shapely.__version__.split(".")[:2]),
    }


def make(out: Path) -> None:
    """Write the whole sample below a folder."""
    for name in ("osm", "gtfs", "boundaries", "deprivation", "population", "groups", "destinations", "sites"):
        (out / name).mkdir(parents=True, exist_ok=True)
    ground = town.draw_town()
    network = streets.build_network(ground)
    areas, centres = people.make_people(ground, network)
    borders = people.to_file_geometry(areas)
    title = "Neighbourhoods of the invented borough of Millgate"
    write_geojson(out / "boundaries" / "neighbourhoods.geojson", borders[["id", "name", "ward", "geometry"]], title)
    write_csv(out / "boundaries" / "centroids.csv", centres)
    write_csv(out / "population" / "population.csv", areas[["id", "persons", "households"]])
    write_csv(out / "deprivation" / "deprivation.csv", areas[["id", "name", "rank", "decile", "income_rank"]])
    write_csv(out / "groups" / "groups.csv", areas[["id", "aldish", "karevi", "other_groups"]])
    write_geojson(out / "destinations" / "employment.geojson", places.employment(ground), "Invented employment zones")
    shared = places.shared_spaces(ground, network)
    write_geojson(out / "destinations" / "shared_spaces.geojson", shared, "Invented shared spaces")
    write_csv(out / "sites" / "sites.csv", places.development_sites(ground))
    stops, courses = buses.lay_routes(network)
    timetable.write_zip(out / "gtfs" / "bus.zip", timetable.bus_tables(stops, courses))
    timetable.write_zip(out / "gtfs" / "rail.zip", rail.rail_tables())
    features = [*places.scenery(ground), *places.motorway(network), *(feature for _, feature in places.spaces(network))]
    features += [places.Feature({"railway": "station", "name": name}, at) for name, at in places.stations()]
    features += [
        places.Feature({"highway": "bus_stop", "name": stop.name}, shapely.Point(stop.xy))
        for stop in stops
        if not stop.parent
    ]
    osm_file.write_pbf(out / "osm" / "millgate.osm.pbf", network, features)
    (out / "made.json").write_text(json.dumps(versions(), indent=1) + "\n", encoding="utf-8", newline="\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make the invented sample borough anew.")
    parser.add_argument("--out", type=Path, default=ROOT / "data", help="folder to write to (default: data/)")
    folder = parser.parse_args().out
    make(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
