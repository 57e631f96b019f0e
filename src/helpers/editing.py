"""Step 4: how much a person still has to edit: words changed from a draft to the version that went out.

Words edited stand in for time, which nobody measured: reading, checking and deciding take time too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


def word_edits(draft: str, final: str) -> int:
    """Return the fewest words to insert, delete or replace (Levenshtein 1966) so that the draft becomes the final text.

    A line break counts as a word; spaces do not count.
    """
    return Levenshtein.distance(_words(draft), _words(final))


def editing_saved(edits: Sequence[int], baseline: Sequence[int]) -> float:
    """Return which fraction of the baseline's word edits is saved; below 0 where more editing is needed.

    Both are word edits on the same items in the same order. Raises ValueError where they are not equally many, or the
    baseline needs no editing at all.
    """
    if len(edits) != len(baseline) or not sum(baseline):
        raise ValueError(
            f"{len(edits)} edits cannot be held against {len(baseline)} of the baseline that sum to {sum(baseline)}: "
            "grade both systems on the same items, and choose a baseline that needs editing."
        )
    return 1 - sum(edits) / sum(baseline)


def _words(text: str) -> list[str]:
    return re.findall(r"\n|[^\s]+", text.strip())
