"""The commands `python -m helpers serve`, `env`, `learners` and `export`. Each returns an exit status."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from .address import ServiceAddress, class_url, find_running
from .learners import class_keys, read_names, table
from .settings import Settings, SettingsError, read_aliases

ALREADY_SERVED = 3  # exit status of `serve` where another service has the home folder


def serve(argv: list[str]) -> int:
    """Run the service in this process until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m helpers serve", description="Run the local fine-tuning service.")
    parser.add_argument("--port", type=_port, help="port to listen on (default: the one it had last, or any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument(
        "--idle-stop", type=float, default=0.0, metavar="SECONDS",
        help="stop when nothing has happened for so long and no job waits or trains (default: never)",
    )  # fmt: skip
    parser.add_argument(
        "--alias", action="append", default=[], metavar="NAME=BASE",
        help="answer to NAME, for example gpt-4o-mini-2024-07-18, with this base; can be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--closed", action="store_true", help="refuse new jobs, as OpenAI does to organisations new to fine-tuning"
    )
    parser.add_argument(
        "--class", dest="names", type=Path, metavar="FILE",
        help="serve a class: FILE has one learner a line, and each gets a key; see also --host",
    )  # fmt: skip
    options = parser.parse_args(argv)
    from .serve import AlreadyServed, CannotServe, Options, run  # the web libraries, which `env` has no need of

    try:
        settings = Settings.from_environment()
        aliases = {**settings.aliases, **read_aliases(",".join(options.alias))}
        learners = read_names(options.names) if options.names else ()
        settings = replace(settings, aliases=aliases, closed=options.closed, learners=learners)
        run(settings, Options(options.host, options.port, options.idle_stop))
    except (CannotServe, SettingsError) as error:
        print(error, file=sys.stderr)
        return ALREADY_SERVED if isinstance(error, AlreadyServed) else 1
    return 0


def env(argv: list[str]) -> int:
    """Print the lines that point OpenAI's clients at the running service, for a shell to evaluate."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers env",
        description="Print OPENAI_BASE_URL and OPENAI_API_KEY of the running local service, as your shell sets them.",
        epilog='bash, zsh: eval "$(python -m helpers env)"    PowerShell: python -m helpers env --powershell | iex',
    )
    shells = parser.add_mutually_exclusive_group()
    shells.add_argument("--powershell", action="store_true", help="in the words of Windows PowerShell")
    shells.add_argument("--cmd", action="store_true", help="in the words of the Windows command prompt")
    options = parser.parse_args(argv)
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    address = find_running(settings)
    if address is None:
        print(
            f"No local service runs on {settings.home}. Start one with `python -m helpers serve`.",
            file=sys.stderr,
        )
        return 1
    form = '$Env:{}="{}"' if options.powershell else "set {}={}" if options.cmd else "export {}={}"
    for name, value in _variables(address).items():
        print(form.format(name, value))
    return 0


def learners(argv: list[str]) -> int:
    """Print the table of a class's keys once more."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers learners",
        description="Print the key of every learner in the class, as `serve --class` did when it made them.",
    )
    parser.parse_args(argv)
    try:
        settings = Settings.from_environment()
        keys = class_keys(settings)
    except (OSError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    if not keys:
        print(
            f"No class has a key in {settings.home}. Start one: `python -m helpers serve --class FILE`.",
            file=sys.stderr,
        )
        return 1
    print(table(keys, class_url(settings) or "the address that `python -m helpers serve --class` prints"))
    return 0


def export(argv: list[str]) -> int:
    """Write a tuned model to a folder that other programs load."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers export",
        description="Write a model of the local service to a folder that transformers, PEFT, vLLM and llama.cpp load.",
    )
    parser.add_argument("model", help="its name, as jobs and models.list give it: ft:pocket-6m:local:…")
    parser.add_argument("folder", type=Path, help="a folder that is not there yet, or empty")
    options = parser.parse_args(argv)
    from .take_away import CannotExport, take_away  # the libraries that models need, which `env` has no need of

    try:
        print(*take_away(Settings.from_environment(), options.model, options.folder.absolute()), sep="\n")
    except (CannotExport, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _variables(address: ServiceAddress) -> dict[str, str]:
    return {"OPENAI_BASE_URL": address.url, "OPENAI_API_KEY": address.key}


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)
