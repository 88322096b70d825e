"""What whoever fetches open data may choose, checked before anything is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from community_routes.base.errors import UsageError
from community_routes.fetch.places import COUNTIES, REGIONS

OPTIONAL = ("jobs", "naptan", "ethnicity", "cars", "deprivation")
"""What `--without` can leave out."""


@dataclass(frozen=True)
class Options:
    """What is wanted beside the authority.

    Attributes
    ----------
    counties, region : str
        Extracts of streets and region of the bus timetable; those of the table where not given.
    rail, jobs, deprivation : path or None
        Files of the caller: a GTFS zip; a table with id, lon, lat, jobs; a table of deprivation by LSOA.
    imd : 2025 or 2019
        Which English index of deprivation.
    buffer_km : float
        How far streets and timetable reach beyond the authority's own box.
    without : set of str
        What is left out, of `OPTIONAL`.
    """

    counties: tuple[str, ...] = ()
    region: str = ""
    rail: Path | None = None
    jobs: Path | None = None
    deprivation: Path | None = None
    imd: int = 2025
    buffer_km: float = 5.0
    without: frozenset[str] = frozenset()

    def check(self) -> None:
        """Refuse what cannot work, before anything is downloaded."""
        for option, path in (("--rail", self.rail), ("--jobs", self.jobs), ("--deprivation", self.deprivation)):
            if path is not None and not path.is_file():
                raise UsageError(f"{option} {path}: the file is not there")
        unknown = sorted(self.without - set(OPTIONAL))
        if unknown:
            raise UsageError(f"--without {unknown[0]}: what can be left out is {', '.join(OPTIONAL)}")
        if self.imd not in (2019, 2025):
            raise UsageError(f"--imd {self.imd}: the English indices are those of 2025 and 2019")
        if not 0 <= self.buffer_km <= 50:
            raise UsageError(f"--buffer-km {self.buffer_km:g}: 0 to 50 km")
        if self.region and self.region not in REGIONS:
            raise UsageError(f"--region {self.region}: the regions are {', '.join(REGIONS)}")
        for county in self.counties:
            if county not in COUNTIES and county != "wales":
                raise UsageError(f"--county {county}: the extracts are {', '.join(COUNTIES)} and wales")
