"""Why a training run failed, in words for the person who started it."""

from __future__ import annotations

from typing import Any

from safetensors import SafetensorError

from .errors import DISK_FULL


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


def failure(error: Exception) -> dict[str, Any]:
    """The message that tells why a job failed, in words for the person who started it."""
    if isinstance(error, Diverged):
        code = "training_diverged"
        text = f"The job failed because {error}. The learning rate is too high; try a smaller learning_rate_multiplier."
    elif _is_disk_full(error):
        code, text = "disk_full", "The job failed because there is no disk space left. Make room and start it again."
    elif isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error):
        code, text = "out_of_memory", "The job failed because memory ran out. Try a smaller batch_size."
    elif isinstance(error, SafetensorError):
        code = "model_damaged"
        text = f"The job failed because the weights of the model that it starts from cannot be read ({error}). "
        text += "Its files are damaged or incomplete; if it is a tuned model, train it again."
    elif isinstance(error, ValueError):
        code, text = "server_error", f"The job failed: {error}."
    else:
        code, text = "server_error", f"The job failed due to an internal error ({type(error).__name__}: {error})."
    return {"type": "failed", "code": code, "message": text}


def _is_disk_full(error: Exception) -> bool:
    """Also where safetensors or torch wrote: their errors are not OSError and tell it in words alone."""
    words = ("No space left", "File too large", "quota exceeded", "file write failed")
    return (isinstance(error, OSError) and error.errno in DISK_FULL) or any(part in str(error) for part in words)
