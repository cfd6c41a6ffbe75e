"""Amazon's marketplaces: which endpoint serves each, its language and its shop's address.

Ids and regions as in Amazon's own list of marketplace ids (selling-partner-api, 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One country's Amazon. `language` is the tag of texts there, `region` na, eu or fe."""

    marketplace_id: str
    country: str
    region: str
    language: str
    domain: str


MARKETPLACES: Final = tuple(
    Marketplace(*row.split())
    for row in (
        "ATVPDKIKX0DER US na en_US amazon.com",
        "A2EUQ1WTGCTBG2 CA na en_CA amazon.ca",
        "A1AM78C64UM0Y8 MX na es_MX amazon.com.mx",
        "A2Q3Y263D00KWC BR na pt_BR amazon.com.br",
        "A1PA6795UKMFR9 DE eu de_DE amazon.de",
        "A1F83G8C2ARO7P UK eu en_GB amazon.co.uk",
        "A13V1IB3VIYZZH FR eu fr_FR amazon.fr",
        "APJ6JRA9NG5V4 IT eu it_IT amazon.it",
        "A1RKKUPIHCS9HS ES eu es_ES amazon.es",
        "A1805IZSGTT6HS NL eu nl_NL amazon.nl",
        "AMEN7PMS3EDWL BE eu fr_BE amazon.com.be",
        "A28R8C7NBKEWEA IE eu en_IE amazon.ie",
        "A2NODRKZP88ZB9 SE eu sv_SE amazon.se",
        "A1C3SOZRARQ6R3 PL eu pl_PL amazon.pl",
        "A33AVAJ2PDY3EV TR eu tr_TR amazon.com.tr",
        "A17E79C6D8DWNP SA eu ar_AE amazon.sa",
        "A2VIGQ35RCS4UG AE eu en_AE amazon.ae",
        "ARBP9OOSHTCHU EG eu ar_AE amazon.eg",
        "A21TJRUUN4KGV IN eu en_IN amazon.in",
        "AE08WJ6YKNBMC ZA eu en_ZA amazon.co.za",
        "A1VC38T7YXB528 JP fe ja_JP amazon.co.jp",
        "A39IBJ37TRP1C6 AU fe en_AU amazon.com.au",
        "A19VAU5U5O7RUS SG fe en_SG amazon.sg",
    )
)

REGIONS: Final = ("na", "eu", "fe")
SANDBOX: Final = "-sandbox"
"""`eu-sandbox`: the same calls against Amazon's examples, nothing is sold."""


def marketplace_of(word: str) -> Marketplace | None:
    """Return the marketplace a country (`DE`, `GB`) or an id means, None for none."""
    wanted = {"GB": "UK"}.get(word.strip().upper(), word.strip().upper())
    return next((one for one in MARKETPLACES if wanted in {one.marketplace_id, one.country}), None)


def endpoint(region: str) -> str:
    """Return the address of a region (`eu`, `eu-sandbox`)."""
    name, is_sandbox = region.removesuffix(SANDBOX), region.endswith(SANDBOX)
    return f"https://{'sandbox.' if is_sandbox else ''}sellingpartnerapi-{name}.amazon.com"
