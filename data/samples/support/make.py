"""Makes the Lindermoor customer-support sample: raw exports, curated splits and the datasheet.

    python data/samples/support/make.py            writes beside this file
    python data/samples/support/make.py --out DIR  writes elsewhere, for comparison

Everything is made from the phrase banks in phrases/ and the policies in house_style.md with one seed; the same seed
gives the same bytes. The steps: plan clean conversations, spoil them into raw exports, write the clean ones as splits.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from generator.conversations import plan
from generator.curated import new_phrasings, split, write_curated
from generator.datasheet import write_datasheet
from generator.raw_exports import write_raw
from generator.records import Exporter

HERE = Path(__file__).resolve().parent
SEED = 2025


def make(folder: Path, seed: int = SEED) -> None:
    """Writes the whole sample into `folder`; an earlier raw/ there is replaced."""
    raw = folder / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    conversations = plan(seed)
    records = Exporter(seed).records(conversations)
    planted = write_raw(records, raw, seed)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in planted)
    (folder / "defects.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")
    splits = split(conversations) | {"test_new_phrasings": new_phrasings()}
    write_curated(splits, folder)
    write_datasheet(splits, planted, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the Lindermoor customer-support sample.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this file)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    make(options.out, options.seed)
