"""`python -m helpers.local_service serve`, `… env`, `… learners`, `… export`: the service's commands alone."""

import sys

from .cli import env, export, learners, serve

COMMANDS = {"serve": serve, "env": env, "learners": learners, "export": export}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m helpers.local_service {' | '.join(COMMANDS)} [options]")
    sys.exit(COMMANDS[sys.argv[1]](sys.argv[2:]))
