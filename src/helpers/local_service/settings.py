"""Where the service keeps its data, and what its environment variables mean. Nothing is read or created on import."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

PACKAGE = Path(__file__).parent
SHIPPED_BASES = PACKAGE / "bases"
CHAT_TEMPLATE = PACKAGE / "chat_template.jinja"

MAX_FILE_BYTES = 512 * 1024 * 1024  # OpenAI's limit for one file
MAX_PART_BYTES = 64 * 1024 * 1024  # OpenAI's limit for one part of an upload
MAX_BODY_BYTES = 8 * 1024 * 1024  # any other request; 2,048 tokens of chat are far smaller
MIN_TRAINING_EXAMPLES = 10  # OpenAI's minimum for supervised fine-tuning

ALIAS = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*(?P<base>\S+)")


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
    python_graders: bool = False  # FINETUNE_PYTHON_GRADERS=1: python graders run, in a limited process
    standby_seconds: float = 900.0  # FINETUNE_STANDBY_SECONDS: how long an idle helper process is kept; 0: none is
    aliases: Mapping[str, str] = field(default_factory=dict)  # FINETUNE_ALIASES: more names for bases, {name: base}
    closed: bool = False  # jobs are refused, as OpenAI refuses them to organisations that it no longer lets train
    learners: tuple[str, ...] = ()  # a class: who gets a key of their own; none: the service is its owner's alone
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
            python_graders=bool(_flag(env, "FINETUNE_PYTHON_GRADERS")),
            standby_seconds=_number(env, "FINETUNE_STANDBY_SECONDS", 900.0),
            aliases=read_aliases(env.get("FINETUNE_ALIASES", "")),
            threads=int(_number(env, "FINETUNE_THREADS", 0)) or None,
        )

    @property
    def base_folders(self) -> tuple[Path, ...]:
        """Where bases are looked for beside the shipped ones: FINETUNE_BASES, and `bases` in the data folder.

        The latter is looked at anew each time, so that a base put there needs no restart.
        """
        own = self.home / "bases"
        return (*self.extra_bases, own) if any(own.glob("*/config.json")) else self.extra_bases

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
    def uploads(self) -> Path:
        """Parts of uploads that are not complete yet, one file each, named by id."""
        return self.home / "uploads"

    @property
    def batches(self) -> Path:
        """Input of batches that are not finished, one file each, named by id."""
        return self.home / "batches"

    @property
    def data_folders(self) -> tuple[Path, ...]:
        """The folders whose content the database knows."""
        return self.files, self.uploads, self.batches, self.jobs, self.models

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
    def learner_keys_file(self) -> Path:
        """learner_keys.json: the keys of a class, and of those who have left it."""
        return self.home / "learner_keys.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "lock"


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The data folder: FINETUNE_HOME, or the platform's usual place for application data."""
    env = os.environ if environ is None else environ
    named = env.get("FINETUNE_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else user_data_path("finetuning-notebooks", appauthor=False)


def read_aliases(text: str) -> dict[str, str]:
    """{name: base} from "name=base,name=base". Raises SettingsError where that is not what it says."""
    aliases = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = ALIAS.fullmatch(part)
        if found is None:
            raise SettingsError(
                f"An alias is {part!r}; it takes NAME=BASE, for example gpt-4o-mini-2024-07-18=pocket-6m, the name "
                "of letters, digits, dots, hyphens and underscores."
            )
        aliases[found["name"]] = found["base"]
    return aliases


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
