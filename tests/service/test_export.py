"""`python -m helpers export`: what it writes loads without this project, and answers as the service does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from live_service import LiveService
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

QUESTION = [{"role": "user", "content": "number 3"}]
LEARNED = "your order is late"
TOKENS = 4  # of it: an adapter does not learn this base's end token, and what would follow is a matter of rounding
LONG = {"n_epochs": 50, "batch_size": 4, "learning_rate_multiplier": 3}  # until it is sure of every token


def export(service: LiveService, model: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "helpers", "export", model, str(folder)]
    return subprocess.run(command, env=service.env, capture_output=True, text=True)


def answer(model: torch.nn.Module, folder: Path) -> str:
    """The greedy answer of a model in transformers' hands."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    end = tokenizer.convert_tokens_to_ids("<|end|>")
    with torch.inference_mode():
        out = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False, eos_token_id=end, pad_token_id=2)
    return tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()


@pytest.fixture(scope="module")
def tuned(service: LiveService) -> dict[str, str]:
    """A model tuned whole, and one tuned by LoRA, both to answer one thing."""
    rows = [{"messages": [*QUESTION, {"role": "assistant", "content": LEARNED}]}] * 12
    jobs = {base: service.train(rows, base, hyperparameters=LONG, seed=1) for base in ("tiny", "tiny-lora")}
    assert all(job.status == "succeeded" for job in jobs.values())
    return {base: job.fine_tuned_model for base, job in jobs.items()}


def said(service: LiveService, model: str) -> str:
    reply = service.client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=TOKENS)
    return reply.choices[0].message.content or ""


def test_a_model_tuned_whole_answers_alike_in_transformers(
    service: LiveService, tuned: dict[str, str], tmp_path: Path
) -> None:
    done = export(service, tuned["tiny"], tmp_path / "out")
    assert done.returncode == 0 and str(tmp_path / "out") in done.stdout, done.stderr
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    assert answer(model, tmp_path / "out") == said(service, tuned["tiny"]) == LEARNED


def test_an_adapter_answers_alike_in_peft_and_merged(
    service: LiveService, tuned: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = export(service, tuned["tiny-lora"], out)
    assert done.returncode == 0 and {p.name for p in out.iterdir()} == {"merged", "adapter", "base"}, done.stderr
    base = AutoModelForCausalLM.from_pretrained(out / "base", dtype=torch.float32)
    wanted = said(service, tuned["tiny-lora"])
    assert answer(PeftModel.from_pretrained(base, out / "adapter"), out / "base") == wanted == LEARNED
    merged = AutoModelForCausalLM.from_pretrained(out / "merged", dtype=torch.float32)
    assert answer(merged, out / "merged") == wanted


def test_what_is_there_is_not_overwritten_and_a_wrong_name_is_told(
    service: LiveService, tuned: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = export(service, tuned["tiny"], tmp_path)
    assert done.returncode == 1 and "not empty" in done.stderr and (tmp_path / "mine.txt").read_text() == "mine"
    done = export(service, "ft:nothing", tmp_path / "out")
    assert done.returncode == 1 and tuned["tiny"] in done.stderr and not (tmp_path / "out").exists()
    assert "Traceback" not in done.stderr
