/** docs/benchmarks.md and its charts, from the results in docs/benchmarks/. What people wrote stands in notes.md. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderChart } from './chart.mjs';
import { markdownTable } from './format.mjs';
import { faultLines, firstRows, isDisturbed, medianOf, speedRows, timeRows } from './tables.mjs';
import { cpuTargets, gpuTargets, standing } from './targets.mjs';

/** @typedef {import('./tables.mjs').Run} Run */

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const folder = `${docs}benchmarks/`;

/** @returns {string} the file */
export function writeDocument() {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.replace('.json', ''));
  const runs = names.map((name) => ({
    name,
    run: /** @type {Run} */ (JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'))),
  }));
  const parts = [
    '# Benchmarks',
    'Made by `npm run bench -- --publish`; the results are in [benchmarks/](benchmarks/). Times are medians in the unit of the row, smaller is better; `-` means that a library does not have the workload.',
    ...runs.filter(({ run }) => run.kind === 'cpu').map(({ name, run }) => cpuSection(name, run)),
    ...runs.filter(({ run }) => run.kind === 'gpu').map(({ name, run }) => gpuSection(name, run)),
    readFileSync(new URL('notes.md', import.meta.url), 'utf8').trim(),
  ];
  for (const name of ['costs.md', 'vocabulary.md', 'native.md', 'quantisation.md', 'pictures-and-sounds.md']) {
    const text = new URL(name, import.meta.url);
    if (existsSync(text)) parts.push(readFileSync(text, 'utf8').trim());
  }
  writeFileSync(`${docs}benchmarks.md`, `${parts.join('\n\n')}\n`);
  // The results are formatted as the rest of the repository.
  const root = fileURLToPath(new URL('../../', import.meta.url));
  spawnSync('node_modules/.bin/biome', ['format', '--write', 'docs/benchmarks'], { cwd: root, stdio: 'ignore' });
  return `${docs}benchmarks.md`;
}

/** @param {Run} run */
function facts({ machine, date, commit, libraries, quick, workloads }) {
  const versions = libraries.map(({ title, version, detail }) => `${title} ${version} (${detail})`);
  const disturbed = workloads.filter(({ others }) => isDisturbed(others)).length;
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}; Node ${machine.node} (V8 ${machine.v8})${machine.browser ? `, ${machine.browser}, adapter: ${machine.adapter}` : `; most that 128-bit arithmetic can do on one core: ${machine.peak}`}. ${date.slice(0, 10)}, commit ${commit}.`,
    libraries.some(({ name, detail }) => name === 'pytorch' && !/openblas|mkl/i.test(detail))
      ? '**PyTorch has neither OpenBLAS nor MKL here: its products are 50 times slower than with one of them (Debian: `libopenblas0-pthread`), and comparisons with it say nothing.**'
      : '',
    quick ? '**A quick run: the figures only show that it works.**' : '',
    disturbed > 0
      ? `**Other programs were busy during ${disturbed} of ${workloads.length} rows (marked \\*): those figures are not to be trusted.**`
      : '',
    `<details><summary>Versions</summary>\n\n${versions.map((line) => `- ${line}`).join('\n')}\n\n</details>`,
  ]
    .filter((line) => line !== '')
    .join('\n\n');
}

/** @param {string} name @param {Run} run */
function cpuSection(name, run) {
  const charts = cpuCharts(run).map(({ file, chart }) => picture(`${name}-${file}`, chart));
  const peers = ['tfjs-wasm', 'jax-js', 'onnxruntime-web', 'brain.js', 'js-pytorch'];
  return [
    `## CPU, ${String(run.machine.processor).replace(/\(.*?\)/g, '')}, Node ${String(run.machine.node).split('.')[0]}`,
    facts(run),
    ...charts,
    '### Times',
    markdownTable(timeRows(run)),
    '### Speed of products',
    markdownTable(speedRows(run)),
    ...(run.first.length > 0
      ? ['### First step and memory', markdownTable(firstRows(run, 'first')), markdownTable(firstRows(run, 'peak'))]
      : []),
    '### Goals',
    goals(cpuTargets(run)),
    standingText(run, [['nn nn-compile', ...peers]]),
    faults(run),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** @param {string} name @param {Run} run */
function gpuSection(name, run) {
  const charts = gpuCharts(run).map(({ file, chart }) => picture(`${name}-${file}`, chart));
  return [
    `## GPU backends in a browser${run.machine.adapter === 'GPU' ? '' : ', on a software adapter'}`,
    facts(run),
    run.machine.adapter === 'GPU'
      ? ''
      : 'There is no GPU in this machine: SwiftShader computes on the processor. These figures say how the backends compare on it, and nothing about a GPU.',
    ...charts,
    '### Times',
    markdownTable(timeRows(run)),
    ...(run.first.length > 0 ? ['### First step', markdownTable(firstRows(run, 'first'))] : []),
    '### Goals',
    goals(gpuTargets(run)),
    standingText(run, [
      ['nn-webgl2 nn-webgl2-compile', 'tfjs-webgl', 'jax-webgl'],
      ['nn-webgpu nn-webgpu-compile', 'tfjs-webgpu', 'jax-webgpu'],
    ]),
    faults(run),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** @param {readonly import('./targets.mjs').Verdict[]} verdicts */
const goals = (verdicts) =>
  verdicts.length === 0
    ? 'None was measured.'
    : markdownTable([
        ['goal', 'found', ''],
        ...verdicts.map(({ goal, found, reached }) => [goal, found, reached ? 'reached' : '**missed**']),
      ]);

/** @param {Run} run @param {readonly (readonly string[])[]} sides */
function standingText(run, sides) {
  const { won, lost } = standing(run, sides);
  const head = `Against the JavaScript libraries nn is faster in ${won} of ${won + lost.length} comparisons.`;
  return lost.length === 0 ? head : `${head} Where it is not:\n\n${lost.map((line) => `- ${line}`).join('\n')}`;
}

/** @param {Run} run */
function faults(run) {
  const lines = faultLines(run);
  return lines.length === 0 ? '' : `Not measured:\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** Writes a chart and answers the Markdown that shows it. @param {string} file @param {import('./chart.mjs').Chart} chart */
function picture(file, chart) {
  writeFileSync(`${folder}${file}.svg`, renderChart(chart));
  return `![${chart.title}](benchmarks/${file}.svg)`;
}

/** @param {Run} run @param {(entry: Run['workloads'][number]) => boolean} filter @param {(entry: Run['workloads'][number], time: number) => number} value */
function groupsOf(run, filter, value) {
  return run.workloads.filter(filter).flatMap((entry) => {
    const bars = run.libraries.flatMap(({ name, title }) => {
      const time = medianOf(entry.results[name]);
      const kind = name.startsWith('nn') ? 'own' : name.startsWith('pytorch') || name === 'fann' ? 'native' : 'peer';
      return time === null ? [] : [{ label: title, value: value(entry, time), kind: /** @type {'own'} */ (kind) }];
    });
    return bars.length === 0 ? [] : [{ label: entry.workload.title, bars }];
  });
}

/** @param {Run} run */
function cpuCharts(run) {
  const shorter = 'Shorter is better; the axis is logarithmic.';
  const charts = [
    {
      file: 'training',
      chart: {
        title: 'Training steps with Adam',
        note: `Milliseconds a step. ${shorter}`,
        unit: 'ms',
        logarithmic: true,
        groups: groupsOf(
          run,
          ({ workload }) => workload.group === 'training',
          (_, time) => time,
        ),
      },
    },
    {
      file: 'small',
      chart: {
        title: 'A step of a 2-4-1 network, batch 100, SGD',
        note: `Microseconds a step. ${shorter}`,
        unit: 'µs',
        logarithmic: true,
        groups: groupsOf(
          run,
          ({ workload }) => workload.group === 'small',
          (_, time) => time * 1000,
        ),
      },
    },
    {
      file: 'inference',
      chart: {
        title: 'Inference',
        note: `Milliseconds, from an array to an array. ${shorter}`,
        unit: 'ms',
        logarithmic: true,
        groups: groupsOf(
          run,
          ({ workload }) => workload.group === 'inference',
          (_, time) => time,
        ),
      },
    },
    {
      file: 'products',
      chart: {
        title: 'Matrix products',
        note: 'GFLOP/s. Longer is better.',
        unit: 'GFLOP/s',
        logarithmic: false,
        groups: groupsOf(
          run,
          ({ workload }) => workload.group === 'products',
          ({ workload }, time) => (workload.work ?? 0) / time / 1e6,
        ),
      },
    },
  ];
  return charts.filter(({ chart }) => chart.groups.length > 0);
}

/** @param {Run} run */
function gpuCharts(run) {
  const groups = groupsOf(
    run,
    ({ workload }) => workload.unit === 'ms',
    (_, time) => time,
  );
  const chart = {
    title: `GPU backends in Chromium (${run.machine.adapter})`,
    note: 'Milliseconds. Shorter is better; the axis is logarithmic.',
    unit: 'ms',
    logarithmic: true,
    groups,
  };
  return groups.length === 0 ? [] : [{ file: 'times', chart }];
}
