"""Makes the SOAP sample of the healthcare case: raw export, curated splits and the datasheet.

    python data/samples/soap/make.py            writes beside this file
    python data/samples/soap/make.py --out DIR  writes elsewhere, for comparison

Everything is made from the phrase banks in phrases/ and the forms of note_guide.md with one seed; the same seed gives
the same bytes. FOR LEARNING, NOT FOR CARE: every patient, medicine and finding is invented.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from generator.curated import split, write_curated
from generator.datasheet import write_datasheet
from generator.encounters import plan
from generator.raw_exports import write_raw

HERE = Path(__file__).resolve().parent
SEED = 2025


def make(folder: Path, seed: int = SEED) -> None:
    """Writes the whole sample into `folder`; an earlier raw/ there is replaced."""
    raw = folder / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    encounters = plan(seed)
    planted = write_raw(encounters, raw, seed)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in planted)
    (folder / "defects.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")
    splits = split(encounters)
    write_curated(splits, folder)
    write_datasheet(splits, planted, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the SOAP sample of the healthcare case.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this file)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    make(options.out, options.seed)
