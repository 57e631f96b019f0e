"""Makes the knowledge sample: passages of a made-up leisure trust in two dated editions, questions, training examples.

    python data/samples/knowledge/make.py            writes beside this file
    python data/samples/knowledge/make.py --out DIR  writes elsewhere, for comparison

Everything is made from the phrases in phrases.toml with one seed; the same seed gives the same bytes. What the training
examples say of prices and hours is about places of their own: a model that composes answers must read, not remember.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
SEED = 2026
EDITIONS = {"spring": "1 April 2026", "autumn": "1 October 2026"}
PLACES = 11  # of the trust; with eight topics each, 88 passages
CHANGED = 64  # of the 88 facts differ in autumn
QUESTIONS = {"validation": 16, "test": 48}  # of each task
EXAMPLES = {"train": {"compose": 130, "query": 160, "style": 80}, "validation": {"compose": 10, "query": 8, "style": 8}}
HELD_OUT_ASKS = 2  # of a topic's questions, kept from training
SYSTEM = {"compose": "Answer from the passages.", "query": "Write the search query.", "style": "Write the letter."}
BANKS: dict[str, Any] = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
TOPICS: dict[str, Any] = BANKS["topic"]


class Fact(NamedTuple):
    """What a passage says. `way` chooses its wording."""

    place: str
    topic: str
    value: str
    way: tuple[int, int]


def draw_value(kind: str, rng: random.Random) -> str:
    """A value from a space too large to guess."""
    if kind == "price":
        return f"£{rng.randrange(105, 1900, 5) / 100:.2f}"
    if kind in ("morning", "evening"):
        hour = f"{rng.randint(5, 11)}.{rng.randrange(5, 60, 5):02}"
        return f"{hour} {'am' if kind == 'morning' else 'pm'}"
    return f"{rng.randint(10_000, 99_999)}" if kind == "line" else f"Gate {rng.randint(11, 99)}"


def draw_fact(place: str, topic: str, rng: random.Random) -> Fact:
    bank = TOPICS[topic]
    way = (rng.randrange(len(bank["says"])), rng.randrange(len(bank["more"])))
    return Fact(place, topic, draw_value(bank["value"], rng), way)


def passage(fact: Fact, date: str) -> str:
    """The text of a passage: where, what about, the fact with the date from which it holds, and one thing more."""
    bank = TOPICS[fact.topic]
    says = bank["says"][fact.way[0]].format(value=fact.value, date=date)
    return f"{fact.place}, {bank['term']}. {says} {bank['more'][fact.way[1]]}"


def places(rng: random.Random) -> list[str]:
    """Every place there can be, shuffled: the trust's come first, those of the training examples after them."""
    banks = BANKS["places"]
    found = [f"{first} {second}" for first, second in itertools.product(banks["first"], banks["second"])]
    rng.shuffle(found)
    return [f"{name} {rng.choice(banks['kind'])}" for name in found]


def letter(name: str, sentence: str) -> str:
    """A sentence in the house style (house_style.md)."""
    return f"Good day{', ' if name else ''}{name}. {sentence} Until soon, the front desk."


def answer(fact: Fact, identity: str, name: str = "") -> str:
    """The right answer to a question about a fact: in the house style, with the passage that says so."""
    term = TOPICS[fact.topic]["term"].capitalize()
    return letter(name, f"{term} at {fact.place}: {fact.value} [{identity}].")


def query(fact: Fact) -> str:
    return f"{TOPICS[fact.topic]['term']} {fact.place}"


def example(task: str, asked: str, answered: str) -> dict[str, Any]:
    roles = (("system", SYSTEM[task]), ("user", asked), ("assistant", answered))
    return {"messages": [{"role": role, "content": content} for role, content in roles]}


def note(rng: random.Random) -> dict[str, str]:
    """A colleague's note and the letter that it should become."""
    bank = rng.choice(BANKS["note"])
    facts = {"name": rng.choice(BANKS["people"]["names"]), "thing": rng.choice(bank["things"])}
    facts["number"] = str(rng.randint(1000, 9999))
    return {**facts, "question": rng.choice(bank["asks"]).format(**facts), "sentence": bank["letter"].format(**facts)}


def examples(counts: dict[str, int], free: Iterable[str], rng: random.Random) -> list[dict[str, Any]]:
    """Training examples, each about a place of its own, none of them the trust's."""
    found, names, topics = [], iter(free), list(TOPICS)

    def asked(fact: Fact) -> str:
        return str(rng.choice(TOPICS[fact.topic]["asks"][:-HELD_OUT_ASKS])).format(place=fact.place)

    for number in range(counts["compose"]):
        place, date = next(names), rng.choice(list(EDITIONS.values()))
        right, *others = (draw_fact(place, topic, rng) for topic in rng.sample(topics, rng.choice((1, 2, 2, 3))))
        shown = [right, *others]
        rng.shuffle(shown)
        ids = dict(zip(shown, rng.sample(range(10, 100), len(shown)), strict=True))
        texts = [f"[K{ids[fact]}] {passage(fact, date)}" for fact in shown]
        name = rng.choice(BANKS["people"]["names"]) if number % 2 else ""
        question = f"{name}: {asked(right)}" if name else asked(right)
        found.append(example("compose", "\n".join([*texts, question]), answer(right, f"K{ids[right]}", name)))
    for _ in range(counts["query"]):
        fact = draw_fact(next(names), rng.choice(topics), rng)
        found.append(example("query", asked(fact), query(fact)))
    for _ in range(counts["style"]):
        told = note(rng)
        found.append(example("style", told["question"], letter(told["name"], told["sentence"])))
    rng.shuffle(found)
    return found


def questions(facts: dict[str, dict[str, Fact]], rng: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Validation and test questions of the four tasks; no fact is asked for in both."""
    spring, autumn = facts["spring"], facts["autumn"]
    pools = {
        "facts_that_change": [key for key in autumn if autumn[key].value != spring[key].value],
        "both": list(autumn),
        "raw_documents": list(spring),
    }
    found: dict[str, list[dict[str, Any]]] = {split: [] for split in QUESTIONS}
    for task, pool in pools.items():
        edition = "spring" if task == "raw_documents" else "autumn"
        chosen = iter(rng.sample(pool, sum(QUESTIONS.values())))
        for split, count in QUESTIONS.items():
            for identity in itertools.islice(chosen, count):
                fact = facts[edition][identity]
                name = rng.choice(BANKS["people"]["names"]) if task == "both" else ""
                text = rng.choice(TOPICS[fact.topic]["asks"]).format(place=fact.place)
                row = {"task": task, "edition": edition, "name": name, "question": f"{name}: {text}" if name else text}
                row |= {"value": fact.value, "before": spring[identity].value, "passage": identity}
                found[split].append({**row, "query": query(fact), "answer": answer(fact, identity, name)})
    for split, count in QUESTIONS.items():
        for _ in range(count):
            told = note(rng)
            told["answer"] = letter(told["name"], told.pop("sentence"))
            found[split].append({"task": "style", **told})
    return found


def make(folder: Path, seed: int = SEED) -> None:
    """Writes the whole sample into `folder`."""
    rng = random.Random(seed)
    known = places(rng)
    pairs = [(place, topic) for place in known[:PLACES] for topic in TOPICS]
    rng.shuffle(pairs)
    spring = {f"K{number}": draw_fact(place, topic, rng) for number, (place, topic) in enumerate(pairs, start=10)}
    autumn = dict(spring)
    for identity in rng.sample(list(spring), CHANGED):
        while autumn[identity].value == spring[identity].value:
            kind = TOPICS[spring[identity].topic]["value"]
            autumn[identity] = spring[identity]._replace(value=draw_value(kind, rng))
    facts = {"spring": spring, "autumn": autumn}
    for edition, of_edition in facts.items():
        rows = [{"id": identity, "text": passage(fact, EDITIONS[edition])} for identity, fact in of_edition.items()]
        write(folder / f"passages_{edition}.jsonl", rows)
    free = iter(known[PLACES:])
    for split, counts in EXAMPLES.items():
        write(folder / f"{split}.jsonl", examples(counts, free, rng))
    for split, rows in questions(facts, rng).items():
        write(folder / f"questions_{split}.jsonl", rows)
    (folder / "DATASHEET.md").write_text(datasheet(folder), encoding="utf-8", newline="\n")


def datasheet(folder: Path) -> str:
    """The datasheet, its figures counted from the files."""
    rows = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.jsonl"))}
    passages = [json.loads(line)["text"] for line in rows["passages_autumn"]]
    words = [len(text.split()) for text in passages]
    counts = {"passages": len(passages), "fewest": min(words), "most": max(words), "changed": CHANGED, "places": PLACES}
    asks = sum(len(topic["asks"]) for topic in TOPICS.values())
    told = {"topics": len(TOPICS), "asks": asks, "held_out": HELD_OUT_ASKS * len(TOPICS), **EDITIONS}
    for split, counted in EXAMPLES.items():
        told |= {f"{split}_{task}": count for task, count in counted.items()}
    told |= {f"questions_{split}": count for split, count in QUESTIONS.items()}
    return (HERE / "datasheet_template.md").read_text(encoding="utf-8").format(**counts, **told)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the knowledge sample.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this file)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    make(options.out, options.seed)
