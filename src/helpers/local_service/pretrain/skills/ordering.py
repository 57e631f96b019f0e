"""Sorting, counting, comparing, small arithmetic and dates."""

import datetime

from ..values import MONTHS, WEEKDAYS
from .task import Pen, Task, sentence_list

SORT_WORDS = (
    "[Sort|Order|Arrange|Put] [these|the words] [alphabetically|in alphabetical order|from A to Z|by the alphabet].",
    "[Alphabetical order|A to Z], please.",
    "[Please bring|Bring] these into the order of the alphabet.",
    "[List|Give|Write] [these|them] [in|by] [alphabetic|alphabetical] [order|sequence].",
    "[Rank|Line up|Organise] the words by [first letter|their first letters].",
    "[Which order|What order] [would an index|does the alphabet] [put these in|give these]?",
    "[From|Going from] A [down |]to Z, how do [these|the words] [run|stand]?",
    "[Alphabetise|File] [this list|these|the words][, please|].",
    "ABC order[, please|.]",
    "~As a dictionary would have them, one after another.",
)
SORT_NUMBERS = (
    "[Sort|Order|Arrange] [these|the numbers] from [small to large|lowest to highest|least to greatest].",
    "[Put|Bring] the numbers in [ascending|rising] order.",
    "[Smallest|Lowest] first, please.",
    "[Rank|List|Line up|Organise] the [numbers|figures|values] from [smallest|lowest|least] to [largest|highest|most].",
    "[Ascending|Increasing|Rising] [order|sequence][, please|.]",
    "[Write|Give] them [so that they grow|in growing order|going up].",
    "[Start|Begin] with the [smallest|lowest] [number|one] and end with the [largest|highest].",
    "[Low|Small] to [high|large][, please|.]",
    "~Begin with the least of them and climb.",
)
SORT_DOWN = (
    "[Sort|Order|Arrange] [these|the numbers] from [large to small|highest to lowest].",
    "[Put|Bring] the numbers in [descending|falling] order.",
    "[Largest|Highest] first, please.",
    "[Rank|List|Line up|Organise] the [numbers|figures|values] from [largest|highest|most] to [smallest|lowest|least].",
    "[Descending|Decreasing|Falling] [order|sequence][, please|.]",
    "[Write|Give] them [so that they shrink|in falling order|going down].",
    "[Start|Begin] with the [largest|highest] [number|one] and end with the [smallest|lowest].",
    "[High|Large] to [low|small][, please|.]",
    "~Begin with the greatest of them and go down.",
)
REVERSE = (
    "[Reverse|Turn round|Turn around] [the list|the order|this list].",
    "[Write|Give] [the list|these] backwards[, last first|].",
    "[Last|The last one] first, please.",
    "[Invert|Flip] the [order|sequence|list].",
    "[List|Name|Read] [them|the items|these] from [the last|the end] to [the first|the beginning].",
    "[Put|Write] [the items|them] in [the opposite|the reverse|reversed] order.",
    "[Start|Begin] with the last [item|entry|one] and work back[wards|] to the first.",
    "[What is|Give] the list [the other way round|in reverse][?|.]",
    "[The same|This list], but [from behind|back to front|end to start].",
    "~From the tail end to the head.",
)


def sort_items(pen: Pen) -> Task:
    """Sort words or numbers."""
    rng = pen.rng
    if pen.chance(0.5):
        pool = [pen.values.pick("product").split()[-1].lower() for _ in range(3)] + [
            pen.values.first_name() for _ in range(6)
        ]
        pool = [word for word in pool if word.isalpha()] if pen.chance(0.5) else [w for w in pool if w[0].isupper()]
        by_first = {word[0].lower(): word for word in pool}  # one word a letter: the first letter decides
        items = rng.sample(list(by_first.values()), min(len(by_first), rng.randint(2, 5)))
        return pen.task(
            pen.pose(pen.say(SORT_WORDS), ", ".join(items), "Words"), ", ".join(sorted(items, key=str.lower))
        )
    top = rng.choice((20, 100, 100, 1000))
    numbers = rng.sample(range(top), rng.randint(2, 6))
    down = pen.chance(0.4)
    instruction = pen.say(SORT_DOWN if down else SORT_NUMBERS)
    return pen.task(
        pen.pose(instruction, ", ".join(map(str, numbers)), "Numbers"),
        ", ".join(map(str, sorted(numbers, reverse=down))),
    )


def reverse_list(pen: Pen) -> Task:
    """Write a list from its last item to its first."""
    make = pen.rng.choice(
        (pen.values.first_name, pen.values.code, pen.values.made_word, lambda: pen.values.integer(1, 999))
    )
    items = [make() for _ in range(pen.rng.randint(2, 6))]
    return pen.task(pen.pose(pen.say(REVERSE), ", ".join(items), "List"), ", ".join(reversed(items)))


COUNT = (
    "How many [items|entries|things] [are there|are in the list|does the list have]?",
    "[Count|Please count] the [items|entries].",
    "[Give|Tell me] the number of [items|entries].",
    "[What is|State] the [total|count|size|length] of [the list|this list][?|.]",
    "[How long|How large|How big] is [the list|this list]? [A number, please.|]",
    "[Number of|Total] [items|entries|things]?",
    "[Say|Write] how many [there are|you see|are named|stand here].",
    "~What is the tally?",
)
COUNT_ONE = (
    "How [often|many times] does [the word |]{word} [appear|come up|occur]?",
    "Count [how often|the times] {word} [appears|is named].",
    "[What is the number of|How many] times [is|does] {word} [named|listed|stand here|turn up]?",
    "[How many|Number of] {word} [entries|items][ are in the list|]?",
    "[Say|Write|State] how often {word} [is there|is named|shows up].",
    "{word}: how [often|many]?",
    "~Tally each {word} you meet.",
)


def count_items(pen: Pen) -> Task:
    """Count the items of a list, or how often one of them comes up."""
    rng = pen.rng
    if pen.chance(0.5):
        items = [pen.rng.choice((pen.values.first_name, pen.values.made_word))() for _ in range(rng.randint(1, 9))]
        return pen.task(pen.pose(pen.say(COUNT), sentence_list(items, rng), "List"), str(len(items)))
    words = [pen.values.pick("colour") for _ in range(3)]
    items = rng.choices(words, k=rng.randint(3, 9))
    word = rng.choice(items)
    return pen.task(pen.pose(pen.say(COUNT_ONE, {"word": word}), ", ".join(items), "List"), str(items.count(word)))


COMPARE_HIGH = (
    "[Which|What] is [larger|greater|more|bigger], {a} or {b}?",
    "[Name|Give] the [larger|greater|bigger] of {a} and {b}.",
    "{a} or {b}: which is more?",
    "[Choose|Pick|Write] the [larger|greater|bigger|higher] [number|value|figure]: {a}, {b}.",
    "[Of|Out of] {a} and {b}, [which|what] is the [larger|greater|bigger] [one|number]?",
    "[Larger|Greater|Higher]: {a} or {b}?",
    "[The maximum|The higher one] of {a} and {b}[?|, please.]",
    "~Between {a} and {b}, the upper one is?",
)
COMPARE_LOW = (
    "[Which|What] is [smaller|less|lower], {a} or {b}?",
    "[Name|Give] the [smaller|lower|lesser] of {a} and {b}.",
    "{a} or {b}: which is less?",
    "[Choose|Pick|Write] the [smaller|lower|lesser] [number|value|figure]: {a}, {b}.",
    "[Of|Out of] {a} and {b}, [which|what] is the [smaller|lower] [one|number]?",
    "[Smaller|Less|Lower]: {a} or {b}?",
    "[The minimum|The lower one] of {a} and {b}[?|, please.]",
    "~Between {a} and {b}, the under one is?",
)


def compare(pen: Pen) -> Task:
    """Say which of two numbers, or of several people's numbers, is the largest or smallest."""
    rng = pen.rng
    low = pen.chance(0.5)
    top = rng.choice((20, 100, 1000, 5000))
    if pen.chance(0.5):
        a, b = rng.sample(range(top), 2)
        question = pen.say(COMPARE_LOW if low else COMPARE_HIGH, {"a": str(a), "b": str(b)})
        return pen.task(pen.pose(question), str(min(a, b) if low else max(a, b)))
    people = list(dict.fromkeys(pen.values.first_name() for _ in range(rng.randint(2, 4))))
    numbers = rng.sample(range(top), len(people))
    thing = rng.choice(("points", "euros", "years", "kilos", "miles", "books", "votes", "hours"))
    text = sentence_list([f"{p}: {n} {thing}" for p, n in zip(people, numbers, strict=True)], rng)
    question = pen.say(
        (
            f"Who has the {'fewest' if low else 'most'} {thing}?",
            f"[Name|Tell me] [the one|the person] with the {'fewest' if low else 'most'} {thing}.",
            f"[The {'lowest' if low else 'highest'} number of|{'Fewest' if low else 'Most'}] {thing}: [who|whose is it]?",
            f"[Whose|Which person's] {thing} are {'fewest' if low else 'most'}?",
            f"[Find|Pick|Choose] [the one|whoever] [who has|with] the {'fewest' if low else 'most'} {thing}.",
            f"~At the {'bottom' if low else 'top'} by {thing} is which person?",
        )
    )
    return pen.task(pen.pose(question, text, "List"), people[numbers.index(min(numbers) if low else max(numbers))])


ADD = (
    "[What is|How much is|Work out|Add up] {a} [plus|and|+] {b}[?|.]",
    "{a} + {b} = ?",
    "[Add|Sum] {a} and {b}.",
    "[I have|There are] {a} {thing} and [get|then come] {b} more. How many [are there|in all]?",
    "[Find|Compute|Calculate|Give] the sum of {a} and {b}.",
    "[Together|Altogether|In total], {a} and {b} [make|are|come to][ what|]?",
    "{a} and {b} [make|come to] how much?",
    "{b} more than {a}[?| is what number?]",
    "A box holds {a} {thing}; {b} more are [put in|added]. [How many now?|Count them.]",
    "{a} plus {b}[ equals|?]",
    "~Put {a} on top of {b}: what is the total?",
)
TAKE = (
    "[What is|How much is|Work out] {a} [minus|less|-] {b}[?|.]",
    "{a} - {b} = ?",
    "[Take|Subtract] {b} from {a}.",
    "[I have|There are] {a} {thing} and {b} [are gone|are sold|get lost]. How many are left?",
    "[Find|Compute|Calculate|Give] {a} minus {b}.",
    "[What is|Give] the difference [between|of] {a} and {b}[?|.]",
    "{b} less than {a}[?| is what number?]",
    "A box holds {a} {thing}; {b} are taken out. [How many stay?|How many now?]",
    "{a} minus {b}[ equals|?]",
    "[Remove|Deduct] {b} from {a}.",
    "~Out of {a}, {b} go away: what remains?",
)
TIMES = (
    "[What is|How much is] {a} [times|x] {b}?",
    "{a} x {b} = ?",
    "{a} [boxes|bags] with {b} {thing} each: how many {thing}?",
    "[Find|Compute|Calculate|Give] the product of {a} and {b}.",
    "[Multiply|Take] {a} [by|times] {b}.",
    "{a} times {b}[ equals|?]",
    "{a} rows of {b} {thing}: [how many in all|what total]?",
    "There are {b} {thing} in each of {a} bags. How many is that?",
    "~{b}, taken {a} times over, makes?",
)


def arithmetic(pen: Pen) -> Task:
    """Add, take away or multiply small whole numbers."""
    rng = pen.rng
    thing = rng.choice(("apples", "pens", "cards", "eggs", "coins", "plates", "seats", "tickets"))
    kind = rng.randrange(5)
    if kind == 0:
        a, b = rng.randint(2, 10), rng.randint(2, 10)
        question, answer = pen.say(TIMES, {"a": str(a), "b": str(b), "thing": thing}), a * b
    elif kind < 3:
        a, b = rng.randint(1, 60), rng.randint(1, 39)
        question, answer = pen.say(ADD, {"a": str(a), "b": str(b), "thing": thing}), a + b
    else:
        a, b = sorted((rng.randint(1, 60), rng.randint(1, 60)), reverse=True)
        question, answer = pen.say(TAKE, {"a": str(a), "b": str(b), "thing": thing}), a - b
    return pen.task(pen.pose(question), str(answer))


DATE_FORMAT = (
    "[Write|Give] the date as year-month-day.",
    "[Turn|Change] the date into the form 2024-05-31.",
    "[The date in|As an] ISO [form|date], please.",
    "[Convert|Bring|Put] [this|the date] [to|into] YYYY-MM-DD.",
    "[ISO|The ISO form], please.",
    "[Use|Take] the [form|format] 1999-01-31 for [this|the] date.",
    "[How|What] [is|does] the date [look|written] [as|in] numbers, year, month, day?",
    "[Normalise|Standardise] the date [as|to] YYYY-MM-DD.",
    "~Rewrite it with the year in front and dashes between.",
)
WEEKDAY = (
    "[Which|What] day [comes|is] {gap} [day|days] after {day}?",
    "Today is {day}. [Which|What] day is it in {gap} [day|days]?",
    "[If it is|When it is] {day} [now|today], [what|which] day [will it be|is it] after {gap} [day|days]?",
    "{day} plus {gap} [day|days]?",
    "[Count|Go] {gap} [day|days] on from {day}. [Which day is it?|What day comes out?]",
    "[Name|Give] the weekday {gap} [day|days] later than {day}.",
    "~Starting from {day} and going on {gap}, where in the week do we land?",
)


def dates(pen: Pen) -> Task:
    """Write a date as year-month-day, name a weekday some days on, or the month before or after."""
    rng = pen.rng
    kind = rng.randrange(4)
    if kind < 2:
        day = datetime.date(1990, 1, 1) + datetime.timedelta(days=rng.randrange(45 * 365))
        month = MONTHS[day.month - 1]
        written = rng.choice(
            (f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}", f"{day.day} {month[:3]} {day.year}")
        )
        return pen.task(pen.pose(pen.say(DATE_FORMAT), written, "Date"), day.isoformat())
    if kind == 2:
        start, gap = rng.randrange(7), rng.randint(1, 6)
        question = pen.say(WEEKDAY, {"day": WEEKDAYS[start], "gap": str(gap)})
        return pen.task(pen.pose(question), WEEKDAYS[(start + gap) % 7])
    start, step = rng.randrange(12), rng.choice((-1, 1))
    word = "after" if step == 1 else "before"
    question = pen.say(
        (
            "[Which|What] month [comes|is] {w} {m}?",
            "[Name|Give|Write] the month {w} {m}.",
            "[Just|Right|Directly] {w} {m}[ comes which month|: which month]?",
            "The month {w} {m}[?|, please.]",
            "~In the calendar, {w} {m} stands?",
        ),
        {"w": word, "m": MONTHS[start]},
    )
    return pen.task(pen.pose(question), MONTHS[(start + step) % 12])


SKILLS = {
    "sort": sort_items,
    "reverse": reverse_list,
    "count": count_items,
    "compare": compare,
    "arithmetic": arithmetic,
    "dates": dates,
}
