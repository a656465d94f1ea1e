/**
 * Two series go on: passengers of airlines by twelve months, temperatures by seven days. An LSTM and a linear model learn from windows
 * of the past, and both have to beat the rule "as one season ago" (MASE under that of the rule).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, setSeed, type Tensor, tensor } from '@nn/core';
import { type DataArray, DataLoader, scaledError, seasonalNaive, slidingWindows } from '@nn/data';
import { Linear, LSTM, smoothL1 } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { earlyStopping, padText, Training } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, seconds } from '../format.ts';
import { drawSeries } from '../pictures/series.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { airline, type Series, temperatures } from '../tabular-data.ts';
import { encoded, type Plan, passengersPlan, temperaturesPlan } from './forecast-plans.ts';

/** Both learn side by side: their losses are added, and no parameter is in both. */
class Forecasters {
  readonly lstm: LSTM;
  readonly readout: Linear;
  readonly linear: Linear;
  readonly #last: number;

  constructor({ length, horizon, hidden }: Plan, elements: number) {
    this.lstm = new LSTM(elements, hidden, { batchFirst: true });
    this.readout = new Linear(hidden, horizon);
    this.linear = new Linear(length * elements, horizon);
    this.#last = length - 1;
  }

  /** Windows [N, length, elements] to forecasts [N, horizon]; both tell how the last value changes. */
  forward(windows: Tensor): { readonly lstm: Tensor; readonly linear: Tensor } {
    const { hidden } = this.lstm.forward(windows);
    const last = windows.slice([0, this.#last, 0], [windows.shape[0]!, this.#last + 1, 1]).squeeze(2);
    return {
      lstm: this.readout.forward(hidden.at(0)).add(last),
      linear: this.linear.forward(windows.flatten(1)).add(last),
    };
  }
}

export async function runForecast(context: Context): Promise<boolean> {
  const { terminal, settings, output } = context;
  const started = performance.now();
  const figures: Record<string, number> = {};
  const baselines: Record<string, number> = {};
  terminal.line(terminal.paint('  Two series go on', 'bold'));
  await mkdir(output, { recursive: true });
  for (const [plan, series] of [
    [passengersPlan, await airline(settings.data, settings.seed)],
    [temperaturesPlan, await temperatures(settings.data, settings.seed)],
  ] as const) {
    const errors = await forecast(plan, series, context);
    if (errors === null) return tellStopped(context);
    figures[`${plan.key} LSTM MASE`] = errors.lstm;
    figures[`${plan.key} linear MASE`] = errors.linear;
    baselines[`${plan.key} seasonal naive MASE`] = errors.naive;
  }
  terminal.line();
  terminal.text(
    `  MASE: the mean error over that of "as one season ago" within the training part. ${seconds(performance.now() - started)}.`,
  );
  tellReport('forecast', terminal, context);
  const data = settings.data === undefined ? 'drawn series' : 'airline-passengers.csv, daily-min-temperatures.csv';
  context.tell({ task: 'forecast', data, figures, baselines, seconds: (performance.now() - started) / 1000 });
  return true;
}

interface Errors {
  readonly lstm: number;
  readonly linear: number;
  readonly naive: number;
}

async function forecast(plan: Plan, { name, values }: Series, context: Context): Promise<Errors | null> {
  const { terminal, settings, output, interrupt } = context;
  const { seed, epochs = plan.epochs, batchSize = 32, learningRate = 0.005 } = settings;
  const { period, length, horizon, test } = plan;
  setSeed(seed);
  const history = values.slice(0, values.length - test);
  const learned = encoded(plan, values);
  const elements = learned.shape[1]!;
  const trained = history.length - (values.length - learned.shape[0]!); // moments of `learned` before the test part
  const windows = slidingWindows(part(learned, 0, trained), { length, horizon, targets: [0] });
  // The last windows say when to stop; those that overlap with them are left out.
  const kept = Math.max(horizon, Math.floor(windows.size * 0.15));
  const numbers = Array.from({ length: windows.size }, (_, i) => i);
  const samples = { train: windows.take(numbers.slice(0, -kept - horizon)), held: windows.take(numbers.slice(-kept)) };
  const model = new Forecasters(plan, elements);
  const loss = (forecasts: Tensor, { targets }: { readonly targets: Tensor }): Tensor =>
    smoothL1(forecasts, targets.squeeze(2));

  terminal.line();
  terminal.text(
    `  ${terminal.paint(name, 'bold')}: ${count(values.length)} moments, the last ${test} for testing; ${length} of the past give the next ${horizon}.`,
  );
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate }),
    data: new DataLoader(samples.train, { batchSize, shuffle: true, seed }),
    validation: { data: new DataLoader(samples.held, { batchSize: 256 }) },
    step: (batch) => {
      const { lstm, linear } = model.forward(batch.inputs);
      return loss(lstm, batch).add(loss(linear, batch));
    },
    epochs,
    signal: interrupt.signal,
    callbacks: [
      ...shownBy({ task: 'forecast', title: name, epochs: false }, context),
      earlyStopping({ monitor: 'validation.loss', patience: Math.ceil(epochs / 5), restoreBest: model }),
    ],
  });
  const { why, epoch } = await training.run();
  terminal.clear();
  if (why === 'aborted') return null;
  if (why === 'callback') {
    terminal.text(
      `  Stopped after epoch ${epoch} of ${epochs}, for the validation got no better; the best parameters are back.`,
    );
  }

  // One forecast from each moment of the test part at which all that follows is known.
  const past = (t: number): number => values[t]!;
  const origins = Array.from({ length: test - horizon + 1 }, (_, i) => history.length + i);
  const offset = values.length - learned.shape[0]!;
  const inputs = new Float32Array(origins.length * length * elements);
  origins.forEach((origin, i) => {
    const from = (origin - length - offset) * elements;
    inputs.set(learned.data.subarray(from, from + length * elements), i * length * elements);
  });
  const outputs = evaluate(() => model.forward(tensor(inputs, { shape: [origins.length, length, elements] })));
  const decoded = async (forecasts: Tensor): Promise<number[][]> => {
    const data = await forecasts.data();
    return origins.map((origin, i) =>
      Array.from({ length: horizon }, (_, h) => plan.decode(data[i * horizon + h]!, past, origin + h)),
    );
  };
  const [lstm, linear] = await Promise.all([decoded(outputs.lstm), decoded(outputs.linear)]);
  const naive = origins.map((origin) => Array.from(seasonalNaive(values.slice(0, origin), { period, horizon })));
  const errorOf = (forecasts: readonly number[][]): number =>
    forecasts.reduce((sum, each, i) => {
      const actual = values.slice(origins[i]!, origins[i]! + horizon);
      return sum + scaledError(each, actual, { history, period });
    }, 0) / forecasts.length;
  const errors = { lstm: errorOf(lstm), linear: errorOf(linear), naive: errorOf(naive) };

  draw(values, horizon, { naive: naive.at(-1)!, linear: linear.at(-1)!, lstm: lstm.at(-1)! }, context);
  terminal.text(`  ${padText('of forecasts never seen', 30)} MASE`);
  for (const [what, error] of [
    ['as one season ago', errors.naive],
    ['linear', errors.linear],
    ['LSTM', errors.lstm],
  ] as const)
    terminal.text(`  ${padText(what, 30)} ${error.toFixed(3)}`);
  const path = join(output, `forecast-${plan.key}.safetensors`);
  await saveModel(path, model);
  terminal.text(`  Saved ${shownPath(path, context)}.`);
  return errors;
}

function part({ data, shape }: DataArray<Float32Array>, from: number, to: number): DataArray<Float32Array> {
  return { data: data.slice(from * shape[1]!, to * shape[1]!), shape: [to - from, shape[1]!] };
}

/** The end of the series, and the forecasts over what came. */
function draw(
  values: readonly number[],
  horizon: number,
  forecasts: {
    readonly naive: readonly number[];
    readonly linear: readonly number[];
    readonly lstm: readonly number[];
  },
  { terminal }: Context,
): void {
  const shown = 5 * horizon;
  const before = new Array<number>(shown - horizon).fill(Number.NaN);
  const columns = Math.max(20, Math.min(72, terminal.columns - 4));
  const lines = [
    { values: [...before, ...forecasts.naive], sign: '-', style: 'dim' },
    { values: values.slice(-shown), sign: '.', style: 'bold' },
    { values: [...before, ...forecasts.linear], sign: 'o', style: 'cyan' },
    { values: [...before, ...forecasts.lstm], sign: '#', style: 'green' },
  ] as const;
  for (const line of drawSeries(lines, columns, 10, terminal)) terminal.line(`  ${line}`);
  const paint = terminal.paint.bind(terminal);
  terminal.text(
    `  ${paint('what came (.)', 'bold')}  ${paint('as one season ago (-)', 'dim')}  ${paint('linear (o)', 'cyan')}  ${paint('LSTM (#)', 'green')}`,
  );
}
