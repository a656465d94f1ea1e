/** The README tells which layers are read and written; NN_UPDATE writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keras3Settings } from './config/keras3-settings.ts';
import { hasTfjs } from './config/tfjs-rules.ts';
import { readClasses } from './layers/table.ts';

test('the layers of the README are those of the code', () => {
  const path = join(import.meta.dirname, '../README.md');
  const readme = readFileSync(path, 'utf8');
  const classes = readClasses();
  const inKeras3 = (name: string): boolean => Object.hasOwn(keras3Settings, name);
  const shown = (names: readonly string[]): string =>
    names.map((name) => (hasTfjs(name) ? `**${name}**` : name)).join(', ');
  const missing = Object.keys(keras3Settings).filter((name) => !classes.includes(name) && !/Cells?$/.test(name));
  const text = [
    `Read, and written as \`.keras\` and \`.h5\`; **bold** ones for TensorFlow.js, too: ${shown(classes.filter(inKeras3))}.`,
    `Of Keras 2 alone, read and written as \`.h5\`: ${shown(classes.filter((name) => !inKeras3(name)))}.`,
    `Not read: ${missing.join(', ')}, and the layers of texts.`,
  ].join('\n\n');
  const updated = readme.replace(/(<!-- layers -->\n)[\s\S]*(<!-- \/layers -->)/, `$1${text}\n$2`);
  if (process.env.NN_UPDATE) writeFileSync(path, updated);
  else expect(readme).toBe(updated);
});
