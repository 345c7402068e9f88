"""`weir completion`: what shells need to complete its commands."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_WEIR_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete the commands and options of weir.

    \b
    Put it where the shell reads it at its start:
      bash  weir completion bash > ~/.local/share/bash-completion/completions/weir
      zsh   weir completion zsh > "${fpath[1]}/_weir"
      fish  weir completion fish > ~/.config/fish/completions/weir.fish

    \b
    Example:
      weir completion zsh
    """  # noqa: D301 \b keeps click from joining the lines
    from cli.main import weir

    kind = get_completion_class(shell)
    assert kind is not None
    # Not `source()`: it asks the shell for its version, which need not be here.
    made = kind(weir, {}, "weir", VARIABLE)
    click.echo(made.source_template % made.source_vars())
