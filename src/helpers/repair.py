"""Step 2: mend in a training file what is safe to mend, into a new file; say what is left.

    result = repair("train.jsonl", "repaired.jsonl")
    result.changes        # what was done, one row each
    print(result.diff())  # the same to read
    print(result.left)    # what check still finds, by the lines of the old file

The old file is never touched, and every line of it is accounted for in `result.lines`. Safe is what loses nothing that
a model should learn, or can be seen to be a remnant of another program. A mend that would empty a text, take out code
or leave the fault standing is not made. On the command line: python -m helpers repair FILE --out NEW --diff.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rapidfuzz.distance import Postfix, Prefix

from helpers.check import check_file
from helpers.checks.report import Report
from helpers.checks.rows import METHODS
from helpers.errors import Explained
from helpers.mender import CODES, Change, Mender
from helpers.whole_file import whole_file

CONTEXT = 30  # letters shown before and after a change
LONGEST = 120  # letters shown of what was changed


@dataclass
class Repair:
    """What repair did: `changes`, one row each; `lines`, what became of each line; `left`, what check still finds.

    `lines` has line, new_line, what (kept, mended, blank, duplicate) and same_as, the line that a duplicate repeats.
    """

    source: Path
    out: Path
    changes: pd.DataFrame
    lines: pd.DataFrame
    left: Report

    def diff(self) -> str:
        """Return what was changed, as text: where and why, then before (-) and after (+)."""
        blocks = []
        filled = self.changes.astype(object).where(self.changes.notna(), None)  # a gap is None in each of the columns
        for line, message, key, code, before, after in filled.itertuples(index=False):
            places = [f"line {line}" if line else "the file", f"message {message}" if message else ""]
            old, new = (before or "", "") if after is None else _excerpts(before or "", after)
            old = old if len(old) <= LONGEST else old[: LONGEST - 1] + "…"
            block = f"{', '.join(filter(None, [*places, key]))}: {code}\n- {old}"
            blocks.append(block + (f"\n+ {new}" if after is not None else ""))
        return "\n\n".join(blocks)

    def __str__(self) -> str:
        counts = Counter(self.lines["what"])
        done = ", ".join(f"{counts[what]} {what}" for what in ("kept", "mended", "duplicate", "blank") if counts[what])
        codes = ", ".join(f"{code} {n}" for code, n in sorted(Counter(self.changes["code"]).items())) or "nothing"
        return f"{self.source} to {self.out}: {len(self.lines)} lines, {done or 'none'}.\nMended: {codes}."


def repair(
    path: Path | str,
    out: Path | str,
    method: str = "supervised",
    leave: Collection[str] = (),
    force: bool = False,
) -> Repair:
    """Mend a training file into a new one and return what was done. `leave` names codes that are not to be mended.

    Raises Explained where `out` is the file itself, or exists and `force` is False, and for a file that cannot be read
    or written, or a method or code that does not exist.
    """
    if method not in METHODS:
        raise Explained(f"method={method!r} is not a way to fine-tune. Use {', '.join(METHODS)}.")
    if unknown := sorted(set(leave) - set(CODES)):
        raise Explained(f"{', '.join(unknown)} is nothing that repair mends. It mends {', '.join(CODES)}.")
    path, out = Path(path), new_file(path, out, force)
    mender = Mender(method, leave)
    with whole_file(out) as file:
        file.writelines(mender.mend(path))
    lines = pd.DataFrame(mender.lines, columns=["line", "new_line", "what", "same_as"])
    changes = pd.DataFrame(mender.changes, columns=list(Change._fields)).astype({"line": "Int64", "message": "Int64"})
    left = _by_old_lines(check_file(out, method=method), path, {new: line for line, new, _, _ in mender.lines if new})
    return Repair(path, out, changes, lines.astype({"new_line": "Int64", "same_as": "Int64"}), left)


def new_file(source: Path | str, out: Path | str, force: bool) -> Path:
    """Return the path to write to. Raises Explained where it is the source, or exists and `force` is False."""
    source, out = Path(source), Path(out)
    if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
        raise Explained(f"{out} is the file itself, which is never written over. Name another with --out.")
    if out.exists() and not force:
        raise Explained(f"{out} exists. Name another file, or say --force (force=True) to write over it.")
    return out


def _by_old_lines(report: Report, path: Path, old: dict[int, int]) -> Report:
    """The report on the new file, with the numbers of the old one's lines."""

    def renumbered(match: re.Match[str]) -> str:
        return f"{match[1]} {old.get(int(match[2]), match[2])}"

    report.findings = [
        found._replace(line=found.line and old[found.line], why=re.sub(r"\b([Ll]ine) (\d+)\b", renumbered, found.why))
        for found in report.findings
    ]
    report.path = f"Left in {path}"
    return report


def _excerpts(before: str, after: str) -> tuple[str, str]:
    """Two texts on a line each, without most of what they share at their begin and end."""
    begin = Prefix.similarity(before, after)
    end = Postfix.similarity(before[begin:], after[begin:])
    cut = max(0, begin - CONTEXT)
    shown = []
    for text in (before, after):
        stop = len(text) - max(0, end - CONTEXT)
        shown.append(f"{'…' if cut else ''}{text[cut:stop]}{'…' if stop < len(text) else ''}".replace("\n", "⏎"))
    return shown[0], shown[1]


def main(argv: list[str] | None = None) -> int:
    """python -m helpers repair FILE --out NEW: write the new file, print what was done and what is left; return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers repair", description="Mends what is safe to mend in a training file, into a new file."
    )
    parser.add_argument("file", help="a .jsonl file of examples; it is not touched")
    parser.add_argument("--out", metavar="NEW", required=True, help="the file to write")
    parser.add_argument("--force", action="store_true", help="write NEW though it exists")
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="what the rows are for (%(default)s)")
    parser.add_argument(
        "--leave", metavar="CODES", default="", help=f"do not mend these, as in html,bom: {', '.join(CODES)}"
    )
    parser.add_argument("--diff", action="store_true", help="print each change, before and after")
    given = parser.parse_args(argv)
    leave = [code.strip() for code in given.leave.split(",") if code.strip()]
    result = repair(given.file, given.out, given.method, leave, given.force)
    print("\n\n".join(filter(None, [result.diff() if given.diff else "", str(result), str(result.left)])))
    return 0
