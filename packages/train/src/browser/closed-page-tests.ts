/** The page of closed-pages.test.ts: trains, says each step in the console, and at the end the bytes of all that was saved. */
import { trainInWorker } from '../index.ts';
import { readSave } from './checkpoint.ts';
import { begin } from './closed-run-tests.ts';
import type { served } from './closed-worker-tests.ts';

const words = new URLSearchParams(location.search);
const name = words.get('name') ?? '';
/** To the test. */
// biome-ignore lint/suspicious/noConsole: the test listens to it
const say = (text: string): void => console.log(text);

async function train(): Promise<unknown> {
  if (words.get('where') === 'worker') {
    const worker = new Worker('closed-worker-tests.js', { type: 'module' });
    const run = trainInWorker<typeof served>(worker, { name }, { every: 0 });
    for await (const { type, step } of run) if (type === 'step') say(`step ${step}`);
    return (await run.outcome).history;
  }
  const training = await begin({ name });
  for await (const { type, step } of training) if (type === 'step') say(`step ${step}`);
  return training.history;
}

async function digest(file: string): Promise<string> {
  const bytes = await readSave(name, file);
  if (bytes === null) return 'none';
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const history = await train();
const files = ['checkpoint', 'best', 'step-46', 'step-48', 'step-50'].map((file) => `${file}.safetensors`);
const digests = await Promise.all(files.map(async (file) => [file, await digest(file)]));
say(`result: ${JSON.stringify({ history, digests })}`);
