"""Answers a GraphQL document from plain values: what is asked for is picked out of dicts, no schema needed.

A value is a scalar, a list, or a dict whose entries are values or functions of the field's arguments. What a fake
does not know it fails on, loudly. Costs are counted as Shopify documents them: an object 1, a connection 2 and
what is in it, a mutation 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, OperationType, SelectionSetNode, parse
from graphql.utilities import value_from_ast_untyped

Arguments = Mapping[str, Any]
Root = Callable[[Arguments], Any]


@dataclass(frozen=True, slots=True)
class Walk:
    """One operation with its variables."""

    operation: OperationDefinitionNode
    variables: Mapping[str, Any]

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation is OperationType.MUTATION

    @property
    def root_fields(self) -> list[FieldNode]:
        """The fields asked for at the top, without those that are left out."""
        return [one for one in self._fields(self.operation.selection_set, "") if one.name.value != "__typename"]

    def arguments(self, field: FieldNode) -> dict[str, Any]:
        return {
            one.name.value: value_from_ast_untyped(one.value, dict(self.variables)) for one in field.arguments or ()
        }

    def directive(self, field: FieldNode, name: str) -> dict[str, Any] | None:
        """The arguments of a field's directive, None where it has none."""
        for one in field.directives or ():
            if one.name.value == name:
                return {
                    a.name.value: value_from_ast_untyped(a.value, dict(self.variables)) for a in one.arguments or ()
                }
        return None

    def pick(self, value: Any, selections: SelectionSetNode | None) -> Any:
        """Return what is asked for of a value."""
        if value is None or selections is None:
            assert not isinstance(value, dict), "an object needs fields"
            return value
        if isinstance(value, list):
            return [self.pick(one, selections) for one in value]
        picked = {}
        for field in self._fields(selections, value.get("__typename", "")):
            found = value[field.name.value]
            if callable(found):
                found = found(self.arguments(field))
            picked[(field.alias or field.name).value] = self.pick(found, field.selection_set)
        return picked

    def requested_cost(self) -> float:
        """What it may cost at most."""
        return sum((10 if self.is_mutation else 0) + self._cost(field) for field in self.root_fields)

    def _cost(self, field: FieldNode) -> float:
        if field.selection_set is None:
            return 0
        inner = {one.name.value: self._cost(one) for one in self._fields(field.selection_set, None)}
        count = self.arguments(field).get("first")
        if count is None:
            return 1 + sum(inner.values())
        return 2 + inner.pop("pageInfo", 0) + count * max(1, sum(inner.values()))

    def _fields(self, selections: SelectionSetNode, typename: str | None) -> list[FieldNode]:
        """The fields for a type, fragments opened; for None those of every type."""
        fields: list[FieldNode] = []
        for one in selections.selections:
            if isinstance(one, FieldNode):
                included = self.directive(one, "include")
                if included is None or included["if"]:
                    fields.append(one)
            else:
                assert isinstance(one, InlineFragmentNode)
                wanted = one.type_condition.name.value if one.type_condition else typename
                if typename is None or wanted == typename:
                    fields += self._fields(one.selection_set, typename)
        return fields


def walk(text: str, variables: Mapping[str, Any]) -> Walk:
    """Read a document with one operation."""
    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return Walk(operation, variables)


def actual_cost(data: Any) -> float:
    """What an answer cost: its objects, 2 for a connection."""
    if isinstance(data, list):
        return sum(actual_cost(one) for one in data)
    if not isinstance(data, dict):
        return 0
    return (2 if "nodes" in data else 1) + sum(actual_cost(one) for one in data.values())


def bulk_lines(data: Any, parent: str | None = None) -> list[dict[str, Any]]:
    """Return an answer's connections as a bulk operation writes them: a line a node, without its own connections."""
    lines: list[dict[str, Any]] = []
    for value in data.values():
        for edge in value["edges"]:
            node = edge["node"]
            inner = {name: one for name, one in node.items() if isinstance(one, dict) and "edges" in one}
            line = {name: one for name, one in node.items() if name not in inner}
            lines.append(line if parent is None else {**line, "__parentId": parent})
            lines += bulk_lines(inner, node["id"])
    return lines


def connection(items: Sequence[Any], arguments: Arguments) -> dict[str, Any]:
    """Return a page of items as `first`, `after` and `reverse` ask for it; cursors are places in the list."""
    ordered = list(reversed(items)) if arguments.get("reverse") else list(items)
    begin = int(arguments["after"]) + 1 if arguments.get("after") else 0
    page = ordered[begin : begin + (arguments.get("first") or len(ordered))]
    end = begin + len(page)
    return {
        "nodes": page,
        "edges": [{"node": one} for one in page],
        "pageInfo": {"hasNextPage": end < len(ordered), "endCursor": str(end - 1) if page else None},
    }
