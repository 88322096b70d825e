"""The files for other programs: what is written, exactly how, and the same bytes every time."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS, TableKind
from community_routes.base.errors import UsageError
from community_routes.report.cells import cell_text, csv_text, exact_number, safe_text
from community_routes.report.files import geopackage
from community_routes.report.files.geopackage import unique_names, write_geopackage, zone_layers
from community_routes.report.files.tables import run_json, write_files, write_tables
from report.made_results import made_results


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1546.0, "1546"), (0.1, "0.1"), (1 / 3, "0.3333333333333333"), (-2.0, "-2"), (math.nan, ""), (1e300, "1e+300")],
)
def test_numbers_are_written_exactly(value: float, text: str) -> None:
    """Each is the shortest text that Python reads back as the same number."""
    assert exact_number(value) == text
    assert text == "" or float(text) == value


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-x", "@SUM(A1)", "\tx", "\r=x"])
def test_text_that_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == "'" + text


def test_csv_quotes_what_needs_quotes_and_leaves_numbers_alone() -> None:
    """A minus in front of a number is no formula; commas, quotes and line ends come back as they were."""
    table = pd.DataFrame({"name": ['a "b", c', "two\nlines", "=1+1"], "change": [-1.5, 2.0, np.nan]})
    text = csv_text(table)
    assert text == 'name,change\r\n"a ""b"", c",-1.5\r\n"two\nlines",2\r\n\'=1+1,\r\n'
    assert read(text)[1] == ['a "b", c', "-1.5"]


def test_every_column_is_written_as_its_cells_are_one_by_one() -> None:
    """Numbers of every size, where an exponent begins above all, and columns of several kinds of value."""
    draw = np.random.default_rng(7)
    sizes = draw.random(3000) * 10.0 ** draw.integers(-12, 22, 3000) * draw.choice([-1, 1], 3000)
    edges = [
        1e-4,
        np.nextafter(1e-4, 0),
        1e9,
        1e9 + 0.5,
        1e16,
        2.0**53,
        2.0**53 - 1,
        1e22,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
    ]
    numbers = np.concatenate([sizes, np.rint(sizes), edges])
    n = len(numbers)
    several = [1, 2.5, "=x", True, None, np.nan, pd.NA, 'a,"b"', "", 2**60, np.float64(0.1)]
    table = pd.DataFrame(
        {
            "number": numbers,
            "gaps": pd.array([1, None, -3] * n, dtype="Int64")[:n],
            "yes": draw.random(n) < 0.5,
            "key": pd.Categorical(draw.choice(["-u", "v,w", "x"], n)),
            "level": pd.Categorical(draw.choice([0.5, 2.0], n)),
            "several": pd.Series((several * n)[:n], dtype=object),
            "day": pd.Timestamp("2024-03-05"),
            "nothing": [None] * n,
        }
    )
    rows = read(csv_text(table))
    assert rows[0] == list(table.columns)
    for place, name in enumerate(table.columns):
        assert [row[place] for row in rows[1:]] == [cell_text(value) for value in table[name].astype(object)], name


@pytest.mark.parametrize("seed", range(4))
def test_columns_that_repeat_one_another_are_written_as_each_alone(seed: int) -> None:
    """Random columns of few texts and numbers beside long ones, with gaps, commas, quotes and formulas; in 3,000 rows."""
    draw = np.random.default_rng(seed)
    few = np.array(["a,b", '"q"', "=1+1", "", "plain", None], object)
    kinds = {
        "text": lambda: pd.Series(few[draw.integers(0, 6, 3000)], dtype=object),
        "str": lambda: pd.Series(few[draw.integers(0, 5, 3000)], dtype="str"),
        "category": lambda: pd.Series(pd.Categorical(few[draw.integers(0, 5, 3000)])),
        "number": lambda: pd.Series(np.array([1.0, 0.1, np.nan, -3e-9, 5e20])[draw.integers(0, 5, 3000)]),
        "whole": lambda: pd.Series(draw.integers(0, 3, 3000)),
        "gaps": lambda: pd.Series(draw.integers(0, 3, 3000), dtype="Int64").mask(draw.random(3000) < 0.1),
        "truth": lambda: pd.Series(draw.random(3000) < 0.5),
        "mixed": lambda: pd.Series(np.array([1, "x", 2.5, None], object)[draw.integers(0, 4, 3000)], dtype=object),
        "long": lambda: pd.Series(draw.normal(size=3000)),
    }
    chosen = draw.choice(list(kinds), size=12)
    table = pd.DataFrame({f"{name}{i}": kinds[name]() for i, name in enumerate(chosen)})
    columns = ([cell_text(value) for value in table[name].astype(object)] for name in table)
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([list(table), *zip(*columns, strict=True)])
    assert csv_text(table) == written.getvalue()


def test_the_tables_have_their_columns_and_every_row(tmp_path: Path) -> None:
    results = made_results(25)
    write_tables(results, tmp_path)
    for name, columns, rows in (
        ("access", ACCESS_COLUMNS, len(results.access)),
        ("comparison", COMPARISON_COLUMNS, len(results.comparison)),
        ("groups", GROUPS_COLUMNS, len(results.groups)),
        ("notices", NOTICES_COLUMNS, 2),
    ):
        lines = read((tmp_path / f"{name}.csv").read_bytes().decode("utf-8"))
        assert lines[0] == list(columns)
        assert len(lines) == rows + 1
    first = read((tmp_path / "notices.csv").read_text(encoding="utf-8"))[1]
    assert first[:2] == ["warning", "near_edge"]


def test_parquet_holds_what_the_csv_says(tmp_path: Path) -> None:
    """Columns, order and every cell; short tables stay text, the page and run.json name the files that are there."""
    write_files(made_results(25), tmp_path / "csv", maps=False)
    as_parquet = made_results(25, long_tables=TableKind.PARQUET)
    write_files(as_parquet, tmp_path / "parquet", maps=False)
    write_tables(as_parquet, tmp_path / "again")
    long = ("access", "comparison", "groups")
    assert {path.name for path in (tmp_path / "parquet").glob("*.parquet")} == {f"{name}.parquet" for name in long}
    for name in long:
        assert not (tmp_path / "parquet" / f"{name}.csv").exists()
        written = tmp_path / "parquet" / f"{name}.parquet"
        assert csv_text(pd.read_parquet(written)).encode() == (tmp_path / "csv" / f"{name}.csv").read_bytes()
        assert written.read_bytes() == (tmp_path / "again" / f"{name}.parquet").read_bytes()
    assert (tmp_path / "parquet" / "notices.csv").read_bytes() == (tmp_path / "csv" / "notices.csv").read_bytes()
    said = json.loads((tmp_path / "parquet" / "run.json").read_text("utf-8"))
    assert said["tables"]["groups"] == "groups.parquet" and said["tables"]["notices"] == "notices.csv"
    assert "access.parquet" in (tmp_path / "parquet" / "report.html").read_text("utf-8")


def test_long_tables_are_parquet_by_themselves_and_text_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row more than the limit; the rows of the other bound count as well."""
    results = made_results(25)
    rows = len(results.access) + len(results.comparison) + len(results.groups)
    monkeypatch.setattr("community_routes.report.results.MOST_ROWS_AS_TEXT", rows)
    assert results.file_of("access") == "access.csv"
    assert dataclasses.replace(results, worst=results).file_of("groups") == "groups.parquet"
    monkeypatch.setattr("community_routes.report.results.MOST_ROWS_AS_TEXT", rows - 1)
    assert [results.file_of(name) for name in ("access", "notices")] == ["access.parquet", "notices.csv"]
    assert dataclasses.replace(results, long_tables=TableKind.CSV).file_of("access") == "access.csv"


def test_rows_are_sorted_whatever_their_order_before(tmp_path: Path) -> None:
    """Cutoffs sort as numbers: 30, 45, 60, 120 and not 120, 30; shuffled rows give the same bytes."""
    results = made_results(25)
    far = results.access.assign(cutoff_min=results.access["cutoff_min"].replace(60.0, 120.0))
    write_tables(made_results(25, access=far), tmp_path / "a")
    write_tables(made_results(25, access=far.sample(frac=1, random_state=3)), tmp_path / "b")
    assert (tmp_path / "a/access.csv").read_bytes() == (tmp_path / "b/access.csv").read_bytes()
    lines = read((tmp_path / "a/access.csv").read_text(encoding="utf-8"))
    cutoff = ACCESS_COLUMNS.index("cutoff_min")
    assert [line[cutoff] for line in lines[1:4]] == ["30", "45", "120"]


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_tables(made_results(25, proposals=2, days=("weekday", "sunday")), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"access.csv", "comparison.csv", "groups.csv", "notices.csv", "results.gpkg", "run.json"} <= set(names)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_geopackage_holds_the_layers_and_figures(tmp_path: Path) -> None:
    """The seventh neighbourhood reaches 40 x 45/60 x (1 - 0.6 x 6/100) = 28.92 employment zones by 45 minutes today."""
    write_tables(made_results(25), tmp_path)
    path = tmp_path / "results.gpkg"
    layers = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert {"neighbourhoods", "destinations_employment", "destinations_shared_spaces", "stops", "routes"} <= layers
    zones = pyogrio.read_dataframe(path, layer="neighbourhoods").set_index("id")
    column = "today__day__morning_peak__employment__cumulative_opportunities__45"
    assert zones.loc["Z007", column] == pytest.approx(28.92)
    assert pd.isna(zones.loc["Z025", column])
    with sqlite3.connect(path) as database:
        stamps = {row[0] for row in database.execute("SELECT last_change FROM gpkg_contents")}
    database.close()
    assert stamps == {"2024-03-05T00:00:00.000Z"}


def test_qgis_finds_styles_that_cover_every_neighbourhood(tmp_path: Path) -> None:
    """The rules of the style are conditions on the layer's own column; run on the layer, each zone meets exactly one."""
    write_tables(made_results(25, rename={"Evening link Mill Lane - Northgate": "<b>&\"x\" 'y'"}), tmp_path)
    database = sqlite3.connect(tmp_path / "results.gpkg")
    styles = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    assert set(styles) == {"neighbourhoods", "neighbourhoods_proposal-1", "routes"}
    for layer, qml in styles.items():
        root = ET.fromstring(qml.split("\n", 1)[1])
        rules = [rule.get("filter") or "" for rule in root.iter("rule")]
        assert rules[-1] == "ELSE"
        met = [database.execute(f'SELECT count(*) FROM "{layer}" WHERE {rule}').fetchone()[0] for rule in rules[:-1]]
        total = database.execute(f'SELECT count(*) FROM "{layer}"').fetchone()[0]
        assert sum(met) == total - {"neighbourhoods": 3, "neighbourhoods_proposal-1": 3, "routes": 1}[layer]
        assert {rule.get("symbol") for rule in root.iter("rule")} == {s.get("name") for s in root.iter("symbol")}
    database.close()


def test_layers_are_tidy_and_nothing_is_lost(tmp_path: Path) -> None:
    """Today 2 windows x 2 kinds within 45 minutes are 4 columns, of the proposal twice as many; all 48 are rows of figures.

    2 windows x 2 kinds x (3 cutoffs + the nearest) x 25 neighbourhoods are 400 rows of each scenario; those of the proposal
    have a change, of the 22 neighbourhoods that have figures.
    """
    results = made_results(25)
    path = write_geopackage(results, tmp_path / "results.gpkg")
    today, plan = (pyogrio.read_dataframe(path, layer=name) for name in ("neighbourhoods", "neighbourhoods_proposal-1"))
    figures = pyogrio.read_dataframe(path, layer="figures")
    assert [sum("__" in column for column in layer.columns) for layer in (today, plan)] == [4, 8]
    assert len(figures) == 800
    assert figures["change"].notna().sum() == 22 * 16
    row = figures.query("scenario == 'today' and neighbourhood == 'Z007' and window == 'morning_peak'")
    (value,) = row.query("kind == 'employment' and cutoff_min == 45")["value"]
    assert value == pytest.approx(28.92)
    assert pyogrio.read_dataframe(path, layer="summary")["leads"].sum() == 1


def test_columns_that_do_not_fit_one_layer_go_on_in_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for 3, the 4 columns of today take 2 layers and the 8 of the proposal 3."""
    monkeypatch.setattr(geopackage, "_MOST_COLUMNS", 3)
    layers = zone_layers(made_results(25))
    plan = "neighbourhoods_proposal-1"
    assert list(layers) == ["neighbourhoods", "neighbourhoods_2", plan, f"{plan}_2", f"{plan}_3"]
    held = [column for layer in layers.values() for column in layer.columns if "__" in column]
    assert len(held) == len(set(held)) == 12


def test_qgis_shows_names_for_people(tmp_path: Path) -> None:
    path = write_geopackage(made_results(25), tmp_path / "results.gpkg")
    database = sqlite3.connect(path)
    styles = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    database.close()
    root = ET.fromstring(styles["neighbourhoods_proposal-1"].split("\n", 1)[1])
    names = {alias.get("field"): alias.get("name") for alias in root.iter("alias")}
    column = "change__proposal-1__day__evening__employment__cumulative_opportunities__45"
    assert names[column] == "Change: employment zones, day of the study, evening"


def test_names_are_unique_without_regard_to_capitals() -> None:
    assert unique_names(["jobs", "Jobs", "JOBS", "jobs_2", "Fid"]) == ["jobs", "Jobs_2", "JOBS_3", "jobs_2_2", "Fid_2"]


def test_a_study_without_places_within_a_time_has_its_own_figures_as_columns(tmp_path: Path) -> None:
    """Gravity alone: neither what is reached within a cutoff nor the nearest is there, so its headline reading is shown."""
    results = made_results(25)
    access, comparison = (
        table[table["cutoff_min"] == 45].assign(measure="gravity_exponential", cutoff_min=float("nan"))
        for table in (results.access, results.comparison)
    )
    layers = zone_layers(dataclasses.replace(results, access=access, comparison=comparison))
    assert "today__day__evening__employment__gravity_exponential" in layers["neighbourhoods"].columns


def test_run_json_names_inputs_and_counts_without_time_or_place() -> None:
    content = json.loads(run_json(made_results(25)))
    assert content["inputs"][0] == {"name": "town.osm.pbf", "kind": "streets", "sha256": "ab" * 32}
    assert content["counts"]["neighbourhoods"] == 25
    assert content["counts"]["neighbourhoods_off_network"] == 3
    assert content["service_dates"] == {"day": "2024-03-05"}
    assert content["invented"] is True
    assert list(content) == sorted(content)


def test_results_that_lack_a_column_say_which() -> None:
    with pytest.raises(UsageError, match="'groups' of the results lacks the column persons_same"):
        made_results(25, groups=made_results(25).groups.drop(columns="persons_same"))
