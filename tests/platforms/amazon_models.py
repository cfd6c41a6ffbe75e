"""Amazon's own models (Swagger 2) as a judge of requests and answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft4Validator

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs" / "amazon"
METHODS = {"get", "put", "post", "patch", "delete"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one model."""

    name: str
    method: str
    path: re.Pattern[str]
    parameters: list[dict[str, Any]]
    responses: dict[str, Any]
    definitions: dict[str, Any] = field(repr=False)


def load() -> list[Operation]:
    """Return every operation of every model."""
    found = []
    for file in sorted(SPECS.glob("*.json")):
        model = json.loads(file.read_text())
        for path, item in model["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "$")
            shared = [_resolved(model, one) for one in item.get("parameters", [])]
            for method in METHODS & set(item):
                one = item[method]
                found.append(
                    Operation(
                        one["operationId"],
                        method.upper(),
                        pattern,
                        shared + [_resolved(model, each) for each in one.get("parameters", [])],
                        {code: _resolved(model, each) for code, each in one["responses"].items()},
                        model.get("definitions", {}),
                    )
                )
    return found


def _resolved(model: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    _, section, name = value["$ref"].split("/")
    resolved: dict[str, Any] = model[section][name]
    return resolved


@dataclass(slots=True)
class Judge:
    """Holds exchanges against the models; `seen` counts them by operation."""

    operations: list[Operation] = field(default_factory=load)
    seen: dict[str, int] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    def exchange(self, method: str, url: str, body: bytes, status: int, answer: bytes) -> None:
        """Judge one request and its answer; addresses of no model (pictures, files, tokens) are none of its business."""
        parts = urlsplit(url)
        for operation in self.operations:
            match = operation.path.match(parts.path)
            if operation.method == method and match:
                self.seen[operation.name] = self.seen.get(operation.name, 0) + 1
                self._request(
                    operation, {name: unquote(one) for name, one in match.groupdict().items()}, parts.query, body
                )
                self._answer(operation, status, answer)
                return

    def _request(self, operation: Operation, in_path: dict[str, str], query: str, body: bytes) -> None:
        given = dict(parse_qsl(query, keep_blank_values=True))
        known = {one["name"]: one for one in operation.parameters}
        for name in set(given) - {name for name, one in known.items() if one["in"] == "query"}:
            self._breach(operation, f"no such parameter: {name}")
        for name, one in known.items():
            if one["in"] == "body":
                if one.get("required") and not body:
                    self._breach(operation, "a body is missing")
                elif body:
                    self._schema(operation, one["schema"], json.loads(body), "body")
                continue
            value = in_path.get(name) if one["in"] == "path" else given.get(name)
            if value is None:
                if one.get("required"):
                    self._breach(operation, f"{name} is missing")
                continue
            self._parameter(operation, one, value)

    def _parameter(self, operation: Operation, one: dict[str, Any], value: str) -> None:
        parts = value.split(",") if one.get("type") == "array" else [value]
        allowed = one.get("enum") or one.get("items", {}).get("enum")
        if allowed and set(parts) - set(allowed):
            self._breach(operation, f"{one['name']} is none of {allowed}: {value}")
        if len(parts) > one.get("maxItems", len(parts)):
            self._breach(operation, f"{one['name']} has more than {one['maxItems']}")
        if one.get("type") == "integer" and not one.get("minimum", 0) <= int(value) <= one.get("maximum", int(value)):
            self._breach(operation, f"{one['name']} is out of range: {value}")

    def _answer(self, operation: Operation, status: int, answer: bytes) -> None:
        declared = operation.responses.get(str(status))
        if declared is None:
            self._breach(operation, f"never answers {status}")
        elif "schema" in declared:
            self._schema(operation, declared["schema"], json.loads(answer), f"answer {status}")

    def _schema(self, operation: Operation, schema: dict[str, Any], value: Any, where: str) -> None:
        whole = {**schema, "definitions": operation.definitions}
        for error in Draft4Validator(whole).iter_errors(value):
            self._breach(operation, f"{where} {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}")

    def _breach(self, operation: Operation, what: str) -> None:
        self.breaches.append(f"{operation.name}: {what}")
