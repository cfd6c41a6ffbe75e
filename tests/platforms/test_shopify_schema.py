"""Shopify's own schema judges our documents and our fake, so that neither can lie."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import FieldNode, GraphQLEnumType, GraphQLSchema, OperationDefinitionNode, OperationType, parse

from platforms.shopify.api import API_VERSION, BUSY, GONE, document
from platforms.shopify.stock import STALE
from tests.fakes.shopify import IDEMPOTENT, NEEDS, Exchange
from tests.platforms import graphql_judge as judge
from tests.platforms.shopify_harness import ShopifyHarness, open_shopify
from tests.platforms.shopify_story import play

VERSIONS = ("2026-04", "2026-07", "2026-10")
DOCUMENTS = sorted(path.stem for path in judge.documents())


@pytest.fixture(scope="module")
def newest() -> tuple[GraphQLSchema, list[dict[str, Any]]]:
    return judge.load(API_VERSION)


@pytest.fixture(scope="module")
def played() -> list[Exchange]:
    async def play_once() -> list[Exchange]:
        async with open_shopify() as shop:
            assert isinstance(shop, ShopifyHarness)
            await play(shop)
            return shop.server.exchanges

    return asyncio.run(play_once())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid_and_asks_for_nothing_deprecated(version: str) -> None:
    schema, _ = judge.load(version)
    assert DOCUMENTS
    problems = {name: found for name in DOCUMENTS if (found := judge.document_problems(schema, document(name).text))}
    assert problems == {}


def test_the_version_we_speak_is_the_newest_judged() -> None:
    assert VERSIONS[-1] == API_VERSION


def test_every_document_is_sent_with_variables_the_schema_takes(
    newest: tuple[GraphQLSchema, list[dict[str, Any]]], played: list[Exchange]
) -> None:
    schema, _ = newest
    sent = {one.text for one in played}
    unsent = {name for name in DOCUMENTS if document(name).text not in sent}
    # The inside of a bulk operation travels as a variable.
    inside = {one.variables["query"] for one in played if "bulkOperationRunQuery" in one.data}
    assert {document(name).text for name in unsent} == inside
    for one in played:
        assert judge.variable_problems(schema, one.text, one.variables) == [], one.text


def test_the_fake_answers_what_the_schema_says(
    newest: tuple[GraphQLSchema, list[dict[str, Any]]], played: list[Exchange]
) -> None:
    schema, _ = newest
    for one in played:
        assert judge.answer_problems(schema, one.text, one.data) == [], one.text


def test_the_judge_sees_a_lie(newest: tuple[GraphQLSchema, list[dict[str, Any]]]) -> None:
    schema, _ = newest
    text = "query Q($id: ID!) { product(id: $id) { id title status } }"
    true = {"product": {"id": "gid://shopify/Product/1", "title": "Mug", "status": "ACTIVE"}}
    assert judge.answer_problems(schema, text, true) == []
    for lie in ({"title": None}, {"title": 3}, {"status": "LIVE"}, {"handle": "mug"}):
        assert judge.answer_problems(schema, text, {"product": {**true["product"], **lie}}), lie
    assert judge.variable_problems(schema, text, {"id": "1", "more": 1})
    assert judge.document_problems(schema, "{ shop { noSuchField } }")


def test_the_fake_asks_for_the_rights_that_shopify_asks_for(
    newest: tuple[GraphQLSchema, list[dict[str, Any]]],
) -> None:
    schema, rights = newest
    by_field = {
        (one["typeName"], one.get("fieldName")): set(one["offlineScopes"]) for one in rights if one["offlineScopes"]
    }
    for name, scopes in NEEDS.items():
        of_root = by_field.get(("QueryRoot", name)) or by_field.get(("Mutation", name))
        root = schema.query_type if name in schema.query_type.fields else schema.mutation_type
        returned = str(root.fields[name].type).strip("[]!").removesuffix("Connection")
        known = of_root or by_field[(returned, None)]
        assert set(scopes) <= known, name


def test_the_mutations_that_need_a_key_are_the_ones_the_fake_refuses_without(
    newest: tuple[GraphQLSchema, list[dict[str, Any]]],
) -> None:
    schema, _ = newest
    ours = {
        field.name.value
        for name in DOCUMENTS
        for operation in parse(document(name).text).definitions
        if isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode)
    }
    needed = {
        name for name in ours if "idempotency key is required" in (schema.mutation_type.fields[name].description or "")
    }
    assert needed == IDEMPOTENT


def test_the_codes_we_act_on_exist(newest: tuple[GraphQLSchema, list[dict[str, Any]]]) -> None:
    schema, _ = newest
    known = {
        code for kind in schema.type_map.values() if isinstance(kind, GraphQLEnumType) and kind.name.endswith("Code")
        for code in kind.values
    }  # fmt: skip
    assert (BUSY | GONE | STALE) - known == set()
