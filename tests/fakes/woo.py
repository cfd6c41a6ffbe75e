"""A WooCommerce shop on loopback: wc/v3 and wp/v2 as WooCommerce 10 on WordPress 6.8 answer, oddities included.

There is no official machine-readable definition to check it against; what it does is what the sources of the two
controllers do (products and variations of wc/v3, attachments of wp/v2), and each oddity has its test.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.policy import HTTP
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from tests.fakes.store_server import SECRET_MARK, Handler, Seen, StoreServer, Way, answer_json
from tests.fakes.woo_state import Attachment, Row, WooState, chosen, file_url, kses, text_field

USER = "shop-manager"
RIGHTS = ("edit_products", "upload_files", "edit_shop_orders", "manage_woocommerce", "read")
FOLDER = "/wp-content/uploads/2026/11/"


@dataclass(slots=True)
class WooServer(StoreServer):
    """See the module. `password` is what is accepted now, `rights` what it may do."""

    state: WooState = field(default_factory=WooState)
    password: str = SECRET_MARK
    rights: tuple[str, ...] = RIGHTS
    refusal: str = ""
    """Why the next upload is refused."""
    home: str = ""
    """The address the site goes by, where it is another than the one it is asked at: it sends everybody on there."""
    has_all_variations: bool = True
    """False before WooCommerce 10.3."""
    upload_dies: bool = False
    """The next upload is stored, then PHP runs out of memory while it makes thumbnails."""

    def ways(self) -> Sequence[Way]:
        wc, wp = "/wp-json/wc/v3", "/wp-json/wp/v2"
        products, one = f"{wc}/products", "{id:\\d+}"
        forms = f"{products}/{one}/variations"
        return [
            Way("GET", "/wp-json/", "index", self._signed(self.index, right="read")),
            Way("GET", f"{wp}/users/me", "me", self._signed(self.me, right="read")),
            Way("GET", f"{wp}/users/me/application-passwords/introspect", "introspect", self._signed(self.introspect, right="read")),
            Way("DELETE", f"{wp}/users/me/application-passwords/{{uuid}}", "deletePassword", self._signed(self.delete_password, right="read")),
            Way("GET", f"{wc}/data/currencies/current", "currentCurrency", self._signed(self.currency)),
            Way("GET", products, "listProducts", self._signed(self.list_products)),
            Way("POST", f"{products}/batch", "batchProducts", self._signed(self.batch)),
            Way("GET", f"{products}/{one}", "retrieveProduct", self._signed(self.retrieve_product)),
            Way("PUT", f"{products}/{one}", "updateProduct", self._signed(self.update_product)),
            Way("GET", f"{wc}/variations", "listVariations", self._signed(self.list_variations)),
            Way("GET", forms, "listProductVariations", self._signed(self.list_variations)),
            Way("POST", f"{forms}/batch", "batchProducts", self._signed(self.batch)),
            Way("GET", f"{forms}/{{form:\\d+}}", "retrieveProduct", self._signed(self.retrieve_product)),
            Way("PUT", f"{forms}/{{form:\\d+}}", "updateProduct", self._signed(self.update_product)),
            Way("GET", f"{wp}/media", "listMedia", self._signed(self.list_media, right="upload_files")),
            Way("POST", f"{wp}/media", "createMedia", self._signed(self.create_media, right="upload_files")),
            Way("GET", f"{wp}/media/{one}", "retrieveMedia", self._signed(self.one_media, right="upload_files")),
            Way("POST", f"{wp}/media/{one}", "updateMedia", self._signed(self.one_media, right="upload_files")),
            Way(
                "POST", f"{wp}/media/{one}/post-process", "postProcessMedia",
                self._signed(self.post_process, right="upload_files"),
            ),
            Way("GET", f"{wc}/orders", "listOrders", self._signed(self.list_orders, right="edit_shop_orders")),
            Way("GET", f"{wc}/orders/{one}", "retrieveOrder", self._signed(self.one_order, right="edit_shop_orders")),
            Way("PUT", f"{wc}/orders/{one}", "updateOrder", self._signed(self.one_order, right="edit_shop_orders")),
            Way(
                "GET", f"{wc}/orders/{one}/refunds", "listRefunds",
                self._signed(self.list_refunds, right="edit_shop_orders"),
            ),
            Way("GET", f"{FOLDER}{{name}}", "fetchPicture", self.picture),
        ]  # fmt: skip

    def _signed(self, handler: Handler, *, right: str = "edit_products") -> Handler:
        async def checked(seen: Seen) -> web.StreamResponse:
            if self.home and seen.headers["host"] not in self.home:
                return web.Response(status=301, headers={"Location": f"{self.home}{seen.request.path_qs}"})
            if seen.operation == "index" and "authorization" not in seen.headers:
                return await handler(seen)  # the index is open to strangers
            scheme, _, given = seen.headers.get("authorization", "").partition(" ")
            user, _, password = base64.b64decode(given).decode().partition(":") if scheme == "Basic" else ("", "", "")
            if user != USER or password.replace(" ", "") != self.password.replace(" ", ""):
                return _error(401, "incorrect_password", f"The password {given} for {user} is not right.")
            if right not in self.rights:
                return _error(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
            return await handler(seen)

        return checked

    # ------------------------------------------------------------ the site

    async def index(self, seen: Seen) -> web.Response:
        return self._one(
            seen, {"name": "Tee &amp; Tassen", "home": self.home or self.url, "namespaces": ["wp/v2", "wc/v3"]}
        )

    async def me(self, seen: Seen) -> web.Response:
        return self._one(seen, {"id": 1, "name": USER, "capabilities": dict.fromkeys(self.rights, True)})

    async def introspect(self, seen: Seen) -> web.Response:
        return self._one(seen, {"uuid": "0a4c9f6e-1", "name": "Packshot"})

    async def delete_password(self, seen: Seen) -> web.Response:
        assert seen.match["uuid"] == "0a4c9f6e-1"
        self.password = ""
        return answer_json({"deleted": True})

    def say_yes(self, page: str) -> str:
        """The shop's manager approves on WordPress's page, which makes a password; returns where the browser lands."""
        asked = dict(parse_qsl(urlsplit(page).query))
        assert asked["app_name"]
        self.password = "abcd EFGH 1234 ijkl MNOP 5678"
        given = {"site_url": self.home or self.url, "user_login": USER, "password": self.password}
        return f"{asked['success_url']}&{urlencode(given)}"

    def say_no(self, page: str) -> str:
        """The manager does not."""
        return dict(parse_qsl(urlsplit(page).query))["reject_url"]

    async def currency(self, seen: Seen) -> web.Response:
        return self._one(seen, {"code": "EUR", "name": "Euro", "symbol": "&euro;"})

    # ------------------------------------------------------------ products

    async def list_products(self, seen: Seen) -> web.Response:
        rows = [one for one in self.state.rows.values() if one["status"] != "trash"]
        if sku := seen.query.get("sku"):
            # The column's collation does not know upper case, and with `sku` variations are found as well.
            wanted = {one.casefold() for one in [*sku.split(","), sku]}
            rows = [one for one in rows if one["sku"].casefold() in wanted]
        else:
            rows = [one for one in rows if not one["parent_id"]]
        if include := seen.query.get("include"):
            rows = [one for one in rows if str(one["id"]) in include.split(",")]
        return self._page(seen, [self.state.shown_row(one, self.url) for one in rows])

    async def list_variations(self, seen: Seen) -> web.Response:
        product = seen.match.get("id")
        if product is None and not self.has_all_variations:
            return _error(404, "rest_no_route", "No route was found matching the URL and request method.")
        rows = [self.state.shown_row(one, self.url) for one in self.state.rows.values() if one["parent_id"]]
        if product is not None:
            rows = [
                {name: value for name, value in one.items() if name != "parent_id"}
                for one in rows
                if str(one["parent_id"]) == product
            ]
        return self._page(seen, rows)

    async def retrieve_product(self, seen: Seen) -> web.Response:
        row = self._row(seen)
        if row is None:
            return _error(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return self._one(seen, self.state.shown_row(row, self.url))

    async def update_product(self, seen: Seen) -> web.Response:
        row = self._row(seen)
        if row is None or row["status"] == "trash":
            return _error(400, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        if row["parent_id"] and "form" not in seen.match:
            return _error(
                404, "woocommerce_rest_invalid_product_id", "To manipulate product variations you should use …"
            )
        refused = self._change(row, seen.json())
        return refused or self._one(seen, self.state.shown_row(row, self.url))

    async def batch(self, seen: Seen) -> web.Response:
        changes = seen.json()["update"]
        if len(changes) > 100:
            return _error(413, "woocommerce_rest_request_entity_too_large", "Unable to accept more than 100 items.")
        parent, done = int(seen.match.get("id", 0)), []
        for change in changes:
            row = self.state.rows.get(change["id"])
            if row is None or row["parent_id"] != parent:
                error = {
                    "code": "woocommerce_rest_product_invalid_id",
                    "message": "Invalid ID.",
                    "data": {"status": 400},
                }
                done.append({"id": change["id"], "error": error})
                continue
            assert self._change(row, change) is None
            done.append(self.state.shown_row(row, self.url))
        return answer_json({"update": done})

    def _row(self, seen: Seen) -> Row | None:
        row = self.state.rows.get(int(seen.match.get("form", seen.match["id"])))
        is_lost = row is None or ("form" in seen.match and str(row["parent_id"]) != seen.match["id"])
        return None if is_lost else row

    def _change(self, row: Row, wanted: Row) -> web.Response | None:
        if "images" in wanted:
            ids: list[int] = []
            for image in wanted["images"]:
                # Named by its address alone, a picture is downloaded and becomes a new attachment.
                media_id = image.get("id") or self._sideloaded(image["src"]).media_id
                if media_id not in self.state.media:
                    message = f"#{media_id} is an invalid image ID."
                    return _error(400, "woocommerce_product_invalid_image_id", message)
                ids.append(media_id)
                if image.get("alt"):
                    self.state.media[media_id].alt = text_field(image["alt"])
            self.state.set_gallery(row["id"], ids)
        for name in ("name", "description"):
            if name in wanted:
                row[name] = kses(wanted[name])
        for name in ("regular_price", "sale_price", "manage_stock"):
            if name in wanted:
                row[name] = wanted[name]
        if "stock_quantity" in wanted and row["manage_stock"]:
            row["stock_quantity"] = wanted["stock_quantity"]
        return None

    def _sideloaded(self, src: str) -> Attachment:
        name = src.rpartition("/")[2]
        content = next(one.content for one in self.state.media.values() if one.filename == name)
        return self.state.add_media(content, slug=name.rpartition(".")[0], filename=name)

    # ------------------------------------------------------------ media

    async def list_media(self, seen: Seen) -> web.Response:
        found = [one for one in self.state.media.values() if one.slug == seen.query["slug"]]
        return self._page(seen, [self._shown_media(one) for one in found])

    async def create_media(self, seen: Seen) -> web.Response:
        if self.refusal:
            reason, self.refusal = self.refusal, ""
            return _error(500, "rest_upload_sideload_error", reason)
        form, (filename, content) = _multipart(seen)
        made = self.state.add_media(
            content, slug=form.get("slug") or filename.rpartition(".")[0], filename=filename, title=form["title"],
            alt=text_field(form.get("alt_text", "")), post=int(form["post"]),
        )  # fmt: skip
        if self.upload_dies:
            self.upload_dies = False
            made.missing_sizes = ["woocommerce_thumbnail"]
            return _error(
                500, "internal_server_error", "There has been a critical error on this website.",
                headers={"X-WP-Upload-Attachment-ID": str(made.media_id)},
            )  # fmt: skip
        return self._one(seen, self._shown_media(made), status=201)

    async def one_media(self, seen: Seen) -> web.Response:
        one = self.state.media.get(int(seen.match["id"]))
        if one is None:
            return _error(404, "rest_post_invalid_id", "Invalid post ID.")
        if seen.method == "POST":
            one.alt = text_field(seen.json()["alt_text"])
        return self._one(seen, self._shown_media(one))

    async def post_process(self, seen: Seen) -> web.Response:
        assert seen.json() == {"action": "create-image-subsizes"}
        one = self.state.media[int(seen.match["id"])]
        one.missing_sizes = []
        return self._one(seen, self._shown_media(one))

    async def picture(self, seen: Seen) -> web.Response:
        for one in self.state.media.values():
            if one.filename == seen.match["name"]:
                return web.Response(body=one.content, content_type="image/jpeg")
            if one.original is not None and one.original_name == seen.match["name"]:
                return web.Response(body=one.original, content_type="image/jpeg")
        return web.Response(status=404, text="<!doctype html><title>Nothing here</title>", content_type="text/html")

    def _shown_media(self, one: Attachment) -> Row:
        # PHP has one kind of array: an empty one comes as a list.
        details: Any = {"original_image": one.original_name, "sizes": {}} if one.original is not None else []
        return {
            "id": one.media_id, "slug": one.slug, "title": {"rendered": one.title}, "alt_text": one.alt,
            "source_url": file_url(one, self.url), "media_details": details,
            "missing_image_sizes": list(one.missing_sizes),
        }  # fmt: skip

    # ------------------------------------------------------------ orders

    async def list_orders(self, seen: Seen) -> web.Response:
        assert seen.query["dates_are_gmt"] == "true", "otherwise the site's own zone is meant"
        after = datetime.fromisoformat(seen.query["modified_after"])
        left_out = seen.query.get("exclude", "").split(",")
        rows = [
            one
            for one in self.state.orders.values()
            if datetime.fromisoformat(one["date_modified_gmt"]) > after and str(one["id"]) not in left_out
        ]
        assert (seen.query["orderby"], seen.query["order"]) == ("modified", "asc")
        return self._page(seen, sorted(rows, key=lambda one: str(one["date_modified_gmt"])))

    async def one_order(self, seen: Seen) -> web.Response:
        order = self.state.orders.get(int(seen.match["id"]))
        if order is None:
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        if seen.method == "PUT":
            wanted = seen.json()
            order["meta_data"] += wanted.get("meta_data", [])
            if wanted["status"] != order["status"]:
                order["status"], order["date_modified_gmt"] = wanted["status"], self.state.tick()
                if wanted["status"] == "completed":
                    order["date_completed_gmt"] = order["date_modified_gmt"]
                    self.state.mails.append(f"Your order {order['number']} is complete")
        return self._one(seen, order)

    async def list_refunds(self, seen: Seen) -> web.Response:
        return self._page(seen, self.state.refunds.get(int(seen.match["id"]), []))

    # ------------------------------------------------------------ answers

    def _one(self, seen: Seen, row: Row, *, status: int = 200) -> web.Response:
        return answer_json(chosen(row, seen.query.get("_fields", "")), status=status)

    def _page(self, seen: Seen, rows: Sequence[Row]) -> web.Response:
        size, page = int(seen.query.get("per_page", 10)), int(seen.query.get("page", 1))
        if not 1 <= size <= 100:
            params = {"per_page": "per_page must be between 1 (inclusive) and 100 (inclusive)"}
            return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page", params=params)
        shown = [chosen(one, seen.query.get("_fields", "")) for one in rows[(page - 1) * size : page * size]]
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(ceil(len(rows) / size))}
        return answer_json(shown, headers=headers)


def _error(
    status: int, code: str, message: str, *, params: Row | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    data: Row = {"status": status} | ({"params": params} if params else {})
    return answer_json({"code": code, "message": message, "data": data}, status=status, headers=headers or {})


def _multipart(seen: Seen) -> tuple[dict[str, str], tuple[str, bytes]]:
    head = f"content-type: {seen.headers['content-type']}\r\n\r\n".encode()
    form: dict[str, str] = {}
    sent = ("", b"")
    for part in message_from_bytes(head + seen.body, policy=HTTP).iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if name := part.get_filename():
            sent = (name, content)
        else:
            form[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return form, sent
