"""The command line. Nothing heavy is imported before a command needs it: `--help` knows no imaging,
no chat and no store library (a test reads sys.modules).

Exit 0 done, 1 it could not, 2 wrong usage; an error is one line on stderr that names the fix.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from domain.errors import BadInput, Fault, UserError

if TYPE_CHECKING:
    from bot.settings import Settings

cli = typer.Typer(
    name="packshot",
    help="Product photos enhanced, approved and published from the chat your shop already uses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

engines_cli = typer.Typer(invoke_without_command=True)
cli.add_typer(engines_cli, name="engines")

team_cli = typer.Typer(help="Several shops on one deployment.", no_args_is_help=True)
cli.add_typer(team_cli, name="team")

store = typer.Typer(help="Connect a store.", no_args_is_help=True)
cli.add_typer(store, name="store")

audit = typer.Typer(help="Who did what, as a chain that nobody can change unseen.", no_args_is_help=True)
cli.add_typer(audit, name="audit")

AsName = Annotated[str, typer.Option("--as", metavar="NAME", help="Who speaks; made with `invite ROLE --as NAME`.")]
TeamName = Annotated[str, typer.Option("--team", metavar="TEAM", help="Which shop; needed once there are two.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a final reply.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait until it settles.")]


def main() -> None:
    """Run the command line; every expected failure is one line, exit 2 for words it does not know and else 1."""
    try:
        status = cli(standalone_mode=False)  # its own frame around an error is five lines
    except TyperException as error:
        # Without any word the help has been printed and there is nothing to add.
        _fail(f"{message} See `packshot --help`." if (message := error.format_message()) else "", error.exit_code)
    except typer.Abort:
        sys.exit(130)
    except BadInput as error:
        _fail(error.sentence, 2)
    except UserError as error:
        _fail(error.sentence)
    except Fault as error:
        _fail(f"{error} [{error.code}]: run `packshot doctor` to see what is wrong.")
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.strerror}: {error.filename}. Set DATA_DIR to a folder I may write to, on a disk with room.")
    except KeyboardInterrupt:
        sys.exit(130)
    else:
        sys.exit(status)


def _fail(sentence: str, status: int = 1) -> NoReturn:
    if sentence:
        from bot.redaction import REDACTOR

        print(f"packshot: {' '.join(REDACTOR.text(sentence).split())}", file=sys.stderr)
    sys.exit(status)


def _settings(*, quiet: bool = False) -> Settings:
    from bot.logs import set_up_logs
    from bot.settings import load_settings

    settings = load_settings()
    level = "WARNING" if quiet and settings.log_level == "INFO" else settings.log_level
    set_up_logs(level, secrets=settings.secrets)
    return settings


def _wait(work: Coroutine[Any, Any, int | None]) -> None:
    status = asyncio.run(work)
    if status:
        raise typer.Exit(status)


@cli.command()
def run() -> None:
    """Everything in one process: web pages, chats, jobs."""
    from bot.engines import get_set_engine
    from bot.processes import run_all

    settings = _settings()
    get_set_engine(settings)
    _wait(run_all(settings))


@cli.command()
def web() -> None:
    """Only the ways in; needs a `worker` beside it."""
    from bot.processes import run_web

    _wait(run_web(_settings()))


@cli.command()
def worker() -> None:
    """Only the jobs and the messages out; several on Postgres, one on SQLite."""
    from bot.engines import get_set_engine
    from bot.processes import run_worker

    settings = _settings()
    get_set_engine(settings)
    _wait(run_worker(settings))


@cli.command()
def migrate() -> None:
    """Bring the database up to date; safe to repeat."""
    from bot.app import migrate_all

    _wait(migrate_all(_settings(quiet=True)))
    print("The database is up to date.")


@cli.command()
def doctor() -> None:
    """Check settings, folders, database and engines, and say what to do."""
    from bot.doctor import examine

    _wait(examine())


@cli.command()
def stores(team: TeamName = "") -> None:
    """Ask every connected store who we are there, and say what to do."""
    from bot.connect import list_stores

    _wait(list_stores(_settings(quiet=True), team))


@team_cli.command("add")
def team_add(name: Annotated[str, typer.Argument(help="What its people call the shop.")]) -> None:
    """Make another shop on this deployment, and print its admin's one-time code."""
    from bot.teams import add_team

    _wait(add_team(_settings(quiet=True), name))


@team_cli.command("list")
def team_list() -> None:
    """The shops of this deployment."""
    from bot.teams import list_teams

    _wait(list_teams(_settings(quiet=True)))


@team_cli.command("link")
def team_link(
    team: TeamName = "",
    makes_team: Annotated[
        bool, typer.Option("--new", help="The workspace becomes a shop of its own, its installer the admin.")
    ] = False,
) -> None:
    """Print a one-time address that adds the bot to a Slack workspace."""
    from bot.teams import link_workspace

    _wait(link_workspace(_settings(quiet=True), team, makes_team=makes_team))


@store.command("add")
def store_add(
    platform: Annotated[str, typer.Argument(help="shopify, amazon, etsy or woocommerce")],
    name: Annotated[
        str, typer.Option("--name", help="What people call it; the same name again connects it anew.")
    ] = "",
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting; what is missing is asked for.")
    ] = None,
    team: TeamName = "",
) -> None:
    """Connect a store: takes its settings, tests its key and shows what it may do."""
    from bot.connect import add_store

    _wait(add_store(_settings(quiet=True), platform, name=name, given=change or [], team=team))


@cli.command()
def demo() -> None:
    """Play a photo's whole way on a fresh shop: photo, preview, approve, published, undo."""
    from bot.demo import play

    _wait(play())


@cli.command()
def invite(
    role: Annotated[str, typer.Argument(help="viewer, editor, approver or admin")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Also make this console member at once.")] = "",
    team: TeamName = "",
) -> None:
    """Print a one-time code for a colleague."""
    from bot.embedded import invite as make_invitation

    _wait(make_invitation(_settings(quiet=True), role, name, team))


@cli.command()
def say(
    text: Annotated[str, typer.Argument(help="What you would type in the chat.")] = "",
    photo: Annotated[list[Path] | None, typer.Option("--photo", exists=True, dir_okay=False, readable=True)] = None,
    as_name: AsName = "owner",
    as_json: AsJson = False,
    timeout_s: Timeout = 120.0,
    team: TeamName = "",
) -> None:
    """Say something to the bot, as in the console chat, and wait for its answer."""
    from bot.local import say as say_it

    settings = _settings(quiet=True)
    _wait(say_it(settings, text, photo or [], name=as_name, as_json=as_json, timeout_s=timeout_s, team=team))


@cli.command()
def press(
    token: Annotated[str, typer.Argument(help="A button's token, as `say --json` prints it.")],
    text: Annotated[str, typer.Option("--text", help="A reason, for reject.")] = "",
    change: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="For redo.")] = None,
    as_name: AsName = "owner",
    as_json: AsJson = False,
    timeout_s: Timeout = 120.0,
    team: TeamName = "",
) -> None:
    """Press a button, and wait for what comes of it."""
    from bot.local import press as press_it

    pairs = [item.partition("=") for item in change or []]
    if any(not middle or not name for name, middle, _ in pairs):
        raise BadInput("--set takes NAME=VALUE, for example --set background=#eee.")
    options = {name: value for name, _, value in pairs}
    settings = _settings(quiet=True)
    _wait(press_it(settings, token, text, options, name=as_name, as_json=as_json, timeout_s=timeout_s, team=team))


@cli.command()
def enhance(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO…", help="One photo, or several.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The picture's file, or a folder for several photos.")],
    platform: Annotated[
        str, typer.Option("--for", metavar="PLATFORM|square|original", help="Whose rules to follow.")
    ] = "square",
    background: Annotated[str, typer.Option(help="white, transparent, gradient, #RRGGBB or a picture's file.")] = "",
    shadow: Annotated[str, typer.Option(help="none, contact, soft or reflection.")] = "",
    margin: Annotated[str, typer.Option(help="auto, or percent on each side: 8.")] = "",
    brightness: Annotated[str, typer.Option(help="auto, or stops: +0.5; 0 leaves the light alone.")] = "",
    white: Annotated[str, typer.Option(help="auto, off, or where it is white in percent: 80x15.")] = "",
    aspect: Annotated[str, typer.Option(help="auto, 1:1, 4:3 or 3:4.")] = "",
    scale: Annotated[str, typer.Option(help="auto, sku (as the first photo here), or a number: 140.")] = "",
    thing: Annotated[str, typer.Option(help="Of several things: all, or one by its number from the left.")] = "",
    keep: Annotated[
        str, typer.Option(help="What belongs to the product, in percent: 55x60, or a box 10x20x30x40.")
    ] = "",
    remove: Annotated[str, typer.Option(help="What does not, in the same way.")] = "",
    engine: Annotated[str, typer.Option(help="auto, builtin or rembg:MODEL; `packshot engines` lists them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Enhance photos without any store or chat."""
    from bot.files import enhance_files

    settings = _settings(quiet=True)
    options = {
        "background": background,
        "shadow": shadow,
        "margin": margin,
        "brightness": brightness,
        "white": white,
        "aspect": aspect,
        "scale": scale,
        "thing": thing,
        "keep": keep,
        "remove": remove,
        "engine": engine,
    }
    chosen = {name: word for name, word in options.items() if word}
    _wait(enhance_files(settings, photos, out, platform=platform, options=chosen, as_json=as_json))


@engines_cli.callback()
def engines(context: typer.Context) -> None:
    """What can cut a product out: licence, size, and whether it is here."""
    if context.invoked_subcommand is None:
        from bot.engines import list_engines

        list_engines(_settings(quiet=True))


@engines_cli.command("get")
def get_engine(
    models: Annotated[list[str] | None, typer.Argument(metavar="[MODEL…]", help="By default u2netp.")] = None,
) -> None:
    """Download a model's weights into MODEL_DIR, checked; goes on where it was interrupted."""
    from bot.engines import DEFAULT_MODEL, get_engines

    if status := get_engines(_settings(quiet=True), models or [DEFAULT_MODEL]):
        raise typer.Exit(status)


@audit.command("verify")
def audit_verify(
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="Only this one.")] = "",
) -> None:
    """Walk every line of the audit; say that it is intact, or which line is the first that is not."""
    from bot.trust_cli import verify

    _wait(verify(_settings(quiet=True), team))


@cli.command("rotate-key")
def rotate_key(
    finish: Annotated[bool, typer.Option("--finish", help="Drop the old key, once nothing uses it.")] = False,
) -> None:
    """Put every stored secret under a new SECRET_KEY; may be broken off and repeated, while the bot runs."""
    from bot.keys import rotate_key as rotate

    _wait(rotate(_settings(quiet=True), finish=finish))


@cli.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", dir_okay=False, writable=True)],
    team: TeamName = "",
) -> None:
    """Write everything of a shop into a zip: rows, photos, history. No key is in it."""
    from bot.data_cli import export_by_command

    _wait(export_by_command(_settings(quiet=True), team, out))


@cli.command()
def forget(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A person; without one everything of the shop.")] = "",
    team: TeamName = "",
    yes: Annotated[str, typer.Option("--yes", metavar="SHOP", help="The shop's name, typed once more.")] = "",
    sure: Annotated[bool, typer.Option("--sure", help="Really forget the person.")] = False,
) -> None:
    """Delete a person's name and ids, or everything of a shop; says what goes, and asks before it does."""
    from bot.data_cli import forget_by_command, forget_person_by_command

    settings = _settings(quiet=True)
    work = (
        forget_person_by_command(settings, team, name, is_sure=sure) if name else forget_by_command(settings, team, yes)
    )
    _wait(work)


@cli.command()
def bench() -> None:
    """Measure a photo's way through the engines that are here, as JSON."""
    from bot.bench import measure

    print(json.dumps(measure(_settings(quiet=True)), indent=2))
