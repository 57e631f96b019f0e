"""The soak: the service killed at random moments again and again, and a class at work. Figures go to studies/.

make soak        # or: PYTHONPATH=tests python -m soak --help
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from live_service import live_service
from soak import crowd, kills

from helpers.connection import LOCAL_MODEL
from helpers.workspace import course_folder, write_whole

UNAIDED = 0.96  # the least share of kills after which every job succeeds by itself: 48 of 50
MAKE_BASES = Path(__file__).parents[1] / "tiny_base.py"


def main() -> int:
    """Run both parts, write the page, print where it is. Return 0, or 1 where it does not hold what it should."""
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="how often the service is killed (50; 0: not)")
    parser.add_argument("--learners", type=int, default=30, help="how many are in the class (30; 0: no class)")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the class works (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (1)")
    options = parser.parse_args()
    parts, well = [], True
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        subprocess.run([sys.executable, str(MAKE_BASES), str(folder / "bases")], check=True)
        if options.kills:
            with live_service(folder / "killed", folder / "bases") as service:
                killed = kills.run(service, options.kills, options.seed)
            parts.append(about_kills(killed, options.seed))
            well &= not any(kill.faults for kill in killed)
            well &= sum(kill.unaided for kill in killed) >= UNAIDED * len(killed)
        if options.learners:
            (folder / "class").mkdir()
            seconds = options.minutes * 60
            met = crowd.run(
                folder / "class", folder / "bases", learners=options.learners, seconds=seconds, model=LOCAL_MODEL
            )
            parts.append(about_class(met, seconds))
            well &= not met.unfair and not any(learner.errors or learner.lost for learner in met.learners)
    page = course_folder() / "studies" / f"soak-{date.today()}.md"
    page.parent.mkdir(exist_ok=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    print(write_whole(page, "\n\n".join([f"# Soak of {date.today()}", f"{machine}.", *parts]) + "\n"))
    return 0 if well else 1


def about_kills(killed: list[kills.Kill], seed: int) -> str:
    """The first part of the page, in Markdown."""
    phases = Counter(kill.phase for kill in killed)
    unaided = sum(kill.unaided for kill in killed)
    told = [
        f"{kill.seconds:.1f} s, {kill.phase}: {'; '.join([*kill.ended, *kill.faults])}"
        for kill in killed
        if kill.faults or not kill.unaided
    ]
    lines = [
        "## Killed with -9",
        f"Base tiny, seed {seed}; moments drawn from a job's undisturbed time, every third from its first tenth.",
        "| killed while | times | job succeeded unaided | lost or repeated |\n|---|---|---|---|",
    ]
    for phase, count in phases.most_common():
        of_it = [kill for kill in killed if kill.phase == phase]
        well, faults = sum(kill.unaided for kill in of_it), sum(len(kill.faults) for kill in of_it)
        lines[-1] += f"\n| {phase} | {count} | {well} | {faults} |"
    lines[-1] += f"\n| all | {len(killed)} | {unaided} | {sum(len(kill.faults) for kill in killed)} |"
    return "\n\n".join([*lines, *told])


def about_class(met: crowd.Crowd, seconds: float) -> str:
    """The second part of the page, in Markdown."""
    looks = [look for learner in met.learners for look in learner.looks]
    chats = [chat for learner in met.learners for chat in learner.chats]
    errors = [error for learner in met.learners for error in learner.errors]
    lost = [event for learner in met.learners for event in learner.lost]
    rows = {
        "requests": f"{sum(learner.requests for learner in met.learners):,}",
        "errors": str(len(errors)),
        "lost events": str(len(lost)),
        "turns of training": str(met.turns),
        "turns out of order": str(met.unfair),
        "jobs trained by a learner who keeps one waiting": _range(met, eager=False),
        f"jobs trained by a learner who keeps {crowd.MOST_UNFINISHED_JOBS} waiting": _range(met, eager=True),
        "jobs.retrieve": _times(looks),
        "a chat of up to 16 tokens": _times(chats),
    }
    table = "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    about = f"{len(met.learners)} learners for {seconds / 60:.1f} minutes; base {LOCAL_MODEL}, "
    about += f"{crowd.EXAMPLES} examples a job."
    return "\n\n".join(["## A class at work", about, table, *errors, *lost])


def _range(met: crowd.Crowd, *, eager: bool) -> str:
    trained = [learner.trained for learner in met.learners if learner.eager == eager]
    return f"{min(trained)} to {max(trained)}" if trained else "none"


def _times(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20)
    return f"median {statistics.median(seconds) * 1000:.0f} ms, 95% below {cuts[-1] * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
