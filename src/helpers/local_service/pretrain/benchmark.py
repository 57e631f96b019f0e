"""The general-skills benchmark: held-out items for every skill, scored exactly or by rule, in two columns.

"held out": names, codes and numbers that pretraining never showed, instructions and sentences that it may have.
"new phrasing": instructions and sentences are kept out of pretraining as well.

`python -m helpers.local_service.pretrain benchmark --base NAME` prints the table, with `--shots 3` for the same items after
three solved examples each. Catastrophic forgetting is measured on the same items.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from .skills import SKILLS, Pen, Task, with_examples

Answer = Callable[[Sequence[Task]], list[str]]  # replies to the tasks' last user message, in order


def items(skill: str, count: int, new_phrasing: bool, seed: int = 20_000) -> list[Task]:
    """Return `count` held-out tasks for one skill, the same ones for the same seed."""
    rng = random.Random(f"{seed} {skill} {new_phrasing}")
    return [SKILLS[skill](Pen(rng, held_out=True, new_phrasing=new_phrasing)) for _ in range(count)]


def score(
    answer: Answer, count: int, skills: Sequence[str] = tuple(SKILLS), shots: int = 0
) -> dict[str, tuple[float, float]]:
    """Return for each skill the share of right answers (0 to 1): on held-out items, and in new phrasings.

    With `shots`, so many solved examples of the skill (those with a system message left out), the same ones for all its
    items, stand before each.
    """
    table = {}
    for skill in skills:
        shares = []
        for new_phrasing in (False, True):
            examples = items(skill, shots, new_phrasing, seed=30_000)
            tasks = [with_examples(task, examples) for task in items(skill, count, new_phrasing)]
            replies = answer(tasks)
            shares.append(sum(task.is_right(reply) for task, reply in zip(tasks, replies, strict=True)) / count)
        table[skill] = (shares[0], shares[1])
    return table


def generate_with(folder: Path, batch: int = 50) -> Answer:
    """Return a function that answers tasks greedily with the base in the folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def answer(tasks: Sequence[Task]) -> list[str]:
        replies: list[str] = []
        for start in range(0, len(tasks), batch):
            chunk = tasks[start : start + batch]
            prompts = [
                tokenizer.apply_chat_template(list(t.messages[:-1]), add_generation_prompt=True, tokenize=False)
                for t in chunk
            ]
            inputs = tokenizer(
                prompts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
            )
            longest = max(len(tokenizer.encode(t.answer)) for t in chunk)
            with torch.inference_mode():
                out = model.generate(
                    **inputs, max_new_tokens=longest + 16, do_sample=False,
                    eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
                )  # fmt: skip
            replies += [
                text.strip()
                for text in tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
            ]
        return replies

    return answer


def table(scores: dict[str, tuple[float, float]]) -> str:
    """Return the scores as a Markdown table with the mean in the last row."""
    rows = ["| skill | held out | new phrasing |", "|---|---:|---:|"]
    rows += [f"| {skill} | {seen:.0%} | {new:.0%} |" for skill, (seen, new) in scores.items()]
    means = [sum(column) / len(scores) for column in zip(*scores.values(), strict=True)]
    return "\n".join([*rows, f"| **mean of {len(scores)}** | **{means[0]:.1%}** | **{means[1]:.1%}** |"])
