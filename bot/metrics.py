"""Numbers for a scraper: what stands where, read from the rows when asked."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.app import App


async def render_metrics(app: App) -> bytes:
    """Return the exposition text. Counts only: no SKU, no name, no secret."""
    registry = CollectorRegistry()
    enhancements = Gauge("packshot_enhancements", "Enhancements by state", ["state"], registry=registry)
    placements = Gauge("packshot_placements", "Placements by state", ["state"], registry=registry)
    async with app.desk.work.reading() as rows:
        for enhancement_state, count in (await rows.enhancements.count_by_state(app.team.team_id)).items():
            enhancements.labels(enhancement_state.value).set(count)
        for placement_state, count in (await rows.placements.count_by_state(app.team.team_id)).items():
            placements.labels(placement_state.value).set(count)
    return generate_latest(registry)
