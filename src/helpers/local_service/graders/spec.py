"""What a grader may say: one model for each type, and every fault that can be seen before anything is graded."""

from __future__ import annotations

import ast
import keyword
from typing import Any, Literal

from pydantic import Field

from ..errors import ApiError, invalid
from ..requests import Body, check
from . import formula
from .templates import check_template

MAX_SOURCE_BYTES = 256_000  # OpenAI's limit for a python grader
METRICS = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"
]
TEXT_PARTS = ("input_text", "output_text")


class Grader(Body):
    """What all graders have. `name` is for people; OpenAI's guide leaves it out in places, so it may be missing."""

    type: str
    name: str = ""


class StringCheck(Grader):
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(Grader):
    input: str
    reference: str
    evaluation_metric: METRICS


class Python(Grader):
    source: str
    image_tag: str | None = None  # OpenAI's list of packages; here a grader has those of this installation


class Message(Body):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | dict[str, Any] | list[Any]

    def texts(self) -> list[str]:
        """The message's words, part by part. Raises ValueError for images and sound."""
        parts = self.content if isinstance(self.content, list) else [self.content]
        return [_text_of(part) for part in parts]


class SamplingParams(Body):
    seed: int | None = None
    top_p: float | None = Field(None, ge=0, le=1)
    temperature: float | None = Field(None, ge=0, le=2)
    max_completions_tokens: int | None = Field(None, ge=1)


class ModelGrader(Grader):
    model: str
    input: list[Message] = Field(min_length=1)
    sampling_params: SamplingParams | None = None


class ScoreModel(ModelGrader):
    range: list[float] = Field([0.0, 1.0], min_length=2, max_length=2)


class LabelModel(ModelGrader):
    labels: list[str] = Field(min_length=1)
    passing_labels: list[str]


class Multi(Grader):
    graders: dict[str, Any] | list[Any]
    calculate_output: str
    parts: dict[str, Grader] = Field(default_factory=dict, exclude=True)  # `graders`, each parsed, by its name


KINDS: dict[str, type[Grader]] = {
    "string_check": StringCheck,
    "text_similarity": TextSimilarity,
    "python": Python,
    "score_model": ScoreModel,
    "label_model": LabelModel,
    "multi": Multi,
}


def parse(spec: Any, where: str = "grader", *, inside: bool = False) -> Grader:
    """Return the grader that `spec` (JSON) describes. Raises ApiError 400 that names the parameter at fault.

    `where` is its place in the request, for messages; `inside` says that it is part of a multi grader.
    """
    if not isinstance(spec, dict):
        raise invalid(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    kind = spec.get("type")
    if kind not in (found := offered(inside)):
        raise invalid(
            f"Invalid value for '{where}.type': {kind!r}. It is one of {', '.join(found)}.",
            f"{where}.type",
            "invalid_value",
        )
    try:
        grader = check(KINDS[kind], {**spec, "parts": {}} if kind == "multi" else spec)
    except ApiError as error:
        place = f"{where}.{error.param}"
        raise invalid(error.message.replace(f"'{error.param}'", f"'{place}'"), place, error.code) from None
    for name, words in _faults(grader):
        raise _fault(f"{where}.{name}", words)
    if isinstance(grader, Multi):
        _parse_parts(grader, where)
    return grader


def offered(inside: bool) -> list[str]:
    """The types there are: label_model is for use in multi graders, and those cannot be nested, as at OpenAI."""
    return [kind for kind in KINDS if kind != ("multi" if inside else "label_model")]


def _faults(grader: Grader) -> list[tuple[str, str]]:
    """Field and fault, for whatever pydantic cannot see."""
    found: list[tuple[str, str | None]] = []
    if isinstance(grader, StringCheck | TextSimilarity):
        found = [(name, check_template(getattr(grader, name))) for name in ("input", "reference")]
    elif isinstance(grader, Python):
        found = [("source", _source_fault(grader.source))]
    elif isinstance(grader, ModelGrader):
        found = [(f"input[{place}].content", _message_fault(message)) for place, message in enumerate(grader.input)]
    if isinstance(grader, ScoreModel) and not grader.range[0] < grader.range[1]:
        found.append(("range", "its first number must be below its second"))
    if isinstance(grader, LabelModel) and not set(grader.passing_labels) <= set(grader.labels):
        found.append(("passing_labels", "they must be among 'labels'"))
    return [(name, fault) for name, fault in found if fault]


def _parse_parts(grader: Multi, where: str) -> None:
    """Parse the graders of a multi grader: by name as the guide has them, a list, or one alone as the SDK's types."""
    given: Any = grader.graders
    if isinstance(given, dict) and isinstance(given.get("type"), str):
        given = [given]
    if isinstance(given, list):
        named = {_name(part): part for part in given}
        if len(named) < len(given):
            raise _fault(f"{where}.graders", "each needs a name of its own")
        given = named
    for name, part in given.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            raise _fault(f"{where}.graders", f"{name!r} cannot stand in a formula; use letters, digits and _")
        grader.parts[name] = parse(part, f"{where}.graders.{name}", inside=True)
    wrong = formula.fault(grader.calculate_output, set(grader.parts))
    if wrong:
        raise _fault(f"{where}.calculate_output", wrong)


def _fault(place: str, words: str) -> ApiError:
    return invalid(f"Invalid '{place}': {words}.", place, "invalid_value")


def _name(part: Any) -> str:
    return str(part.get("name") or part.get("type")) if isinstance(part, dict) else ""


def _source_fault(source: str) -> str | None:
    try:
        if len(source.encode()) >= MAX_SOURCE_BYTES:
            return "the source must be shorter than 256 kB"
        tree = ast.parse(source)
    except SyntaxError as error:
        return f"the source is not Python ({error.msg}, line {error.lineno})"
    except (ValueError, MemoryError, RecursionError) as error:
        return f"the source is not Python ({type(error).__name__})"
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "grade"]
    if not made or len(made[-1].args.args) != 2:
        return "the source needs a function grade(sample, item) that returns a number"
    return None


def _message_fault(message: Message) -> str | None:
    try:
        return next((fault for text in message.texts() if (fault := check_template(text))), None)
    except ValueError as error:
        return str(error)


def _text_of(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") in TEXT_PARTS and isinstance(part.get("text"), str):
        text: str = part["text"]
        return text
    raise ValueError(f'only text is read here: a string, or {{"type": "{TEXT_PARTS[0]}", "text": …}}')
