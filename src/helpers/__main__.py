"""`python -m helpers COMMAND`: what the course offers outside notebooks. Each command explains itself with --help."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable

from .errors import Explained


def serve(arguments: list[str]) -> int:
    """run the local service in this terminal"""
    from .local_service import cli

    return cli.serve(arguments)


def env(arguments: list[str]) -> int:
    """print OPENAI_BASE_URL and OPENAI_API_KEY of the running local service"""
    from .local_service import cli

    return cli.env(arguments)


def learners(arguments: list[str]) -> int:
    """print the keys of the class that `serve --class` serves"""
    from .local_service import cli

    return cli.learners(arguments)


def export(arguments: list[str]) -> int:
    """write a tuned model to a folder that transformers, vLLM and others load"""
    from .local_service import cli

    return cli.export(arguments)


def stop(arguments: list[str]) -> int:
    """stop the running local service; files, jobs and models are kept"""
    _parser("stop", stop).parse_args(arguments)
    from .stop import stop_service

    print(stop_service())
    return 0


def doctor(arguments: list[str]) -> int:
    """check in seconds whether this computer is ready, and say what to mend"""
    _parser("doctor", doctor).parse_args(arguments)
    from .doctor import examine

    return examine()


def check(arguments: list[str]) -> int:
    """check a training file before anybody pays for it"""
    from .check import main as check_main

    return check_main(arguments)


def repair(arguments: list[str]) -> int:
    """mend what is safe to mend in a training file, into a new file"""
    from .repair import main as repair_main

    return repair_main(arguments)


def mask(arguments: list[str]) -> int:
    """put placeholders for personal data into a new file, with a key or for good"""
    from .mask import main as mask_main

    return mask_main(arguments)


def run(arguments: list[str]) -> int:
    """make a tuned, evaluated model and a report of your own data"""
    from .own_run import main as run_main

    return run_main(arguments)


def course(arguments: list[str]) -> int:
    """run all notebooks on the local service and write pages to read"""
    options = _parser_for_notebooks("course", course).parse_args(arguments)
    from .course import run_course

    return run_course(options.notebooks)


def notebooks(arguments: list[str]) -> int:
    """run the notebooks in place, so that their outputs can be committed"""
    options = _parser_for_notebooks("notebooks", notebooks).parse_args(arguments)
    from .course import run_in_place

    return run_in_place(options.notebooks)


def study(arguments: list[str]) -> int:
    """run notebooks with several seeds and write the spread of their figures into studies"""
    parser = _parser_for_notebooks("study", study)
    parser.add_argument("--seeds", nargs="+", type=int, metavar="SEED", help="default: 1 2 3; for traps 1 2 3 4 5")
    parser.add_argument("--no-curves", action="store_true", help="run no other sizes of the training data")
    parser.add_argument("--traps", action="store_true", help="run only the cells that show a trap, in minutes a seed")
    options = parser.parse_args(arguments)
    from .study import run_study

    seeds = options.seeds or range(1, 6 if options.traps else 4)
    return run_study(options.notebooks, seeds, curves=not options.no_curves, traps_only=options.traps)


def slides(arguments: list[str]) -> int:
    """make slides with speaker notes from the notebooks, in build/slides"""
    options = _parser_for_notebooks("slides", slides).parse_args(arguments)
    from .course import notebooks as chosen
    from .slides import write_slides
    from .workspace import build

    for path in chosen(options.notebooks):
        print(write_slides(path, build("slides", path.name).parent))
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    command.__name__: command
    for command in (
        serve,
        env,
        learners,
        export,
        stop,
        doctor,
        check,
        repair,
        mask,
        run,
        course,
        notebooks,
        slides,
        study,
    )
}


def _parser(name: str, command: Callable[[list[str]], int]) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"python -m helpers {name}", description=command.__doc__)


def _parser_for_notebooks(name: str, command: Callable[[list[str]], int]) -> argparse.ArgumentParser:
    parser = _parser(name, command)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="how its name begins, as in 03; default: all")
    return parser


def main(arguments: list[str]) -> int:
    """Run one command; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter shows its number
    if not arguments or arguments[0] not in COMMANDS:
        asked = bool(arguments) and arguments[0] in ("-h", "--help")
        lines = [f"  {name:10} {command.__doc__}" for name, command in COMMANDS.items()]
        print("usage: python -m helpers COMMAND\n\n" + "\n".join(lines), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except Explained as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
