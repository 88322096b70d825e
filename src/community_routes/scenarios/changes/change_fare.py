"""Other fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from community_routes.fares.feed import money_of, uses_feed_fares
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, Abandoned, Work
from community_routes.scenarios.values import nearest_name
from community_routes.sources.study.fares import Fares
from community_routes.sources.study.yaml import Step, dotted


class ChangeFare(Change):
    """Other fares: any keys of the study's ``fares``."""

    model_config = ConfigDict(extra="allow")
    kind: ClassVar[str] = "change_fare"
    example: ClassVar[str] = "{single: 2.00}"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """That of the study's fares; at least one of them."""
        fares = handler.resolve_ref_schema(handler(Fares.__pydantic_core_schema__))
        own = handler(schema)
        off = handler.resolve_ref_schema(own)["properties"]["off"]
        return {
            **fares,
            "properties": {**fares["properties"], "off": off},
            "description": cls.__doc__,
            "minProperties": 1,
        }

    def apply(self, work: Work) -> None:
        """Other prices; keys that are not given stay."""
        given: dict[str, Any] = dict(self.model_extra or {})
        if not given:
            raise work.stop(NO_EFFECT, "no fare is given; write for example {single: 2.00}")
        before, money = _fares_today(work, given), money_of(work.feed, work.now.fares)
        after = merged_fares(work, given, [])
        work.now = replace(work.now, fares=after)
        if money_of(work.feed, after) != money:
            raise work.stop(CANNOT_APPLY, f"a proposal cannot count in another currency than today's {money}")
        old, new = _prices(before), _prices(after)
        told = [f"{key} {_price(old.get(key))} -> {_price(new[key])}" for key in new if old.get(key) != new[key]]
        if not told:
            raise work.stop(NO_EFFECT, "the fares are exactly so already")
        work.effect("fares", ", ".join(told))


def merged_fares(work: Work, given: Mapping[str, Any], path: list[Step]) -> Fares:
    """The study's fares with some keys changed, checked like those of a study file; a fault for each that cannot be used."""
    try:
        return Fares.model_validate(_merged(_written(_fares_today(work, given)), given))
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
        raise Abandoned from None


def _fares_today(work: Work, given: Mapping[str, Any]) -> Fares | None:
    """The fares that a change begins with: where those of the timetable hold, prices given are in their currency.

    Prices of some routes, agencies or modes stand beside the timetable's; a general price stands in the place of all.
    """
    fares = work.now.fares
    if not uses_feed_fares(work.feed, fares):
        return fares
    said: dict[str, Any] = {"currency": money_of(work.feed, fares)}
    if set(given) <= {"routes", "agencies", "modes"}:
        said["gtfs"] = True
    return Fares(**said) if fares is None else fares.model_copy(update=said)


def _written(fares: Fares | None) -> dict[str, Any]:
    return fares.model_dump(by_alias=True, exclude_none=True) if fares is not None else {}


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another, mappings within them too."""
    made = dict(old)
    for key, value in new.items():
        inner = made.get(key)
        made[str(key)] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return made


def _prices(fares: Fares | None) -> dict[str, Any]:
    """Every price by its dotted key."""
    return _flat(_written(fares))


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
