"""Writes the firm's own files: its matters, its counsel, and the requests with their notes, spoilt as real ones are."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from generator import defects as spoil
from generator.plan import Request

COLUMNS = ["doc_id", "version", "date", "code", "from", "to", "note", "draft", "status"]
COPIES = {"exact_duplicate": 30, "near_duplicate": 28}
EARLIER, OFF_STYLE, NO_DRAFT, WRONG_MATTER = 48, 46, 30, 18
COURTS = ["Alder County Superior Court", "District Court of Marrow Bay", "Circuit Court of Tamsin County"]


@dataclass
class Record:
    """One filed document of the firm."""

    request: Request
    note: str
    draft: str
    version: int = 1
    status: str = "final"
    defects: list[str] = field(default_factory=list)
    same_as: str | None = None
    id: str = ""

    @property
    def usable(self) -> bool:
        return not any(spoil.DEFECTS[name].startswith("drop") for name in self.defects)


def records(splits: dict[str, list[Request]], privileged: list[Request], seed: int) -> list[Record]:
    """Every record in order of its date, with ids; the requests of the splits get theirs."""
    rng = random.Random(f"{seed} raw")
    curated = [r for name, rows in splits.items() if name != "test_new_matters" for r in rows]
    made = [_record(request, rng) for request in curated]
    plain = list(made)
    for request in privileged:
        record = _record(request, rng)
        record.defects.append("privileged")
        made.append(record)
    made.sort(key=lambda record: (record.request.created, record.request.facts.matter.code, record.note))
    number = 40211
    for record in made:
        record.id = f"D-{number}"
        record.request.raw_id = record.id
        number += rng.randint(1, 4)
    chosen = rng.sample(plain, EARLIER + sum(COPIES.values()) + OFF_STYLE + NO_DRAFT + WRONG_MATTER)
    for record in chosen[:EARLIER]:
        early = Record(record.request, record.note, spoil.junior(record.draft, rng), 1, "superseded", id=record.id)
        early.defects = [*record.defects, "earlier_version"]
        record.version = 2
        made.append(early)
    rest = chosen[EARLIER:]
    for kind, count in COPIES.items():
        made += [_copy(rest.pop(), kind, rng) for _ in range(count)]
    made += [_off_style(rest.pop(), rng) for _ in range(OFF_STYLE)]
    made += [_no_draft(rest.pop(), rng) for _ in range(NO_DRAFT)]
    made += [_wrong_matter(rest.pop(), plain, rng) for _ in range(WRONG_MATTER)]
    for record in made:
        if not record.id:
            record.id = f"D-{number}"
            number += rng.randint(1, 4)
    return sorted(made, key=lambda record: (record.request.created, record.id, record.version))


def _record(request: Request, rng: random.Random) -> Record:
    record = Record(request, request.raw_note, request.raw_draft, defects=["party_names"])
    if request.private:
        record.defects.append("personal_data")
    if rng.random() < 0.2:
        record.note += f"\n\n{spoil.NOTICE}"
        record.defects.append("notice")
        if rng.random() < 0.4:
            record.note = spoil.mojibake(record.note)
            record.defects.append("mojibake")
    return record


def _copy(original: Record, kind: str, rng: random.Random) -> Record:
    note = original.note if kind == "exact_duplicate" else spoil.near_copy(original.note, rng)
    return Record(original.request, note, original.draft, defects=[*original.defects, kind], same_as=original.id)


def _off_style(original: Record, rng: random.Random) -> Record:
    """Another request for the same matter, by somebody who has not read the style guide."""
    note = f"{original.note} And then a broader one, in your own words."
    return Record(
        original.request, note, spoil.off_style(original.request, rng), defects=[*original.defects, "off_style"]
    )


def _no_draft(original: Record, rng: random.Random) -> Record:
    note = f"{rng.choice(['On hold:', 'Not yet, but soon:', 'For the next set:'])} {original.note}"
    return Record(original.request, note, "", status="open", defects=[*original.defects, "no_draft"])


def _wrong_matter(original: Record, others: list[Record], rng: random.Random) -> Record:
    other = rng.choice([r for r in others if r.request.facts.matter.code != original.request.facts.matter.code])
    note = f"Refiled. {original.note}"
    return Record(original.request, note, other.draft, defects=[*original.defects, "wrong_matter"])


def write_raw(found: list[Record], folder: Path, seed: int) -> list[dict[str, object]]:
    """Writes requests.csv, mails.jsonl, matters.csv and counsel.csv; returns the planted truth, one row a record."""
    rng = random.Random(f"{seed} files")
    rows: list[list[object]] = []
    mails: list[dict[str, object]] = []
    planted = []
    for record in found:
        request = record.request
        day = request.created + timedelta(days=record.version - 1)
        values = [record.id, record.version, day.isoformat(), request.facts.matter.code]
        values += [request.writer_raw, request.staff_raw, record.note, record.draft, record.status]
        in_mail = "notice" in record.defects or rng.random() < 0.2
        row = dict(zip(COLUMNS, values, strict=True))
        if in_mail:
            mails.append(row)
        else:
            rows.append(values)
        file, place = ("mails.jsonl", len(mails)) if in_mail else ("requests.csv", len(rows))
        planted.append(
            {
                "file": file,
                "record": place,
                "id": record.id,
                "defects": sorted(set(record.defects)),
                "why_privileged": request.why or None,
                "usable": record.usable,
                "same_as": record.same_as,
            }
        )
    _write_csv(folder / "requests.csv", COLUMNS, rows)
    lines = "".join(json.dumps(mail, ensure_ascii=False) + "\n" for mail in mails)
    (folder / "mails.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    _write_matters(found, folder, rng)
    return planted


def _write_matters(found: list[Record], folder: Path, rng: random.Random) -> None:
    """The matters with their parties, and the people of the firm."""
    matters = {r.request.raw_facts.matter.code: r.request.raw_facts.matter for r in found}
    rows: list[list[object]] = []
    for code, matter in sorted(matters.items()):
        sides = {matter.client_role: matter.client, matter.other_role: matter.other}
        docket = f"{rng.randint(19, 25)}-CV-{rng.randint(1000, 9999)}"
        names = [sides["Plaintiff"], sides["Defendant"], matter.client_role, matter.attorney]
        rows.append([code, matter.type, rng.choice(COURTS), docket, *names])
    heads = ["code", "matter_type", "court", "docket", "plaintiff", "defendant", "our_side", "attorney"]
    _write_csv(folder / "matters.csv", heads, rows)
    people: list[list[object]] = [[name, "attorney"] for name in sorted({m.attorney for m in matters.values()})]
    staff = {name for r in found for name in (r.request.writer_raw, r.request.staff_raw)}
    _write_csv(folder / "people.csv", ["name", "role"], people + [[name, "staff"] for name in sorted(staff)])


def _write_csv(path: Path, heads: list[str], rows: list[list[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([heads, *rows])
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
