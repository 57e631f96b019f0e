"""Who comes: names and the identifiers that a clinic keeps, one of each of HIPAA's eighteen kinds.

Every value is fictional. Telephone and fax numbers are of the 555-01xx range that the North American Numbering Plan
keeps for fiction; e-mail and web addresses are of example.com and example.org (RFC 2606), IP addresses of 192.0.2.0/24
(RFC 5737); social security numbers begin with 9, which is never issued as one (Social Security Administration, since
2011); ZIP codes begin with 000, of which none is in use. Towns, streets, record, plan, account and licence numbers,
plates, serial numbers, photographs and fingerprint numbers are invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from generator.banks import words

STATES = ["OR", "VT", "ME", "OH"]
# The columns of patients.csv, and under which letter of 45 CFR 164.514(b)(2)(i) each falls.
COLUMNS = {
    "mrn": "H", "name": "A", "birth_date": "C", "street": "B", "town": "B", "zip": "B", "phone": "D", "fax": "E",
    "email": "F", "ssn": "G", "health_plan": "I", "account": "J", "licence": "K", "plate": "L", "device": "M",
    "portal": "N", "last_ip": "O", "fingerprint": "P", "photo": "Q", "trial_code": "R",
}  # fmt: skip


@dataclass
class Patient:
    """A row of patients.csv, and how the doctor greets."""

    row: dict[str, str]
    title: str
    surname: str
    age: int


class People:
    """Hands out patients; no surname of training comes back in the test sets."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.numbers: set[str] = set()

    def number(self, low: int, high: int) -> str:
        """Digits never handed out before."""
        while (digits := str(self.rng.randint(low, high))) in self.numbers:
            pass
        self.numbers.add(digits)
        return digits

    def patient(self, held_out: bool) -> Patient:
        rng, test = self.rng, " test" if held_out else ""
        first = rng.choice(words(f"first{test}"))
        surname = rng.choice(words(f"surname start{test}")) + rng.choice(words(f"surname end{test}"))
        age = rng.randint(19, 88)
        low = f"{first.lower()}.{surname.lower()}"
        row = {
            "mrn": self.number(1000000, 9999999),
            "name": f"{first} {surname}",
            "birth_date": f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/{2025 - age}",
            "street": f"{rng.randint(2, 480)} {rng.choice(words('street'))}",
            "town": rng.choice(words("town")),
            "zip": f"{rng.choice(STATES)} 000{rng.randint(10, 99)}",
            "phone": phone(rng),
            "fax": phone(rng),
            "email": f"{low}@example.{rng.choice(['com', 'org'])}",
            "ssn": f"9{rng.randint(10, 99)}-{rng.randint(10, 49)}-{rng.randint(1000, 9999)}",
            "health_plan": f"HP{self.number(100000, 999999)}",
            "account": self.number(40000, 99999),
            "licence": f"L{self.number(200000, 999999)}",
            "plate": f"{''.join(rng.choices('BCDFGHJKLMN', k=3))}-{rng.randint(100, 999)}",
            "device": f"SN-{rng.randint(1000, 9999)}-{rng.choice('QXZ')}{rng.randint(10, 99)}",
            "portal": f"https://portal.example.org/u/{low}",
            "last_ip": f"192.0.2.{rng.randint(1, 254)}",
            "fingerprint": f"FP-{rng.randint(10000, 99999)}",
            "photo": f"{surname.lower()}_{rng.randint(1, 9)}.jpg",
            "trial_code": f"TR-{rng.randint(100, 999)}-{rng.choice('ABC')}",
        }
        return Patient(row, rng.choice(words("title")), surname, age)


def phone(rng: random.Random) -> str:
    """A number of the range for fiction, with an area code that is in use."""
    return f"({rng.choice(['541', '802', '207', '614'])}) 555-01{rng.randint(0, 99):02d}"


class Identifiers:
    """What is said in one visit that points to a person: as said in raw, as placeholders in the curated text.

    Placeholders are those that helpers.cases.soap_deidentify puts: numbered by kind, the same for the same words.
    """

    def __init__(self, patient: Patient, doctor: str, relative: str, rng: random.Random) -> None:
        self.patient, self.doctor, self.relative, self.rng = patient, doctor, relative, rng
        day = f"{rng.choice(['March', 'April', 'May', 'June', 'July'])} {rng.randint(2, 28)}"
        row = patient.row
        self.values = {  # placeholder: (words, letter)
            "phone": ("PHONE_1", row["phone"], "D"),
            "fax": ("PHONE_1", row["fax"], "E"),
            "email": ("EMAIL_1", row["email"], "F"),
            "address": ("ADDRESS_1", f"{row['street']}, {row['town']}, {row['zip']}", "B"),
            "birth": ("BIRTH_DATE_1", row["birth_date"], "C"),
            "mrn": ("RECORD_1", row["mrn"], "H"),
            "plan": ("ACCOUNT_1", row["health_plan"], "I"),
            "ssn": ("NATIONAL_ID_1", row["ssn"], "G"),
            "account": ("ACCOUNT_1", row["account"], "J"),
            "license": ("NATIONAL_ID_1", row["licence"], "K"),
            "url": ("URL_1", row["portal"], "N"),
            "ip": ("IP_1", row["last_ip"], "O"),
            "date": ("DATE", day, "C"),
            "serial": ("DEVICE", row["device"], "M"),
            "age": ("AGE_OVER_89", str(rng.randint(90, 101)), "C"),
            "plate": ("VEHICLE", row["plate"], "L"),
            "zip": ("ZIP", row["zip"][3:], "B"),
            "biometric": ("BIOMETRIC", row["fingerprint"], "P"),
            "photo": ("PHOTO", row["photo"], "Q"),
            "code": ("CODE", row["trial_code"], "R"),
            "first": ("NAME_1", relative, "A"),
            "doctor": ("NAME_1", doctor.removeprefix("Dr "), "A"),
        }

    def greeting(self) -> str:
        return f"{self.patient.title} \x00greeted\x00"

    def spoken(self) -> dict[str, str]:
        """What the placeholders of a phrase stand for while the talk is written."""
        return {name: f"\x00{name}\x00" for name in self.values}

    def raw(self, text: str) -> tuple[str, list[dict[str, str]]]:
        """The text as it was said, and the identifiers in it: letter and words."""
        found = []
        for name, (_, said, letter) in self._all().items():
            if f"\x00{name}\x00" in text:
                text = text.replace(f"\x00{name}\x00", said)
                found.append({"letter": letter, "words": said})
        return text, found

    def curated(self, text: str) -> str:
        """The text with placeholders."""
        names = sorted(
            (name for name in self._all() if f"\x00{name}\x00" in text), key=lambda n: text.index(f"\x00{n}\x00")
        )
        numbers: dict[str, int] = {}
        for name in names:
            placeholder = self._all()[name][0]
            if placeholder.endswith("_1"):
                kind = placeholder[:-2]
                numbers[kind] = numbers.get(kind, 0) + 1
                placeholder = f"{kind}_{numbers[kind]}"
            text = text.replace(f"\x00{name}\x00", f"<{placeholder}>")
        return text

    def _all(self) -> dict[str, tuple[str, str, str]]:
        return self.values | {"greeted": ("NAME_1", self.patient.surname, "A")}
