"""How alike two texts are, from 0 to 1, by OpenAI's names for the metrics, each computed by a library that others use.

| metric | computed by |
|---|---|
| fuzzy_match | rapidfuzz's WRatio after its default_process (the scorer of OpenAI's own example), divided by 100 |
| bleu | nltk's sentence_bleu: up to 4-grams, smoothing method 1 (Chen and Cherry, 2014), fewer n under 4 words |
| gleu | nltk's sentence_gleu (Wu et al., 2016) |
| meteor | nltk's meteor_score on exact words and Porter stems; synonyms are left out, as WordNet would be a download |
| rouge_1 to rouge_5, rouge_l | rouge-score's F measure without stemming; it reads a to z and digits alone |
| cosine | cosine of the counts of letter trigrams (VECTORISER): no embedding model, it knows spelling, not meaning |

Words for bleu, gleu and meteor are runs of letters and digits, or of other signs (nltk's wordpunct_tokenize). OpenAI
does not document its scorers and tokenisers, and computes cosine over text-embedding-3-large, so its figures may
differ. Libraries are imported when first used: nltk takes a second or two.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

MAX_CHARACTERS = 16_384  # of each text: ROUGE-L takes time and memory by the product of both lengths
VECTORISER = "local letter trigrams (not an embedding model)"


def similarity(metric: str, text: str, reference: str) -> float:
    """Return how alike the two are. Raises ValueError where one is longer than 16,384 characters."""
    for name, given in (("input", text), ("reference", reference)):
        if len(given) > MAX_CHARACTERS:
            raise ValueError(f"{name} has {len(given):,} characters; at most {MAX_CHARACTERS:,} are compared.")
    if metric == "cosine":
        return cosine(text, reference)
    if metric == "fuzzy_match":
        from rapidfuzz import fuzz, utils

        return fuzz.WRatio(text, reference, processor=utils.default_process) / 100
    if metric.startswith("rouge"):
        return _rouge(metric.replace("_", "").replace("l", "L"), text, reference)
    return _translation_score(metric, text, reference)


def cosine(text: str, reference: str) -> float:
    """Return the cosine between two texts' counts of letter trigrams, each word with a blank before and after it."""
    a, b = trigrams(text), trigrams(reference)
    length = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return min(1.0, sum(count * b[gram] for gram, count in a.items()) / length) if length else float(a == b)


def trigrams(text: str) -> Counter[str]:
    """Return how often each run of three letters occurs in the text's words, case folded."""
    words = (f" {word} " for word in re.findall(r"\w+", text.casefold()))
    return Counter(word[start : start + 3] for word in words for start in range(len(word) - 2))


def _rouge(name: str, text: str, reference: str) -> float:
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import DefaultTokenizer

    scorer = RougeScorer([name], tokenizer=DefaultTokenizer(use_stemmer=False))
    return float(scorer.score(reference, text)[name].fmeasure)


class _NoSynonyms:
    """What nltk asks for synonyms, with none."""

    def synsets(self, word: str) -> list[Any]:
        return []


def _translation_score(metric: str, text: str, reference: str) -> float:
    from nltk.tokenize import wordpunct_tokenize
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
    from nltk.translate.gleu_score import sentence_gleu
    from nltk.translate.meteor_score import meteor_score

    right, words = wordpunct_tokenize(reference), wordpunct_tokenize(text)
    if not right or not words:
        return float(right == words)
    if metric == "bleu":
        return float(sentence_bleu([right], words, smoothing_function=SmoothingFunction().method1, auto_reweigh=True))
    if metric == "gleu":
        return float(sentence_gleu([right], words))
    return float(meteor_score([right], words, wordnet=_NoSynonyms()))
