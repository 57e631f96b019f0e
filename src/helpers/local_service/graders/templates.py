"""Templates: `{{ item.answer }}` and `{{ sample.output_json.lines[0].price }}`, filled from one item and one answer.

As OpenAI's guide has it: a namespace (item or sample) and a path into it. Text goes in as it is, anything else as JSON
(true, null, 1.5, {"a": 1}); what was filled in is not looked at again. Filters and methods are not part of templates.
"""

from __future__ import annotations

import json
import re
from typing import Any

EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
STEP = r"""\.[\w-]+|\[\d{1,9}\]|\['[^'\]]*'\]|\["[^"\]]*"\]"""
PATH = re.compile(rf"\s*(item|sample)((?:{STEP})+)\s*")
SAMPLE = ("output_text", "output_json", "output_tools", "output_audio", "choices")


class MissingVariable(LookupError):
    """A template names something that this item or answer does not have. The message says what there is."""

    def __init__(self, message: str, *, not_json: bool = False) -> None:
        super().__init__(message)
        self.not_json = not_json  # the answer was to be JSON and is not


def sample_namespace(text: str) -> dict[str, Any]:
    """Return what templates and python graders see of an answer; output_json is None where it is not JSON."""
    return {
        "output_text": text,
        "output_json": read_json_text(text),
        "output_tools": [],
        "output_audio": None,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
    }


def read_json_text(text: str) -> Any:
    """Return the value of a JSON text, None where it is not one (NaN and Infinity are not JSON)."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def check_template(template: str) -> str | None:
    """Return what is wrong with a template whatever it is filled from, None where nothing is."""
    for match in EXPRESSION.finditer(template):
        path = PATH.fullmatch(match[1])
        if path is None:
            return f"{match[0]!r} is not a template; write {{{{ item.name }}}} or {{{{ sample.output_text }}}}"
        first = _steps(path[2])[0]
        if path[1] == "sample" and first not in SAMPLE:
            return f"{match[0]!r}: a sample has {', '.join(SAMPLE)}, not {first!r}"
    rest = EXPRESSION.sub("", template)
    return "it opens {{ and does not close it" if "{{" in rest else None


def render(template: str, item: Any, sample: dict[str, Any]) -> str:
    """Return the template filled in. Raises MissingVariable for a field that is not there."""
    return EXPRESSION.sub(lambda match: _text(look_up(match[1], item, sample)), template)


def look_up(expression: str, item: Any, sample: dict[str, Any]) -> Any:
    """Return the value that an expression such as "item.lines[0]" names. Raises MissingVariable."""
    path = PATH.fullmatch(expression)
    if path is None:
        raise MissingVariable(f"{expression.strip()!r} is not a path into item or sample.")
    value, place = (item, "item") if path[1] == "item" else (sample, "sample")
    for step in _steps(path[2]):
        if place == "sample.output_json" and value is None:
            raise MissingVariable(
                f"{expression.strip()!r} needs an answer in JSON, and this one is not.", not_json=True
            )
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise MissingVariable(f"There is no {expression.strip()!r}: {place} {_has(value)}.")
        place += f"[{step}]" if step.isdigit() else f".{step}"
    return value


def _steps(path: str) -> list[str]:
    return [step[1:] if step[0] == "." else step[1:-1].strip("'\"") for step in re.findall(STEP, path)]


def _has(value: Any) -> str:
    """What a reader could have named instead."""
    if isinstance(value, dict):
        names = [str(name) for name in value]
        return f"has {', '.join(names[:12])}{' and more' if len(names) > 12 else ''}" if names else "is empty"
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    return f"is {_text(value)[:40]!r}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
