"""Step 5 in the customer-support case: one conversation in new words, told again by other customers.

Words that the training set does not cover are rare by nature: one customer wrote so, once. Told again with the name,
order number and product of others, the words come back and the facts do not, so that a model learns the words and
goes on copying the facts. Shown in notebook 05.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .support import greeted, read_ticket, split_reply


def retold(example: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example in its own words, from `other`'s customer: first name, order number, name of the product.

    What only one of the two has stays as it is, and so does the kind of product (the "kettle" of an "Alder kettle"),
    of which the words around it speak. Raises ValueError where one does not end with a reply in the house's form.
    """
    text = json.dumps(example["messages"], ensure_ascii=False)
    for mine, theirs in zip(_facts(example), _facts(other), strict=True):
        if mine and theirs:
            text = _replaced(text, mine, theirs)
    return {**example, "messages": json.loads(text)}


def gives_all(example: Mapping[str, Any]) -> bool:
    """Whether its customer gave a name, an order number and a product. Raises ValueError as retold does."""
    return all(_facts(example))


def _replaced(text: str, old: str, new: str) -> str:
    """As a whole word, or the digits of an order number (LM-20418, lm20418, #20418); a careless "alder" stays small."""
    found = re.compile(re.escape(old) if old.isdigit() else rf"\b{re.escape(old)}\b", re.IGNORECASE)
    return found.sub(lambda match: new.lower() if match[0].islower() else new, text)


def _facts(example: Mapping[str, Any]) -> tuple[str, str, str]:
    """First name, the order number's digits and the product's own name; "" for what the customer did not give."""
    prose, line = split_reply(example["messages"][-1]["content"])
    ticket, name = read_ticket(line), greeted(prose)
    if ticket is None or name is None:
        raise ValueError(f"This example does not end with a reply in the house's form: {prose[-120:]!r}")
    order, product = ticket["order"] or "", ticket["product"] or ""
    return "" if name == "there" else name, order.removeprefix("LM-"), product.split(" ")[0]
