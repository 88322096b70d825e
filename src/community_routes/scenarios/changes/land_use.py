"""Changes of where people live, what they go to, and what they pay: homes, jobs, spaces, fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import ValidationError

from community_routes.base.earth import EARTH_RADIUS_M
from community_routes.fares.feed import money_of, uses_feed_fares
from community_routes.scenarios.edit.stops import plain_name
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, UNKNOWN_PLACE, Work
from community_routes.scenarios.models import AddHomes, AddJobs, AddSpace, ChangeFare
from community_routes.scenarios.values import nearest_name
from community_routes.sources.study.fares import Fares
from community_routes.sources.study.yaml import Step, dotted

HOMES_RADIUS_M = 60.0
"""New homes are drawn on the map as a circle of this radius."""


def apply_add_homes(work: Work, change: AddHomes) -> None:
    """A new neighbourhood of one origin, whose people are like those of one that exists."""
    zones = work.zones
    if zones is None:
        raise work.stop(CANNOT_APPLY, "there are no neighbourhoods to add homes to", [])
    like = _zone_row(work, change.like)
    persons = change.homes * change.persons_per_home
    table = zones.table
    row = table.iloc[[like]].copy()
    row["id"] = _free_id(work, set(table["id"]), change.name)
    row["name"] = change.name
    row["population"] = persons if zones.has_population else 1.0
    lon, lat = change.at
    row = row.set_geometry([_circle(lon, lat)], crs=table.crs)
    grown = gpd.GeoDataFrame(pd.concat([table, row], ignore_index=True), crs=table.crs)
    origin = {
        "zone": len(table),
        "id": row["id"].iat[0],
        "lon": lon,
        "lat": lat,
        "weight": 1.0,
    }
    columns = list(zones.origins.columns)
    origins = pd.concat(
        [zones.origins, pd.DataFrame([{name: origin.get(name, "") for name in columns}])], ignore_index=True
    ).astype(zones.origins.dtypes.to_dict())
    groups = zones.groups
    if groups is not None:
        of_like = groups.iloc[[like]].to_numpy(np.float64)
        total = float(of_like.sum())
        theirs = of_like / total * persons if total > 0 else of_like * 0.0
        groups = pd.concat([groups, pd.DataFrame(theirs, columns=groups.columns)], ignore_index=True)
    work.zones = replace(zones, table=grown, origins=origins, groups=groups)
    model = table["name"].iat[like]
    what = f"{change.homes:,.0f} homes, {persons:,.0f} persons" if zones.has_population else "one more neighbourhood"
    work.effect(change.name, f"{change.name}: {what} with the deprivation and groups of {model}")


def _circle(lon: float, lat: float) -> Any:
    """A circle on the ground as a polygon in degrees."""
    north = np.degrees(HOMES_RADIUS_M / EARTH_RADIUS_M)
    east = north / max(np.cos(np.radians(lat)), 0.01)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return shapely.Polygon(np.column_stack([lon + east * np.cos(turn), lat + north * np.sin(turn)]))


def _zone_row(work: Work, text: str) -> int:
    """The neighbourhood that a text means, by id and then by name."""
    table = work.zones.table
    for column in ("id", "name"):
        rows = np.flatnonzero(table[column].astype(str).str.casefold().to_numpy() == text.casefold())
        if len(rows) == 1:
            return int(rows[0])
        if len(rows) > 1:
            ids = ", ".join(str(table["id"].iat[int(row)]) for row in rows[:8])
            raise work.stop(
                UNKNOWN_PLACE, f"{len(rows)} neighbourhoods are called {text!r}; write an id: {ids}", ["like"], text
            )
    near = nearest_name(text, [*table["id"].astype(str), *table["name"].astype(str)])
    hint = f"; did you mean {near!r}?" if near else ""
    raise work.stop(UNKNOWN_PLACE, f"there is no neighbourhood {text!r}{hint}", ["like"], text)


def _free_id(work: Work, taken: set[str], name: str) -> str:
    """``<scenario>:<name>`` with what an id can hold."""
    plain = "-".join(plain_name(name).split()) or "place"
    wanted, number = f"{work.scenario.scenario}:{plain}", 1
    found = wanted
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    return found


def apply_add_jobs(work: Work, change: AddJobs) -> None:
    """New jobs as one more destination."""
    _add_place(work, change.name, change.at, change.into, "", change.jobs)


def apply_add_space(work: Work, change: AddSpace) -> None:
    """A new shared space as one more destination."""
    if work.opportunities is not None and change.space_kind:
        table = work.opportunities.table
        kinds = sorted({str(kind) for kind in table.loc[table["key"] == change.into, "kind"]} - {""})
        near = nearest_name(change.space_kind, kinds)
        if kinds and change.space_kind not in kinds and near:
            message = (
                f"{change.into} has no kind {change.space_kind!r}; did you mean {near!r}? There are {', '.join(kinds)}"
            )
            raise work.stop(UNKNOWN_PLACE, message, ["kind"], change.space_kind)
    _add_place(work, change.name, change.at, change.into, change.space_kind, change.amount)


def _add_place(work: Work, name: str, at: tuple[float, float], into: str, kind: str, amount: float) -> None:
    found = work.opportunities
    keys = list(dict.fromkeys(found.table["key"])) if found is not None else []
    if into not in keys:
        near = nearest_name(into, keys)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(keys) or 'none'}"
        raise work.stop(UNKNOWN_PLACE, f"the study has no destinations {into!r}; {hint}", ["into"], into)
    table = found.table
    row = gpd.GeoDataFrame(
        {column: [""] for column in table.columns if column != table.geometry.name},
        geometry=[shapely.Point(*at)],
        crs=table.crs,
    )
    row["key"], row["id"] = into, _free_id(work, set(table["id"].astype(str)), name)
    row["name"], row["kind"], row["amount"] = name, kind, float(amount)
    if table.geometry.name != "geometry":
        row = row.rename_geometry(table.geometry.name)
    grown = gpd.GeoDataFrame(pd.concat([table, row], ignore_index=True), crs=table.crs)
    grown["amount"] = grown["amount"].astype(np.float64)
    entrance = pd.DataFrame({"place": [len(table)], "lon": [at[0]], "lat": [at[1]]})
    entrances = pd.concat([found.entrances, entrance], ignore_index=True).astype(found.entrances.dtypes.to_dict())
    work.opportunities = replace(found, table=grown, entrances=entrances)
    mine = table["key"] == into
    before, after = float(table.loc[mine, "amount"].sum()), float(table.loc[mine, "amount"].sum()) + amount
    work.effect(
        name, f"{into}: {int(mine.sum())} -> {int(mine.sum()) + 1} places, amount {before:,.10g} -> {after:,.10g}"
    )


def apply_change_fare(work: Work, change: ChangeFare) -> None:
    """Other prices; keys that are not given stay."""
    given: dict[str, Any] = dict(change.model_extra or {})
    if not given:
        raise work.stop(NO_EFFECT, "no fare is given; write for example {single: 2.00}")
    before, money = _fares_today(work, given), money_of(work.feed, work.fares)
    work.fares = merged_fares(work, given, [])
    if money_of(work.feed, work.fares) != money:
        raise work.stop(CANNOT_APPLY, f"a proposal cannot count in another currency than today's {money}")
    told = changed_fares(before, work.fares)
    if not told:
        raise work.stop(NO_EFFECT, "the fares are exactly so already")
    work.effect("fares", f"fares: {', '.join(told)}")


def merged_fares(work: Work, given: Mapping[str, Any], path: list[Step]) -> Fares:
    """The study's fares with some keys changed, checked like those of a study file; a fault for each that cannot be used."""
    today = _fares_today(work, given)
    old = today.model_dump(by_alias=True, exclude_none=True) if today is not None else {}
    try:
        return Fares.model_validate(_merged(old, given))
    except ValidationError as fault:
        for item in fault.errors(include_url=False):
            where = [*path, *item["loc"]]
            if item["type"] == "extra_forbidden":
                known = [info.alias or name for name, info in Fares.model_fields.items()]
                near = nearest_name(str(item["loc"][-1]), known)
                hint = f"did you mean {near!r}?" if near else f"fares are {', '.join(known)}"
                message = f"unknown fare {str(item['loc'][-1])!r}; {hint}"
            else:
                message = f"{dotted(item['loc'])} {item['input']!r}: {item['msg'][0].lower()}{item['msg'][1:]}"
            work.note(CANNOT_APPLY, message, where, item["input"] if isinstance(item["input"], str) else "")
        raise work.abandoned() from None


def _fares_today(work: Work, given: Mapping[str, Any]) -> Fares | None:
    """The fares that a change begins with: where those of the timetable hold, prices given are in their currency.

    Prices of some routes, agencies or modes stand beside the timetable's; a general price stands in the place of all.
    """
    if not uses_feed_fares(work.feed, work.fares):
        return cast("Fares | None", work.fares)
    said: dict[str, Any] = {"currency": money_of(work.feed, work.fares)}
    if set(given) <= {"routes", "agencies", "modes"}:
        said["gtfs"] = True
    return Fares(**said) if work.fares is None else cast("Fares", work.fares).model_copy(update=said)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another, mappings within them too."""
    made = dict(old)
    for key, value in new.items():
        inner = made.get(key)
        made[str(key)] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return made


def changed_fares(before: Fares | None, after: Fares) -> list[str]:
    """``single 3 -> 2.5`` for each price that differs."""
    old = _flat(before.model_dump(by_alias=True, exclude_none=True)) if before is not None else {}
    new = _flat(after.model_dump(by_alias=True, exclude_none=True))
    return [f"{key} {_price(old.get(key))} -> {_price(new[key])}" for key in new if old.get(key) != new[key]]


def _flat(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping):
            flat.update(_flat(value, name))
        elif value not in ((), []):
            flat[name] = value
    return flat


def _price(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
