"""YAML files: what is read as written, and where every fault lies."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from community_routes.base.errors import ScenarioError, StudyError
from community_routes.base.notices import Notice
from community_routes.sources.study.yaml import Text, known_keys, nearest, read_yaml, resolve, validate


def write(folder: Path, text: str | bytes, name: str = "study.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> list[tuple[str, int | None, int | None]]:
    """Code, line and column of every notice of a text."""
    notices: list[Notice] = []
    with contextlib.suppress(StudyError):
        read_yaml(write(folder, text), notices)
    return [(notice.code, notice.row, notice.column) for notice in notices]


def test_scalars_are_their_source_text(tmp_path: Path) -> None:
    """Quotes make no difference, for values and for keys."""
    plain = "time: 22:00\nid: 007\nfloat: 1e3\n7: x\n05:30-07:00: 30\nyes: no\n"
    quoted = 'time: "22:00"\nid: "007"\nfloat: "1e3"\n"7": x\n"05:30-07:00": "30"\n"yes": "no"\n'
    expected = {"time": "22:00", "id": "007", "float": "1e3", "7": "x", "05:30-07:00": "30", "yes": "no"}
    assert read_yaml(write(tmp_path, plain)).data() == expected
    assert read_yaml(write(tmp_path, quoted)).data() == expected


def test_clock_times_as_keys_in_braces(tmp_path: Path) -> None:
    text = "weekday: {05:30-07:00: 30, 07:00-19:00: 15}\nbox: [-3.0770, 51.5222]\n"
    assert read_yaml(write(tmp_path, text)).data() == {
        "weekday": {"05:30-07:00": "30", "07:00-19:00": "15"},
        "box": ["-3.0770", "51.5222"],
    }


def test_nothing_is_none_and_quoted_nothing_is_text(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a:\nb: ~\nc: null\nd: ''\n")).data() == {"a": None, "b": None, "c": None, "d": ""}


def test_every_value_has_its_place(tmp_path: Path) -> None:
    located = read_yaml(
        write(tmp_path, "study: x\ntravel:\n  windows: {peak: 07:00-09:00}\n  list:\n    - a\n    - {b: c}\n")
    )
    assert located.place(("travel", "windows", "peak")) == {
        "file": "study.yaml",
        "row": 3,
        "column": 19,
        "field": "travel.windows.peak",
    }
    assert located.place(("travel", "windows", "peak"), of_key=True)["column"] == 13
    assert located.place(("travel", "list", 1, "b")) == {
        "file": "study.yaml",
        "row": 6,
        "column": 11,
        "field": "travel.list[2].b",
    }
    assert located.place(("travel", "none"))["row"] == 3, "a key that is not there has the place of its mapping"


def test_a_key_given_twice_is_one_fault_and_the_rest_is_read(tmp_path: Path) -> None:
    notices: list[Notice] = []
    located = read_yaml(write(tmp_path, "a: 1\nb: {c: 1, d: 2, c: 3}\n"), notices)
    assert [(n.code, n.row, n.column, n.field, n.value) for n in notices] == [("duplicate_key", 2, 17, "b.c", "c")]
    assert located.data() == {"a": "1", "b": {"c": "1", "d": "2"}}
    with pytest.raises(StudyError, match="given twice"):
        read_yaml(tmp_path / "study.yaml")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a:\n\tb: 1\n", ("bad_yaml", 2, 1)),  # a tab as indentation
        ("a: [1, 2\nb: 3\n", ("bad_yaml", 2, 2)),  # a bracket left open
        ("a: b: c\n", ("bad_yaml", 1, 5)),
        ("a: 'x\n", ("bad_yaml", 2, 1)),  # a quote left open
        ("a: @x\n", ("bad_yaml", 1, 4)),
        ("", ("bad_yaml", 1, 1)),
        ("# only a comment\n", ("bad_yaml", 1, 1)),
        ("- a\n- b\n", ("bad_yaml", 1, 1)),  # a list at the top
        ("a: 1\n---\nb: 2\n", ("bad_yaml", 2, 1)),
        ("a: !!python/object/apply:os.system [ls]\n", ("bad_yaml", 1, 4)),
        ("a: !secret x\n", ("bad_yaml", 1, 4)),
        ("a: *nowhere\n", ("bad_yaml", 1, 4)),
        ("a: &x [*x]\n", ("bad_yaml", 1, 8)),
        ("a: &x {b: 1}\nc: {<<: *x}\n", ("bad_yaml", 2, 5)),
        ("? [a, b]\n: c\n", ("bad_yaml", 1, 3)),
        ("a: \x07\n", ("bad_yaml", 1, 4)),
        (b"study: Bl\xe2ckburn\n", ("bad_encoding", 1, 10)),
        ("study: x\n".encode("utf-16"), ("bad_encoding", 1, 1)),
        ("[" * 5000, ("bad_yaml", 1, 41)),
    ],
)
def test_broken_yaml_is_located(tmp_path: Path, text: str | bytes, fault: tuple[str, int, int]) -> None:
    assert faults(tmp_path, text) == [fault]


def test_a_byte_order_mark_and_carriage_returns_are_read(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n")).data() == {"a": "1", "b": "é"}


def test_aliases_stand_for_their_anchor(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a: &x [1, 2]\nb: *x\n")).data() == {"a": ["1", "2"], "b": ["1", "2"]}


def test_aliases_that_multiply_stop_early(tmp_path: Path) -> None:
    """Nine lists of nine aliases each would be 9**9 = 387,420,489 values."""
    lines = ["a0: &a0 [" + ", ".join("x" * 9) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 10)]
    found = faults(tmp_path, "\n".join(lines))
    assert [code for code, _, _ in found] == ["bad_yaml"]
    assert found[0][1] is not None and found[0][1] <= 7


def test_a_missing_file_names_its_neighbour_and_raises_the_class_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "a: 1", "evening-link.yaml")
    with pytest.raises(ScenarioError, match=r"did you mean 'evening-link\.yaml'"):
        read_yaml(tmp_path / "evening-lnk.yaml", error=ScenarioError)


def test_plain_scalars_resolve_by_the_core_schema() -> None:
    data = {
        "a": Text("3", True),
        "b": Text("3", False),
        "c": [Text("0.5", True), Text("007", True), Text("true", True)],
    }
    assert resolve(data) == {"a": 3, "b": "3", "c": [0.5, "007", True]}
    assert resolve(Text("1e3", True)) == 1000.0
    assert resolve(Text("22:00", True)) == "22:00"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int = 1
    word: str = "w"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    many: dict[str, Inner] = Field(default_factory=dict)
    rows: list[Inner] = Field(default_factory=list)
    either: str | Inner = ""
    from_: str = Field(default="", alias="from")


def checked(folder: Path, text: str) -> tuple[Outer | None, list[tuple[str, int | None, int | None, str, str]]]:
    notices: list[Notice] = []
    built = validate(read_yaml(write(folder, text)), Outer, notices)
    return built, [(n.code, n.row, n.column, n.field, n.message) for n in notices]


def test_a_misspelt_key_is_an_error_and_read_as_the_key_meant(tmp_path: Path) -> None:
    built, found = checked(tmp_path, "nmae: x\ninner: {numbr: 5}\n")
    assert built is not None and (built.name, built.inner.number) == ("x", 5)
    assert sorted(found) == [
        ("unknown_key", 1, 1, "nmae", "unknown key 'nmae'; did you mean 'name'?"),
        ("unknown_key", 2, 9, "inner.numbr", "unknown key 'numbr'; did you mean 'number'?"),
    ]


def test_faults_under_a_misspelt_key_are_found_too(tmp_path: Path) -> None:
    built, found = checked(tmp_path, "name: x\ninnr: {number: many}\n")
    assert built is not None and built.inner.number == 1
    assert [(code, row, column, field) for code, row, column, field, _ in sorted(found)] == [
        ("bad_value", 2, 16, "inner.number"),
        ("unknown_key", 2, 1, "innr"),
    ]


def test_a_key_unlike_any_other_lists_the_known_ones(tmp_path: Path) -> None:
    _, found = checked(tmp_path, "name: x\nzzz: 1\n")
    assert found == [
        ("unknown_key", 2, 1, "zzz", "unknown key 'zzz'; known here: name, inner, many, rows, either, from")
    ]


def test_a_missing_key_is_said_once_at_its_mapping(tmp_path: Path) -> None:
    built, found = checked(tmp_path, "inner: {number: 1}\n")
    assert built is None
    assert found == [("missing_key", 1, 1, "name", "the key 'name' is missing")]


def test_faults_in_lists_and_open_mappings_have_their_places(tmp_path: Path) -> None:
    built, found = checked(
        tmp_path, "name: x\nmany:\n  07:00: {number: a}\nrows:\n  - {number: 1}\n  - {number: b}\n  - {wrd: c}\n"
    )
    assert built is not None and [row.word for row in built.rows] == ["w", "w", "c"]
    assert sorted((code, row, column, field) for code, row, column, field, _ in found) == [
        ("bad_value", 3, 19, "many.07:00.number"),
        ("bad_value", 6, 14, "rows[2].number"),
        ("unknown_key", 7, 6, "rows[3].wrd"),
    ]


def test_of_a_union_only_the_branch_that_was_meant_complains(tmp_path: Path) -> None:
    _, found = checked(tmp_path, "name: x\neither: {number: a}\n")
    assert [(code, row, column, field) for code, row, column, field, _ in found] == [
        ("bad_value", 2, 18, "either.number")
    ]
    _, found = checked(tmp_path, "name: x\neither: [1]\n")
    assert [(code, row, column) for code, row, column, _, _ in found] == [("bad_value", 2, 9)]


def test_known_keys_of_a_model_by_path() -> None:
    assert known_keys(Outer, ()) == ["name", "inner", "many", "rows", "either", "from"]
    assert known_keys(Outer, ("rows", 3)) == ["number", "word"]
    assert known_keys(Outer, ("many", "any")) == ["number", "word"]
    assert known_keys(Outer, ("either",)) == ["number", "word"]
    assert known_keys(Outer, ("many",)) == []


def test_nearest_is_blind_to_case_and_silent_about_strangers() -> None:
    assert nearest("imd_rank", ["IMD_decile", "IMD_rank"]) == "IMD_rank"
    assert nearest("zzz", ["abc", "def"]) is None
