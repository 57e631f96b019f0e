"""A fine-tune from beginning to end, as people write it for OpenAI's API: no line here knows of the local service.

python fine_tune.py FOLDER        FOLDER has train.jsonl and validation.jsonl
"""

import csv
import io
import sys
import time
from pathlib import Path

import openai

folder = Path(sys.argv[1])
client = openai.OpenAI()
print("openai", openai.__version__)

with (folder / "train.jsonl").open("rb") as file:
    training_file = client.files.create(file=file, purpose="fine-tune")
with (folder / "validation.jsonl").open("rb") as file:
    validation_file = client.files.create(file=file, purpose="fine-tune")
client.files.wait_for_processing(training_file.id)

job = client.fine_tuning.jobs.create(
    training_file=training_file.id,
    validation_file=validation_file.id,
    model="gpt-4o-mini-2024-07-18",
    suffix="my-first",
    seed=42,
    method={
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": "auto"}},
    },
)
print("job", job.id, job.status)

while job.status not in ("succeeded", "failed", "cancelled"):
    time.sleep(1)
    job = client.fine_tuning.jobs.retrieve(job.id)
print("status", job.status, "tokens", job.trained_tokens)
if job.error and job.error.code:
    sys.exit(f"error {job.error.code}: {job.error.message}")

events = list(client.fine_tuning.jobs.list_events(fine_tuning_job_id=job.id, limit=10))
for event in reversed(events):
    print("event", event.message)
for checkpoint in client.fine_tuning.jobs.checkpoints.list(job.id):
    print("checkpoint", checkpoint.step_number, checkpoint.metrics.full_valid_loss)

content = client.files.content(job.result_files[0])
rows = list(csv.DictReader(io.StringIO(content.text)))
print("result", len(rows), ",".join(rows[0]))

completion = client.chat.completions.create(
    model=job.fine_tuned_model,
    messages=[
        {"role": "system", "content": "You answer with the number."},
        {"role": "user", "content": "please number 3"},
    ],
    temperature=0,
    max_tokens=8,
)
print("model", completion.model)
print("answer", completion.choices[0].finish_reason, completion.usage.completion_tokens)

stream = client.chat.completions.create(
    model=job.fine_tuned_model, messages=[{"role": "user", "content": "Hello"}], max_tokens=8, stream=True
)
print("pieces", sum(1 for chunk in stream if chunk.choices))

client.models.delete(job.fine_tuned_model)
client.files.delete(training_file.id)
try:
    client.fine_tuning.jobs.create(training_file=training_file.id, model="gpt-4o-mini-2024-07-18")
except openai.BadRequestError as error:
    print("refused", error.code)
