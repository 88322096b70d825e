"""JSON schemas of study and scenario files, with which editors complete keys and mark faults while one types."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

STUDY_SCHEMA_NAME = "study.schema.json"
SCENARIO_SCHEMA_NAME = "scenario.schema.json"


def json_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the files that a model describes."""
    made = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}


def schema_text(schema: dict[str, Any]) -> str:
    """The schema as a file's text; the same each time."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def schema_hint(name: str = STUDY_SCHEMA_NAME) -> str:
    """The first line of a YAML file that tells editors where its schema lies (a path or an address)."""
    return f"# yaml-language-server: $schema={name}"
