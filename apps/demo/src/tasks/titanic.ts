/**
 * Who survived: a table with missing values, from the file to the prediction for one passenger. Fill-ins, scales and
 * categories are fitted on the training rows alone, the training stops when the validation gets no better, and what is saved takes a raw row.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setSeed, type Tensor } from '@nn/core';
import { classified, DataLoader, encodeTable, fitTable, inputNames, splitTable, type Table } from '@nn/data';
import { bceWithLogits, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy, AUROC, drawRoc, RocCurve } from '@nn/metrics';
import { AdamW } from '@nn/optim';
import { loadPipeline, modelUse, saveModel } from '@nn/serialize';
import { earlyStopping, padText, Training, validate } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { passengers } from '../tabular-data.ts';

const build = ({ inputSize }: { readonly inputSize: number }): Sequential =>
  new Sequential(new Linear(inputSize, 16), relu, new Dropout(0.2), new Linear(16, 1));

export async function runTitanic(context: Context): Promise<boolean> {
  const { terminal, settings, output, interrupt } = context;
  const { seed, epochs = 200, batchSize = 32, learningRate = 0.005 } = settings;
  const table = await passengers(settings.data, seed);
  setSeed(seed);
  const parts = splitTable(table, { testFraction: 0.2, stratifyBy: 'survived', seed });
  const { train, test: held } = splitTable(parts.train, { testFraction: 0.2, stratifyBy: 'survived', seed });
  const encoding = fitTable(train, {
    targets: 'survived',
    scale: 'standard',
    unknown: 'ignore',
    columns: {
      age: { fill: 'median', indicator: true },
      fare: { fill: 'median', scale: 'robust' },
      embarked: { fill: 'mostFrequent' },
    },
  });
  const loaderOf = (rows: Table, shuffle: boolean) =>
    new DataLoader(classified(encodeTable(rows, encoding)), { batchSize, shuffle, seed });
  const inputs = inputNames(encoding);
  const model = build({ inputSize: inputs.length });

  terminal.line(terminal.paint('  Who survived', 'bold'));
  terminal.text(
    `  ${count(train.lines.length)} passengers to train, ${count(held.lines.length)} to know when to stop, ${count(parts.test.lines.length)} others to test: ${table.name}.`,
  );
  const missing = table.columns
    .map(({ name, values }) => ({ name, share: share(values) }))
    .filter((each) => each.share > 0);
  terminal.text(`  Missing: ${missing.map((each) => `${each.name} ${percent(each.share)}`).join(', ') || 'nothing'}.`);
  terminal.text(`  ${inputs.length} inputs: ${inputs.join(', ')}.`);
  terminal.line();

  const [accuracy, auroc] = [
    new Accuracy({ task: 'binary', from: 'logits' }),
    new AUROC({ from: 'logits', exact: true }),
  ];
  const curve = new RocCurve({ from: 'logits', exact: true });
  const metrics = { accuracy, auroc };
  const step = (batch: { readonly inputs: Tensor; readonly targets: Tensor }): Tensor => {
    const logits = model.forward(batch.inputs).squeeze(1);
    accuracy.update(logits, batch.targets);
    auroc.update(logits, batch.targets);
    return bceWithLogits(logits, batch.targets.cast('float32'));
  };
  const started = performance.now();
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate, weightDecay: 0.01 }),
    data: loaderOf(train, true),
    validation: { data: loaderOf(held, false) },
    metrics,
    step,
    epochs,
    signal: interrupt.signal,
    callbacks: [
      ...shownBy({ task: 'titanic', title: 'Who survived', epochs: false }, context),
      earlyStopping({ monitor: 'validation.loss', patience: 20, restoreBest: model }),
    ],
  });
  const { why, epoch } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const unseen = loaderOf(parts.test, false);
  const figures = await training.evaluate(unseen);
  await validate(unseen, (batch) => {
    const logits = model.forward(batch.inputs).squeeze(1);
    curve.update(logits, batch.targets);
    return bceWithLogits(logits, batch.targets.cast('float32'));
  });
  const baselines = baselinesOf(parts.test);
  terminal.text(
    `  ${why === 'callback' ? `Stopped after epoch ${epoch}, for the validation got no better` : `All ${epoch} epochs`}; the best parameters are back.`,
  );
  terminal.line();
  for (const line of drawRoc([(await curve.read()).epoch].flat(), {
    columns: Math.min(40, terminal.columns - 8),
    rows: 10,
  }))
    terminal.text(`  ${line}`);
  terminal.line();
  const row = (name: string, right: number, area: string): void =>
    terminal.text(`  ${padText(name, 28)} ${percent(right).padStart(8)} ${area.padStart(9)}`);
  terminal.text(`  ${padText('of passengers never seen', 28)} accuracy   ROC-AUC`);
  row('nobody survives', baselines.nobody, '0.500');
  row('women survive', baselines.women, '');
  row('this network', figures.accuracy, figures.auroc.toFixed(3));

  await mkdir(output, { recursive: true });
  const path = join(output, 'titanic.safetensors');
  await saveModel(path, model, { metadata: modelUse({ encoding }) });
  // From here on only the file is used, as another process would.
  const pipeline = await loadPipeline(path, build);
  const passenger = { pclass: '3', sex: 'female', age: null, sibsp: 0, parch: 1, fare: '9.50', embarked: 'S' };
  const { probabilities } = await pipeline.predict(passenger);
  const chance = probabilities?.[pipeline.classes?.[1] ?? ''] ?? Number.NaN;
  terminal.line();
  terminal.text(`  Saved ${shownPath(path, context)}, which takes a raw row:`);
  terminal.text(`  ${JSON.stringify(passenger)}`);
  terminal.text(
    `  survives with a probability of ${terminal.paint(percent(chance), 'bold', 'green')}. ${seconds(performance.now() - started)}.`,
  );
  tellReport('titanic', terminal, context);
  context.tell({
    task: 'titanic',
    data: table.name,
    figures: { accuracy: figures.accuracy, auroc: figures.auroc, epochs: epoch },
    baselines,
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** How often a column has no value. */
function share(values: ArrayLike<number | string | null>): number {
  const missing = Array.from(values).filter((value) => value === null || Number.isNaN(value)).length;
  return missing / values.length;
}

/** How often two rules that need no network are right. */
function baselinesOf(test: Table): { nobody: number; women: number } {
  const column = (name: string): ArrayLike<unknown> => test.columns.find((each) => each.name === name)?.values ?? [];
  const [survived, sex] = [column('survived'), column('sex')];
  let [nobody, women] = [0, 0];
  for (let row = 0; row < survived.length; row++) {
    nobody += Number(survived[row] === '0');
    women += Number((survived[row] === '1') === (sex[row] === 'female'));
  }
  return { nobody: nobody / survived.length, women: women / survived.length };
}
