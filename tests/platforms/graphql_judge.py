"""Judges documents, variables and answers by a schema, as a client library with types would."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_client_schema,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.validation import NoDeprecatedCustomRule

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "shopify"
DOCUMENTS = Path(__file__).parents[2] / "platforms" / "shopify" / "documents"
PLAIN = {"String": str, "ID": str, "Int": int, "Boolean": bool, "Money": str, "UnsignedInt64": str, "DateTime": str}


def load(version: str) -> tuple[GraphQLSchema, list[dict[str, Any]]]:
    """Return a version's schema, and which rights its fields need."""
    path = SPECS / f"admin_{version}.json.gz"
    if not path.exists():
        pytest.skip("../shared is absent")
    with gzip.open(path) as file:
        whole = json.load(file)
    return build_client_schema(whole["data"], assume_valid=True), whole["offline_scopes"]["items"]


def documents() -> list[Path]:
    """Return every document we have."""
    return list(DOCUMENTS.glob("*.graphql"))


def document_problems(schema: GraphQLSchema, text: str) -> list[str]:
    """What is wrong with a document, deprecated fields included."""
    parsed = parse(text)
    return [error.message for error in (*validate(schema, parsed), *validate(schema, parsed, [NoDeprecatedCustomRule]))]


def variable_problems(schema: GraphQLSchema, text: str, variables: Mapping[str, Any]) -> list[str]:
    """What is wrong with a document's variables; a name it does not declare is wrong too."""
    operation = _operation(text)
    declared = {one.variable.name.value for one in operation.variable_definitions or ()}
    judged = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    problems = [error.message for error in judged] if isinstance(judged, list) else []
    return problems + [f"{name} is not declared" for name in variables if name not in declared]


def answer_problems(schema: GraphQLSchema, text: str, data: Mapping[str, Any]) -> list[str]:
    """What of an answer's data the schema would never say: missing, null, of another kind, or too much."""
    operation = _operation(text)
    root = schema.get_root_type(operation.operation)
    return list(_object_problems(schema, root, operation.selection_set, data, operation.operation.value))


def _operation(text: str) -> OperationDefinitionNode:
    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def _object_problems(
    schema: GraphQLSchema, kind: Any, selections: SelectionSetNode, value: Mapping[str, Any], path: str
) -> list[str]:
    known = set()
    problems = []
    for field in _fields(schema, kind, selections, value):
        name = (field.alias or field.name).value
        known.add(name)
        if field.name.value == "__typename":
            continue
        if name not in value:
            if not any(one.name.value == "include" for one in field.directives or ()):
                problems.append(f"{path}.{name} is missing")
            continue
        found = _value_problems(schema, kind.fields[field.name.value].type, field, value[name], f"{path}.{name}")
        problems += found
    return problems + [f"{path}.{name} was not asked for" for name in value if name not in known]


def _fields(
    schema: GraphQLSchema, kind: Any, selections: SelectionSetNode, value: Mapping[str, Any]
) -> list[FieldNode]:
    fields: list[FieldNode] = []
    for one in selections.selections:
        if isinstance(one, FieldNode):
            fields.append(one)
        elif isinstance(one, InlineFragmentNode) and one.type_condition.name.value == kind.name:
            fields += _fields(schema, kind, one.selection_set, value)
    return fields


def _value_problems(schema: GraphQLSchema, kind: Any, field: FieldNode, value: Any, path: str) -> list[str]:
    if is_non_null_type(kind):
        return [f"{path} is null"] if value is None else _value_problems(schema, kind.of_type, field, value, path)
    if value is None:
        return []
    if is_list_type(kind):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [one for item in value for one in _value_problems(schema, kind.of_type, field, item, path)]
    if is_composite_type(kind):
        assert field.selection_set is not None
        concrete = schema.get_type(value["__typename"]) if "__typename" in value else get_named_type(kind)
        return _object_problems(schema, concrete, field.selection_set, value, path)
    if is_enum_type(kind):
        return [] if value in kind.values else [f"{path} is {value}, which {kind.name} does not have"]
    expected = PLAIN.get(kind.name, str)
    is_right = isinstance(value, expected) and not (expected is int and isinstance(value, bool))
    return [] if is_right else [f"{path} is {value!r}, no {kind.name}"]
