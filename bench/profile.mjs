/**
 * Where the time of nn's training steps goes, kernel by kernel: `npm run bench -- --profile [--only cnn]`. Each step runs
 * many times; the table is of one average step. `--libraries nn-native` looks at the native backend. Also writes Chrome traces into results/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { native } from '@nn/backend-native';
import { profile, setDefaultBackend } from '@nn/core';
import { print } from './harness/print.mjs';
import { buildModel } from './libraries/nn-models.mjs';
import { digits, textTable } from './report/format.mjs';
import { models } from './workloads/models.mjs';

const [library, ...only] = process.argv.slice(2);
const backend = library === 'nn-native' ? native() : cpu();
setDefaultBackend(backend);
if ('ready' in backend) await backend.ready();
const { engine, details } = backend.info();
print(`Node ${process.versions.node}, ${engine}, ${JSON.stringify(details)}`);
mkdirSync(new URL('results/', import.meta.url), { recursive: true });

for (const spec of Object.values(models)) {
  if (only.length > 0 && !only.some((part) => spec.name.includes(part))) continue;
  const { input, target, loss, optimizer } = await buildModel(spec);
  const step = () => optimizer.step(loss(input, target));
  for (let k = 0; k < 8; k++) await step();
  if ('ready' in backend) {
    await backend.ready();
    for (let k = 0; k < 2; k++) await step();
  }
  const repeats = spec.name === 'small' ? 200 : 10;
  const begin = performance.now();
  for (let k = 0; k < repeats; k++) await step();
  const plain = (performance.now() - begin) / repeats;
  const report = await profile(async () => {
    for (let k = 0; k < repeats; k++) await step();
  });
  writeFileSync(new URL(`results/trace-${spec.name}.json`, import.meta.url), report.toChromeTrace());
  const kernels = report.milliseconds / repeats;
  print(`\n${spec.name}: a step takes ${digits(plain)} ms, its kernels ${digits(kernels)} ms when timed one by one`);
  const rows = report.kernels
    .slice(0, 25)
    .map(({ kernel, path, calls, milliseconds, share, gigaflops }) => [
      kernel.length > 110 ? `${kernel.slice(0, 107)}...` : kernel,
      path,
      String(calls / repeats),
      digits(milliseconds / repeats),
      `${digits(share * 100)} %`,
      digits(gigaflops),
    ]);
  print(textTable([['kernel', 'path', 'calls', 'ms', 'share', 'GFLOP/s'], ...rows]));
  const paths = new Map();
  for (const { path, milliseconds, calls } of report.kernels) {
    const known = paths.get(path) ?? { milliseconds: 0, calls: 0 };
    paths.set(path, { milliseconds: known.milliseconds + milliseconds, calls: known.calls + calls });
  }
  const byPath = [...paths].sort((a, b) => b[1].milliseconds - a[1].milliseconds);
  print(
    byPath
      .map(
        ([path, found]) =>
          `${path || '(no path)'}: ${digits(found.milliseconds / repeats)} ms in ${found.calls / repeats}`,
      )
      .join('; '),
  );
}
