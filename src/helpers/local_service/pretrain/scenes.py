"""Small situations with fields, read from scenes/*.txt (see scenes/README.md), and one drawing of them.

A Scene is what the file says; a Situation is one case of it with random values, able to say each of its fields as a
statement, in the first person, as a question or as a turn of a conversation.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .grammar import capital, fill, parse, slots_of
from .values import Values

_HERE = Path(__file__).parent
_WAYS = ("ask", "third", "first", "turn")
_PRONOUNS = (("he", "him", "his"), ("she", "her", "her"))


@dataclass(frozen=True)
class Lines:
    """Ways to say one thing: `seen` for pretraining, `held_out` for measuring on new phrasings."""

    seen: tuple[str, ...]
    held_out: tuple[str, ...]

    def pick(self, rng: random.Random, new_phrasing: bool) -> str:
        """Return one line, from the held-out ones where new phrasings are asked for and there are any."""
        return rng.choice(self.held_out if new_phrasing and self.held_out else self.seen)


@dataclass(frozen=True)
class Field:
    """One field of a scene: its value's type, its labels, and the ways to say it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    ways: dict[str, Lines]


@dataclass(frozen=True)
class Scene:
    """One kind of situation, as its file describes it."""

    name: str
    domain: str
    person: str
    speakers: tuple[tuple[str, str], ...]
    fields: dict[str, Field]
    noise: dict[str, Lines]


@dataclass
class _Draft:
    """A scene while its lines are being read."""

    name: str
    domain: str = ""
    person: str = ""
    speakers: list[tuple[str, str]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    said: dict[tuple[str, str, bool], list[str]] = field(default_factory=dict)  # (field or noise, way, held out)

    def lines(self, owner: str, way: str) -> Lines:
        return Lines(tuple(self.said.get((owner, way, False), ())), tuple(self.said.get((owner, way, True), ())))

    def finish(self) -> Scene:
        fields = {
            name: Field(name, kind, tuple(self.labels[name]), {way: self.lines(name, way) for way in _WAYS})
            for name, kind in self.kinds.items()
        }
        noise = {way: self.lines("noise", way) for way in ("third", "first", "turn")}
        scene = Scene(self.name, self.domain, self.person, tuple(self.speakers), fields, noise)
        _check(scene)
        return scene


def _check(scene: Scene) -> None:
    known = set(scene.fields) | {f"{scene.person}.first", "he", "him", "his", "He", "His"}
    for one in scene.fields.values():
        for way, lines in one.ways.items():
            if not lines.seen:
                raise ValueError(f"Scene '{scene.name}', field '{one.name}' has no '{way}' line.")
            for line in lines.seen + lines.held_out:
                parse(line)
                if unknown := slots_of(line) - known:
                    raise ValueError(f"Scene '{scene.name}', field '{one.name}' uses unknown slots {unknown}: {line}")


def _read(path: Path) -> list[Scene]:
    drafts: list[_Draft] = []
    current = ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        held_out = line.startswith("~")
        word, _, rest = line.lstrip("~").partition(" ")
        rest = rest.strip()
        if word == "scene":
            drafts.append(_Draft(rest))
        elif word == "field":
            current, _, kind = (part.strip() for part in rest.partition("="))
            drafts[-1].kinds[current] = kind
        elif word == "label":
            drafts[-1].labels[current] = [label.strip() for label in rest.split(";")]
        elif word == "speakers":
            for pair in rest.split("|"):
                asker, _, answerer = pair.partition(";")
                drafts[-1].speakers.append((asker.strip(), answerer.strip()))
        elif word in ("domain", "person"):
            setattr(drafts[-1], word, rest)
        elif word in _WAYS:
            drafts[-1].said.setdefault((current, word, held_out), []).append(rest)
        elif word == "noise":
            way, _, text = rest.partition(" ")
            drafts[-1].said.setdefault(("noise", way, held_out), []).append(text.strip())
        else:
            raise ValueError(f"{path.name} line {number} begins with an unknown word: {line[:60]}")
    return [draft.finish() for draft in drafts]


@cache
def scenes() -> tuple[Scene, ...]:
    """Return all scenes of scenes/*.txt; raise ValueError where a file breaks the format."""
    return tuple(scene for path in sorted((_HERE / "scenes").glob("*.txt")) for scene in _read(path))


class Situation:
    """One drawing of a scene: values for all its fields, and sentences that state them."""

    def __init__(self, scene: Scene, values: Values, new_phrasing: bool = False) -> None:
        self.scene = scene
        self.rng = values.rng
        self.new_phrasing = new_phrasing
        self.values = {name: values.draw(one.kind) for name, one in scene.fields.items()}
        he, him, his = self.rng.choice(_PRONOUNS)
        self.slots = self.values | {
            f"{scene.person}.first": self.values[scene.person].split()[0],
            "he": he, "him": him, "his": his, "He": he.capitalize(), "His": his.capitalize(),
        }  # fmt: skip

    def say(self, name: str, way: str, marks: Mapping[str, str] | None = None) -> str:
        """Return field `name` said as a 'third' or 'first' person statement or as an 'ask' question.

        `marks` stand in place of the fields' values: the sentence of a draft that is still to be filled in.
        """
        line = self.scene.fields[name].ways[way].pick(self.rng, self.new_phrasing)
        return capital(fill(line, self.rng, {**self.slots, **(marks or {})}))

    def turn(self, name: str, value: str | None = None) -> tuple[str, str]:
        """Return a question about field `name` and the answer to it, as two turns; with another value if one is given."""
        line = self.scene.fields[name].ways["turn"].pick(self.rng, self.new_phrasing)
        return self._two(line, self.slots | {name: value or self.values[name]})

    def noise(self, way: str) -> str:
        """Return a statement beside the point ('third' or 'first')."""
        return capital(fill(self.scene.noise[way].pick(self.rng, False), self.rng, self.slots))

    def noise_turn(self) -> tuple[str, str]:
        """Return a turn of small talk."""
        return self._two(self.scene.noise["turn"].pick(self.rng, False), self.slots)

    def _two(self, line: str, slots: Mapping[str, str]) -> tuple[str, str]:
        question, _, answer = line.partition(">")
        return tuple(capital(fill(part, self.rng, slots)) for part in (question, answer))  # type: ignore[return-value]

    def label(self, name: str) -> str:
        """Return one of the field's labels."""
        return self.rng.choice(self.scene.fields[name].labels)

    def some_fields(self, low: int, high: int) -> list[str]:
        """Return between low and high field names, in the scene's order."""
        names = list(self.scene.fields)
        chosen = self.rng.sample(names, min(len(names), self.rng.randint(low, high)))
        return [name for name in names if name in chosen]

    def plain(self, name: str) -> str:
        """Return the field's plain statement: its first third-person line, first alternatives, no pronouns."""
        person = self.values[self.scene.person]
        named = {"he": person, "him": person, "his": f"{person}'s", "He": person, "His": f"{person}'s"}
        return capital(fill(_first(self.scene.fields[name].ways["third"].seen[0]), self.rng, self.slots | named))

    def naming(self, names: list[str], way: str) -> list[str]:
        """Return the field names with the person's in front, unless stating the others never names the person.

        `way` is 'plain' or 'third'. Whatever is written from these fields then has the name in its source.
        """
        person = self.scene.person
        pronouns = {"he", "him", "his", "He", "His"} if way == "plain" else set()
        for name in names:
            lines = self.scene.fields[name].ways["third"]
            used = lines.seen[:1] if way == "plain" else lines.seen + lines.held_out
            if any(slots_of(line) & ({person, f"{person}.first"} | pronouns) for line in used):
                return [person, *(name for name in names if name != person)]
        return names


@cache
def _first(line: str) -> str:
    """The phrase with the first alternative of every choice."""

    def of(tree: tuple) -> str:
        return "".join(part if isinstance(part, str) else of(part[0]) for part in tree)

    return of(parse(line))
