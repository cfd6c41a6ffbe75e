"""What to do where a store cannot: each power's way out, said once."""

from __future__ import annotations

from domain import powers
from domain.errors import NotPossible
from domain.ports import RestoresImages, StorePlatform
from handlers.words import text

_INSTEAD: dict[type[object], str] = {
    RestoresImages: text("{store} cannot put a picture back: replace it there by hand."),
    powers.WritesAltText: text("{store} keeps no text for a picture: write it into the listing's description there."),
    powers.RemovesImages: text("{store} does not let me take a picture off: remove it there by hand."),
    powers.ReadsStock: text("{store} does not tell me its stock: look there."),
    powers.SwapsStock: text("{store} does not compare stock before a change: set it there, or let me set it plainly."),
    powers.SetsStock: text("{store} does not let me change stock: set it there."),
    powers.SetsStockInBulk: text("{store} takes one quantity at a time: give them one by one."),
    powers.ReadsOrders: text("{store} does not show me its orders: look there."),
    powers.ShipsOrders: text("{store} does not let me mark an order as shipped: do it there."),
    powers.WritesPrices: text("{store} does not let me change prices: change it there."),
    powers.WritesTexts: text("{store} does not let me change texts: edit the listing there."),
    powers.GoesLiveLater: text("{store} shows a picture at once: open the listing to see it."),
    powers.RevokesAccess: text("{store} does not let me end my access myself: end it there."),
}


def lacking(store: StorePlatform, power: type[object]) -> NotPossible:
    """Return the refusal for a store without this Protocol, with the way out."""
    return NotPossible(_INSTEAD[power], store=store.store.name)
