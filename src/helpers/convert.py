"""Step 1: make chat examples of rows in any usual form; a row of another form is listed with its place.

    rows, unread = load("tickets.csv", {"prompt": "message", "completion": "agent_reply"})
    examples, places, left = convert(rows, system="You answer …")

Rows that are one turn each, such as mails, become conversations by join_turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.errors import Explained
from helpers.load import PLACE

Turns = list[dict[str, Any]]
SPEAKERS = {  # in ShareGPT files; functions, tools and observations there have no one form
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
}
NOT_ONE_ANSWER = ("chosen", "rejected", "kto_tag", "images", "videos", "audios")
BESIDE = ("tools", "parallel_tool_calls", "functions")  # what belongs to a chat example beside its messages


class Converted(NamedTuple):
    """Chat examples; `places` says for each which file and row it was; `left` lists the other rows, and why."""

    examples: list[dict[str, Any]]
    places: pd.DataFrame
    left: pd.DataFrame


class _Unfit(ValueError):
    """Why a row is no example."""


def convert(rows: pd.DataFrame | Iterable[Mapping[str, Any]], system: str | None = None) -> Converted:
    """Return the chat examples that rows make, each with the system message in front unless it has its own.

    Forms: messages, which stay as they are; prompt and completion; conversations of from and value (ShareGPT);
    instruction, input and output, and history where there is one (Alpaca). The last two are as data/README.md of
    LLaMA-Factory describes them (2025). A system column is the system message. What is wrong with the texts is
    helpers.check's matter. A row of another form, and one that lacks the question or the answer, is in `left`: file,
    row, why. Rows from elsewhere than helpers.load are numbered from 1.
    """
    listed: Iterable[Any] = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
    examples, places, left = [], [], []
    for number, row in enumerate(listed, start=1):
        given = {key: value for key, value in row.items() if _there(value)} if isinstance(row, Mapping) else {}
        place = (given.pop("file", ""), given.pop("row", number))
        try:
            turns = _turns(given)
        except _Unfit as error:
            left.append((*place, str(error)))
            continue
        if system and not any(turn["role"] in ("system", "developer") for turn in turns):
            turns = [{"role": "system", "content": system}, *turns]
        examples.append({"messages": turns, **{key: given[key] for key in BESIDE if key in given}})
        places.append(place)
    return Converted(examples, pd.DataFrame(places, columns=PLACE), pd.DataFrame(left, columns=[*PLACE, "why"]))


def join_turns(
    rows: pd.DataFrame, conversation: str, speaker: str, text: str, roles: Mapping[str, str] | Callable[[Any], str]
) -> pd.DataFrame:
    """Return one row a conversation, with its `messages` for convert, from rows that are one turn each.

    Rows with the same value in `conversation` belong together, in the order they come in. `roles` says what the values
    in `speaker` mean, {"customer": "user", "agent": "assistant"}, or is a function that does; "" leaves a turn out, as
    for a system's own notes. Raises Explained for a missing column, a row of no conversation, and a speaker without a
    role.
    """
    if missing := [name for name in (conversation, speaker, text) if name not in rows]:
        raise Explained(f"There is no column {', '.join(missing)}; there are {', '.join(map(str, rows.columns))}.")
    given = rows.reset_index(drop=True)
    alone = [str(place + 1) for place, name in enumerate(given[conversation]) if not _there(name)]
    if alone:
        raise Explained(f"Nothing is in {conversation!r} in rows {', '.join(alone[:10])}. Fill it, or take them out.")
    known = given[speaker].map(roles if callable(roles) else roles.get)
    if unknown := sorted(
        {str(name) for name, role in zip(given[speaker], known, strict=True) if not isinstance(role, str)}
    ):
        raise Explained(
            f"Who is {', '.join(map(repr, unknown[:5]))} in {speaker!r}? Give each a role: user, assistant, or '' to "
            "leave out what they say."
        )
    found = []
    for name, turns in given.assign(role=known).groupby(conversation, sort=False):
        said = [
            (role, str(said) if _there(said) else "") for role, said in zip(turns["role"], turns[text], strict=True)
        ]
        place = {column: turns[column].iloc[0] for column in PLACE if column in turns}
        messages = [{"role": role, "content": words} for role, words in said if role]
        found.append({conversation: name, "messages": messages, **place})
    return pd.DataFrame(found, columns=[conversation, "messages", *(name for name in PLACE if name in rows)])


def _there(value: Any) -> bool:
    """Whether a cell holds something: a gap is None, NaN or white space."""
    return bool(value.strip()) if isinstance(value, str) else not (pd.api.types.is_scalar(value) and pd.isna(value))


def _turns(row: Mapping[str, Any]) -> Turns:
    """The messages that a row makes, by the first form of which it has the keys."""
    if "messages" in row:
        turns = row["messages"]
        if not _objects(turns) or not all("role" in turn for turn in turns):
            raise _Unfit("messages is not a list of objects with a role each.")
        return turns
    unfit = [key for key in NOT_ONE_ANSWER if key in row] + ["label"] * isinstance(row.get("label"), bool)
    if unfit:
        raise _Unfit(f"It has {', '.join(unfit)}: preferences and pictures are not examples of question and answer.")
    system = [_turn("system", row["system"], "system")] if "system" in row else []
    if "conversations" in row:
        turns = _conversations(row["conversations"])
        return turns if any(turn["role"] == "system" for turn in turns) else system + turns
    if "instruction" in row or "output" in row:
        parts = [_turn("user", row.get(key), key)["content"] for key in ("instruction", "input") if key in row]
        asked = _turn("user", "\n\n".join(parts) or None, "instruction")
        return [*system, *_history(row.get("history", [])), asked, _turn("assistant", row.get("output"), "output")]
    if "prompt" in row or "completion" in row:
        asked = _turn("user", row.get("prompt"), "prompt")
        return [*system, asked, _turn("assistant", row.get("completion"), "completion")]
    raise _Unfit(
        f"Its form is not known; its keys are {', '.join(map(repr, row)) or 'none'}. Say which column holds the "
        "question and which the answer: load(path, {'prompt': …, 'completion': …})."
    )


def _turn(role: str, value: Any, key: str) -> dict[str, Any]:
    if not _there(value):
        raise _Unfit(f"There is no {key}.")
    if not isinstance(value, str | int | float):
        raise _Unfit(f"{key} is a {type(value).__name__}, not a text.")
    return {"role": role, "content": str(value)}


def _conversations(turns: Any) -> Turns:
    if not _objects(turns):
        raise _Unfit("conversations is not a list of objects.")
    speakers = [turn.get("from", turn.get("role")) for turn in turns]
    unknown = [repr(name) for name in speakers if not isinstance(name, str) or name.lower() not in SPEAKERS]
    if unknown:
        raise _Unfit(f"{', '.join(unknown)} in conversations has no role of a chat: it must be {', '.join(SPEAKERS)}.")
    found = [
        _turn(SPEAKERS[name.lower()], turn.get("value", turn.get("content")), f"value for {name!r}")
        for name, turn in zip(speakers, turns, strict=True)
    ]
    if missing := {"user", "assistant"} - {turn["role"] for turn in found}:
        raise _Unfit(f"Nobody in conversations is the {' or the '.join(sorted(missing))}.")
    return found


def _history(pairs: Any) -> Turns:
    """Earlier questions and answers, as LLaMA-Factory's Alpaca files have them: [[question, answer], …]."""
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise _Unfit("history is not a list of pairs, question and answer.")
    roles = (("user", 0), ("assistant", 1))
    return [_turn(role, pair[place], "history") for pair in pairs for role, place in roles]


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
