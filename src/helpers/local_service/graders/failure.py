"""What can go wrong with one answer: a flag of OpenAI's `metadata.errors`, and words for a person."""

from __future__ import annotations

FLAGS = (
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
)
DETAILS = {  # where OpenAI's answer has a place for words of its own
    "python_grader_server_error": "python_grader_server_error_type",
    "python_grader_runtime_error": "python_grader_runtime_error_details",
    "model_grader_server_error": "model_grader_server_error_details",
}


class Failure(Exception):
    """An answer that could not be graded: it gets the reward 0, and the flag says that this is not its grade."""

    def __init__(self, flag: str, words: str) -> None:
        super().__init__(words)
        self.flag, self.words = flag, words
