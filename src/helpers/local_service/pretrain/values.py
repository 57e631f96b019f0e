"""Random values to copy, look up and compare: names, codes, numbers, dates, amounts, addresses.

Copying must be learned, so most values are drawn from spaces far too large to memorise. Values are split in two by a
checksum: pretraining draws from one part only, the benchmark from the other, so "never seen in training" is a fact
and not a hope.
"""

import datetime
import random
import re
import string
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_ONSETS = "b br c ch cr d dr f fl g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl st str t th tr v w y z".split()
_VOWELS = "a e i o u ai ea ee ia ie io oa oo ou ua".split()
_CODAS = ["", "", "", "n", "r", "l", "s", "m", "t", "k", "nd", "rt", "x", "sh", "ck", "ng", "lm", "th"]
_ACCENTS = {
    "a": "áàâäãåāą", "e": "éèêëėęě", "i": "íìîïī", "o": "óòôöõøő", "u": "úùûüūůű", "y": "ýÿ", "c": "çćč", "n": "ñńň",
    "s": "śšş", "z": "žźż", "l": "ł", "r": "ř", "d": "đð", "t": "ţť", "g": "ğ", "A": "ÁÀÄÅ", "E": "ÉÈ", "I": "ÍÎ", "O": "ÓÖØ",
    "U": "ÚÜ", "S": "ŠŚŞ", "Z": "ŽŻ", "C": "ÇČ", "L": "Ł", "D": "Đ",
}  # fmt: skip
_UNITS = (
    "mg ml g kg cm mm m km l litres grams metres pounds ounces inches miles hours minutes days weeks months years tablets "
    "drops units pieces pages volts watts degrees points kilos sheets boxes bags cups rooms seats copies stitches steps"
).split()
_MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = _MONTHS


@cache
def _all_words() -> tuple[str, ...]:
    """Return every plain lower-case word of the word lists, names included."""
    text = " ".join(entry for entries in word_lists().values() for entry in entries)
    return tuple(sorted(set(re.findall(r"\b[a-z]{3,9}\b", text.lower()))))


@cache
def word_lists() -> dict[str, tuple[str, ...]]:
    """Return every word list of words/*.txt by name; raise ValueError for a line without a name."""
    lists: dict[str, list[str]] = {}
    for path in sorted((_HERE / "words").glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, colon, entries = line.partition(":")
            if not colon:
                raise ValueError(f"{path.name} line {number} has no list name before a colon: {line[:60]}")
            lists.setdefault(name.strip(), []).extend(e.strip() for e in entries.split(";") if e.strip())
    return {name: tuple(dict.fromkeys(entries)) for name, entries in lists.items()}


def is_held_out(text: str) -> bool:
    """Return whether a value belongs to the eighth of all values that pretraining never shows."""
    return zlib.crc32(text.encode("utf-8")) % 8 == 0


class Values:
    """Draws random values; `held_out` chooses which side of the checksum split they come from."""

    def __init__(self, rng: random.Random, held_out: bool = False) -> None:
        self.rng = rng
        self.held_out = held_out

    def _fresh(self, make: Callable[[], str]) -> str:
        while True:
            value = make()
            if is_held_out(value) == self.held_out:
                return value

    def pick(self, name: str) -> str:
        """Return one entry of a word list."""
        return self.rng.choice(word_lists()[name])

    def _made(self, low: int, high: int) -> str:
        """An invented word of `low` to `high` syllables or so, made in one of four ways.

        One way alone is a pattern that a model learns by heart, and then it copies nothing that is made otherwise.
        """
        way = self.rng.random()
        if way < 0.45:
            count = self.rng.randint(low, high)
            draw = self.rng.choice
            return "".join(draw(_ONSETS) + draw(_VOWELS) + draw(_CODAS) for _ in range(count))
        if way < 0.8:  # the beginning of one word and the end of another
            begin, end = self.rng.choice(_all_words()), self.rng.choice(_all_words())
            return begin[: self.rng.randint(2, 4)] + end[-self.rng.randint(1, 2 + high) :]
        if way < 0.92:
            return self.rng.choice(_all_words())
        return "".join(self.rng.choices(string.ascii_lowercase, k=self.rng.randint(3, 7)))

    def made_word(self) -> str:
        """Return a lower-case word, mostly an invented one such as 'tralindo'."""
        return self._fresh(lambda: self._made(1, 3))

    def first_name(self) -> str:
        """Return a given name, real or made up."""
        return self._accented(self._plain_name("given"))

    def family_name(self) -> str:
        """Return a family name, real or made up."""
        name = self._accented(self._plain_name("family"))
        return self.rng.choice(("O'", "Mc", "Mac", "de ", "van ", "D'")) + name if self.rng.random() < 0.05 else name

    def _plain_name(self, kind: str) -> str:
        """A name in plain letters: now and then of the list, mostly made up."""
        return self.pick(kind) if self.rng.random() < 0.3 else self._made(1, 3 if kind == "family" else 2).capitalize()

    def _accented(self, name: str) -> str:
        """The name, one in eight with a letter or two as other languages write them.

        Most such letters are two bytes to the tokenizer, which a model copies only if it has learned to.
        """
        if self.rng.random() > 0.12:
            return name
        places = [index for index, letter in enumerate(name) if letter in _ACCENTS]
        for index in self.rng.sample(places, min(len(places), self.rng.choice((1, 1, 2)))):
            name = name[:index] + self.rng.choice(_ACCENTS[name[index]]) + name[index + 1 :]
        return name

    def words(self, low: int, high: int) -> str:
        """Return `low` to `high` plain words that have nothing to do with each other."""
        return " ".join(self.rng.choices(_all_words(), k=self.rng.randint(low, high)))

    def name(self) -> str:
        """Return a full name; now and then with a middle initial or a double family name."""

        def make() -> str:
            given, family = self.first_name(), self.family_name()
            kind = self.rng.random()
            if kind < 0.06:
                return f"{given} {self.rng.choice(string.ascii_uppercase)}. {family}"
            if kind < 0.10:
                return f"{given} {family}-{self.family_name()}"
            return f"{given} {family}"

        return self._fresh(make)

    def _letters(self, count: int) -> str:
        return "".join(self.rng.choices(string.ascii_uppercase, k=count))

    def digits(self, low: int = 4, high: int = 9) -> str:
        """Return a string of random digits."""
        return self._fresh(lambda: "".join(self.rng.choices(string.digits, k=self.rng.randint(low, high))))

    def code(self) -> str:
        """Return a reference such as 'AB-48213', '77031', 'K7Q2-XP' or 'INV/2024/0831'."""
        digit = lambda k: "".join(self.rng.choices(string.digits, k=k))  # noqa: E731
        mixed = lambda k: "".join(self.rng.choices(string.ascii_uppercase + string.digits, k=k))  # noqa: E731
        shapes = (
            lambda: f"{self._letters(self.rng.randint(1, 3))}-{digit(self.rng.randint(3, 6))}",
            lambda: f"{self._letters(self.rng.randint(1, 4))}{digit(self.rng.randint(3, 6))}",
            lambda: digit(self.rng.randint(4, 9)),
            lambda: f"{mixed(self.rng.randint(3, 5))}-{mixed(self.rng.randint(2, 4))}",
            lambda: f"{self._letters(self.rng.randint(2, 4))}/{digit(2)}/{digit(self.rng.randint(2, 5))}",
            lambda: f"{digit(2)}-{digit(3)}-{self._letters(1)}",
            lambda: f"#{mixed(self.rng.randint(4, 7))}",
            lambda: f"{self._letters(2)}-{digit(2)}-{digit(4)}",
            lambda: f"{digit(3)}.{digit(3)}.{digit(2)}",
            lambda: f"{digit(4)}-{self._letters(2)}-{digit(self.rng.randint(3, 5))}",
        )
        return self._fresh(lambda: self.rng.choice(shapes)())

    def integer(self, low: int, high: int) -> str:
        """Return a whole number between low and high, both included."""
        return str(self.rng.randint(low, high))

    def amount(self) -> str:
        """Return a sum of money in one of several notations."""
        value = round(self.rng.choice((10, 100, 1000, 20000)) * self.rng.random() + 1, 2)
        whole = int(value)
        return self.rng.choice(
            (
                f"${value:.2f}",
                f"£{value:.2f}",
                f"{value:.2f} euros",
                f"{whole} euros",
                f"{whole} pounds",
                f"${whole:,}",
                f"£{whole:,}",
                f"EUR {value:,.2f}",
            )
        )

    def measure(self) -> str:
        """Return a quantity with its unit, a range, or two numbers with a sign between, such as "12.5 mg"."""

        def number() -> str:
            top = self.rng.choice((10, 100, 1000))
            return str(self.rng.randint(1, top)) if self.rng.random() < 0.7 else f"{self.rng.uniform(0, top):.1f}"

        def one() -> str:
            return f"{number()}{self.rng.choice((' ', ' ', ' ', '', '-'))}{self.rng.choice(_UNITS)}"

        shapes = (
            one,
            one,
            lambda: f"{number()} to {number()} {self.rng.choice(_UNITS)}",
            lambda: f"{self.rng.randint(1, 300)}/{self.rng.randint(1, 300)}",
            lambda: f"{self.rng.randint(1, 90)} x {self.rng.randint(1, 90)} {self.rng.choice(_UNITS)}",
            lambda: (
                f"{one()} {self.rng.choice(('a', 'per'))} {self.rng.choice(('day', 'week', 'hour', 'year', 'head', 'box'))}"
            ),
        )
        return self._fresh(lambda: self.rng.choice(shapes)())

    def day(self) -> datetime.date:
        """Return a random day between 1990 and 2035."""
        return datetime.date(1990, 1, 1) + datetime.timedelta(days=self.rng.randrange(45 * 365))

    def date(self) -> str:
        """Return a date in one of several notations."""
        day = self.day()
        month = _MONTHS[day.month - 1]
        return self.rng.choice(
            (
                f"{day.day} {month} {day.year}",
                f"{month} {day.day}, {day.year}",
                f"{day.day} {month}",
                f"{day.day} {month}",
                f"{month} {day.day}",
                day.isoformat(),
                f"{day.day:02}/{day.month:02}/{day.year}",
                f"{WEEKDAYS[day.weekday()]}, {day.day} {month}",
                f"{day.day} {month[:3]} {day.year}",
            )
        )

    def time(self) -> str:
        """Return a time of day in one of several notations."""
        hour, minute = (
            self.rng.randrange(24),
            self.rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50, self.rng.randrange(60))),
        )
        half = "am" if hour < 12 else "pm"
        return self.rng.choice(
            (f"{hour:02}:{minute:02}", f"{hour % 12 or 12}:{minute:02} {half}", f"{hour % 12 or 12} {half}")
        )

    def phone(self) -> str:
        """Return a telephone number."""
        d = lambda k: "".join(self.rng.choices(string.digits, k=k))  # noqa: E731
        shapes = (
            lambda: f"0{d(4)} {d(6)}",
            lambda: f"+{d(2)} {d(3)} {d(3)} {d(3)}",
            lambda: f"555-{d(4)}",
            lambda: f"({d(3)}) {d(3)}-{d(4)}",
            lambda: f"0{d(3)}/{d(7)}",
        )
        return self._fresh(lambda: self.rng.choice(shapes)())

    def email(self) -> str:
        """Return an e-mail address."""
        host = lambda: f"{self._made(1, 2)}.{self.rng.choice(('com', 'org', 'net', 'example', 'co.uk', 'de'))}"  # noqa: E731
        local = lambda: self.rng.choice(  # noqa: E731
            (
                f"{self._plain_name('given').lower()}.{self._plain_name('family').lower()}",
                f"{self._plain_name('given').lower()}{self.rng.randrange(100)}",
                f"{self._plain_name('family').lower()}_{self._letters(1).lower()}",
                self._made(2, 3),
            )
        )
        return self._fresh(lambda: f"{local()}@{host()}")

    def town(self) -> str:
        """Return a town, real or made up."""
        if self.rng.random() < 0.5:
            return self.pick("town")
        ending = self.rng.choice(("ton", "ford", "wick", "mere", "holt", "burg", "field", "haven", "stead", "by"))
        return self._made(1, 2).capitalize() + ending

    def address(self) -> str:
        """Return a street address with a town."""
        street = self.pick("street")
        if self.rng.random() < 0.4:
            street = f"{self._made(1, 2).capitalize()} {self.rng.choice(('Street', 'Road', 'Lane', 'Avenue', 'Way'))}"
        return self._fresh(lambda: f"{self.rng.randint(1, 250)} {street}, {self.town()}")

    def weekday(self) -> str:
        """Return a day of the week."""
        return self.rng.choice(WEEKDAYS)

    def month(self) -> str:
        """Return a month's name."""
        return self.rng.choice(_MONTHS)

    def percent(self) -> str:
        """Return a percentage."""
        return self.rng.choice(
            (f"{self.rng.randint(1, 99)}%", f"{self.rng.randint(1, 99)} percent", f"{self.rng.uniform(0, 50):.1f}%")
        )

    def _branded(self, thing: str) -> str:
        """Return the thing, now and then with a made-up name: "a copper kettle", or "the Tolvan kettle"."""
        if not thing.startswith(("a ", "an ")) or self.rng.random() < 0.7:
            return thing
        return f"the {self._made(1, 2).capitalize()} {thing.split()[-1]}"

    def draw(self, kind: str) -> str:
        """Return a value for a scene field's type, such as 'date', 'int 1..10', '@product' or 'choice left; right'."""
        if kind.startswith("@"):
            return self._branded(self.pick(kind[1:]))
        if kind.startswith("choice "):
            return self.rng.choice([option.strip() for option in kind.removeprefix("choice ").split(";")])
        if kind.startswith("int "):
            low, high = kind.removeprefix("int ").split("..")
            return self.integer(int(low), int(high))
        plain: dict[str, Callable[[], str]] = {
            "name": self.name, "code": self.code, "amount": self.amount, "date": self.date, "time": self.time,
            "phone": self.phone, "email": self.email, "address": self.address, "town": self.town,
            "weekday": self.weekday, "month": self.month, "percent": self.percent, "measure": self.measure,
        }  # fmt: skip
        if kind not in plain:
            raise ValueError(f"Unknown field type '{kind}'. Known: {', '.join(plain)}, int A..B, choice a; b, @list.")
        return plain[kind]()
