/** The report of a run as a file, written anew at the end of each epoch and at the end. What stands in it is run-report.ts. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Callback } from '../events.ts';
import { RunReport, type RunReportOptions } from '../report/run-report.ts';
import { checkPath, writing } from './paths.ts';

export interface HtmlReportOptions extends RunReportOptions {
  /** The file; folders are made. */
  readonly path: string;
  /** Epochs are written no more often than this, the end always. Default 5. */
  readonly seconds?: number;
}

/**
 * Writes a report of the training, one HTML file that needs no other: curves, epochs, confusion matrix, samples, settings,
 * timings, versions, warnings. After a resume it goes on with what was collected before.
 *
 * @example
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { Training } from '@nn/train';
 * import { htmlReport } from '@nn/train/node';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/report.html`;
 * const model = new Linear(1, 1);
 * await new Training({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 0.1 }),
 *   data: [tensor([[1]])],
 *   step: (x) => model.forward(x).square().mean(),
 *   epochs: 3,
 *   callbacks: [htmlReport({ path, title: 'To zero', settings: { learningRate: 0.1 } })],
 * }).run();
 * console.log(readFileSync(path, 'utf8').includes('<h1>To zero</h1>')); // => true
 */
export function htmlReport(options: HtmlReportOptions): Callback & { readonly report: RunReport } {
  const { path: given, seconds = 5, ...rest } = Object(options) as HtmlReportOptions;
  const path = checkPath('htmlReport', 'path', given, "htmlReport({ path: 'runs/1.html' })");
  const report = new RunReport(rest);
  let isEpochOver = false;
  let writtenAt = Number.NEGATIVE_INFINITY;
  return {
    report,
    isOutput: true,
    hears: report.hears,
    handle: async (event, training) => {
      report.handle(event, training);
      if (event.type === 'epoch') isEpochOver = true;
      if (event.type !== 'stopped' && !(event.type === 'rest' && isEpochOver)) return;
      if (event.type !== 'stopped' && performance.now() - writtenAt < 1000 * seconds) return;
      [isEpochOver, writtenAt] = [false, performance.now()];
      const html = await report.html();
      await writing('htmlReport', path, async () => {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, html);
      });
    },
  };
}
