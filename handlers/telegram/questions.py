"""What Telegram's messages ask: which product, which part of the photo."""

from __future__ import annotations

from domain.replies import WhichPart, WhichProduct
from handlers.faces import thing_question
from handlers.telegram.markup import bold, code, esc
from handlers.words import Words


def which_product_message(reply: WhichProduct, words: Words) -> str:
    """Return the question for a product, of a photo or of one thing in it."""
    question = words("Which product is it?") if reply.photo_count == 1 else words("Which product are they?")
    unknown = words("No store has {sku}.", sku=code(esc(reply.asked_sku))) + " " if reply.asked_sku else ""
    how = words("Press one, or type its SKU.") if reply.guesses else words("Type its SKU.")
    return f"❓ {bold(thing_question(reply, words) or question)}\n{unknown}{how}"


def which_part_message(reply: WhichPart, words: Words) -> str:
    """Return the question for a part of the photo, its caption."""
    name = bold(esc(reply.title or reply.sku, at_most=120))
    if reply.wants == "keep":
        asked = words("Which part of {product} did I leave out? Tap its number, or the field it lies in.", product=name)
    else:
        asked = words("What does not belong to {product}? Tap its number, or the field it lies in.", product=name)
    return f"❓ {asked}\n{words('Each tap makes a new version; the old ones stay.')}"
