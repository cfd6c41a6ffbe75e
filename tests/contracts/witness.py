"""Looks over an adapter's shoulder: every answer is counted, and every breach that a server names is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx

from platforms.transport import Transports

GRAPHQL = "/graphql.json"
PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Seen:
    """What one platform's servers saw."""

    calls: int = 0
    operations: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Witness:
    """The counts of a whole run, by platform."""

    seen: dict[str, Seen] = field(default_factory=dict)

    def watch(self, transports: Transports, platform: str) -> Seen:
        """Count everything these transports are answered from now on."""
        seen = self.seen.setdefault(platform, Seen())

        async def look(response: httpx.Response) -> None:
            request = response.request
            seen.calls += 1
            seen.operations.add(f"{request.method} {request.url.path}")
            place = f"{request.method} {request.url.path}"
            named = json.loads(response.headers.get("sl-violations", "[]"))
            if PROBLEM in response.headers.get("content-type", ""):
                # Where the definition has no answer for a bad request, Prism makes one of its own.
                await response.aread()
                said = response.json()
                named += said.get("validation") or [{"message": said.get("detail", said.get("title", ""))}]
            for one in named:
                seen.violations.append(
                    f"{place}: {'.'.join(map(str, one.get('location', [])))} {one.get('message', '')}"
                )
            if request.url.path.endswith(GRAPHQL):
                await response.aread()
                for error in response.json().get("errors", []):
                    seen.violations.append(f"{place}: {error['message'] if isinstance(error, dict) else error}")

        transports.client.event_hooks["response"].append(look)
        return seen
