"""The independent servers, each started when the first test asks for it, and the counts at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from platforms.transport import Patience, Transports
from tests.contracts import servers
from tests.contracts.witness import Witness
from tests.fakes.store_side import HandTime, make_transports

PATIENCE = Patience(backoff_s=0.0, backoff_most_s=0.0)
"""Prism takes seconds for its first answer."""
WITNESS = pytest.StashKey[Witness]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(servers.ROOT / "tests" / "contracts")]
    for item in ours:
        item.add_marker(pytest.mark.contracts)
    if "contracts" not in str(config.getoption("-m")):
        # They start servers and take their time: a plain run leaves them out.
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session")
def witness(request: pytest.FixtureRequest) -> Witness:
    """What was asked of the servers in this run."""
    return request.config.stash.setdefault(WITNESS, Witness())


@pytest.fixture
async def transports() -> AsyncIterator[Transports]:
    """Transports whose waiting costs nothing."""
    async with make_transports(HandTime(), patience=PATIENCE) as opened:
        yield opened


@pytest.fixture(scope="session")
def amazon_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism on Amazon's models."""
    servers.require_specs()
    folder = tmp_path_factory.mktemp("amazon")
    with servers.prism(servers.amazon_definition(folder), folder) as url:
        yield url


@pytest.fixture(scope="session")
def etsy_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism on Etsy's definition."""
    servers.require_specs()
    with servers.prism(servers.etsy_definition(), tmp_path_factory.mktemp("etsy")) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Amazon's static sandbox."""
    servers.require_specs()
    with servers.amazon_sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture(scope="session")
def shopify_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Shopify that holds every document against the newest schema."""
    servers.require_specs()
    with servers.shopify_schema(tmp_path_factory.mktemp("shopify")) as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    witness = config.stash.get(WITNESS, None)
    if witness is None:
        return
    terminalreporter.section("contracts")
    for platform, seen in sorted(witness.seen.items()):
        breaches = len(seen.violations)
        terminalreporter.line(
            f"{platform:12} {seen.calls:4} calls  {len(seen.operations):3} operations  {breaches} violations"
        )
        for violation in seen.violations:
            terminalreporter.line(f"    {violation}")
