import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy, ConfusionMatrix } from '@nn/metrics';
import { AdamW } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import { dashboard } from '../callbacks/dashboard.ts';
import type { Callback } from '../events.ts';
import { recordTerminal as screen } from '../recorded-terminal.ts';
import { Training } from '../training.ts';
import { Curves, panelsOf } from './curves.ts';
import { extentOf, lineChart, smoothed, ticksOf } from './line-chart.ts';
import { legendOf } from './line-colors.ts';
import { confusion } from './report-page.ts';
import { RunReport } from './run-report.ts';

beforeAll(() => setDefaultBackend(cpu()));

function moonsTraining(callbacks: readonly Callback[], epochs = 4) {
  setSeed(1);
  const model = new Sequential(new Linear(2, 8), relu, new Linear(8, 2));
  const [accuracy, matrix] = [new Accuracy(), new ConfusionMatrix({ classes: 2 })];
  return new Training({
    model,
    optimizer: new AdamW(model, { learningRate: 0.05 }),
    data: new DataLoader(moons(100, { seed: 1 }), { batchSize: 20, shuffle: true, seed: 1 }),
    validation: { data: new DataLoader(moons(40, { seed: 2 }), { batchSize: 40 }) },
    metrics: { accuracy, matrix },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      matrix.update(logits, targets);
      return crossEntropy(logits, targets);
    },
    epochs,
    readEvery: 2,
    callbacks,
  });
}

describe('Curves', () => {
  test('keep the mean of neighbours, and the last step, when there are too many points', () => {
    const curves = new Curves();
    for (let step = 1; step <= 4000; step++) curves.add('x', step, step);
    const { steps, values } = curves.get('x');
    expect(steps.length).toBeLessThanOrEqual(1000);
    expect(steps.at(-1)).toBeGreaterThan(3990);
    // each point stands at the last of the steps whose mean it is
    const each = steps[1]! - steps[0]!;
    steps.forEach((step, at) => void expect(values[at]).toBeCloseTo(step - (each - 1) / 2, 9));
    curves.add('y', 1, Number.NaN);
    expect(curves.names).toEqual(['x']);
    const other = new Curves();
    other.loadHostState(JSON.parse(JSON.stringify(curves.hostState())));
    for (const each of [curves, other]) each.add('x', 4001, 0);
    expect(other.get('x')).toEqual(curves.get('x'));
    expect(() => other.loadHostState({ x: 1 })).toThrow(
      'Curves: the saved state has no points: it is of something else.',
    );
  });

  test('values and their validation share a panel', () => {
    expect(panelsOf(['loss', 'accuracy', 'validation.loss', 'learning rate', 'learning rate 1'])).toEqual([
      ['loss', ['loss', 'validation.loss']],
      ['accuracy', ['accuracy']],
      ['learning rate', ['learning rate', 'learning rate 1']],
    ]);
  });
});

describe('lineChart', () => {
  test('has round ticks and places points by their values', () => {
    expect(ticksOf(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf(-37, 112, 5)).toEqual([0, 50, 100]);
    expect(ticksOf(3, 3, 5)).toEqual([3]);
    expect([extentOf([]), extentOf([4, 4]), extentOf([0])]).toEqual([
      [0, 1],
      [2, 6],
      [-0.5, 0.5],
    ]);
    const svg = lineChart([{ name: 'a<b', steps: [0, 10], values: [0, 1] }], { title: 'T&', width: 100, height: 100 });
    expect(svg).toContain('d="M52.0 66.0L90.0 43.0"');
    expect(svg).toContain('a&lt;b 1');
    expect(svg).toContain('<title>T&amp;</title>');
  });

  test('begins a new row of names where one is full, and lowers the curves', () => {
    expect(legendOf(['loss 0.1', 'validation.loss 0.2', 'x'], 170)).toEqual([
      { text: 'loss 0.1', x: 0, row: 0 },
      { text: 'validation.loss 0.2', x: 0, row: 1 },
      { text: 'x', x: expect.closeTo(145.8), row: 1 },
    ]);
    expect(legendOf(['a name that is wider than the picture'], 50)[0]).toMatchObject({ x: 0, row: 0 });
  });

  test('draws many points as the mean of those around each, and the points behind', () => {
    expect(smoothed([1, 2, 6])).toEqual([1, 2, 6]);
    const noisy = Array.from({ length: 200 }, (_, at) => at + (at % 2 === 0 ? 5 : -5));
    const mean = smoothed(noisy);
    // the ends follow the slope, and one noisy point does not bend them
    expect(Math.abs(mean[0]!)).toBeLessThan(3);
    expect(Math.abs(mean[199]! - 199)).toBeLessThan(3);
    const rising = Array.from({ length: 200 }, (_, at) => 3 * at + 1);
    smoothed(rising).forEach((value, at) => void expect(value).toBeCloseTo(rising[at]!, 6));
    // eleven points, six of them above where the middle is even: 5 / 11 beside the line
    expect(mean[100]).toBeCloseTo(100 - 5 / 11, 9);
    const steps = noisy.map((_, at) => at);
    expect(lineChart([{ name: 'a', steps, values: noisy }], { title: 'a' }).match(/stroke-opacity/g)).toHaveLength(1);
    const few = { name: 'a', steps: steps.slice(0, 119), values: noisy.slice(0, 119) };
    expect(lineChart([few], { title: 'a' })).not.toContain('stroke-opacity');
  });
});

describe('RunReport', () => {
  test('holds curves, epochs, the matrix, samples, settings, timings and warnings', async () => {
    let clock = 0;
    const report = new RunReport({
      title: 'Moons <1>',
      settings: { learningRate: 0.05, layers: [2, 8, 2] },
      versions: { mine: '1.2.3' },
      confusion: 'validation.matrix',
      classNames: ['left', 'right'],
      samples: () => [
        { picture: '<svg xmlns="http://www.w3.org/2000/svg"/>', caption: 'read 3', isRight: true },
        { picture: Uint8Array.of(1, 2, 255), caption: 'read "4"', isRight: false },
      ],
      watts: 100,
      now: () => (clock += 10),
    });
    const warn: Callback = {
      handle: ({ type, step }, training) =>
        void (type === 'step' && step === 3 && training.warn('spike', 'look <here>')),
    };
    const { history } = await moonsTraining([warn, report]).run();
    const html = await report.html();
    expect(html).toContain('<h1>Moons &lt;1&gt;</h1><p class="end">done after 20 steps</p>');
    for (const title of [
      'Curves',
      'Epochs',
      'Confusion matrix',
      'Samples',
      'Settings',
      'Timings',
      'Versions',
      'Warnings',
    ]) {
      expect(html).toContain(`<h2>${title}</h2>`);
    }
    for (const title of ['loss', 'accuracy', 'learning rate']) expect(html).toContain(`<title>${title}</title>`);
    const text = (value: number | undefined): string => String(Number(value!.toPrecision(4)));
    expect(html).toContain(`>${text(history[3]!.values['validation.accuracy'])}</td>`);
    // the last values, and the best of each column: the lowest of losses, the first of the highest of accuracies
    expect(html).toContain(`<dt>loss</dt><dd>${text(history[3]!.values.loss)}</dd>`);
    const accuracies = history.map(({ values }) => values.accuracy);
    expect(html.match(/<td class="best">/g)).toHaveLength(4);
    expect(html).toContain(`<td class="best">${text(Math.max(...accuracies))}</td>`);
    expect(html).toContain('<p class="note">validation.matrix, epoch 4</p>');
    expect(html).toContain('>left<');
    expect(html).toContain('<th scope="row">layers</th><td>[2,8,2]</td>');
    expect(html).toContain('<th scope="row">mine</th><td>1.2.3</td>');
    expect(html).toContain('<li>look &lt;here&gt; <small>(step 3)</small></li>');
    expect(html).toContain('data:image/png;base64,AQL/');
    expect(html).toContain('<figure class="wrong">');
    expect(html).toMatch(/<th scope="row">energy<\/th><td>about [\d.e-]+ Wh at 100 W<\/td>/);
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  test('shows the matrix of a metric without being told its name, also after a resume, and says which name is wrong', async () => {
    const matrixOf = (html: string): string | undefined => /<h2>Confusion matrix[\s\S]*?<\/section>/.exec(html)?.[0];
    const [named, found, training, wrong, other] = [
      new RunReport({ confusion: 'validation.matrix' }),
      new RunReport(),
      new RunReport({ confusion: 'matrix' }),
      new RunReport({ confusion: 'validation.matrx<' }),
      new RunReport(),
    ];
    await moonsTraining([named, found, training, wrong]).run();
    const expected = matrixOf(await named.html());
    expect(expected).toContain('<table class="matrix">');
    expect(matrixOf(await found.html())).toBe(expected);
    expect(matrixOf(await training.html())).not.toBe(expected);
    expect(matrixOf(await wrong.html())).toContain(
      "There is no matrix 'validation.matrx&lt;' among the values: accuracy, matrix, loss, validation.accuracy, validation.matrix, validation.loss.",
    );
    other.loadHostState(JSON.parse(JSON.stringify(found.hostState())));
    expect(matrixOf(await other.html())).toBe(expected);
  });

  test('says of each class how well it is found, and of many classes what is confused', () => {
    const small = confusion(
      [
        [6, 2],
        [0, 0],
      ],
      ['a<', 'b'],
    );
    expect(small).toContain(
      '<tr><th scope="row">a&lt;</th><td>1.000</td><td>0.750</td><td>0.857</td><td>8</td></tr><tr><th scope="row">b</th><td>0.000</td><td>–</td><td>0.000</td><td>0</td></tr>',
    );
    expect(small).toContain('<td style="background:rgb(213 94 0/0.23)">2</td>');
    const many = Array.from({ length: 41 }, (_, row) => Array.from({ length: 41 }, (_, column) => row * 41 + column));
    const large = confusion(many, undefined);
    expect(large).not.toContain('class="matrix"');
    expect(large).toContain('<tr><td>40</td><td>39</td><td>1679</td></tr><tr><td>40</td><td>38</td><td>1678</td></tr>');
    expect(large.match(/<tr><td>/g)).toHaveLength(20);
  });

  test('has the energy that a meter counted, with its method, and adds to it after a resume', async () => {
    let counted = 0;
    const energy = {
      start: () => {
        counted = 0;
      },
      read: () => {
        counted++;
        return { joules: counted * 1.5, gramsCO2: 0.25, method: 'model: <85> W' };
      },
    };
    const report = new RunReport({ energy });
    const row = async (of: RunReport): Promise<string | undefined> =>
      /<th scope="row">energy<[\s\S]*?<\/td>/.exec(await of.html())?.[0];
    expect(await row(report)).toContain('not known: give watts or energy');
    await moonsTraining([report], 1).run();
    // an epoch, its validation, a rest after it and the end, as often as they come
    const joules = Number(/([\d.]+) J/.exec((await row(report))!)?.[1]);
    expect(joules / 1.5).toBeGreaterThanOrEqual(3);
    expect(joules % 1.5).toBe(0);
    expect(await row(report)).toContain(`${(joules / 1.5) * 0.25} g CO2 (model: &lt;85&gt; W)`);
    const again = new RunReport({ energy });
    again.loadHostState(JSON.parse(JSON.stringify(report.hostState())));
    expect(await row(again)).toBe(await row(report));
  });

  test('goes on after a resume with what was collected before', async () => {
    const [whole, left, again] = [new RunReport(), new RunReport(), new RunReport()];
    await moonsTraining([whole]).run();
    const first = moonsTraining([left]);
    for await (const event of first) if (event.type === 'rest' && event.step === 8) break;
    const bytes = await encodeCheckpoint(first.parts);
    const second = moonsTraining([again]);
    await loadCheckpoint(bytes, second.parts);
    await second.run();
    for (const name of whole.curves.names) expect(again.curves.get(name)).toEqual(whole.curves.get(name));
    const epochs = (html: string): string => /<h2>Epochs[\s\S]*?<\/section>/.exec(html)![0];
    expect(epochs(await again.html())).toBe(epochs(await whole.html()));
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
const sequences = /\u001b\[[?\d;]*[A-Za-z]|\r/g;

describe('dashboard', () => {
  const run = async (options: Parameters<typeof screen>[0]): Promise<string[]> => {
    const { terminal, text } = screen(options);
    let clock = 0;
    await moonsTraining([dashboard({ terminal, title: 'Moons', now: () => (clock += 50) })]).run();
    return text().replace(sequences, '').split('\n');
  };

  test('shows curves, values, speed and a bar, no line wider than the screen', async () => {
    for (const columns of [100, 80, 60, 30]) {
      const lines = await run({ columns, rows: 30 });
      for (const line of lines) expect([columns, line, line.length <= columns]).toEqual([columns, line, true]);
      const last = lines.slice(lines.findLastIndex((line) => line.includes('Moons')));
      expect(last[0]).toContain('epoch 4/4');
      expect(last[1]).toContain('100 %');
      if (columns >= 60) expect(last[2]).toMatch(/^ {2}loss [\d.]+ {2}validation\.loss [\d.]+/);
      // values are there also where the long name has no room
      const other = { 30: '', 80: 'validation ' }[columns] ?? 'validation.accuracy ';
      const accuracy = new RegExp(`accuracy [\\d.]+ {2}${other}[\\d.]+`);
      expect(last.join('\n')).toMatch(accuracy);
      expect(last.join('\n')).toMatch(/[⠁-⣿]/);
      expect(last.join('\n')).toContain('samples/s');
    }
  });

  test('says of a training that was stopped in which epoch, by whom, and not what would have been left', async () => {
    const { terminal, text } = screen({ columns: 100 });
    let epochs = 0;
    const stop: Callback = {
      handle: ({ type }, training) => void (type === 'epoch' && ++epochs === 2 && training.stop()),
    };
    await moonsTraining([stop, dashboard({ terminal })]).run();
    const lines = text().replace(sequences, '').split('\n');
    const last = lines.slice(lines.findLastIndex((line) => line.includes('Training')));
    expect(last[0]).toMatch(/^ {2}Training {2}epoch 2\/4 {2}step \d+\/\d+ {2}stopped by a callback$/);
    expect(last.join('\n')).toMatch(/samples\/s, [\d.]+ ms a step$/m);
  });

  test('is plain lines where there is no terminal', async () => {
    const lines = await run({ isTTY: false });
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}epoch 4\/4 {2}loss/));
    expect(lines.join('\n')).not.toMatch(/[⠁-⣿]/);
  });
});
