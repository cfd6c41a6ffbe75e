"""Etsy's own definition (OpenAPI 3.0) as a judge of requests and answers.

Stricter than the definition: a field it does not name is a breach, so that neither the adapter nor the fake can
make one up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "etsy" / "etsy-oas-3.0.0.json"
DOCUMENT = "urn:etsy"
METHODS = {"get", "put", "post", "patch", "delete"}
_PART = re.compile(rb'name="([^"]+)"[^\r]*(?:\r\n[^\r]+)*\r\n\r\n(.*)\r\n$', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and where it stands in the document."""

    name: str
    method: str
    path: re.Pattern[str]
    pointer: str
    described: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Judge:
    """Judges exchanges; `seen` are the operations that were, `breaches` what was wrong."""

    operations: list[Operation] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    registry: Registry[Any] = field(default_factory=Registry)

    def __post_init__(self) -> None:
        document = json.loads(SPEC.read_text())
        for path, item in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$")
            for method in METHODS & set(item):
                pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}"
                self.operations.append(Operation(item[method]["operationId"], method, pattern, pointer, item[method]))
        _close(document)
        self.registry = Registry().with_resource(DOCUMENT, DRAFT4.create_resource(document))

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, status: int, answer: bytes
    ) -> None:
        """Judge a request and what it was answered."""
        parts = urlsplit(url)
        found = [one for one in self.operations if one.method == method.lower() and one.path.match(parts.path)]
        if not found:
            self.breaches.append(f"Etsy has no {method} {parts.path}")
            return
        # `/listings/batch` and `/users/me` match a path with an id as well; the one with fewer names is meant.
        operation = min(found, key=lambda one: one.path.groups)
        self.seen.add(operation.name)
        self._parameters(operation, parts.path, parts.query)
        self._body(operation, headers.get("content-type", ""), body)
        self._answer(operation, status, answer)

    def _parameters(self, operation: Operation, path: str, query: str) -> None:
        known = {(one["in"], one["name"]): one for one in operation.described.get("parameters", [])}
        matched = operation.path.match(path)
        assert matched is not None
        given = [("path", name, value) for name, value in matched.groupdict().items()]
        given += [("query", name, value) for name, value in parse_qsl(query, keep_blank_values=True)]
        for place, name, value in given:
            if (place, name) not in known:
                self.breaches.append(f"{operation.name}: no {name} in the {place}")
                continue
            schema = known[place, name]["schema"]
            typed = _typed(schema.get("items", schema), value)
            self._hold(operation, name, schema, [typed] if schema.get("type") == "array" else typed)
        for (place, name), one in known.items():
            if one.get("required") and (place, name) not in {(where, what) for where, what, _ in given}:
                self.breaches.append(f"{operation.name}: {name} is missing")

    def _body(self, operation: Operation, content_type: str, body: bytes) -> None:
        described = operation.described.get("requestBody", {}).get("content", {})
        kind = content_type.partition(";")[0]
        if not described and not body:
            return
        if kind not in described:
            self.breaches.append(f"{operation.name} takes {sorted(described)}, not {kind or 'nothing'}")
            return
        schema = described[kind]["schema"]
        given: Any
        if kind == "application/json":
            given = json.loads(body)
        elif kind == "multipart/form-data":
            given = self._fields(schema, _parts(content_type, body))
        else:
            given = self._fields(schema, parse_qsl(body.decode(), keep_blank_values=True))
        pointer = f"{operation.pointer}/requestBody/content/{kind.replace('/', '~1')}/schema"
        self._hold(operation, "body", {"$ref": f"{DOCUMENT}#{pointer}"}, given)

    def _fields(self, schema: dict[str, Any], pairs: list[tuple[str, str]]) -> dict[str, Any]:
        """Return form fields as what the schema makes of them; `name[]` is a list."""
        given: dict[str, Any] = {}
        for name, value in pairs:
            plain = name.removesuffix("[]")
            described = schema.get("properties", {}).get(plain, {})
            if name.endswith("[]"):
                given.setdefault(plain, []).append(_typed(described.get("items", {}), value))
            else:
                given[plain] = _typed(described, value)
        return given

    def _answer(self, operation: Operation, status: int, answer: bytes) -> None:
        described = operation.described["responses"].get(str(status))
        if described is None:
            self.breaches.append(f"{operation.name} never answers {status}")
            return
        if not described.get("content"):
            return
        pointer = f"{operation.pointer}/responses/{status}/content/application~1json/schema"
        self._hold(operation, f"answer {status}", {"$ref": f"{DOCUMENT}#{pointer}"}, json.loads(answer))

    def _hold(self, operation: Operation, what: str, schema: dict[str, Any], value: Any) -> None:
        validator = OAS30Validator(schema, registry=self.registry)
        for error in validator.iter_errors(value):
            place = ".".join(map(str, error.absolute_path))
            self.breaches.append(f"{operation.name} {what} {place}: {error.message[:200]}")


def _close(node: Any) -> None:
    """Let no object have a field that its schema does not name, where it names any."""
    if isinstance(node, dict):
        if node.get("type") == "object" and node.get("properties"):
            node.setdefault("additionalProperties", False)
        for one in node.values():
            _close(one)
    elif isinstance(node, list):
        for one in node:
            _close(one)


def _typed(schema: dict[str, Any], value: str) -> Any:
    kind = schema.get("type")
    if kind == "integer" and value.lstrip("-").isdigit():
        return int(value)
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    return value


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    found = [_PART.search(part) for part in body.split(b"--" + boundary)[1:-1]]
    return [(one[1].decode(), one[2].decode("latin-1")) for one in found if one]
