/** What a trained network makes of the test images: accuracy, the confusion matrix, and a few images with their readings. */
import { evaluate, type Tensor } from '@nn/core';
import { type Classified, DataLoader, type Normalization } from '@nn/data';
import type { Layer } from '@nn/layers';
import type { ReportSample, Terminal } from '@nn/train';
import { type ConfusionMatrix, confusionMatrix, correctOf, drawConfusionMatrix } from '../confusion-matrix.ts';
import { count, percent } from '../format.ts';
import { drawInk, inksInRow, sideBySide } from '../pictures/ink.ts';

const classes = 10;

/** What the network reads in each image, and how sure it is. */
export interface Readings {
  readonly digits: Int32Array;
  /** The probability of the digit that was read. */
  readonly sureness: Float32Array;
  readonly confusion: ConfusionMatrix;
  /** The share that was read right. */
  readonly accuracy: number;
}

/** Reads all images of a dataset. */
export async function readImages(
  model: Layer,
  dataset: Classified<Uint8Array>,
  normalization: Normalization,
): Promise<Readings> {
  const digits = new Int32Array(dataset.size);
  const sureness = new Float32Array(dataset.size);
  let done = 0;
  for (const { inputs, count: rows } of new DataLoader(dataset, {
    batchSize: 250,
    normalize: { inputs: normalization },
  })) {
    const probabilities = evaluate((): Tensor => model.forward(inputs).softmax(1));
    const [read, sure] = await Promise.all([probabilities.argMax(1).data(), probabilities.max(1).data()]);
    digits.set(read, done);
    sureness.set(sure, done);
    done += rows;
  }
  const confusion = confusionMatrix(dataset.fields.targets.data, digits, classes);
  return { digits, sureness, confusion, accuracy: correctOf(confusion) / dataset.size };
}

export function printReport(terminal: Terminal, dataset: Classified<Uint8Array>, readings: Readings): void {
  const { confusion, accuracy } = readings;
  const right = `${count(correctOf(confusion))} of ${count(dataset.size)}`;
  terminal.line();
  terminal.text(`  Test accuracy ${terminal.paint(percent(accuracy), 'bold', 'green')}  (${right})`);
  terminal.line();
  terminal.text(`  ${terminal.paint('Each row is a digit, each column what it was read as', 'bold')}`);
  for (const line of drawConfusionMatrix(confusion, terminal)) terminal.text(`  ${line}`);
  terminal.line();
  for (const line of drawExamples(terminal, dataset, readings)) terminal.line(`  ${line}`.trimEnd());
  terminal.line();
}

/** The same examples for a page: pictures of pixels, with what was read. */
export function reportSamples(dataset: Classified<Uint8Array>, readings: Readings): ReportSample[] {
  const { inputs, targets } = dataset.fields;
  const size = inputs.shape[2] as number;
  return chooseExamples(targets.data, readings, 12).map((index) => {
    const pixels = inputs.data.subarray(index * size * size, (index + 1) * size * size);
    const [actual, read] = [targets.data[index] as number, readings.digits[index] as number];
    const sure = `${percent(readings.sureness[index] as number)} sure`;
    const isRight = actual === read;
    return {
      picture: inkSvg(pixels, size),
      caption: `read ${read}${isRight ? '' : `, is ${actual}`}, ${sure}`,
      isRight,
    };
  });
}

/** An image of ink as an SVG: a square for each pixel that is not paper. */
function inkSvg(pixels: Uint8Array, size: number): string {
  const squares = Array.from(pixels, (ink, at) =>
    ink === 0
      ? ''
      : `<path d="M${at % size} ${Math.floor(at / size)}h1v1h-1z" fill-opacity="${(ink / 255).toFixed(2)}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}"><rect width="100%" height="100%" fill="#fff"/>${squares.join('')}</svg>`;
}

/** As many images as fit side by side: first some that were read right, then mistakes, if there are any. */
function drawExamples(terminal: Terminal, dataset: Classified<Uint8Array>, readings: Readings): string[] {
  const { inputs, targets } = dataset.fields;
  const size = inputs.shape[2] as number;
  const blocks = chooseExamples(targets.data, readings, inksInRow(terminal)).map((index) => {
    const pixels = inputs.data.subarray(index * size * size, (index + 1) * size * size);
    const [actual, read] = [targets.data[index] as number, readings.digits[index] as number];
    const caption =
      actual === read
        ? terminal.paint(`read ${read}`, 'green')
        : terminal.paint(`read ${read}, is ${actual}`, 'bold', 'red');
    const sure = terminal.paint(`${percent(readings.sureness[index] as number)} sure`, 'dim');
    return [...drawInk({ pixels, size }, terminal), caption, sure];
  });
  return sideBySide(blocks);
}

/** Different digits that were read right, then the mistakes that it was most sure of: at most two, at most half. */
function chooseExamples(actual: Int32Array, { digits, sureness }: Readings, places: number): number[] {
  const all = [...actual.keys()];
  const mistakes = all
    .filter((index) => digits[index] !== actual[index])
    .sort((a, b) => (sureness[b] as number) - (sureness[a] as number))
    .slice(0, Math.min(2, Math.floor(places / 2)));
  const seen = new Set<number | undefined>();
  const right = all.filter((index) => {
    if (digits[index] !== actual[index] || seen.has(actual[index])) return false;
    seen.add(actual[index]);
    return true;
  });
  return [...right.slice(0, places - mistakes.length), ...mistakes];
}
