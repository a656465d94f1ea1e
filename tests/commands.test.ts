/** The commands that come with packages, as users run them: by npx, from what was packed and installed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command } from './support/commands.ts';
import { everything, write } from './support/install.ts';

const npx = (...words: string[]): Promise<string> => command('npx', ['--no', ...words], { cwd: everything() });

test('npx @nn/serialize inspect FILE prints the tensors of a file, and says what a file is that has none', async () => {
  write(everything(), {
    'write.mjs': `
      import { encodeTorch, writeFileAtomic } from '@nn/serialize';
      const tensor = (...shape) => ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
      await writeFileAtomic('net.bin', encodeTorch([['hidden.weight', tensor(3, 2)], ['hidden.bias', tensor(3)]]));`,
  });
  await command(process.execPath, ['write.mjs'], { cwd: everything() });
  expect(await npx('@nn/serialize', 'inspect', 'net.bin')).toBe(`net.bin: PyTorch, 2 tensors

tensor         dtype  shape   elements  bytes
---------------------------------------------
hidden.weight  F32    [3, 2]         6     24
hidden.bias    F32    [3]            3     12
---------------------------------------------
total                                9     36
`);
  const report = JSON.parse(await npx('@nn/serialize', 'inspect', 'net.bin', '--json'));
  expect([report.format, report.elements, report.tensors.length]).toEqual(['PyTorch', 9, 2]);
  writeFileSync(join(everything(), 'page.pt'), '<!DOCTYPE html>');
  await expect(npx('@nn/serialize', 'inspect', 'page.pt')).rejects.toThrow('safetensors: this is a web page');
  await expect(npx('@nn/serialize', 'look', 'net.bin')).rejects.toThrow('npx @nn/serialize inspect FILE');
  expect(await npx('@nn/serialize', 'inspect', '--help')).toContain('FILE is a path');
});
