"""The one table of addresses that `fetch` downloads from, and how a file of the user's changes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from reprlib import repr as short
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from community_routes.base.errors import UsageError

SOURCES_FILE = "COMMUNITY_ROUTES_SOURCES"
"""Environment variable that names a file of addresses, where no option does."""

_OGL = "Open Government Licence v3.0"
_ONS = f"{_OGL}; Source: Office for National Statistics. Contains OS data (c) Crown copyright and database right"
_NOMIS = f"{_OGL}; Source: Office for National Statistics, through nomis"
_ARCGIS = "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"
_GEOFABRIK = "https://download.geofabrik.de/europe"
_CENSUS = "https://www.nomisweb.co.uk/output/census/2021"
_ASSETS = "https://assets.publishing.service.gov.uk/media"


@dataclass(frozen=True)
class Source:
    """A service that is downloaded from.

    Attributes
    ----------
    key : str
        Its name in the table and in a file that changes it.
    title : str
        What it is called in messages and in ``sources.json``.
    addresses : tuple of str
        Tried in turn. ``{...}`` is filled in: ``{place}``, ``{region}``, ``{areas}``.
    licence : str
        Under which its data may be used.
    fields : mapping
        What its columns are called: our word -> theirs.
    page : int
        Most rows asked for at once, where answers come in pages.
    headers : mapping
        Sent with each request (a key, say); written nowhere.
    """

    key: str
    title: str
    addresses: tuple[str, ...]
    licence: str
    fields: Mapping[str, str] = field(default_factory=dict)
    page: int = 2000
    headers: Mapping[str, str] = field(default_factory=dict)


def _layer(name: str) -> str:
    return f"{_ARCGIS}/{name}/FeatureServer/0/query"


_TABLE = (
    Source(
        "streets",
        "Geofabrik, extract of OpenStreetMap",
        (
            f"{_GEOFABRIK}/united-kingdom/{{place}}-latest.osm.pbf",
            f"{_GEOFABRIK}/great-britain/{{place}}-latest.osm.pbf",
        ),
        "Open Database Licence 1.0; (c) OpenStreetMap contributors",
    ),
    Source(
        "timetable",
        "Bus Open Data Service, timetables",
        ("https://data.bus-data.dft.gov.uk/timetable/download/gtfs-file/{region}/",),
        f"{_OGL}; Department for Transport",
    ),
    Source(
        "lookup",
        "ONS Open Geography, LSOA 2021 to ward and authority",
        (_layer("LSOA21_WD24_LAD24_EW_LU"),),
        _ONS,
        {
            "code": "LSOA21CD",
            "name": "LSOA21NM",
            "ward": "WD24NM",
            "authority_code": "LAD24CD",
            "authority": "LAD24NM",
        },
    ),
    Source(
        "boundaries",
        "ONS Open Geography, LSOA 2021 boundaries",
        (
            _layer("Lower_layer_Super_Output_Areas_December_2021_Boundaries_EW_BGC_V5"),
            _layer("Lower_layer_Super_Output_Areas_December_2021_Boundaries_EW_BGC_V3"),
        ),
        _ONS,
        {"code": "LSOA21CD"},
    ),
    Source(
        "centroids",
        "ONS Open Geography, LSOA 2021 population-weighted centroids",
        (_layer("LSOA_PopCentroids_EW_2021_V4"), _layer("LLSOA_Dec_2021_PWC_for_England_and_Wales_2022")),
        _ONS,
        {"code": "LSOA21CD"},
    ),
    Source(
        "lsoa_2011",
        "ONS Open Geography, LSOA 2011 to LSOA 2021",
        (_layer("LSOA11_LSOA21_LAD22_EW_LU_v5"),),
        _ONS,
        {"old": "LSOA11CD", "code": "LSOA21CD"},
    ),
    Source(
        "imd_2025",
        "English indices of deprivation 2025",
        (f"{_ASSETS}/691ded56d140bbbaa59a2a7d/File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv",),
        f"{_OGL}; Ministry of Housing, Communities and Local Government",
    ),
    Source(
        "imd_2019",
        "English indices of deprivation 2019",
        (
            f"{_ASSETS}/5dc407b440f0b6379a7acc8d/"
            "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv",
        ),
        f"{_OGL}; Ministry of Housing, Communities and Local Government",
    ),
    Source("population", "Census 2021, residents (TS001)", (f"{_CENSUS}/census2021-ts001.zip",), _NOMIS),
    Source("ethnicity", "Census 2021, ethnic group (TS021)", (f"{_CENSUS}/census2021-ts021.zip",), _NOMIS),
    Source("cars", "Census 2021, car or van availability (TS045)", (f"{_CENSUS}/census2021-ts045.zip",), _NOMIS),
    Source(
        "jobs",
        "Business Register and Employment Survey 2023, by MSOA 2011",
        (
            "https://www.nomisweb.co.uk/api/v01/dataset/NM_189_1.data.csv?geography=TYPE297&date=2023&industry=37748736"
            "&employment_status=1&measure=1&measures=20100&select=GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT",
        ),
        _NOMIS,
        page=25_000,
    ),
    Source(
        "job_points",
        "ONS Open Geography, MSOA 2011 population-weighted centroids",
        (_layer("MSOA_Dec_2011_PWC_in_England_and_Wales_2022"),),
        _ONS,
        {"code": "msoa11cd"},
    ),
    Source(
        "naptan",
        "NaPTAN, public transport stops",
        ("https://naptan.api.dft.gov.uk/v1/access-nodes?dataFormat=csv&atcoAreaCodes={areas}",),
        f"{_OGL}; Department for Transport",
    ),
)


def read_sources(path: str | Path | None = None) -> dict[str, Source]:
    """The table of sources, changed by a YAML or JSON file where one is named.

    The file holds for each key that it changes an address, a list of addresses that are tried in turn, or
    ``{addresses: [...], fields: {...}, page: N, headers: {...}}``.

    Raises
    ------
    UsageError
        The file is not there, is no YAML, or holds a key or value that is not of the table.
    """
    table = {source.key: source for source in _TABLE}
    named = path or os.environ.get(SOURCES_FILE)
    if not named:
        return table
    path = Path(named)
    if not path.is_file():
        raise UsageError(f"the file of addresses {path.name!r} is not there")
    try:
        given = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except RecursionError:
        raise UsageError(f"{path.name}: this is nested too deep for a file of addresses") from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, OverflowError) as wrong:
        # The library makes dates and numbers of texts that look like some, and stumbles over impossible ones.
        cure = "" if isinstance(wrong, YAMLError | UnicodeDecodeError) else "; put texts into quotes"
        raise UsageError(f"{path.name}: this is no YAML or JSON: {' '.join(str(wrong).split())[:200]}{cure}") from None
    if not isinstance(given, dict):
        raise UsageError(f"{path.name}: keys with addresses are expected, such as `timetable: https://...`")
    for key, value in given.items():
        if key not in table:
            raise UsageError(f"{path.name}: {key!r} is no source; they are {', '.join(table)}")
        table[key] = _changed(table[key], value, path.name)
    return table


def _changed(source: Source, value: Any, file: str) -> Source:
    parts = dict(value) if isinstance(value, dict) else {"addresses": value}
    unknown = sorted(set(map(str, parts)) - {"addresses", "fields", "page", "headers"})
    if unknown:
        raise UsageError(f"{file}: {source.key}: {unknown[0]!r} is not one of addresses, fields, page and headers")
    if "addresses" in parts:
        given = parts["addresses"]
        addresses = tuple(given) if isinstance(given, list) else (given,)
        if not addresses or not all(isinstance(a, str) and a.startswith(("http://", "https://")) for a in addresses):
            raise UsageError(f"{file}: {source.key}: an address begins with https:// or http://, not {short(given)}")
        for address in addresses:
            try:
                host, _ = urlsplit(address).hostname, urlsplit(address).port
            except ValueError:
                host = None
            if not host or not address.isprintable() or not address.isascii() or " " in address:
                raise UsageError(f"{file}: {source.key}: {short(address)} is no address that can be asked")
        source = replace(source, addresses=addresses)
    for name in ("fields", "headers"):
        if name in parts:
            if not isinstance(parts[name], dict):
                raise UsageError(f"{file}: {source.key}: {name} are keys with texts, not {short(parts[name])}")
            texts = {str(key): str(text) for key, text in parts[name].items()}
            odd = [text for pair in texts.items() for text in pair if not text.isprintable() or not text.isascii()]
            if name == "headers" and odd:
                raise UsageError(f"{file}: {source.key}: {short(odd[0])} cannot stand in a header")
            if name == "fields":
                source = replace(source, fields={**source.fields, **texts})
            else:
                source = replace(source, headers=texts)
    if "page" in parts:
        if not isinstance(parts["page"], int) or parts["page"] < 1:
            raise UsageError(f"{file}: {source.key}: page is a number of rows from 1 up, not {short(parts['page'])}")
        source = replace(source, page=parts["page"])
    return source
