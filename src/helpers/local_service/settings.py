"""Where the service keeps its data, and what its environment variables mean. Nothing is read or created on import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

PACKAGE = Path(__file__).parent
SHIPPED_BASES = PACKAGE / "bases"
CHAT_TEMPLATE = PACKAGE / "chat_template.jinja"

MAX_FILE_BYTES = 512 * 1024 * 1024  # OpenAI's limit for one file
MAX_BODY_BYTES = 8 * 1024 * 1024  # any other request; 2,048 tokens of chat are far smaller
MIN_TRAINING_EXAMPLES = 10  # OpenAI's minimum for supervised fine-tuning


class SettingsError(ValueError):
    """An environment variable holds something the service cannot use. The message names it and what it takes."""


@dataclass(frozen=True)
class Settings:
    """The service's configuration. `from_environment` reads it once, at start."""

    home: Path  # FINETUNE_HOME: everything the service keeps
    extra_bases: tuple[Path, ...] = ()  # FINETUNE_BASES: more folders with base models
    base64_results: bool = False  # FINETUNE_RESULT_BASE64=1: result files are served base64-encoded
    bf16: bool | None = None  # FINETUNE_BF16=0|1: train in bf16 autocast or not; None: where the processor has it
    launcher: str = ""  # FINETUNE_LAUNCHER: for example "accelerate launch --num_processes 2 --cpu"
    standby_seconds: float = 900.0  # FINETUNE_STANDBY_SECONDS: how long an idle helper process is kept; 0: none is
    threads: int | None = None  # FINETUNE_THREADS: CPU threads for training and generation; None: torch decides

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings from `environ` (the process's own by default). Raises SettingsError on a value it cannot use."""
        env = os.environ if environ is None else environ
        bases = [Path(p).expanduser() for p in env.get("FINETUNE_BASES", "").split(os.pathsep) if p.strip()]
        return cls(
            home=home_folder(env),
            extra_bases=tuple(bases),
            base64_results=bool(_flag(env, "FINETUNE_RESULT_BASE64")),
            bf16=_flag(env, "FINETUNE_BF16"),
            launcher=env.get("FINETUNE_LAUNCHER", "").strip(),
            standby_seconds=_number(env, "FINETUNE_STANDBY_SECONDS", 900.0),
            threads=int(_number(env, "FINETUNE_THREADS", 0)) or None,
        )

    @property
    def database(self) -> Path:
        return self.home / "service.sqlite3"

    @property
    def files(self) -> Path:
        """Uploaded files and result files, one file each, named by id."""
        return self.home / "files"

    @property
    def jobs(self) -> Path:
        """One folder per job: its copy of the training data, its log, and what it needs to resume."""
        return self.home / "jobs"

    @property
    def models(self) -> Path:
        """One folder per job, and in it one folder per kept checkpoint."""
        return self.home / "models"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def incoming(self) -> Path:
        """Half-received uploads. Emptied at start."""
        return self.home / "incoming"

    @property
    def running_file(self) -> Path:
        """running.json: process id and address of the service that runs on this home, while it runs."""
        return self.home / "running.json"

    @property
    def key_file(self) -> Path:
        return self.home / "key"

    @property
    def lock_file(self) -> Path:
        return self.home / "lock"


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The data folder: FINETUNE_HOME, or the platform's usual place for application data."""
    env = os.environ if environ is None else environ
    named = env.get("FINETUNE_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else user_data_path("finetuning-notebooks", appauthor=False)


def _flag(env: Mapping[str, str], name: str) -> bool | None:
    value = env.get(name, "").strip()
    if value not in ("", "0", "1"):
        raise SettingsError(f"{name} is {value!r}; it takes 0 or 1.")
    return None if value == "" else value == "1"


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    value = env.get(name, "").strip()
    try:
        number = float(value) if value else default
    except ValueError:
        number = -1.0
    if number < 0:
        raise SettingsError(f"{name} is {value!r}; it takes a number, 0 or more.")
    return number
