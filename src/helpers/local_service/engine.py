"""Generation: tokens in, tokens out. Knows nothing of text, HTTP or processes.

All requests for the same model are decoded together. Before every step new requests join the batch (their prompts are
read first), and finished ones leave it. Rows of different lengths stand flush right: empty columns on the left are
masked, and positions count from each row's own first token, so an answer does not depend on its neighbours.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from .kv_cache import LastPrompt, RowsLayer, new_cache
from .sampling import Sampling, choose, log_probabilities

MOST_ROWS = 64  # answers decoded at once for one model; more wait
PROMPT_TOKENS = 4096  # read at once for joining rows, so that running answers do not stall for long
CACHE_BYTES = 1024**3  # of keys and values for one model; answers that would need more wait
UNUSED_COLUMNS = 64  # empty columns on the left that are worth a copy to be rid of


class Form(Protocol):
    """What an answer may look like."""

    def allow(self, scores: torch.Tensor) -> torch.Tensor:
        """The next token's scores [vocabulary], those of tokens that cannot follow made -inf."""

    def take(self, token: int) -> None:
        """Note that this token was chosen."""


LogProbs = tuple[float, list[tuple[int, float]]]


@dataclass
class Generation:
    """One answer in the making. `on_token(token, log_probs)` gets each token and returns whether to go on."""

    prompt: list[int]
    most_tokens: int
    on_token: Callable[[int, LogProbs | None], bool]
    sampling: Sampling = field(default_factory=Sampling)
    top_logprobs: int | None = None  # None: no log probabilities are computed
    form: Form | None = None  # what the answer is held to
    produced: int = 0
    finished: bool = False

    @property
    def most_columns(self) -> int:
        """Tokens it may come to, prompt and answer."""
        return len(self.prompt) + self.most_tokens

    def take(self, token: int, scores: torch.Tensor) -> None:
        """Hand one token on, and see whether the answer is finished."""
        log_probs = None if self.top_logprobs is None else log_probabilities(scores, token, self.top_logprobs)
        if self.form is not None:
            self.form.take(token)
        self.produced += 1
        self.finished |= not self.on_token(token, log_probs) or self.produced >= self.most_tokens


class ModelBatch:
    """A loaded model and the answers it is working on."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.waiting: deque[Generation] = deque()
        self.rows: list[Generation] = []
        self._bytes_per_column = _cache_bytes(model)
        self._cache: Any = None
        self._mask = torch.empty(0, 0, dtype=torch.long)  # [rows, columns]: 1 where a row has a token
        self._next: list[int] = []  # each row's last token, not yet read by the model
        self._last_prompt = LastPrompt()

    @property
    def busy(self) -> bool:
        return bool(self.rows or self.waiting)

    @torch.inference_mode()
    def step(self) -> None:
        """Let answers join and leave, then decode one token of each."""
        self._leave()
        self._join()
        if not any(not row.finished for row in self.rows):
            return
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], 1)
        positions = self._mask.sum(1, keepdim=True) - 1
        scores = self._forward(torch.tensor(self._next).unsqueeze(1), self._mask, positions, self._cache)
        self._next = self._chosen(self.rows, scores)

    def _forward(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any) -> torch.Tensor:
        """Scores of the next token [rows, vocabulary], after reading `ids` [rows, columns]."""
        device = self.model.device
        output = self.model(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            position_ids=positions.to(device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float().cpu()

    def _chosen(self, rows: list[Generation], scores: torch.Tensor) -> list[int]:
        tokens = choose(_held(rows, scores), [row.sampling for row in rows])
        for row, token, row_scores in zip(rows, tokens, scores, strict=True):
            if not row.finished:
                row.take(token, row_scores)
        return tokens

    def _leave(self) -> None:
        """Drop finished rows; not at every single one, because it copies the cache."""
        staying = [index for index, row in enumerate(self.rows) if not row.finished]
        gone = len(self.rows) - len(staying)
        if not gone or not (self.waiting or not staying or gone * 4 >= len(self.rows)):
            return
        if not staying:
            self.rows, self._next, self._cache = [], [], None
            return
        keep = torch.tensor(staying)
        mask = self._mask[keep]
        unused = int(mask.argmax(1).min())
        drop = unused if unused >= UNUSED_COLUMNS else 0
        for layer in self._cache.layers:
            layer.keep(keep, drop)
        self._mask = mask[:, drop:]
        self.rows = [self.rows[index] for index in staying]
        self._next = [self._next[index] for index in staying]

    def _join(self) -> None:
        """Read the prompts of waiting answers and put them into the batch, as many as there is room for."""
        group: list[Generation] = []
        columns = max((row.most_columns for row in self.rows), default=0)
        shared, longest = 0, 0
        while self.waiting:
            candidate = self.waiting[0]
            known = self._last_prompt.shared(candidate.prompt)
            least = min(shared, known) if group else known
            columns, longest = max(columns, candidate.most_columns), max(longest, len(candidate.prompt))
            rows = len(self.rows) + len(group) + 1
            room = rows <= MOST_ROWS and rows * columns * self._bytes_per_column <= CACHE_BYTES
            together = bool(known) == bool(shared) and (longest - least) * (len(group) + 1) <= PROMPT_TOKENS
            if (rows > 1 and not room) or (group and not together):
                break
            self.waiting.popleft()
            shared = least
            if not candidate.finished:
                group.append(candidate)
        if group:
            self._read_prompts(group, shared)

    def _read_prompts(self, group: list[Generation], shared: int) -> None:
        """Read what follows the first `shared` tokens of each prompt, which are all those of the last prompt."""
        rest = max(len(row.prompt) for row in group) - shared
        ids = torch.zeros(len(group), rest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(group):
            empty = rest - (len(row.prompt) - shared)
            ids[index, empty:] = torch.tensor(row.prompt[shared:])
            mask[index, empty:] = 1
        mask = torch.cat([mask.new_ones(len(group), shared), mask], 1)
        cache = (
            self._last_prompt.cache(len(group), shared) if shared else new_cache(self.model.config.num_hidden_layers)
        )
        scores = self._forward(ids, mask, (mask.cumsum(1) - 1).clamp(min=0)[:, shared:], cache)
        if 2 * shared < len(group[0].prompt):
            self._last_prompt.remember(group[0].prompt, cache, shared)
        tokens = self._chosen(group, scores)
        if not self.rows:
            self._cache, self._mask = cache, mask
        else:
            for mine, theirs in zip(self._cache.layers, cache.layers, strict=True):
                assert isinstance(mine, RowsLayer) and isinstance(theirs, RowsLayer)
                mine.join(theirs)
            columns = max(self._mask.shape[1], mask.shape[1])
            self._mask = torch.cat([_flush_right(self._mask, columns), _flush_right(mask, columns)])
        self.rows += group
        self._next += tokens


def _held(rows: list[Generation], scores: torch.Tensor) -> torch.Tensor:
    """The scores, for answers that are held to a form without the tokens that would leave it."""
    held = [(index, row.form) for index, row in enumerate(rows) if row.form is not None and not row.finished]
    if held:
        scores = scores.clone()
        for index, form in held:
            scores[index] = form.allow(scores[index])
    return scores


def _flush_right(mask: torch.Tensor, columns: int) -> torch.Tensor:
    return torch.nn.functional.pad(mask, (columns - mask.shape[1], 0))


class LoadedModel:
    """A model in memory, with the answers that somebody waits for and those of batches."""

    def __init__(self, model: Any) -> None:
        self.bytes = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
        self.urgent, self.background = ModelBatch(model), ModelBatch(model)

    @property
    def busy(self) -> bool:
        return self.urgent.busy or self.background.busy


class Engine:
    """The models in memory, least recently used out first. `load(key)` brings a model in."""

    def __init__(self, load: Callable[[Any], Any], most_bytes: int) -> None:
        self._load, self._most_bytes = load, most_bytes
        self._models: OrderedDict[Any, LoadedModel] = OrderedDict()

    @property
    def busy(self) -> bool:
        return any(model.busy for model in self._models.values())

    def submit(self, key: Any, generations: list[Generation], *, in_background: bool = False) -> None:
        """Queue answers for a model, which is loaded if it is not in memory. Raises what loading raises."""
        if key not in self._models:
            self._models[key] = LoadedModel(self._load(key))
        self._models.move_to_end(key)
        model = self._models[key]
        (model.background if in_background else model.urgent).waiting.extend(generations)
        self._make_room()

    def step(self) -> None:
        """One token for every answer in the making, model by model; those in the background stand still meanwhile."""
        models = list(self._models.values())
        urgent = [model.urgent for model in models if model.urgent.busy]
        for batch in urgent or [model.background for model in models if model.background.busy]:
            batch.step()

    def _make_room(self) -> None:
        for key in list(self._models)[:-1]:  # never the one just asked for
            used = sum(model.bytes for model in self._models.values())
            if used > self._most_bytes and not self._models[key].busy:
                del self._models[key]


def _cache_bytes(model: Any) -> int:
    """Bytes of keys and values that one token takes, in fp32."""
    config = model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * 4 * config.num_hidden_layers * config.num_key_value_heads * size
