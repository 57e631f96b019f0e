"""Graders: templates, string checks, similarities, formulas, limited python, ready sets; here and at the service."""

from __future__ import annotations

import json
import math
import os
import string
import sys
import threading
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.compare import rates
from helpers.errors import Explained
from helpers.grader_checks import agreement, facts, not_repeated, whole_sentences
from helpers.grader_sets import accuracy, coherence, mean_log_probability, relevance
from helpers.graders import Graders, item
from helpers.local_service.errors import ApiError
from helpers.local_service.graders import formula, parse
from helpers.local_service.graders.failure import Failure
from helpers.local_service.graders.judges import Reply, read
from helpers.local_service.graders.python_source import LimitedPython
from helpers.local_service.graders.similarity import MAX_CHARACTERS, similarity, trigrams
from helpers.local_service.graders.templates import MissingVariable, check_template, render, sample_namespace

KEYS = st.text(string.ascii_letters + "_", min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
RIGHT = "Parcel LM-70059 with the Alder kettle leaves on 3 May. We will tell you when."
CLOSE = "The Alder kettle, parcel LM-70059, leaves us on 3 May; we will tell you."


def string_check(operation: str = "eq", **fields: Any) -> dict[str, Any]:
    return {
        "type": "string_check",
        "name": "check",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
        "operation": operation,
        **fields,
    }


def text_similarity(metric: str) -> dict[str, Any]:
    texts = {"input": "{{sample.output_text}}", "reference": "{{item.reference}}"}
    return {"type": "text_similarity", "name": metric, **texts, "evaluation_metric": metric}


def python(body: str, name: str = "python") -> dict[str, Any]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return {"type": "python", "name": name, "source": f"def grade(sample, item):\n{lines}\n"}


def reward(grader: dict[str, Any], answer: str, known: dict[str, Any]) -> float:
    grade = Graders(grader)
    try:
        return grade(answer, known)[grader["name"]]
    finally:
        grade.close()


# Templates


@given(JSON, KEYS, KEYS)
def test_a_path_finds_what_is_there(value: Any, key: str, other: str) -> None:
    known = {key: {other: [value]}}
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for template in (f"{{{{item.{key}.{other}[0]}}}}", f"<{{{{ item['{key}'][\"{other}\"][0] }}}}>"):
        assert check_template(template) is None
        assert render(template, known, {}).strip("<>") == shown.strip("<>")


@given(JSON, KEYS)
def test_a_missing_field_is_named_and_so_is_what_there_is(value: Any, key: str) -> None:
    with pytest.raises(MissingVariable) as error:
        render(f"{{{{ item.{key}.there_is_no_such_field }}}}", {key: value}, {})
    assert f"item.{key}.there_is_no_such_field" in str(error.value) and f"item.{key} " in str(error.value)
    with pytest.raises(MissingVariable, match=f"item has {key}"):
        render("{{ item.there_is_no_such_field }}", {key: value}, {})


@given(st.text())
@example("} } }} {x}")
def test_text_without_templates_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "{ ")
    assert check_template(plain) is None
    assert render(plain, {}, {}) == plain


@given(st.text())
def test_what_was_filled_in_is_not_a_template(text: str) -> None:
    sly = text + "{{ item.secret }}"
    assert render("{{ sample.output_text }}", {"secret": "s"}, sample_namespace(sly)) == sly


@given(st.text(st.characters(exclude_characters="}"), max_size=12))
def test_any_other_expression_is_refused_before_anything_is_graded(inside: str) -> None:
    template = "{{" + inside + "}}"
    if check_template(template) is None:
        assert inside.strip().startswith(("item.", "item[", "sample."))
    else:
        with pytest.raises(ApiError) as error:
            parse(string_check(input=template))
        assert error.value.param == "grader.input" and error.value.status == 400


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ item.x", "does not close"),
        ("{{ items.x }}", "is not a template"),
        ("{{ item.x.strip() }}", "is not a template"),
        ("{{ sample.text }}", "a sample has output_text, output_json"),
    ],
)
def test_faults_of_templates_are_explained(template: str, says: str) -> None:
    assert says in str(check_template(template))


@given(JSON)
def test_output_json_is_there_when_the_answer_is_json(value: Any) -> None:
    assert sample_namespace(json.dumps(value))["output_json"] == value
    with pytest.raises(MissingVariable) as error:
        render("{{ sample.output_json.a }}", {}, sample_namespace("not JSON: NaN"))
    assert error.value.not_json
    assert sample_namespace("[" * 100_000)["output_json"] is None


# Kinds


@pytest.mark.parametrize(
    ("operation", "answer", "right", "expected"),
    [
        ("eq", "Yes", "Yes", True),
        ("eq", "yes", "Yes", False),
        ("ne", "yes", "Yes", True),
        ("like", "Well, Yes.", "Yes", True),
        ("like", "Well, yes.", "Yes", False),
        ("ilike", "Well, yes.", "YES", True),
        ("ilike", "no", "YES", False),
    ],
)
def test_string_checks(operation: str, answer: str, right: str, expected: bool) -> None:
    assert reward(string_check(operation), answer, {"reference": right}) is expected


def test_similarities_are_the_libraries_own() -> None:
    from nltk.tokenize import wordpunct_tokenize
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
    from nltk.translate.gleu_score import sentence_gleu
    from rapidfuzz import fuzz, utils
    from rouge_score.rouge_scorer import RougeScorer

    right, words = wordpunct_tokenize(RIGHT), wordpunct_tokenize(CLOSE)
    names = ["rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"]
    rouge = RougeScorer(names).score(RIGHT, CLOSE)
    expected = {
        "fuzzy_match": fuzz.WRatio(CLOSE, RIGHT, processor=utils.default_process) / 100,
        "bleu": sentence_bleu([right], words, smoothing_function=SmoothingFunction().method1),
        "gleu": sentence_gleu([right], words),
        **{f"rouge_{name[5:].lower()}": rouge[name].fmeasure for name in names},
    }
    for metric, value in expected.items():
        assert reward(text_similarity(metric), CLOSE, {"reference": RIGHT}) == pytest.approx(value), metric
        assert 0 < value < 1


def test_meteor_follows_its_paper_with_exact_words_and_stems() -> None:
    """Lavie and Agarwal, 2007: F mean 10PR / (R + 9P), less half the cube of chunks / matches."""
    answer, right = "the kettles left today", "today the kettle left us"
    precision, recall, chunks = 4 / 4, 4 / 5, 2
    expected = 10 * precision * recall / (recall + 9 * precision) * (1 - 0.5 * (chunks / 4) ** 3)
    assert similarity("meteor", answer, right) == pytest.approx(expected)
    assert similarity("meteor", "a big car", "one large vehicle") == 0  # no synonyms: WordNet is not there


def test_cosine_is_over_letter_trigrams_and_says_so() -> None:
    result = Graders(text_similarity("cosine")).results(CLOSE, {"reference": RIGHT})["cosine"]
    a, b = trigrams(CLOSE), trigrams(RIGHT)
    dot = sum(a[gram] * b[gram] for gram in a)
    length = math.sqrt(sum(n * n for n in a.values())) * math.sqrt(sum(n * n for n in b.values()))
    assert result["reward"] == pytest.approx(dot / length)
    assert "not an embedding model" in result["metadata"]["sampled_model_name"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_every_similarity_is_from_0_to_1(text: str, reference: str) -> None:
    for metric in ("cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_5", "rouge_l"):
        assert 0 <= similarity(metric, text, reference) <= 1 + 1e-9, metric


def test_a_text_too_long_to_compare_is_a_failure_and_not_a_zero() -> None:
    with pytest.raises(Explained, match=r"input has 20,000 characters; at most 16,384"):
        reward(text_similarity("rouge_l"), "x" * 20_000, {"reference": RIGHT})
    assert MAX_CHARACTERS == 16_384


def test_multi_combines_its_parts_and_shows_them() -> None:
    parts = {"same": string_check(), "alike": text_similarity("fuzzy_match")}
    grader = {"type": "multi", "name": "both", "graders": parts, "calculate_output": "0.25 * same^2 + 0.75 * alike"}
    grades = Graders(grader)(RIGHT, {"reference": RIGHT})
    assert grades == {"both": 1.0, "both.same": 1.0, "both.alike": 1.0}
    in_a_list = {**grader, "graders": [{**part, "name": name} for name, part in parts.items()]}
    assert Graders(in_a_list)(CLOSE, {"reference": RIGHT}) == Graders(grader)(CLOSE, {"reference": RIGHT})
    alone = {**grader, "graders": string_check(), "calculate_output": "1 - check"}
    assert Graders(alone)(CLOSE, {"reference": RIGHT}) == {"both": 1.0, "both.check": 0.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * a ^ 2 + b", 2 * 0.5**2 + 3),
        ("-a ^ 2", -(0.5**2)),
        ("min(a, b) + max(a, b) * abs(-1)", 3.5),
        ("floor(b / 2) + ceil(a) + sqrt(4) + exp(0) + log(1)", 1 + 1 + 2 + 1 + 0),
    ],
)
def test_formulas(text: str, value: float) -> None:
    assert formula.fault(text, {"a", "b"}) is None
    assert formula.evaluate(text, {"a": 0.5, "b": 3.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a +", "c", "a.real", "a[0]", "'x'", "a if b else 1", "a == b", "min(a, key=b)", "__import__('os')"),
        *("a; b", "open(a)", "(lambda: 1)()", "a, b", "[a]", "a % b", "~a", "True", "a" * 3000),
    ],
)
def test_whatever_is_no_arithmetic_is_refused(text: str) -> None:
    assert formula.fault(text, {"a", "b"})


@pytest.mark.parametrize("text", ["1 / 0", "log(0)", "sqrt(-1)", "(-1) ^ 0.5", "exp(9999)", "10 ^ 10 ^ 10", "min()"])
def test_a_formula_without_a_value_is_a_failure(text: str) -> None:
    multi = {"type": "multi", "name": "m", "graders": {"a": string_check()}, "calculate_output": text}
    with pytest.raises(Explained, match=r"m: .*(has no value|gives)"):
        reward(multi, "x", {"reference": "x"})
    errors = Graders(multi).results("x", {"reference": "x"})["m"]["metadata"]["errors"]
    assert errors["formula_parse_error"] and not errors["other_error"]


# Python graders


def test_python_graders_see_the_answer_the_item_and_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    body = """import os
assert not [name for name in os.environ if "KEY" in name or "TOKEN" in name], list(os.environ)
assert os.listdir() == [] and os.getcwd() != os.environ.get("PWD_OF_TESTS")
print("this goes nowhere")
return 0.5 * (sample["output_json"]["a"] == item["a"]) + 0.25"""
    assert reward(python(body), '{"a": 1}', {"a": 1}) == 0.75


@pytest.mark.parametrize(
    ("body", "flag", "says"),
    [
        ("return item['nope']", "python_grader_runtime_error", "KeyError: 'nope', line 2 of the source"),
        ("return 'good'", "python_grader_runtime_error", "not a finite number"),
        ("return float('nan')", "python_grader_runtime_error", "not a finite number"),
        ("raise SystemExit(3)", "python_grader_runtime_error", "SystemExit"),
        ("import os\nos._exit(7)", "python_grader_server_error", "exit status 7"),
    ],
)
def test_what_goes_wrong_in_a_source_is_told(body: str, flag: str, says: str) -> None:
    grade = Graders(python(body))
    metadata = grade.results("x", {})["python"]["metadata"]
    assert metadata["errors"][flag] and says in metadata["scores"]["error"]
    with pytest.raises(Explained, match="python: "):
        grade("x", {})
    grade.close()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_source_may_not_take_all_the_memory_disk_or_time() -> None:
    known: dict[str, Any] = {}
    hungry = python("return len(bytearray(3 * 1024**3))")["source"]
    with LimitedPython(hungry) as limited, pytest.raises(Failure, match="MemoryError"):
        limited.grade(sample_namespace("x"), known)
    write = 'with open("big", "wb") as file:\n    file.write(bytes(200 * 1024**2))\nreturn 1'
    with LimitedPython(python(write)["source"]) as limited, pytest.raises(Failure):
        limited.grade(sample_namespace("x"), known)
    forever = "while item.get('forever'):\n    pass\nreturn 1"
    with LimitedPython(python(forever)["source"], seconds=1.0) as slow:
        with pytest.raises(Failure, match="more than 1 seconds"):
            slow.grade(sample_namespace("x"), {"forever": True})
        assert slow.grade(sample_namespace("x"), known) == 1.0  # and the next answer is graded


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_nothing_that_a_source_starts_stays(tmp_path: Path) -> None:
    body = f"""import subprocess
child = subprocess.Popen(["sleep", "600"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
return 1"""
    assert reward(python(body), "x", {}) == 1.0
    pid = int((tmp_path / "pid").read_text())
    gone = threading.Event()
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            gone.set()
            break
        gone.wait(0.05)
    assert gone.is_set()


def test_each_answer_is_graded_by_the_source_afresh() -> None:
    source = "seen = []\ndef grade(sample, item):\n    seen.append(1)\n    return len(seen)\n"
    with LimitedPython(source) as limited:
        assert [limited.grade(sample_namespace("x"), {}) for _ in range(3)] == [1.0, 1.0, 1.0]


# What graders may say


@pytest.mark.parametrize(
    ("grader", "param"),
    [
        ({}, "grader.type"),
        ({"type": "cleverness"}, "grader.type"),
        ({"type": "label_model"}, "grader.type"),
        (string_check("neq"), "grader.operation"),
        ({**string_check(), "input": 5}, "grader.input"),
        (text_similarity("rouge_6"), "grader.evaluation_metric"),
        ({"type": "python", "name": "p", "source": "def grade(sample):\n return 1"}, "grader.source"),
        ({"type": "python", "name": "p", "source": "def grade(sample, item) return 1"}, "grader.source"),
        ({"type": "python", "name": "p", "source": "#" * 256_000}, "grader.source"),
        ({"type": "score_model", "name": "s", "model": "m", "input": []}, "grader.input"),
        (
            {"type": "score_model", "name": "s", "model": "m", "input": [{"role": "user", "content": "{{ x }}"}]},
            "grader.input[0].content",
        ),
        (
            {
                "type": "score_model",
                "name": "s",
                "model": "m",
                "range": [1, 0],
                "input": [{"role": "user", "content": "x"}],
            },
            "grader.range",
        ),
        ({"type": "multi", "name": "m", "graders": {"a b": string_check()}, "calculate_output": "1"}, "grader.graders"),
        ({"type": "multi", "name": "m", "graders": {"a": {}}, "calculate_output": "a"}, "grader.graders.a.type"),
        (
            {"type": "multi", "name": "m", "graders": {"a": string_check()}, "calculate_output": "a + b"},
            "grader.calculate_output",
        ),
        (
            {
                "type": "multi",
                "name": "m",
                "graders": {"a": {"type": "multi", "graders": {}, "calculate_output": "1"}},
                "calculate_output": "a",
            },
            "grader.graders.a.type",
        ),
    ],
)
def test_a_fault_names_its_place(grader: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as error:
        parse(grader)
    assert (error.value.status, error.value.param) == (400, param)
    with pytest.raises(Explained, match="not a grader as OpenAI defines it"):
        Graders(grader)


# Judges' words


def judge(kind: str = "score_model", **more: Any) -> Any:
    return parse(
        {
            "type": "multi",
            "graders": {
                "a": {"type": kind, "model": "m", "input": [{"role": "user", "content": "Score."}], **more},
            },
            "calculate_output": "a",
        }
    ).parts["a"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ('{"steps": [{"description": "d", "conclusion": "c"}], "result": 0.4}', 0.4),
        ('Well: {"result": "0.4"} is my view.', 0.4),
        (" 0.4\n", 0.4),
        ('{"result": 7}', 1.0),
        ("-3", 0.0),
    ],
)
def test_a_score_is_read_and_cut_to_its_range(said: str, score: float) -> None:
    assert read(judge(), Reply(said, None, 1, 1)) == score


@pytest.mark.parametrize(
    "said", ["", "good", "{", '{"result": true}', '{"result": null}', '{"score": 1}', "1 or 2", '{"result": NaN}']
)
def test_an_answer_without_a_score_is_a_failure(said: str) -> None:
    with pytest.raises(Failure, match="gave no number") as error:
        read(judge(), Reply(said, None, 1, 1))
    assert error.value.flag == "model_grader_parse_error"


def test_a_refusal_is_a_failure_and_labels_pass_or_not() -> None:
    with pytest.raises(Failure, match="I would rather not") as error:
        read(judge(), Reply("", "I would rather not", 1, 1))
    assert error.value.flag == "model_grader_refusal_error"
    label = judge("label_model", labels=["good", "fair", "bad"], passing_labels=["good", "fair"])
    assert [read(label, Reply(f'{{"result": "{said}"}}', None, 1, 1)) for said in ("good", "fair", "bad")] == [1, 1, 0]
    with pytest.raises(Failure, match="gave no label"):
        read(label, Reply('{"result": "superb"}', None, 1, 1))


def test_a_model_grader_needs_a_service_and_says_so() -> None:
    grader = {"type": "score_model", "name": "s", "model": "m", "input": [{"role": "user", "content": "Score."}]}
    with pytest.raises(Explained, match="judge=client"):
        Graders(grader)("x", {})


# Many answers


def test_a_table_counts_failures_and_drops_none() -> None:
    graders = [string_check(), python("return 1 / item['n']")]
    examples = [{"reference": "a", "n": 1}, {"reference": "b", "n": 0}, {"n": 4}, {"reference": "d", "n": 4}]
    grade = Graders(*graders)
    frame = grade.table(["a", "x", "c", "d"], examples)
    grade.close()
    assert list(frame) == ["check", "python", "error"] and len(frame) == 4
    assert frame["check"].dropna().tolist() == [True, False, True]
    assert frame["python"].dropna().tolist() == [1.0, 0.25, 0.25]
    assert frame["error"].map(bool).tolist() == [False, True, True, False]
    assert "ZeroDivisionError" in frame["error"][1] and "There is no 'item.reference': item has n." in frame["error"][2]
    measured = rates(frame, ["check", "python"]).set_index("metric")
    assert measured.loc["check", "value"] == 0.5 and measured["failed"].tolist() == [2, 2]
    with pytest.raises(ValueError, match="one an answer"):
        grade.table(["a"], [])
    assert list(Graders(*graders).table([], [])) == ["check", "python", "error"]


def test_an_item_is_made_of_a_chat_example() -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": '{"a": 1}'},
    ]
    expected = {"question": "q", "reference": '{"a": 1}', "reference_json": {"a": 1}, "topic": "t"}
    assert item({"messages": messages, "topic": "t"}) == expected
    assert item({"reference": "own"}) == {"reference": "own"}


def test_two_graders_of_one_name_are_refused() -> None:
    with pytest.raises(Explained, match="same name"):
        Graders(string_check(), string_check("ne"))


# Ready sets


def test_ready_sets_say_how_and_what_they_cannot_see() -> None:
    for ready in (accuracy(), accuracy(["intent"]), relevance(), coherence()):
        how, blind = str(ready).split("\nIt cannot see: ")
        assert how.startswith(f"{ready.grader['name']}: ") and len(blind) > 60


def test_ready_sets_tell_a_right_answer_from_a_wrong_one() -> None:
    example = {"question": "Where is my Alder kettle, order LM-70059?", "reference": RIGHT}
    wrong = "Parcel LM-70058 with the Holm lamp leaves on 9 June. we will tell tell you a update"
    grade = Graders(accuracy(), relevance(), coherence())
    good, close, bad = (grade(answer, example) for answer in (RIGHT, CLOSE, wrong))
    grade.close()
    assert good["accuracy"] == good["coherence"] == good["relevance.facts"] == 1
    assert good["accuracy"] >= close["accuracy"] > bad["accuracy"]
    assert good["relevance"] > close["relevance"] > bad["relevance"]
    assert close["coherence"] == 1 and bad["coherence"] == 0
    assert (bad["coherence.repetition"], bad["coherence.sentences"], bad["coherence.agreement"]) == (0, 0, 0)


def test_accuracy_by_fields_needs_json() -> None:
    grade = Graders(accuracy(["intent", "order"]))
    example = {"messages": [{"role": "assistant", "content": '{"intent": "late", "order": null}'}]}
    assert grade('{"order": null, "intent": "late"}', example)["accuracy"] == 1
    assert grade('{"order": "7", "intent": "late"}', example)["accuracy"] == 0.5
    with pytest.raises(Explained, match="needs an answer in JSON"):
        grade("late", example)


def test_facts_are_figures_and_names_inside_sentences() -> None:
    found = facts("Hello Cormac, the Alder kettle (LM-70059) cost £12.50, 15% less. It left at 9:30. Thank you. Next")
    assert found == {"cormac", "alder", "lm-70059", "£12.50", "15%", "9:30"}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (not_repeated, "I know that that is so. It is.", "It is is so."),
        (not_repeated, "One two three. Four five six.", "One two three. Four. One two three."),
        (not_repeated, "a b c d e f g then h", "a b c d e f g and a b c d e f g"),
        (whole_sentences, "It left (at last).", "It left (at last."),
        (whole_sentences, 'She said "yes".', "it left, and"),
        (agreement, "An hour, a unit, an MRI, a European; if he were, he has. Does it have one?", "A apple fell."),
        (agreement, "You were right and they are here. Let it have it.", "They was here."),
        (agreement, "This is an answer.", "It is an good answer."),
    ],
)
def test_checks_of_coherence(check: Any, good: str, bad: str) -> None:
    assert (check({"output_text": good}, {}), check({"output_text": bad}, {})) == (1.0, 0.0)


# The service


GRADERS = [
    string_check("ilike"),
    *[text_similarity(metric) for metric in ("cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_2", "rouge_l")],
    {
        "type": "multi",
        "name": "multi",
        "graders": {"a": string_check(), "b": {**text_similarity("gleu"), "input": "{{sample.output_json.text}}"}},
        "calculate_output": "(a + b) / 2",
    },
]


def test_the_service_grades_as_this_computer_does(client: openai.OpenAI) -> None:
    answers = [RIGHT, CLOSE, '{"text": "Parcel LM-70059"}', ""]
    examples: list[dict[str, Any]] = [{"reference": RIGHT}, {"reference": RIGHT}, {"reference": RIGHT}, {"other": 1}]
    here, there = Graders(*GRADERS), Graders(*GRADERS, client=client)
    for answer, known in zip(answers, examples, strict=True):
        local, remote = here.results(answer, known), there.results(answer, known)
        for result in (*local.values(), *remote.values()):
            assert result["metadata"].pop("execution_time") >= 0
        assert local == remote
    table = here.table(answers, examples)
    assert table.equals(there.table(answers, examples))
    assert table["error"].map(bool).tolist() == [True, True, False, True]  # two are no JSON, one item has no reference


def test_what_befalls_every_answer_is_explained(client: openai.OpenAI) -> None:
    with pytest.raises(Explained, match="FINETUNE_PYTHON_GRADERS=1"):
        Graders(python("return 1"), client=client)("x", {})
    with pytest.raises(Explained, match="Incorrect API key"):
        Graders(string_check(), client=client.with_options(api_key="sk-wrong")).table(["x"], [{"reference": "x"}])


def test_the_mean_log_probability_of_an_answer(client: openai.OpenAI) -> None:
    ask: Any = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8, "temperature": 0}
    choice = client.chat.completions.create(**ask, logprobs=True).choices[0]
    assert choice.logprobs is not None and choice.logprobs.content is not None
    values = [token.logprob for token in choice.logprobs.content]
    assert mean_log_probability(choice) == pytest.approx(sum(values) / len(values)) and max(values) < 0
    with pytest.raises(ValueError, match="logprobs=True"):
        mean_log_probability(client.chat.completions.create(**ask).choices[0])
