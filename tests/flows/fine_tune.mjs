// A fine-tune from beginning to end, as people write it for OpenAI's API in JavaScript: the same flow as fine_tune.py.
//
//     node fine_tune.mjs FOLDER        FOLDER has train.jsonl and validation.jsonl
import fs from "node:fs";
import * as buffer from "node:buffer";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";

globalThis.File ??= buffer.File; // Node 18 has it, but not in the open; the package asks for this line there

const folder = process.argv[2];
const client = new OpenAI();

const upload = (name) =>
  client.files.create({ file: fs.createReadStream(path.join(folder, name)), purpose: "fine-tune" });
const trainingFile = await upload("train.jsonl");
const validationFile = await upload("validation.jsonl");
await client.files.waitForProcessing(trainingFile.id);

let job = await client.fineTuning.jobs.create({
  training_file: trainingFile.id,
  validation_file: validationFile.id,
  model: "gpt-4o-mini-2024-07-18",
  suffix: "my-first",
  seed: 42,
  method: {
    type: "supervised",
    supervised: { hyperparameters: { n_epochs: 2, batch_size: "auto", learning_rate_multiplier: "auto" } },
  },
});
console.log("job", job.id, job.status);

while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
  await sleep(1000);
  job = await client.fineTuning.jobs.retrieve(job.id);
}
console.log("status", job.status, "tokens", job.trained_tokens);

const events = [];
for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 10 })) events.push(event.message);
for (const message of events.reverse()) console.log("event", message);
for await (const checkpoint of client.fineTuning.jobs.checkpoints.list(job.id)) {
  console.log("checkpoint", checkpoint.step_number, checkpoint.metrics.full_valid_loss);
}

const content = await client.files.content(job.result_files[0]);
const rows = (await content.text()).trim().split("\n");
console.log("result", rows.length - 1, rows[0]);

const completion = await client.chat.completions.create({
  model: job.fine_tuned_model,
  messages: [
    { role: "system", content: "You answer with the number." },
    { role: "user", content: "please number 3" },
  ],
  temperature: 0,
  max_tokens: 8,
});
console.log("model", completion.model);
console.log("answer", completion.choices[0].finish_reason, completion.usage.completion_tokens);

const stream = await client.chat.completions.create({
  model: job.fine_tuned_model,
  messages: [{ role: "user", content: "Hello" }],
  max_tokens: 8,
  stream: true,
});
let pieces = 0;
for await (const chunk of stream) pieces += chunk.choices.length > 0;
console.log("pieces", pieces);

await client.models.delete(job.fine_tuned_model);
await client.files.delete(trainingFile.id);
try {
  await client.fineTuning.jobs.create({ training_file: trainingFile.id, model: "gpt-4o-mini-2024-07-18" });
} catch (error) {
  if (!(error instanceof OpenAI.BadRequestError)) throw error;
  console.log("refused", error.code);
}
