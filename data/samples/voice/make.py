"""Makes the Moth & Biscuit marketing sample: raw exports, curated splits, pieces for the judge, and the datasheet.

    python data/samples/voice/make.py            writes beside this file
    python data/samples/voice/make.py --out DIR  writes elsewhere, for comparison

Everything is made from the phrase banks in phrases/ with one seed; the same seed gives the same bytes. The curated
splits are what helpers.cases.voice_choice chooses from the raw exports by their figures, as the notebook does.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from generator.curated import new_kinds, split, write_curated
from generator.datasheet import write_datasheet
from generator.judging import judge_rows
from generator.raw_exports import write_raw
from generator.records import plan

from helpers.cases.voice_choice import choose, read_pieces
from helpers.workspace import write_jsonl

HERE = Path(__file__).resolve().parent
SEED = 2026


def make(folder: Path, seed: int = SEED) -> None:
    """Writes the whole sample into `folder`; an earlier raw/ there is replaced."""
    raw = folder / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    records = plan(seed)
    planted = write_raw(records, raw)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in planted)
    (folder / "defects.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")
    pieces = read_pieces(raw)
    chosen = set(choose(pieces).kept["id"])
    splits = split([record for record in records if record.id in chosen], seed) | {"test_new_kinds": new_kinds(seed)}
    rows = write_curated(splits, folder)
    judged = judge_rows(seed, {row["name"] for row in rows})
    write_jsonl(folder / "judge.jsonl", judged)
    write_datasheet(splits, rows, judged, planted, pieces, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the Moth & Biscuit marketing sample.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this file)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    make(options.out, options.seed)
