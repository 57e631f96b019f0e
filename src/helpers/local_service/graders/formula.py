"""`calculate_output` of a multi grader: arithmetic over the rewards of its parts, evaluated by simpleeval.

Operators + - * / ^ (power) and the functions min, max, abs, floor, ceil, exp, sqrt, log, as OpenAI's guide lists them;
nothing else of Python is let in.
"""

from __future__ import annotations

import ast
import math
from typing import Any

from simpleeval import InvalidExpression, SimpleEval, safe_power

MAX_LENGTH = 2000  # characters; a deeper nesting than that could hold is refused by Python's own parser
OPERATORS: dict[Any, Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: safe_power,
    ast.USub: lambda a: -a,
    ast.UAdd: lambda a: a,
}
FUNCTIONS = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
NODES = (ast.Expr, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant)


class FormulaError(ValueError):
    """The formula has no value for these rewards. The message says why."""


def fault(formula: str, names: set[str]) -> str | None:
    """Return what is wrong with a formula whatever the rewards are, None where nothing is."""
    if len(formula) > MAX_LENGTH:
        return f"a formula may have {MAX_LENGTH} characters"
    try:
        tree = ast.parse(_python(formula), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return f"{formula!r} is not a formula; for example 0.5 * a + 0.5 * b"
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in (FUNCTIONS if id(node) in called else names):
            return (
                f"{node.id!r} is neither a grader ({', '.join(sorted(names))}) nor a function ({', '.join(FUNCTIONS)})"
            )
        if isinstance(node, ast.keyword) or (isinstance(node, ast.expr) and not isinstance(node, NODES)):
            return f"a formula has numbers, graders, {' '.join(FUNCTIONS)} and + - * / ^ alone"
        if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
            return f"{node.value!r} is not a number"
        if isinstance(node, ast.operator | ast.unaryop) and type(node) not in OPERATORS:
            return "a formula has the operators + - * / ^ alone"
    return None


def evaluate(formula: str, rewards: dict[str, float]) -> float:
    """Return the formula's value. Raises FormulaError where it has none, such as a division by zero."""
    evaluator = SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=rewards)
    evaluator.nodes = {kind: evaluator.nodes[kind] for kind in NODES}
    try:
        value = evaluator.eval(_python(formula))
    except (InvalidExpression, ArithmeticError, ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise FormulaError(f"{formula!r} has no value: {error}") from None
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise FormulaError(f"{formula!r} gives {value!r}, which is not a number to grade with")
    return float(value)


def _python(formula: str) -> str:
    """The formula with Python's sign for a power; formulas hold no text in which a ^ could stand."""
    return formula.replace("^", "**").strip()
