"""What check found: a table in notebooks, readable text on the command line, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import groupby

import pandas as pd

from helpers.checks.findings import Finding

SHOWN = 5  # places named a kind of finding on the command line


@dataclass
class Report:
    """What check found: `findings` in order of their lines, those of the whole file first."""

    path: str
    examples: int = 0  # lines that hold something
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The findings that would make a service refuse or ignore something."""
        return [found for found in self.findings if found.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that would harm the model."""
        return [found for found in self.findings if found.severity == "warning"]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings may remain."""
        return not self.errors

    def frame(self) -> pd.DataFrame:
        """Return the findings as a table, one row each."""
        table = pd.DataFrame(self.findings, columns=list(Finding._fields))
        return table.astype({"line": "Int64", "message": "Int64"})

    def to_json(self) -> str:
        """Return the report as JSON, in ASCII for any console: path, examples, ok, findings."""
        rows = [found._asdict() for found in self.findings]
        whole = {"path": self.path, "examples": self.examples, "ok": self.ok, "findings": rows}
        return json.dumps(whole, indent=1)

    def sort(self) -> Report:
        """Put the findings in the order of their places; return the report."""
        self.findings.sort(key=lambda found: (found.line or 0, found.message or 0))
        return self

    def __str__(self) -> str:
        head = (
            f"{self.path}: {self.examples} examples, {_many(self.errors, 'error')}, {_many(self.warnings, 'warning')}"
        )
        ordered = sorted(self.findings, key=lambda f: (f.severity, f.code, f.fix, f.line or 0))
        blocks = [head]
        for (severity, code, fix), group in groupby(ordered, key=lambda f: (f.severity, f.code, f.fix)):
            same = list(group)
            places = "; ".join(_place(found) for found in same[:SHOWN])
            more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
            blocks.append(f"\n{severity} {code}: {places}{more}\n  {same[0].why}\n  Fix: {fix}")
        return "\n".join(blocks)


def _many(findings: list[Finding], what: str) -> str:
    return f"{len(findings)} {what}" + ("" if len(findings) == 1 else "s")


def _place(found: Finding) -> str:
    places = [f"line {found.line}" if found.line else "the file", f"message {found.message}" if found.message else ""]
    return ", ".join(filter(None, places)) + (f" ({found.key})" if found.key else "")
