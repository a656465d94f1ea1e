/**
 * How fast tokenizers learn and cut: 10 MB of text (manual pages of this machine and what ../shared/data/text has, repeated
 * where that is less), vocabularies of 8,000. First is a text that the tokenizer never saw, again the same once more.
 * Run: npx tsx --conditions=@nn/source packages/text/bench/tokenizers.ts
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import { huggingFace } from '../src/hugging-face/index.ts';
import { loadTokenizer, trainBpe, trainUnigram, trainWordPiece } from '../src/index.ts';

const size = 10_000_000;

function texts(): string {
  const parts: string[] = [];
  let length = 0;
  const add = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  const folder = join(import.meta.dirname, '../../../../shared/data/text');
  if (existsSync(folder)) add(readFileSync(join(folder, 'tinyshakespeare.txt'), 'utf8'));
  for (const section of ['man1', 'man8', 'man3', 'man7']) {
    const manuals = join('/usr/share/man', section);
    if (!existsSync(manuals)) continue;
    for (const name of readdirSync(manuals)) {
      if (length >= size) break;
      if (name.endsWith('.gz')) add(gunzipSync(readFileSync(join(manuals, name))).toString('latin1'));
    }
  }
  if (length === 0) add(readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8'));
  while (length < size) add(parts[0]!);
  return parts.join('\n').slice(0, size);
}

const text = texts();
const megabytes = new TextEncoder().encode(text).length / 1e6;
const half = text.slice(0, size / 2);
const speed = (name: string, work: () => void): void => {
  const started = performance.now();
  work();
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`  ${name} ${(megabytes / 2 / seconds).toFixed(1)} MB/s`);
};
for (const train of [trainBpe, trainWordPiece, trainUnigram]) {
  const started = performance.now();
  const tokenizer = await train([text], { size: 8000 });
  process.stdout.write(
    `${train.name.padEnd(15)} ${((performance.now() - started) / 1000).toFixed(2)} s for ${megabytes.toFixed(1)} MB,`,
  );
  const loaded = await loadTokenizer(JSON.parse(JSON.stringify(tokenizer)));
  speed('first', () => loaded.encode(half));
  speed('again', () => loaded.encode(half));
  const others = await loadTokenizer(JSON.parse(JSON.stringify(tokenizer)), {
    library: huggingFace,
    engine: 'library',
  });
  const part = half.slice(0, 200_000);
  const begun = performance.now();
  others.encode(part);
  process.stdout.write(`  @huggingface/tokenizers ${(0.2 / ((performance.now() - begun) / 1000)).toFixed(2)} MB/s\n`);
}
