"""The `weir` command. What a command needs is imported when that command runs."""

import os
import sys
from importlib import import_module
from typing import cast

import click
from click.shell_completion import CompletionItem

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("cli.commands.local:up", "Start Weir on this machine."),
    "down": ("cli.commands.local:down", "Stop the Weir of this home."),
    "status": ("cli.commands.local:status", "Tell what runs in this home."),
    "open": ("cli.commands.opening:open_console", "Open the console, signed in."),
    "demo": ("cli.commands.demo:demo", "Start Weir with real traffic in it."),
    "login": ("cli.commands.login:login", "Sign in, in the browser."),
    "logout": ("cli.commands.login:logout", "Sign out."),
    "whoami": ("cli.commands.login:whoami", "Tell who you are, and what you may do."),
    "context": ("cli.commands.contexts:context", "Show and choose which Weir the commands talk to."),
    "overview": ("cli.commands.overview:overview", "Tell how the project does."),
    "emit": ("cli.commands.emit:emit", "Send an event."),
    "events": ("cli.commands.events:events", "Look at stored events."),
    "tail": ("cli.commands.tail:tail", "Watch events as they are stored."),
    "listen": ("cli.commands.listen:listen", "Have events delivered to this machine."),
    "deliveries": (
        "cli.commands.deliveries:deliveries",
        "Look at deliveries, retry them, cancel what waits.",
    ),
    "replay": ("cli.commands.again:replay", "Deliver stored events again."),
    "replays": ("cli.commands.replays:replays", "See what is delivered again, and steer it."),
    "searches": ("cli.commands.searches:searches", "Keep searches under a name."),
    "subscriptions": ("cli.commands.subscriptions:subscriptions", "Say which events go where."),
    "types": ("cli.commands.types:types", "Say what events of a type look like."),
    "projects": ("cli.commands.projects:projects", "Make and list projects."),
    "producers": ("cli.commands.producers:producers", "Say who may send what, and how fast."),
    "keys": ("cli.commands.keys:keys", "Make, list, rotate and revoke API keys."),
    "members": ("cli.commands.members:members", "See who is in the project, and give roles."),
    "roles": ("cli.commands.roles:roles", "Say what roles of the project's own may do."),
    "audit": ("cli.commands.audit:audit", "See who changed what, export it, verify it."),
    "sources": ("cli.commands.sources:sources", "Let third parties send webhooks."),
    "archive": (
        "cli.commands.archive:archive",
        "See what is archived, verify it, and bring it back.",
    ),
    "retention": (
        "cli.commands.retention:retention",
        "Say how long events are kept, in the database and in all.",
    ),
    "holds": ("cli.commands.holds:holds", "Keep events from being destroyed."),
    "erasures": ("cli.commands.erasures:erasures", "Have all there is of a subject erased."),
    "sink": ("cli.commands.sink:sink", "Receive deliveries here and print them."),
    "completion": ("cli.commands.completion:completion", "Let a shell complete these commands."),
    "serve": ("cli.commands.serve:serve", "Run one function in this process."),
    "deploy": ("cli.commands.deploy:deploy", "Bring a version to a cluster, blue-green."),
    "secrets": ("cli.commands.at_rest:secrets", "Seal what is secret at rest with another key."),
    "signing-keys": ("cli.commands.at_rest:signing_keys", "Exchange the key that signs access tokens."),
    "migrate": ("cli.commands.serve:migrate", "Bring the database to the schema of this version."),
}


class Commands(click.Group):
    """Knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry[0].partition(":")
        return cast("click.Command", getattr(import_module(module), name))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin so, without importing any; options as ever."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List names and what they do, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="weir", message="%(version)s")
def weir() -> None:
    """Weir takes CloudEvents in, keeps them, and sees each through to every sink that asked for it.

    \b
    Example:
      weir up --detach
      weir emit -t order.created -s /shop -d '{"id": 7}' --wait 10s
    """  # noqa: D301 \b keeps click from joining the lines


def main() -> None:
    """Run the command line; the exit codes are 0 ok, 1 failed, 2 usage, 3 not found, 4 auth,
    5 invalid or conflict, 6 delivery failed or timed out, 130 interrupted.
    """
    try:
        weir.main(prog_name="weir", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has seen enough; leave without a complaint at the final flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
