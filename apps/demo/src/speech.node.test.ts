/** The task of speech, as users run it: on files that the synthesiser made. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav, normalizeVolume, spokenDigit } from '@nn/audio';
import { afterAll, expect, test } from 'vitest';
import { resultOf, startProgram } from './program-tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('speech hears digits from files, of speakers that it knows and of those that it does not', async () => {
  mkdirSync(join(folder, 'spoken'));
  for (let n = 0; n < 140; n++) {
    const [digit, speaker, take] = [n % 10, Math.floor(n / 10) % 2, Math.floor(n / 20)];
    const bytes = encodeWav(normalizeVolume(spokenDigit(digit, { speaker, take, seed: 1 })));
    writeFileSync(join(folder, `spoken/${digit}_${'ab'[speaker]}_${take}.wav`), bytes);
  }
  const options = ['--task', 'speech', '--data', 'spoken', '--epochs', '2', '--json', '--output', 'speech'];
  const { code, out, error } = await startProgram(options, folder);
  expect([code, error]).toEqual([0, '']);
  expect(out).toContain('140 recorded digits of 2 speakers, 100 of them for testing');
  const { figures, baselines } = resultOf(out);
  expect(Object.keys(figures)).toHaveLength(4);
  expect(baselines['nearest mean']).toBeGreaterThan(0.6);
  expect(out).toMatch(/said \d( \d)+, read/);
  const empty = await startProgram(['--task', 'speech', '--data', '.'], folder);
  expect(empty.error).toContain('it has neither spoken-digits.tar.gz nor files like 3_jackson_12.wav');
}, 240_000);
