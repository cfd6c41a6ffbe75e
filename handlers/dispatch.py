"""The one door: `handle(incoming)` finds the member, checks the role, calls the subject, and turns
every error into a reply. Running it twice for one event changes nothing.
"""

from __future__ import annotations

import logging

from domain.alert_intents import AlertAsked
from domain.catalog import Sku
from domain.connect_intents import ConnectStore, DisconnectStore, ReconnectStore, ShowPermissions
from domain.data_intents import Export, Forget
from domain.enhancement import IllegalMove
from domain.errors import EventConcluded, MissingScope, NotAllowed, NotAMember, StoreError, UserError
from domain.intents import (
    CompareVersions,
    CorrectPart,
    DecideBySku,
    EnhancePhotos,
    EnhanceSkus,
    Incoming,
    Intent,
    Invite,
    Join,
    ListMembers,
    ListProducts,
    ListStores,
    NotUnderstood,
    Press,
    Settle,
    ShowCard,
    ShowHelp,
    ShowHistory,
    ShowProduct,
    ShowStatus,
)
from domain.people import Member, Role
from domain.picture_intents import SplitPhoto
from domain.replies import Refused, Reply, Working
from domain.sentences import Sentence
from domain.sessions import EndSessions, ListSessions
from domain.stock_intents import ImportGoods, StockAsked, UndoStock, WriteStock
from domain.sync_intents import SyncAsked
from domain.team_intents import (
    AgreeRules,
    ChangeRole,
    DismissMember,
    InviteWorkspace,
    ListInvitations,
    RevokeInvitation,
    ShowTeam,
)
from domain.tokens import Action
from handlers import (
    alerts,
    answers,
    ask,
    attachments,
    compare,
    connect,
    connect_desk,
    correct,
    data_desk,
    decide,
    health,
    history,
    members,
    places,
    products,
    request,
    sessions,
    split,
    stock_desk,
    stores,
    sync_desk,
    team,
    team_desk,
)
from handlers.desk import Asked, Desk
from handlers.failures import fault_code, sentence_for
from handlers.grammar import parse, parse_press
from handlers.rights import NEEDS, action_words

log = logging.getLogger("packshot.handlers")

_ROLES: dict[type, Role] = {
    EnhancePhotos: Role.EDITOR,
    EnhanceSkus: Role.EDITOR,
    CorrectPart: Role.EDITOR,
    CompareVersions: Role.VIEWER,
    ShowProduct: Role.VIEWER,
    ListProducts: Role.VIEWER,
    ShowHistory: Role.VIEWER,
    ShowStatus: Role.VIEWER,
    ListStores: Role.VIEWER,
    ShowHelp: Role.VIEWER,
    ListMembers: Role.VIEWER,
    NotUnderstood: Role.VIEWER,
    ShowCard: Role.VIEWER,
    Settle: Role.VIEWER,  # to see them; changing them takes an admin, in a talk of one's own anybody
    Join: Role.VIEWER,
    Invite: Role.ADMIN,
    **team_desk.ROLES,
    **connect_desk.ROLES,
    **stock_desk.ROLES,
    **alerts.ROLES,
    **data_desk.ROLES,
    **sessions.ROLES,
    **sync_desk.ROLES,
    **split.ROLES,
}
"""What each intent needs at the door; decisions look at the enhancement too (handlers/decide.py)."""


def read(incoming: Incoming) -> Intent:
    """Return what an event asks for. Raises BadInput."""
    if incoming.token:
        return parse_press(incoming.token, text=incoming.text, options=incoming.options)
    if attachments.are_tables(incoming):
        return ImportGoods()
    return parse(incoming.text, photos=incoming.photos, has_photos=bool(incoming.attachments))


def first_word(incoming: Incoming) -> Reply | None:
    """Return what whoever may ask for pictures hears before any work; None where the true answer is a moment away."""
    try:
        intent = read(incoming)
    except UserError:
        return None
    match intent:
        case EnhancePhotos(sku=sku):
            return Working(sku.value if sku else "", "received")
        case EnhanceSkus(skus=skus):
            return Working(skus[0].value, "received")
        case _:
            return None


def provisional(incoming: Incoming, member: Member) -> Reply | None:
    """Return what can be said before any work: `Working` for a picture this member may ask for.

    It is shown in the same transaction that makes the event durable, so a person never waits for
    a worker to hear that the photo has arrived.
    """
    return first_word(incoming) if member.role.covers(Role.EDITOR) else None


async def handle(incoming: Incoming, desk: Desk) -> None:
    """Answer one event: its effects and its replies are one transaction, once.

    Raises only what makes the answer itself impossible (the database is away): the job repeats then.
    """
    try:
        await _answer(incoming, desk)
    except EventConcluded:
        log.info("event handled before", extra={"event_key": incoming.event_key})
    except UserError as error:
        await _refuse(incoming, desk, error.code, error.sentence)
    except (StoreError, IllegalMove) as error:
        await _refuse(incoming, desk, "not_now", sentence_for(error))
    except Exception as error:  # the one place where any error becomes a sentence
        log.exception("event failed", extra={"event_key": incoming.event_key, "code": fault_code(error)})
        await _refuse(incoming, desk, "fault", sentence_for(error))


async def refuse_event(incoming: Incoming, error: BaseException, desk: Desk) -> None:
    """Tell the person when the intake job itself is a dead letter."""
    await _refuse(incoming, desk, "fault", sentence_for(error))


async def _refuse(incoming: Incoming, desk: Desk, code: str, sentence: Sentence) -> None:
    try:
        async with desk.work(incoming) as work:
            await work.answer(Refused(code, sentence))
    except EventConcluded:
        log.info("event handled before", extra={"event_key": incoming.event_key})


async def _answer(incoming: Incoming, desk: Desk) -> None:
    intent = read(incoming)
    if isinstance(intent, Join):
        await team.join(incoming, intent, desk)
        return
    async with desk.work.reading() as rows:
        member = await rows.people.find_member(incoming.team_id, incoming.actor)
        if member is not None:
            intent = await answers.in_context(incoming, intent, rows)
            intent = await members.meant(member, intent, rows)
    if member is None:
        raise NotAMember
    needed = _needed(intent)
    if not member.role.covers(needed):
        raise NotAllowed(needs=needed.value, has=member.role.value, what=_what(intent))
    if incoming.attachments:
        # Only now: a stranger's files are never fetched.
        incoming = await attachments.fetched(incoming, desk)
        intent = ImportGoods(incoming.photos) if isinstance(intent, ImportGoods) else read(incoming)
    asked = Asked(incoming, member)
    try:
        await _route(asked, intent, desk)
    except MissingScope as error:
        await connect.offer_missing(asked, error, desk)


def _needed(intent: Intent) -> Role:
    match intent:
        case Press(token=token):
            return NEEDS[token.action]
        case DecideBySku(verb=verb):
            return NEEDS[Action(verb)]
        case _:
            return _ROLES[type(intent)]


async def _route(asked: Asked, intent: Intent, desk: Desk) -> None:  # noqa: C901 - a table of intents, one line each
    match intent:
        case EnhancePhotos() | EnhanceSkus():
            await request.request(asked, intent, desk)
        case Press(token=token) if token.action in {Action.CHOOSE_PRODUCT, Action.CHOOSE_STORE}:
            await ask.answer_by_press(asked, intent, desk)
        case Press(token=token) if token.action in {Action.KEEP, Action.REMOVE}:
            await correct.ask_part(asked, intent, desk)
        case Press(token=token) if token.action is Action.CHOOSE_PART:
            await correct.answer_part(asked, intent, desk)
        case Press(token=token) if token.action is Action.COMPARE:
            await compare.compare_pressed(asked, intent, desk)
        case Press(token=token) if token.action is Action.SPLIT:
            await split.split_pressed(asked, intent, desk)
        case Press(token=token) if token.action in alerts.PRESSES:
            await alerts.press_snooze(asked, intent, desk)
        case Press(token=token) if token.action in stock_desk.PRESSES:
            await stock_desk.press(asked, intent, desk)
        case Press(token=token) if token.action in sync_desk.PRESSES:
            await sync_desk.press(asked, intent, desk)
        case Press(token=token) if token.action is Action.DISMISS:
            await members.dismiss(asked, intent, desk)
        case Press(token=token) if token.action is Action.DISCONNECT:
            await connect.disconnect(asked, intent, desk)
        case Press(token=token) if token.action is Action.ALLOW:
            await connect.allow(asked, intent, desk)
        case CorrectPart():
            await correct.correct(asked, intent, desk)
        case CompareVersions():
            await compare.compare(asked, intent, desk)
        case SplitPhoto():
            await split.split(asked, intent, desk)
        case Press():
            await decide.press(asked, intent, desk)
        case DecideBySku():
            await decide.decide_by_sku(asked, intent, desk)
        case ShowProduct():
            await products.show_product(asked, intent, desk)
        case ListProducts():
            await products.list_products(asked, intent, desk)
        case ShowHistory():
            await history.show_history(asked, intent, desk)
        case ShowStatus():
            await health.show_status(asked, desk)
        case Export() | Forget():
            await data_desk.answer(asked, intent, desk)
        case ListStores():
            await stores.list_stores(asked, desk)
        case ShowHelp():
            await team.show_help(asked, intent, desk)
        case Invite():
            await team.invite(asked, intent, desk)
        case Join():
            await team.join(asked.incoming, intent, desk)
        case ListMembers():
            await team.list_members(asked, desk)
        case ShowCard():
            await decide.show_card_here(asked, intent, desk)
        case Settle():
            await places.settle(asked, intent, desk)
        case (
            ListInvitations()
            | RevokeInvitation()
            | ChangeRole()
            | DismissMember()
            | AgreeRules()
            | ShowTeam()
            | InviteWorkspace()
        ):
            await team_desk.answer(asked, intent, desk)
        case StockAsked():
            await stock_desk.answer(asked, intent, desk)
        case AlertAsked():
            await alerts.answer(asked, intent, desk)
        case SyncAsked():
            await sync_desk.answer(asked, intent, desk)
        case ConnectStore() | ReconnectStore() | DisconnectStore() | ShowPermissions():
            await connect_desk.answer(asked, intent, desk)
        case ListSessions() | EndSessions():
            await sessions.answer(asked, intent, desk)
        case NotUnderstood():
            await _not_understood(asked, intent, desk)


async def _not_understood(asked: Asked, intent: NotUnderstood, desk: Desk) -> None:
    """A bare word may answer our question, or be a SKU; else the nearest command is offered."""
    words = intent.text.split()
    if words and not intent.suggestion:
        question = await ask.open_question(asked, desk)
        if question is not None:
            await ask.answer_product(asked, question, Sku(intent.text), desk)
            return
        found = await products.find_everywhere(desk, asked.member.team_id, Sku(words[0][:64]))
        if found.targets:
            await products.show_product(asked, ShowProduct(found.sku), desk)
            return
        if len(words) == 1:
            found.raise_if_a_store_was_silent()  # it may be a SKU of that store
    said = intent.text[:80]
    sentence = (
        Sentence("I do not know “{said}”. Did you mean `{suggestion}`?", said=said, suggestion=intent.suggestion)
        if intent.suggestion
        else Sentence("I do not know “{said}”. Send `help` for what I know.", said=said)
    )
    async with desk.work(asked.incoming) as work:
        await work.answer(Refused("not_understood", sentence))


def _what(intent: Intent) -> Sentence:
    match intent:
        case EnhancePhotos() | EnhanceSkus():
            return Sentence("Enhancing")
        case Press(token=token):
            return action_words(token.action)
        case DecideBySku(verb=verb):
            return action_words(Action(verb))
        case CorrectPart(kind=kind):
            return action_words(Action(kind))
        case CompareVersions():
            return action_words(Action.COMPARE)
        case SplitPhoto():
            return action_words(Action.SPLIT)
        case Invite():
            return Sentence("Inviting")
        case ListInvitations() | RevokeInvitation() | ChangeRole() | DismissMember() | InviteWorkspace():
            return Sentence("Deciding who belongs here")
        case WriteStock() | UndoStock():
            return action_words(Action.UNDO_STOCK)
        case SyncAsked():
            return Sentence("Keeping stores in step")
        case ConnectStore() | ReconnectStore() | DisconnectStore() | ShowPermissions():
            return Sentence("Deciding about stores")
        case _:
            return Sentence("That")
