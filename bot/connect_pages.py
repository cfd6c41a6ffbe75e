"""The pages of connecting: `/connect/{platform}`, its form, and where vendors send the browser back to.

A link opens without a login, since it was told to one person; what it may do is the flow's to say (bot/consent.py). A
cookie names the browser, so that nobody else goes on with it, and every form carries a token made of both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.consent import Consents, LinkRefused, Step, new_browser
from bot.visits import LEFT_OUT, Choice, Visit
from domain.connecting import ConnectLink
from domain.errors import BadInput, RowChanged, StoreError, UserError
from domain.people import ChatName, Member
from handlers.connect_page_words import (
    FORM_TOO_LARGE,
    FORM_UNREADABLE,
    LINK_USED,
    NOT_OUR_FORM,
    done_words,
    feature_words,
    form_words,
    go_words,
    paste_words,
    refused_title,
)
from handlers.console.pages import fill
from handlers.failures import sentence_for
from handlers.words import Words, known_language

COOKIE: Final = "packshot_connect"
COOKIE_S: Final = 3600
FORM_BYTES_MOST: Final = 32 * 1024
CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}

LookAt = Callable[[Request], Awaitable[Member | None]]
"""Who is signed in to the console in this browser, None where nobody is or cannot be told."""


@dataclass(frozen=True, slots=True)
class ConnectPages:
    """One method a route. `telegram` returns the address of our bot there, empty where there is none."""

    flow: Consents
    signed_in: LookAt
    telegram: Callable[[], Awaitable[str]]
    is_https: bool

    def routes(self) -> Sequence[Route]:
        """Return every way in."""
        return [
            Route("/connect/{platform}", self._guarded(self.form), methods=["GET"]),
            Route("/connect/{platform}", self._guarded(self.choose), methods=["POST"]),
            Route("/connect/{platform}/paste", self._guarded(self.paste), methods=["POST"]),
            Route("/connect/{platform}/callback", self._guarded(self.answer), methods=["GET"]),
            Route("/connect/{platform}/done", self._guarded(self.done), methods=["GET"]),
        ]

    def _guarded(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Turn whatever a page raises into one sentence; the gate writes its one line of the log."""

        async def guarded(request: Request) -> Response:
            try:
                return await page(request)
            except LinkRefused as error:
                request.state.refused_because = error.reason
                return self._refusal(request, error, error.status)
            except RowChanged:
                # The same form, sent twice at once: the other one has done it.
                request.state.refused_because = "raced"
                return self._refusal(request, LinkRefused("raced", LINK_USED), 409)
            except (UserError, StoreError) as error:
                request.state.refused_because = type(error).__name__
                return self._refusal(request, error, 400)

        return guarded

    # ------------------------------------------------------------ pages

    async def form(self, request: Request) -> Response:
        """Show what a link asks for."""
        own = urlsplit(self.flow.base_url)
        if self.flow.is_public and request.url.netloc != own.netloc and "sent" not in request.query_params:
            # The vendor sends the browser back to that name, and our cookie must be there. Once: a tunnel may rewrite it.
            query = f"{request.url.query}&sent=1"
            return RedirectResponse(f"{self.flow.base_url}{request.url.path}?{query}", 303, headers=_HEADERS)
        code, browser = request.query_params.get("code", ""), _browser(request)
        visit = await self._look(request, code, browser)
        return self._with_cookie(await self._form(visit, code, browser), browser, request)

    async def choose(self, request: Request) -> Response:
        """Go on with what was chosen; what is wrong with it is said on the same page."""
        form = await _form(request)
        code, browser = form.get("code", [""])[0], _browser(request)
        _check_csrf(form, code, browser, request)
        visit = await self._look(request, code, browser)
        typed = {name.removeprefix("set-"): values[0] for name, values in form.items() if name.startswith("set-")}
        try:
            step = await self.flow.choose(
                visit, browser=browser, features=form.get("feature", []), typed=typed, way=form.get("way", [""])[0]
            )
        except LinkRefused:
            raise
        except (UserError, StoreError) as error:
            request.state.refused_because = type(error).__name__
            said = (await self._words(visit.link)).sentence(sentence_for(error))
            return await self._form(visit, code, browser, problem=said, status=400)
        return await self._next(visit, step, code, browser)

    async def paste(self, request: Request) -> Response:
        """Take the pasted address."""
        form = await _form(request)
        code, browser = form.get("code", [""])[0], _browser(request)
        _check_csrf(form, code, browser, request)
        visit = await self._look(request, code, browser)
        try:
            await self.flow.paste(visit, browser=browser, landed=form.get("landed", [""])[0])
        except BadInput as error:
            request.state.refused_because = "wrong paste"
            words = await self._words(visit.link)
            return await self._paste(visit, code, browser, problem=words.sentence(error.sentence), status=400)
        return self._to_done(visit.link.platform.value, visit.link.link_hash)

    async def answer(self, request: Request) -> Response:
        """Take a vendor's answer; the address with it is left at once."""
        platform, state = request.path_params["platform"], request.query_params.get("state", "")
        link_hash = await self.flow.hash_of_state(state)
        await self.flow.answer(
            platform, state, str(request.url), browser=_browser(request), signed_in=await self.signed_in(request)
        )
        return self._to_done(platform, link_hash)

    async def done(self, request: Request) -> Response:
        """Say that it worked, to the browser it worked in."""
        link_hash = request.query_params.get("link", "")
        link, store, features = await self.flow.outcome(link_hash, browser=_browser(request))
        words = await self._words(link)
        said = done_words(
            words, store=store.name, platform=link.platform.value, features=features, chat=link.place.chat
        )
        page = fill("connect_done.html", words=words, back_url=await self._way_back(link), **said)
        return HTMLResponse(page, headers=_HEADERS)

    # ------------------------------------------------------------ drawing

    async def _form(self, visit: Visit, code: str, browser: str, *, problem: str = "", status: int = 200) -> Response:
        words = await self._words(visit.link)
        descriptor = visit.descriptor
        said = form_words(
            words,
            platform=descriptor.label,
            store=visit.store.name if visit.store else "",
            name=visit.member.name,
            team=visit.team_name,
            way=visit.way,
            is_more=bool(visit.link.wanted),
            gives_all=any(setting.name == LEFT_OUT for setting in descriptor.settings),
        )
        page = fill(
            "connect_form.html",
            words=words,
            platform=descriptor.platform.value,
            code=code,
            csrf=_csrf(code, browser),
            shop=visit.shop,
            fields=visit.fields,
            instead=visit.typed_instead,
            choices=[
                _choice_words(choice, words, is_again=bool(visit.link.store_id))
                for choice in visit.choices
                if choice.is_on or not choice.is_fixed
            ],
            problem=problem,
            **said,
        )
        return HTMLResponse(page, status, headers=_HEADERS)

    async def _next(self, visit: Visit, step: Step, code: str, browser: str) -> Response:
        if step.done is not None:
            return self._to_done(visit.link.platform.value, visit.link.link_hash)
        if step.is_pasted:
            again = await self.flow.look(visit.link.platform.value, code, browser=browser, signed_in=None)
            return await self._paste(again, code, browser)
        words = await self._words(visit.link)
        # A page and not a redirect: the policy of a form's page would hold for every address the vendor sends on to.
        page = fill("connect_go.html", words=words, page=step.page, **go_words(words, platform=visit.descriptor.label))
        return HTMLResponse(page, headers=_HEADERS)

    async def _paste(self, visit: Visit, code: str, browser: str, *, problem: str = "", status: int = 200) -> Response:
        words = await self._words(visit.link)
        page = fill(
            "connect_paste.html",
            words=words,
            platform=visit.link.platform.value,
            page=self.flow.page_of(visit.link),
            code=code,
            csrf=_csrf(code, browser),
            problem=problem,
            **paste_words(words, platform=visit.descriptor.label),
        )
        return HTMLResponse(page, status, headers=_HEADERS)

    def _refusal(self, request: Request, error: UserError | StoreError, status: int) -> Response:
        words = Words(known_language(request.headers.get("accept-language", "").partition(",")[0]))
        said = words.sentence(sentence_for(error)).replace("`", "")
        page = fill("connect_refused.html", words=words, title=refused_title(words), said=said)
        return HTMLResponse(page, status, headers=_HEADERS)

    def _to_done(self, platform: str, link_hash: str) -> Response:
        return RedirectResponse(f"/connect/{platform}/done?{urlencode({'link': link_hash})}", 303, headers=_HEADERS)

    async def _way_back(self, link: ConnectLink) -> str:
        match link.place.chat:
            case ChatName.SLACK:
                return f"https://slack.com/app_redirect?channel={quote(link.place.place_id, safe='')}"
            case ChatName.TELEGRAM:
                return (await self.telegram()).partition("?")[0]
            case ChatName.CONSOLE:
                return "/console"

    # ------------------------------------------------------------ what every page needs

    async def _look(self, request: Request, code: str, browser: str) -> Visit:
        return await self.flow.look(
            request.path_params["platform"], code, browser=browser, signed_in=await self.signed_in(request)
        )

    async def _words(self, link: ConnectLink) -> Words:
        async with self.flow.work.reading() as rows:
            here = await rows.places.settings(link.team_id, link.place)
        return Words(known_language(here.language), here.timezone)

    def _with_cookie(self, response: Response, browser: str, request: Request) -> Response:
        response.set_cookie(
            COOKIE,
            browser,
            max_age=COOKIE_S,
            path="/connect",
            httponly=True,
            samesite="lax",  # the vendor's page leads back from another site
            secure=self.is_https or request.url.scheme == "https",
        )
        return response


def _browser(request: Request) -> str:
    """Return the name our cookie gave this browser; a new one where it has none."""
    return request.cookies.get(COOKIE, "") or new_browser()


def _csrf(code: str, browser: str) -> str:
    return hmac.new(browser.encode(), f"packshot connect {code}".encode(), hashlib.sha256).hexdigest()


def _check_csrf(form: Mapping[str, Sequence[str]], code: str, browser: str, request: Request) -> None:
    sent = form.get("csrf", [""])[0]
    if COOKIE not in request.cookies or not hmac.compare_digest(sent.encode(), _csrf(code, browser).encode()):
        raise LinkRefused("csrf", NOT_OUR_FORM)


async def _form(request: Request) -> dict[str, list[str]]:
    """Read a urlencoded form. Raises BadInput for one that is too large or no text."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MOST:
            raise BadInput(FORM_TOO_LARGE)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BadInput(FORM_UNREADABLE) from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _choice_words(choice: Choice, words: Words, *, is_again: bool) -> dict[str, object]:
    feature = choice.feature
    has_it = is_again and choice.is_fixed and choice.is_on and not feature.is_needed
    label, use, tag = feature_words(feature.name, words, is_needed=feature.is_needed, has_it=has_it)
    return {
        "name": feature.name.value,
        "label": label,
        "use": use,
        "tag": tag,
        "scopes": feature.scopes,
        "is_on": choice.is_on,
        "is_fixed": choice.is_fixed,
    }
