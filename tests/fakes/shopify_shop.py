"""What a pretended Shopify shop holds: products, their media, and the changes that can be made to them.

Pictures are processed and moves are done some requests later, never at once; a file lives on when a product lets go
of it; a name that is taken gets a UUID behind it. Source: STORES.md, Shopify, Images.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.graphql_walk import Arguments, connection

MEDIA_MOST = 250
CURRENCY = "EUR"


@dataclass(slots=True)
class File:
    """A picture in the shop's files; `steps_left` requests until it is processed."""

    number: int
    filename: str
    content: bytes
    alt: str
    steps_left: int = 0
    problem: str = ""
    kind: str = "MediaImage"

    @property
    def gid(self) -> str:
        return f"gid://shopify/{self.kind}/{self.number}"

    @property
    def status(self) -> str:
        if self.steps_left:
            return "UPLOADED" if self.steps_left > 1 else "PROCESSING"
        return "FAILED" if self.problem else "READY"


@dataclass(slots=True)
class ShopVariant:
    """A variant, its inventory item under the same number, and what is there by location."""

    number: int
    sku: str
    title: str
    price: str
    levels: dict[int, int]
    tracked: bool = True
    medium: str = ""

    @property
    def gid(self) -> str:
        return f"gid://shopify/ProductVariant/{self.number}"

    @property
    def item_gid(self) -> str:
        return f"gid://shopify/InventoryItem/{self.number}"


@dataclass(slots=True)
class ShopProduct:
    """A product; `media` are gids of files in order."""

    number: int
    title: str
    variants: list[ShopVariant]
    media: list[str] = field(default_factory=list)
    description: str = ""

    @property
    def gid(self) -> str:
        return f"gid://shopify/Product/{self.number}"


@dataclass(slots=True)
class MoveJob:
    """A reorder that was ordered and is not done yet."""

    gid: str
    product: ShopProduct
    moves: list[Mapping[str, str]]
    steps_left: int

    def step(self) -> None:
        """Get on; the last step moves."""
        if self.steps_left:
            self.steps_left -= 1
            if self.steps_left == 0:
                for move in self.moves:
                    if move["id"] in self.product.media:
                        self.product.media.remove(move["id"])
                        self.product.media.insert(int(move["newPosition"]), move["id"])


@dataclass(slots=True)
class Goods:
    """Products, files and jobs. `url` is where pictures are served."""

    products: dict[str, ShopProduct] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    staged: dict[str, tuple[str, bytes | None]] = field(default_factory=dict)
    jobs: dict[str, MoveJob] = field(default_factory=dict)
    url: str = ""
    processing_steps: int = 2
    moving_steps: int = 2
    refusal: str = ""
    """What the next picture fails with."""
    numbers: Callable[[], int] = field(default_factory=lambda: itertools.count(1001).__next__)

    def step(self) -> None:
        """A request later: what is being done gets on."""
        for file in self.files.values():
            file.steps_left = max(0, file.steps_left - 1)
        for job in self.jobs.values():
            job.step()

    def add_file(self, content: bytes, *, filename: str, alt: str = "", kind: str = "MediaImage") -> File:
        """Keep a picture that is processed already."""
        if any(one.filename == filename for one in self.files.values()):
            stem, _, ending = filename.rpartition(".")
            filename = f"{stem}_{uuid.uuid4()}.{ending}"
        file = File(self.numbers(), filename, content, alt, kind=kind)
        self.files[file.gid] = file
        return file

    # ------------------------------------------------------------ as nodes

    def product_node(self, product: ShopProduct | None) -> dict[str, Any] | None:
        if product is None:
            return None
        return {
            "__typename": "Product",
            "id": product.gid,
            "title": product.title,
            "handle": product.title.lower(),
            "descriptionHtml": product.description,
            "onlineStoreUrl": f"https://shop.example/products/{product.number}",
            "media": lambda a: connection([self.medium_node(self.files[one]) for one in product.media], a),
            "variants": lambda a: connection([self.variant_node(one, product) for one in product.variants], a),
        }

    def variant_node(self, variant: ShopVariant, product: ShopProduct) -> dict[str, Any]:
        shown = [self.medium_node(self.files[variant.medium])] if variant.medium else []
        return {
            "id": variant.gid,
            "sku": variant.sku,
            "title": variant.title,
            "price": variant.price,
            "inventoryQuantity": sum(variant.levels.values()),
            "inventoryItem": {"id": variant.item_gid, "tracked": variant.tracked},
            "media": lambda a: connection(shown, a),
            "product": lambda a: self.product_node(product),
        }

    def medium_node(self, file: File) -> dict[str, Any]:
        """The address is there once it is processed."""
        is_ready = file.status == "READY"
        errors = [{"code": "IMAGE_PROCESSING_FAILURE", "message": file.problem, "details": file.problem}]
        return {
            "__typename": file.kind,
            "id": file.gid,
            "alt": file.alt,
            "status": file.status,
            "fileStatus": file.status,
            "image": {"url": f"{self.url}/cdn/s/files/1/{file.filename}?v={file.number}"} if is_ready else None,
            "mediaErrors": errors if file.status == "FAILED" else [],
        }

    # ------------------------------------------------------------ mutations

    def stage(self, a: Arguments) -> dict[str, Any]:
        targets = []
        for wanted in a["input"]:
            assert wanted["resource"] == "IMAGE"
            assert wanted["httpMethod"] == "POST"
            key = f"tmp/{self.numbers()}/{wanted['filename']}"
            self.staged[key] = (wanted["filename"], None)
            parameters = {"Content-Type": wanted["mimeType"], "success_action_status": "201", "key": key, "policy": "p"}
            targets.append(
                {
                    "url": f"{self.url}/staged",
                    "resourceUrl": f"{self.url}/staged/{key}",
                    "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
                }
            )
        return {"stagedTargets": targets, "userErrors": []}

    def update_product(self, a: Arguments) -> dict[str, Any]:
        """Appends media, every time it is asked to; sets texts."""
        product = self.products.get(a["product"]["id"])
        if product is None:
            return {"product": None, "userErrors": [{"field": ["id"], "message": "Product does not exist"}]}
        media = a.get("media") or []
        if len(product.media) + len(media) > MEDIA_MOST:
            return {"product": None, "userErrors": [{"field": ["media"], "message": f"Exceeded {MEDIA_MOST} media"}]}
        if a["product"].get("title") == "":
            return {"product": None, "userErrors": [{"field": ["title"], "message": "Title can't be blank"}]}
        for one in media:
            filename, content = self.staged[one["originalSource"].removeprefix(f"{self.url}/staged/")]
            file = self.add_file(content or b"", filename=filename, alt=one["alt"])
            file.steps_left, file.problem, self.refusal = self.processing_steps, self.refusal, ""
            if content is None:
                file.problem = "Image download failed"
            product.media.append(file.gid)
        product.title = a["product"].get("title", product.title)
        product.description = a["product"].get("descriptionHtml", product.description)
        return {"product": self.product_node(product), "userErrors": []}

    def update_files(self, a: Arguments) -> dict[str, Any]:
        """All of it or nothing. Detaching clears the picture from variants too."""
        for wanted in a["files"]:
            file = self.files.get(wanted["id"])
            if file is None:
                return _files_error("FILE_DOES_NOT_EXIST", "File does not exist")
            if file.status != "READY":
                return _files_error("NON_READY_STATE", "Non-ready files cannot be updated")
            for gid in (*wanted.get("referencesToAdd", ()), *wanted.get("referencesToRemove", ())):
                if gid not in self.products:
                    return _files_error("REFERENCE_TARGET_DOES_NOT_EXIST", "The product does not exist")
            if any(file.gid not in self.products[gid].media for gid in wanted.get("referencesToRemove", ())):
                return _files_error("REFERENCE_TARGET_DOES_NOT_EXIST", "The file is not on that product")
        for wanted in a["files"]:
            file = self.files[wanted["id"]]
            file.alt = wanted.get("alt", file.alt)
            for gid in wanted.get("referencesToRemove", ()):
                self._detach(self.products[gid], file.gid)
            for gid in wanted.get("referencesToAdd", ()):
                if file.gid not in self.products[gid].media:
                    self.products[gid].media.append(file.gid)
        return {"files": [self.medium_node(self.files[one["id"]]) for one in a["files"]], "userErrors": []}

    def delete_files(self, a: Arguments) -> dict[str, Any]:
        if any(gid not in self.files for gid in a["fileIds"]):
            return {**_files_error("FILE_DOES_NOT_EXIST", "File does not exist"), "deletedFileIds": None}
        for gid in a["fileIds"]:
            for product in self.products.values():
                self._detach(product, gid)
            del self.files[gid]
        return {"deletedFileIds": a["fileIds"], "userErrors": []}

    def reorder(self, a: Arguments) -> dict[str, Any]:
        """Order it; it is done some requests later."""
        product = self.products.get(a["id"])
        if product is None:
            return {"job": None, "mediaUserErrors": [_media_error("PRODUCT_DOES_NOT_EXIST", "Product does not exist")]}
        for move in a["moves"]:
            assert isinstance(move["newPosition"], str), "an UnsignedInt64 is a string"
            if move["id"] not in product.media:
                missing = _media_error("MEDIA_DOES_NOT_EXIST_ON_PRODUCT", "Media does not exist on the product")
                return {"job": None, "mediaUserErrors": [missing]}
        job = MoveJob(f"gid://shopify/Job/{self.numbers()}", product, list(a["moves"]), self.moving_steps)
        self.jobs[job.gid] = job
        return {"job": {"id": job.gid, "done": False}, "mediaUserErrors": []}

    def detach_from_variants(self, a: Arguments) -> dict[str, Any]:
        for variant, one in self._named_variants(a):
            if variant.medium not in one["mediaIds"]:
                return {"userErrors": [_media_error("MEDIA_IS_NOT_ATTACHED_TO_VARIANT", "It does not show that")]}
            variant.medium = ""
        return {"userErrors": []}

    def append_to_variants(self, a: Arguments) -> dict[str, Any]:
        for variant, one in self._named_variants(a):
            if variant.medium:
                return {"userErrors": [_media_error("PRODUCT_VARIANT_ALREADY_HAS_MEDIA", "It shows a picture already")]}
            if one["mediaIds"][0] not in self.products[a["productId"]].media:
                missing = _media_error("MEDIA_DOES_NOT_EXIST_ON_PRODUCT", "Media does not exist on the product")
                return {"userErrors": [missing]}
            variant.medium = one["mediaIds"][0]
        return {"userErrors": []}

    def set_prices(self, a: Arguments) -> dict[str, Any]:
        product = self.products[a["productId"]]
        changed = []
        for wanted in a["variants"]:
            if float(wanted["price"]) < 0:
                error = {"code": "NEGATIVE_PRICE_VALUE", "field": ["variants", "0", "price"], "message": "Below zero"}
                return {"productVariants": None, "userErrors": [error]}
            variant = next(one for one in product.variants if one.gid == wanted["id"])
            variant.price = f"{float(wanted['price']):.2f}"
            changed.append(self.variant_node(variant, product))
        return {"productVariants": changed, "userErrors": []}

    def _named_variants(self, a: Arguments) -> list[tuple[ShopVariant, Mapping[str, Any]]]:
        known = {one.gid: one for one in self.products[a["productId"]].variants}
        return [(known[one["variantId"]], one) for one in a["variantMedia"]]

    def _detach(self, product: ShopProduct, gid: str) -> None:
        product.media = [one for one in product.media if one != gid]
        for variant in product.variants:
            variant.medium = "" if variant.medium == gid else variant.medium


def _files_error(code: str, message: str) -> dict[str, Any]:
    return {"files": None, "userErrors": [{"code": code, "field": ["files", "0", "id"], "message": message}]}


def _media_error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "field": ["moves", "0", "id"], "message": message}
