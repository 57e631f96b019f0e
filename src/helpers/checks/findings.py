"""Every kind of finding: its code, how bad it is, why it matters, and the fix.

Errors are what a service would refuse or ignore; warnings are what would harm the model. Sources: OpenAI's fine-tuning
guide and API reference (2024-2026), the error texts that people have posted publicly, and defects measured in published
data sets.
"""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong: where (line and message from 1; None is the whole file or row), what, and the fix."""

    line: int | None
    message: int | None
    key: str | None
    code: str
    severity: str  # "error" or "warning"
    why: str
    fix: str


DUMP = "Write each example with json.dumps(example) on a line of its own; it places commas, quotes, true and null."
ERRORS = {
    # the file
    "unreadable": ("Nothing could be checked.", "Check the path, and that no other program holds the file."),
    "empty_file": ("There is nothing to learn from.", "Write one JSON object a line into it."),
    "too_large": ("The upload would be refused: the limit is 512 MB.", "Split the file, or shorten its examples."),
    "too_few": ("A job needs 10 examples or more (invalid_n_examples).", "Add examples, each of its own kind."),
    "no_fine_tuning": ("The job would be refused.", "Name a snapshot that can be fine-tuned, with its date."),
    "against_unreadable": ("Leakage could not be looked for.", "Check the path of the other file."),
    # encoding and JSON
    "utf16": ("Training files are UTF-8.", 'Save the file again with encoding="utf-8".'),
    "bom": ("The job fails with 'Unexpected UTF-8 BOM'.", 'Save the file with encoding="utf-8", not "utf-8-sig".'),
    "not_utf8": (
        "The job cannot read the line.",
        "Read it in the encoding it was written in, often cp1252; save as UTF-8.",
    ),
    "not_an_object": ("Every line must be one JSON object; the upload is refused.", DUMP),
    "json_array": ("Every line must be one JSON object, with no list around them; the upload is refused.", DUMP),
    "invalid_json": ("The upload is accepted and the job fails later.", DUMP),
    "truncated": ("The last example is lost.", "Write the file again; the program that wrote it was cut short."),
    "duplicate_key": ("Readers keep one of the two values, not all the same one.", "Keep one."),
    "not_json_value": ("NaN and Infinity are not JSON.", "Write null or leave the key out."),
    "half_character": (
        "Half of a surrogate pair is not a character, and cannot be written as UTF-8.",
        "Write it anew.",
    ),
    # the row
    "prompt_completion": (
        "A chat model learns from messages.",
        "Make prompt the user's message, completion the reply's.",
    ),
    "other_format": ("The service expects a row with messages.", "Turn it into messages with role and content."),
    "preference_row": (
        "A preference row is for direct preference optimization, and rows of two kinds cannot be in one file.",
        'Keep one kind of row in a file; for preferences say method="dpo", or --method dpo.',
    ),
    "chat_row": (
        "Direct preference optimization learns from pairs, and rows of two kinds cannot be in one file.",
        "Move the messages but the answer into input, the answer into preferred_output, and add one that is worse.",
    ),
    "no_preference": (
        "A pair is an input, a preferred_output and a non_preferred_output.",
        'Write {"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}.',
    ),
    "bad_output": ("An output is one message of the assistant.", 'Write [{"role": "assistant", "content": …}].'),
    "no_messages": ("An example is a list of messages.", 'Write {"messages": [{"role": …, "content": …}, …]}.'),
    "extra_key": ("The service refuses keys that it does not know.", "Leave it out."),
    "bad_tools": (
        "The service refuses the example.",
        'tools is a list of {"type": "function", "function": {"name": …}}.',
    ),
    # messages
    "message_not_object": ("The service refuses the example.", 'A message is {"role": …, "content": …}.'),
    "no_role": ("The service refuses the example.", "Say who speaks: system, user or assistant."),
    "unknown_role": ("The service refuses the example.", "Use system, user, assistant or tool."),
    "unknown_key": ("The service refuses keys that it does not know.", "Rename it or leave it out."),
    "bad_name": ("The service refuses the example.", "A name is a text; leave it out where there is none."),
    "no_content": ("The service refuses the example (missing_content).", "Write the text, or delete the message."),
    "bad_content": ("The service refuses the example.", 'content is a text, or a list of {"type": "text", "text": …}.'),
    "bad_image": (
        "The service leaves the image out, or refuses the example.",
        "Use at most 10 images of 10 MB each, JPEG, PNG or WEBP, at an https address or as a data URL.",
    ),
    "no_images": ("Only supervised fine-tuning takes images.", "Leave the row out, or say in words what they show."),
    "empty_answer": (
        "There is nothing to learn from an empty answer (missing_content).",
        "Write it, or delete the row.",
    ),
    "bad_weight": ("Weight must be the number 0 or 1.", "Write 1 to learn from the message, 0 not to."),
    "weight_not_assistant": ("Only assistant messages are learned from.", "Delete the weight."),
    "no_answer_counts": ("Nothing in the example is learned from.", "Give weight 1 to an assistant message."),
    "no_assistant": ("There is no answer to learn.", "Add the assistant's message."),
    "last_not_user": (
        "The model, or the pair of outputs, answers the last message.",
        "End with the user's message.",
    ),
    "last_not_assistant": ("The last message is what the model learns to say.", "End with the assistant's message."),
    "bad_tool_call": ("The service refuses the example.", "A call has id, type, and function with name and arguments."),
    "tool_call_unanswered": ("A call must be followed by a tool message for each id.", "Add it, or end the row there."),
    "tool_without_call": ("A tool message answers a call that stands before it.", "Give it the call's tool_call_id."),
}
WARNINGS = {
    "blank_line": ("Harmless to most services; some loaders stop at it.", "Delete it."),
    "extension": ("Some services go by the name.", "Call the file something.jsonl."),
    "unknown_model": ("Lengths were not checked.", "Name a model of the price table with model= or --model."),
    "same_outputs": ("There is nothing to prefer, so nothing is learned.", "Write a worse answer, or delete the row."),
    "too_long": ("The service cuts the example's end, the answer first, without a word.", "Shorten or divide it."),
    "empty_text": ("An empty message teaches nothing, or the wrong thing.", "Write it, or delete the message."),
    "null_text": (
        "An export wrote the word for 'nothing', and the model would learn it.",
        "Write the text or delete it.",
    ),
    "null_key": ("An export wrote null for what is not there; services may refuse it.", "Leave the key out."),
    "system_not_first": ("When the model is used the system message comes first.", "Move it to the front."),
    "speakers_swapped": (
        "The model would learn to speak as the customer.",
        "Look at the row; exchange the roles if they are swapped.",
    ),
    "assistant_first": ("The speakers may be swapped: an assistant answers.", "Look at the row."),
    "bad_arguments": ("A call's arguments are JSON in a text; the model would learn broken JSON.", "Mend them."),
    "tools_not_declared": ("The model learns to call what it is not told of.", "Add tools to the row."),
    "special_token": ("Services refuse it, or the model learns to end or to change roles there.", "Take it out."),
    "mojibake": (
        "Text was read in the wrong encoding, and the model would learn it.",
        "ftfy.fix_text mends most of it.",
    ),
    "replacement_character": ("A letter was lost in an earlier conversion.", "Convert it again from the original."),
    "control_character": ("Nobody sees it, and the model learns it.", "helpers.clean.strip_controls takes it out."),
    "html": ("The model learns to write tags and entities.", "helpers.clean.strip_html takes them out."),
    "template": ("A placeholder that was never filled would be learned.", "Fill it, or leave the row out."),
    "email_residue": (
        "The model learns to add signatures and notices.",
        "See helpers.clean.strip_signature and others.",
    ),
    "personal_data": (
        "What a model has learned cannot be taken back.",
        "helpers.clean.redact puts a placeholder there.",
    ),
    "duplicate": ("It counts twice in training, and once in both files it spoils a test.", "Keep one."),
    "near_duplicate": ("Nearly the same again adds little, and a split may part the two.", "Keep one, or one side."),
    "snapshot": (
        "What both hold is learned twice; exports often hold a conversation once for each of its states.",
        "Keep the longest.",
    ),
    "near_not_compared": (
        "Memory is limited on purpose, so near-duplicates among later examples were not found.",
        "Check the file in parts, each with --against for another.",
    ),
    "one_row_copied": ("Copies do not make a data set.", "Collect examples that differ."),
    "contradiction": ("Two answers to one question leave the model to guess.", "Decide for one and delete the other."),
    "one_answer": ("The model will give this answer too often.", "Add examples with other answers."),
    "refusals": ("The model will refuse too often.", "Add answered examples, or leave out some refusals."),
    "grader_keys": (
        "A grader that reads item.KEY fails, or judges wrongly, where the row has no such key.",
        "Give every row the same keys.",
    ),
    "no_system": ("The model is used with a system message that it was not trained with.", "Add the one you will use."),
    "system_differs": ("The model learns each less well.", "Use one, word for word, here and later, if you can."),
    "leak": ("The same example is in the other file, so a test on it measures memory.", "Delete it from one of them."),
    "leak_question": ("The same question is in the other file.", "Delete it from one of them."),
    "leak_near": ("Nearly the same example is in the other file.", "Put both on one side."),
}
RULES = {code: ("error", *text) for code, text in ERRORS.items()} | {c: ("warning", *t) for c, t in WARNINGS.items()}


def finding(
    code: str, line: int | None, what: str, *, message: int | None = None, key: str | None = None, fix: str = ""
) -> Finding:
    """Return the finding of this code. `what` says what stands there; `fix` replaces the usual one."""
    severity, why, usual = RULES[code]
    return Finding(line, message, key and _plain(key), code, severity, _plain(f"{what} {why}"), fix or usual)


def _plain(text: str) -> str:
    """The text with half characters written out, so that it can be printed and saved."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
