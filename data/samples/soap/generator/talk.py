"""Writes the talk of a visit and, as it goes, the facts that the note must hold.

The talk is made of blocks: greeting, complaint, history, examination, plan. The history comes in changing order, a nurse
may give readings first, and a medicine may come to the patient's mind at the end: sorting that out is the task.
"""

from __future__ import annotations

import random

from generator.banks import bank, fill
from generator.people import Identifiers
from generator.speech import corrected, in_note, said_duration, said_medicine, short_dose, side_corrected
from generator.visits import OTHER, Drawer, Medicine, Visit

SPEAKERS = {"D": "Doctor", "P": "Patient", "N": "Nurse"}
FILLERS = ["Um, ", "Er, ", "Well, um, ", "So, "]


class Talk:
    """One conversation in the making."""

    def __init__(self, drawer: Drawer, visit: Visit, people: Identifiers, new_phrasing: bool = False) -> None:
        self.drawer, self.visit, self.people = drawer, visit, people
        self.rng: random.Random = drawer.rng
        self.turns = bank("turns_new") if new_phrasing else bank("turns") | bank("corrections")
        self.lines: list[str] = []
        self.medicines: list[Medicine] = []

    def say(self, section: str, **values: str) -> None:
        """One exchange of a section; {placeholders} are filled, a patient may hesitate."""
        exchange = self.drawer.decks.draw(self.turns[section])
        for turn in exchange.split(" / "):
            who, text = turn.split(": ", 1)
            text = fill(text, values)
            if who == "P" and section in ("no", "yes", "small talk") and self.rng.random() < 0.08:
                text = self.rng.choice(FILLERS) + text[0].lower() + text[1:] if not text.startswith("I") else text
            self.lines.append(f"{SPEAKERS[who]}: {text}")

    def fact(self, form: str, *values: str) -> None:
        self.visit.facts.append((form, values))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # Blocks -----------------------------------------------------------------------------------------------------------

    def write(self) -> str:
        """The whole talk, a turn a line."""
        readings = self.drawer.readings()
        readings_first = bool(readings) and self.chance(0.15)
        if self.chance(0.25):
            self.lines.append(f"Doctor: Hello, {self.people.greeting()}.")
        if self.chance(0.25):
            self._aside("small talk")
        if readings_first:
            self._readings(readings)
        self.say("open")
        self._complaint()
        self._history()
        if self.chance(0.15):
            self._aside("interruption")
        if not readings_first:
            self._readings(readings)
        self._examination()
        self._plan()
        if self.chance(0.3):
            self.say("end")
        return "\n".join(self.lines)

    def _aside(self, section: str) -> None:
        self.visit.features.add(section)
        self.say(section)

    def _complaint(self) -> None:
        visit, rng = self.visit, self.rng
        say, duration = self.drawer.value(visit, "say"), self.drawer.duration()
        values = {"say": say, "duration": said_duration(duration, rng)}
        sided = visit.side in say.split()
        after = sided and self.chance(0.08)
        if sided and not after and self.chance(0.12):
            values["say"] = side_corrected(self.drawer, visit, self.turns, say)
        elif self.chance(0.08):
            values["duration"] = corrected(self.drawer, visit, self.turns, "duration", values | {"duration": duration})
        if self.chance(0.65):
            self.say("complaint", **values)
        else:
            self.say("complaint without duration", **values)
            self.say("duration", **values)
        if after:
            wrong = OTHER[visit.side]
            visit.retracted.append({"kind": "side", "wrong": wrong, "right": visit.side})
            visit.features.add("corrected side")
            self.say("side after", wrong=wrong, side=visit.side)
        self.fact("complaint", in_note(say), duration)

    def _history(self) -> None:
        blocks = [self._asks]
        blocks += [self._modifier("worse")] if self.chance(0.35) else []
        blocks += [self._modifier("eased")] if self.chance(0.25) else []
        later = [self._medicines] if self.chance(0.6) else []
        later += [self._allergy] if self.chance(0.25) else []
        if self.chance(0.5):
            blocks += later
            later = []
        self.rng.shuffle(blocks)
        for block in blocks + later:
            block()
        if self.chance(0.22):
            self._identifier()
        if self.chance(0.05):
            self.visit.features.add("other people's medicine")
            other = self.drawer.medicine(self.visit)
            self.visit.retracted.append({"kind": "other's medicine", "wrong": other.name, "right": ""})
            self.say("other people's medicine", **said_medicine(other, self.rng))

    def _modifier(self, form: str):  # type: ignore[no-untyped-def]
        def block() -> None:
            value = self.drawer.value(self.visit, form)
            self.say(form, x=value)
            self.fact(form, value)

        return block

    def _asks(self) -> None:
        symptoms = list(self.visit.lists["ask"])
        self.rng.shuffle(symptoms)
        for _ in range(self.rng.choice([1, 1, 2])):
            self._ask(symptoms)

    def _ask(self, symptoms: list[str]) -> None:
        x, draw = symptoms.pop(), self.rng.random()
        if draw < 0.14:
            y = symptoms.pop()
            self.say("ask two", x=x, y=y)
            self.fact("denies", x)
            self.fact("denies", y)
        elif draw < 0.2:
            y = symptoms.pop()
            self.say("ask yes no", x=x, y=y)
            self.fact("also", x)
            self.fact("denies", y)
        elif draw < 0.27:
            final = self.rng.choice(["yes", "no"])
            self.say(f"changed to {final}", x=x)
            self.fact("also" if final == "yes" else "denies", x)
            self.visit.retracted.append({"kind": "symptom", "wrong": OTHER_ANSWER[final], "right": f"{final}: {x}"})
            self.visit.features.add("corrected symptom")
        else:
            answer = self.rng.choices(["no", "yes", "unsure"], [6, 3, 1.2])[0]
            self.say("ask", x=x)
            self.say(answer)
            self.fact({"no": "denies", "yes": "also", "unsure": "unsure"}[answer], x)

    def _medicines(self) -> None:
        self.say("takes ask")
        if self.chance(0.15):
            self.say("takes nothing")
            self.fact("takes_none")
            return
        self._takes("takes", may_correct=True)
        if self.chance(0.12):
            self._takes("takes second")

    def _takes(self, section: str, may_correct: bool = False) -> None:
        medicine = self.drawer.medicine(self.visit)
        self.medicines.append(medicine)
        values = said_medicine(medicine, self.rng)
        draw = self.rng.random()
        if may_correct and draw < 0.08:
            values["dose"] = corrected(self.drawer, self.visit, self.turns, "dose", values)
            self.say(section, **values)
        elif may_correct and draw < 0.14:
            self._dose_after(section, "dose after", medicine, values)
        else:
            self.say(section, **values)
        self.fact("takes", medicine.name, medicine.dose, medicine.often)

    def _dose_after(self, section: str, correction: str, medicine: Medicine, values: dict[str, str]) -> None:
        """The wrong dose first, put right in the next exchange."""
        wrong = self.drawer.dose(unlike=medicine.dose)
        self.visit.retracted.append({"kind": "dose", "wrong": wrong, "right": medicine.dose})
        self.visit.features.add("corrected dose")
        self.say(section, **values | {"dose": wrong})
        self.say(correction, wrong=wrong, dose=short_dose(values["dose"]))

    def _allergy(self) -> None:
        self.say("allergy ask")
        if self.chance(0.5):
            self.say("no allergy")
            self.fact("no_allergy")
        else:
            allergen = self.drawer.from_list(self.visit, "allergen")
            self.say("allergy", allergen=allergen)
            self.fact("allergy", allergen)

    def _identifier(self) -> None:
        section = self.rng.choices(["identifier", "identifier form", "identifier unseen"], [20, 12, 1])[0]
        section = section if section in self.turns else "identifier"
        self.visit.features.add(section)
        self.say(section, **self.people.spoken())

    def _readings(self, readings: dict[str, tuple[str, ...]]) -> None:
        for form, values in readings.items():
            if form == "bp":
                self.say("bp", high=values[0], low=values[1])
            else:
                self.say(form, value=values[0])
            self.fact(form, *values)

    def _examination(self) -> None:
        first = self.drawer.value(self.visit, "exam")
        self.say("exam", x=first)
        self.fact("exam", first)
        second = self.drawer.value(self.visit, "exam")
        if self.chance(0.08) and second.split()[:3] != first.split()[:3]:
            self.say("exam second", x=second)
            self.fact("exam", second)

    def _plan(self) -> None:
        impression = self.drawer.value(self.visit, "impression")
        self.say("impression", x=impression)
        self.fact("impression", impression)
        if self.medicines and self.chance(0.4):
            self._old_medicine(self.medicines[0])
        if self.chance(0.55):
            self._start()
        if self.chance(0.3):
            self._value("order")
        if self.chance(0.35):
            self._value("advise")
        if not any(form in ("start", "order", "advise") for form, _ in self.visit.facts) or self.chance(0.4):
            review = self.rng.choice([f"{self.rng.randint(2, 12)} weeks", f"{self.rng.randint(2, 21)} days"])
            review = f"{self.rng.randint(2, 6)} months" if self.chance(0.15) else review
            self.say("review", x=said_duration(review, self.rng))
            self.fact("review", review)
        if self.chance(0.07):
            self._takes("late medicine")
            self.visit.features.add("late medicine")

    def _value(self, form: str) -> None:
        value = self.drawer.value(self.visit, form)
        self.say(form, x=value)
        self.fact(form, value)

    def _old_medicine(self, medicine: Medicine) -> None:
        """A medicine that the patient takes is changed or stopped."""
        if self.chance(0.4):
            self.say("stop", med=medicine.name)
            self.fact("stop", medicine.name)
            return
        new = Medicine(medicine.name, self.drawer.dose(unlike=medicine.dose), self.drawer.often())
        self.say("change", **said_medicine(new, self.rng))
        self.fact("change", new.name, new.dose, new.often)

    def _start(self) -> None:
        medicine, days = self.drawer.medicine(self.visit), str(self.rng.randint(2, 30))
        values = said_medicine(medicine, self.rng) | {"days": days}
        draw = self.rng.random()
        if draw < 0.06:
            values["dose"] = corrected(self.drawer, self.visit, self.turns, "dose", values)
            self.say("start", **values)
        elif draw < 0.11:
            self._dose_after("start", "plan dose after", medicine, values)
        else:
            self.say("start", **values)
        self.fact("start", medicine.name, medicine.dose, medicine.often, days)


OTHER_ANSWER = {"yes": "no", "no": "yes"}
