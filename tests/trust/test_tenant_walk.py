"""Two shops on one deployment never see each other: everything is tried, by the people of either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.enhancement import Enhancement
from domain.intents import Incoming
from domain.tokens import Action
from storage.enhancements import SqlEnhancements
from storage.work import SqlReading, SqlUnitOfWork, SqlWork
from tests.trust.tenants import Deployment, two_shops
from tests.trust.walk import Walk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Both shops, filled once for all that is tried here; what is tried changes nothing of the other's."""
    async with two_shops(tmp_path_factory.mktemp("two-shops")) as opened:
        yield opened


async def _walk_of(deployment: Deployment, *, is_second: bool = True) -> Walk:
    us, them = (deployment.second, deployment.first) if is_second else (deployment.first, deployment.second)
    return Walk(deployment, us, them, await deployment.names_of(them), is_thorough=is_second)


@pytest.mark.parametrize("is_second", [True, False], ids=["second-among-first", "first-among-second"])
async def test_tenant_walk_finds_nothing_of_the_other_shop(deployment: Deployment, is_second: bool) -> None:
    walk = await _walk_of(deployment, is_second=is_second)
    await walk.commands()
    await walk.buttons()
    await walk.routes(deployment.web.routes)
    await walk.leftovers()
    print(f"\n{'second among first' if is_second else 'first among second'}: {walk.report}")
    assert walk.report.leaks == []


async def test_tenant_walk_hears_a_planted_route(deployment: Deployment) -> None:
    async def planted(request: Request) -> Response:
        async with deployment.app.desk.work.reading() as rows:
            members = await rows.people.members(deployment.first.team_id)
        return PlainTextResponse("ok", headers={"X-By": members[-1].name})

    walk = await _walk_of(deployment)
    deployment.web.router.routes.append(Route("/planted", planted))
    try:
        await walk.routes(deployment.web.router.routes[-1:])
    finally:
        deployment.web.router.routes.pop()
    assert walk.report.leaks


async def test_tenant_walk_hears_a_handler_that_forgets_the_team(deployment: Deployment) -> None:
    desk = deployment.app.desk
    assert isinstance(desk.work, SqlWork)
    walk = replace(
        await _walk_of(deployment), desk=replace(desk, work=Forgetful(desk.work)), actions=(Action.COMPARE, Action.REDO)
    )
    await walk.buttons()
    assert any("changed" in leak for leak in walk.report.leaks), "a redo of theirs"
    assert any("compare" in leak and "changed" not in leak for leak in walk.report.leaks), "their picture's name"


class ForgetfulEnhancements(SqlEnhancements):
    """Gives a card to whoever names it."""

    async def get(self, team_id: str, enhancement_id: str) -> Enhancement | None:
        return await self.load(enhancement_id)


class Forgetful:
    """The port `Work`, with that one mistake in it."""

    def __init__(self, work: SqlWork) -> None:
        self._work = work

    @asynccontextmanager
    async def __call__(self, incoming: Incoming | None = None) -> AsyncIterator[SqlUnitOfWork]:
        async with self._work(incoming) as unit:
            unit.enhancements = ForgetfulEnhancements(unit._db_session)
            yield unit

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlReading]:
        async with self._work.reading() as rows:
            rows.enhancements = ForgetfulEnhancements(rows._db_session)
            yield rows
