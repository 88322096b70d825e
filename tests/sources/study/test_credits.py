"""Whose the data are: by the names of the files, with the line that the licence asks for."""

from __future__ import annotations

from community_routes.sources.study.credits import Credit, credit_of

OGL = Credit(files=("census.csv",), publisher="ONS", licence="Open Government Licence v3.0")
OTHER = Credit(files=("*.csv", "a.zip"), publisher="A council", licence="CC BY 4.0")
WORDED = Credit(files=("b.zip",), licence="OGL v3.0", words="Thanks to B")


def test_the_line_is_what_the_licence_asks_for() -> None:
    assert OGL.line == "Contains public sector information of ONS licensed under the Open Government Licence v3.0"
    assert OTHER.line == "A council, CC BY 4.0"
    assert WORDED.line == "Thanks to B"


def test_the_first_entry_that_names_a_file_holds() -> None:
    credits = (OGL, OTHER, WORDED)
    assert credit_of("census.csv", credits) is OGL
    assert credit_of("homes.csv", credits) is OTHER
    assert credit_of("b.zip", credits) is WORDED
    assert credit_of("c.zip", credits) is None
