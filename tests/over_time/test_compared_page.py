"""The page and files of a comparison: every figure is a cell of a table, and folders that are no runs are refused in words."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.over_time.compare import RunComparison, compare_runs
from community_routes.over_time.runs import read_run
from community_routes.report.line_charts import Line, axis_of, lines_over_time
from over_time.town_runs import THIRTY, WITH_PEOPLE, features, make_run, write_people


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three years with people: today, without L1, and a year later with other people and without L5 as well."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        make_run(folder / "2023", WITH_PEOPLE),
        make_run(folder / "2024", WITH_PEOPLE, without=("L1",)),
        make_run(folder / "2025", WITH_PEOPLE, without=("L1", "L5"), edit=lambda f: write_people(f, {"P0": 10})),
    ]


@pytest.fixture(scope="module")
def compared(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "compared"
    assert run_command(["compare", *map(str, runs), "--out", str(out), "--quiet"]) == 0
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class _Page(HTMLParser):
    """Figures with their places, headings, and what must have a name for those who do not see it."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self.headings: list[int] = []
        self.pictures: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "data":
            self.figures.append((given["data-from"] or "", given["value"] or ""))
        if given.get("data-from"):
            self.sources.append(given["data-from"] or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg":
            assert given.get("role") == "img"
            self.pictures.append(given.get("aria-label") or "")
        self.addresses += [value for key, value in attrs if key in ("src", "href") and value]
        if tag not in ("meta", "path", "circle", "rect", "br", "line", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle", "rect"):
            assert self.open.pop() == tag, f"</{tag}> closes another element"


def read_page(path: Path) -> _Page:
    page = _Page()
    page.feed((path / "report.html").read_text(encoding="utf-8"))
    return page


def test_every_figure_of_the_page_is_a_cell_of_a_table(compared: Path) -> None:
    tables = {}
    for path in compared.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            tables[path.name] = list(csv.DictReader(lines))
    page = read_page(compared)
    assert len(page.figures) > 300
    for source, value in page.figures:
        file, row, column = source.split(":")
        assert tables[file][int(row) - 2][column] == value, source
    for source in page.sources:
        file, row, column = source.split(":")
        assert tables[file][int(row) - 2][column] != "", source
    assert {source.partition(":")[0] for source in page.sources} == {
        "over_time.csv",
        "explained.csv",
        "timetable_changes.csv",
        "neighbourhoods.csv",
    }


def test_the_page_can_be_read_without_seeing_it(compared: Path) -> None:
    """Headings in order, every chart with its figures in words, nothing loaded from elsewhere."""
    page = read_page(compared)
    assert page.open == [] and page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert all("1 most deprived: " in text or "What explains the change" in text for text in page.pictures)
    assert all(address.startswith("#") for address in page.addresses)
    (lead,) = [text for text in page.pictures if text.startswith("Reached within 30 minutes: shared spaces")]
    # P0 and 80 of P1 reach 2 and 3; then 1 and 2; then P0, P1 and 52 of P2 (of 162) reach 1, 2 and 3: 366/162 - 440/180.
    assert "(2023, 2024, 2025). 1 most deprived: 2.4, 1.4, 2.3 (\u22120.19)" in lead


def test_what_the_page_says(compared: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (compared / "report.html").read_text(encoding="utf-8"))
    text = " ".join(text.split())
    assert "2024 against 2023" in text and "2025 against 2023" in text
    assert "the most deprived fifth reach 1.4 shared spaces within 30 minutes, against 2.4 in 2023" in text
    assert "Explained by the timetable (100 %). Of the routes, L1 (\u22121) explains most." in text
    assert "bus.zip: other content" in text
    assert "no longer runs" in text
    assert "people.csv: other content" in text
    assert "Residents within a walk" in text and "Fifths of the residents of each run" in text


def test_the_same_bytes_whatever_the_threads_and_the_cache(runs: list[Path], compared: Path, tmp_path: Path) -> None:
    for number, more in enumerate((["--threads", "1"], ["--threads", "3", "--cache", str(tmp_path / "cache")])):
        out = tmp_path / str(number)
        assert run_command(["compare", *map(str, runs), "--out", str(out), "--quiet", *more]) == 0
        assert contents(out) == contents(compared)


def test_run_json_names_the_runs(compared: Path, runs: list[Path]) -> None:
    said = json.loads((compared / "run.json").read_text(encoding="utf-8"))
    assert said["command"] == "compare" and [run["id"] for run in said["runs"]] == ["2023", "2024", "2025"]
    assert str(runs[0].parent) not in (compared / "run.json").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="is the result of `compare`"):
        read_run(compared)


def test_a_comparison_may_be_replaced_and_a_run_may_not(runs: list[Path], compared: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    shutil.copytree(compared, out)
    (out / "stale.txt").write_text("old", encoding="utf-8")
    command = ["compare", str(runs[0]), str(runs[1]), "--quiet", "--out"]
    assert run_command([*command, str(out)]) == 0 and not (out / "stale.txt").exists()
    before = contents(runs[0].parent)
    for place in (runs[0], runs[1], runs[0].parent):
        assert run_command([*command, str(place)]) == 2
    assert contents(runs[0].parent) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not the result of a run (no run.json in it)"),
        ("{}", "is not the result of a run (its run.json is not ours)"),
        ("[1", "run.json cannot be read"),
        ("[" * 100_000, "run.json cannot be read"),
        ('{"program": "community_routes"}', "lacks version, study, service_dates, settings, inputs"),
        ('{"program": "community_routes", "command": "sites"}', "is the result of `sites`"),
    ],
)
def test_folders_that_are_no_runs(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    """Exit 2, a sentence, and nothing is written."""
    other = tmp_path / "other"
    other.mkdir()
    if content is not None:
        (other / "run.json").write_text(content, encoding="utf-8")
    assert run_command(["compare", str(runs[0]), str(other), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_wrong_calls(runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out"), "--quiet"]
    for arguments, said in (
        ([str(runs[0])], "name at least two folders"),
        ([str(runs[0]), str(tmp_path / "nowhere")], "there is no folder"),
        ([str(runs[0]), str(runs[0] / "run.json")], "is a file; name the folder"),
        ([str(runs[0]), str(runs[1]), "--labels", "one"], "1 labels are given for 2 runs"),
        ([str(runs[0]), str(runs[1]), "--labels", "one,one"], "a label of its own"),
        ([str(runs[0]), str(runs[1]), "--routes", "-1"], "--routes"),
    ):
        assert run_command(["compare", *arguments, *out]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def copies(runs: list[Path], tmp_path: Path) -> list[Path]:
    """Two of the runs, to be damaged."""
    for run in runs[:2]:
        shutil.copytree(run, tmp_path / "copies" / run.name)
    return [tmp_path / "copies" / run.name for run in runs[:2]]


def explained_by_nobody(comparison: RunComparison) -> str:
    """The reason; the tables are compared all the same, and the page is written."""
    assert len(comparison.explained) == 0 and (comparison.over_time["change"] < 0).any()
    (one,) = comparison.explanations.values()
    return one.reason


def test_inputs_lost_or_edited_leave_the_tables_to_compare(copies: list[Path], tmp_path: Path) -> None:
    first, second = copies
    (second / "inputs" / "bus.zip").write_bytes(b"edited")
    comparison = compare_runs(copies)
    assert "inputs/bus.zip was changed after the run" in explained_by_nobody(comparison)
    comparison.write_report(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What explains the change is not known: 2024: its kept inputs are not those that it was made from" in page
    shutil.rmtree(first / "inputs")
    assert "2023: its inputs were not kept (--no-keep-inputs)" in explained_by_nobody(compare_runs(copies))


def test_inputs_of_another_run_are_not_taken_for_its_own(copies: list[Path]) -> None:
    """Both the files and their list are from the other run, so only run.json can tell."""
    first, second = copies
    shutil.rmtree(second / "inputs")
    shutil.copytree(first / "inputs", second / "inputs")
    assert "the kept bus.zip is not what run.json says" in explained_by_nobody(compare_runs(copies))


def test_tables_that_were_edited(copies: list[Path]) -> None:
    """A figure that was changed by hand is the part `program` of the change; text in place of a figure is an error."""
    _, second = copies
    groups = (second / "groups.csv").read_text(encoding="utf-8")
    line = next(
        line for line in groups.splitlines() if ",all,all,shared_spaces,cumulative_opportunities,mean,30," in line
    )
    value = line.split(",")[11]
    edited = line.replace(f",{value},places", f",{float(value) + 1},places")
    (second / "groups.csv").write_text(groups.replace(line, edited), encoding="utf-8", newline="")
    explained = compare_runs(copies).explained
    everybody = explained[(explained["group"] == "all") & (explained["of"] == "change")]
    assert everybody.loc[everybody["part"] == "program", "change_explained"].tolist() == [pytest.approx(1)]
    (second / "groups.csv").write_text(groups.replace(line, line.replace(value, "many")), encoding="utf-8", newline="")
    with pytest.raises(UsageError, match=r"groups\.csv has 'many' as value; it was changed after the run"):
        compare_runs(copies)
    (second / "groups.csv").write_text(groups + line + "\r\n", encoding="utf-8", newline="")
    with pytest.raises(UsageError, match="two rows about"):
        compare_runs(copies)
    (second / "groups.csv").unlink()
    with pytest.raises(UsageError, match=r"groups\.csv is missing; run the study again"):
        compare_runs(copies)


def test_another_version_of_the_program(copies: list[Path]) -> None:
    """It is said; both ends are worked out now, and here give the same figures."""
    path = copies[1] / "run.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"version": "', '"version": "9.'), encoding="utf-8")
    comparison = compare_runs(copies)
    assert comparison.remarks[0].startswith("2024 was made by version 9.")
    programs = comparison.explained.loc[comparison.explained["part"] == "program", "change_explained"]
    assert (programs == 0).all()


def test_runs_with_nothing_in_common(runs: list[Path], tmp_path: Path) -> None:
    text = THIRTY.replace("windows: {peak: 07:00-08:00}", "windows: {noon: 12:00-12:10}")
    with pytest.raises(UsageError, match="have no figure in common"):
        compare_runs([runs[0], make_run(tmp_path / "noon", text)])


def test_names_from_files_cannot_break_the_page(tmp_path: Path, runs: list[Path]) -> None:
    """A label with markup is shown as text in the page."""
    comparison = compare_runs(runs[:2], labels=["<b>old</b>", '"new" & <script>'])
    comparison.write_report(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>old" not in page and "&lt;b&gt;old&lt;/b&gt;" in page
    assert read_page(tmp_path / "out").open == []


@pytest.mark.parametrize(
    ("values", "axis"),
    [
        ((0.0, 10.0), (0.0, 10.0, 5.0)),
        ((90.0, 100.0), (85.0, 100.0, 5.0)),  # far from 0: the axis begins below the lowest
        ((-2.0, 1.0), (-2.0, 1.0, 1.0)),
        ((7.0, 7.0), (6.0, 7.0, 0.5)),
        ((float("nan"),), (0.0, 1.0, 1.0)),
        ((0.0,), (0.0, 1.0, 0.5)),
    ],
)
def test_axes(values: tuple[float, ...], axis: tuple[float, float, float]) -> None:
    start, end, step = axis_of(values)
    assert all(start <= value <= end for value in values if value == value)
    assert (start, end, step) == pytest.approx(axis)


def test_lines_are_drawn_where_they_are() -> None:
    """0 lies at the bottom (188) and 10 at the top (12); a missing value is a gap; labels stand apart."""
    line = Line("one", (0.0, float("nan"), 10.0), ("0", "–", "10"), ("t.csv:2:v", "", "t.csv:4:v"))
    same = Line("two", (10.0, 10.0, 10.0), ("10", "10", "10"), ("a", "b", "c"))
    svg = str(lines_over_time([line, same], ["2023", "2024", "2025"], title="T", axis=(0.0, 10.0, 5.0)))
    assert 'd="M56.0 188.0M296.0 12.0"' in svg and 'd="M56.0 12.0L176.0 12.0L296.0 12.0"' in svg
    assert 'aria-label="T (2023, 2024, 2025). one 0, –, 10; two 10, 10, 10"' in svg
    ends = sorted(float(y) for y in re.findall(r'class="end" x="[\d.]+" y="([\d.]+)"', svg))
    assert len(ends) == 2 and ends[1] - ends[0] >= 15


def test_units_are_not_mixed(tmp_path: Path, runs: list[Path]) -> None:
    """Halls counted as places in one run and as seats in the other: no change is told, and they share no line."""
    text = THIRTY.replace("name: name}\ntravel", "name: name, amount: seats}\ntravel")

    def seats(inputs: Path) -> None:
        features(
            inputs / "spaces.geojson",
            lambda all_: [{**one, "properties": {**one["properties"], "seats": 50}} for one in all_],  # type: ignore[dict-item]
        )

    places, counted = make_run(tmp_path / "places", THIRTY), make_run(tmp_path / "seats", text, edit=seats)
    comparison = compare_runs([places, counted])
    rows = comparison.over_time
    lead = rows[
        (rows["measure"] == "cumulative_opportunities") & (rows["reading"] == "mean") & (rows["grouping"] == "all")
    ]
    assert lead["unit"].tolist() == ["places", "seats"]
    assert lead["reason"].tolist() == ["", "other_unit"] and lead["change"].isna().tolist() == [False, True]
    assert comparison.remarks == ("shared_spaces: counted in another unit than in places, so no change is told.",)
    comparison.write_report(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "seats counts in seats, so it is not drawn." in page
    assert "Neighbourhoods within a walk" not in page, "no route changed"
    assert "No run knows how deprived its neighbourhoods are, so everybody is shown." in page
    (lead_chart,) = [one for one in read_page(tmp_path / "out").pictures if one.startswith("Reached within 30 minutes")]
    assert lead_chart.endswith("(places, seats). Everybody: 2.1, –")


def test_without_a_population_neighbourhoods_are_counted(tmp_path: Path) -> None:
    """Nobody said how many live where, so the page speaks of neighbourhoods."""
    comparison = compare_runs([make_run(tmp_path / "2023"), make_run(tmp_path / "2024", without=("L1",))])
    comparison.write_report(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Neighbourhoods within a walk" in page and "Residents" not in page
