/** Where the time goes, by a device whose clock is known. */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import type { Executable, Program } from './backend.ts';
import { profiles } from './compile/profiler.ts';
import { profile, setDefaultBackend, tensor } from './index.ts';
import { prepare } from './testing.ts';

const inner = prepare(reference());

/** Each step takes as many milliseconds as the step before, and one more. */
const clocked = {
  name: 'clocked',
  limits: inner.limits,
  upload: inner.upload.bind(inner),
  download: inner.download.bind(inner),
  release: inner.release.bind(inner),
  idle: inner.idle.bind(inner),
  compile(program: Program): Executable {
    const executable = inner.compile(program) as Executable;
    return {
      run: (inputs, scalars) => executable.run(inputs, scalars),
      release: () => executable.release(),
      paths: program.steps.map((_, k) => `way ${k}`),
      profile: async (inputs, scalars) => ({
        outputs: executable.run(inputs, scalars),
        milliseconds: program.steps.map((_, k) => k + 1),
      }),
    };
  },
};
setDefaultBackend(clocked);

const product = tensor(new Float32Array(6).fill(2), { shape: [2, 3] });
const work = () => product.matmul(product.transpose()).softmax().data();

test('kernels are summed up over calls, the longest first, with their part of the whole', async () => {
  const report = await profile(async () => {
    await work();
    await work();
  });
  const { kernels, milliseconds } = report;
  expect(kernels.map(({ calls }) => calls)).toEqual(kernels.map(() => 2));
  expect(milliseconds).toBe(kernels.length * (kernels.length + 1));
  expect(kernels.map((kernel) => kernel.milliseconds)).toEqual(kernels.map((_, k) => 2 * (kernels.length - k)));
  expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  const [contraction] = kernels.filter(({ kernel }) => kernel.includes('#contraction'));
  // 2 x 2 x 3 products and sums, twice, in 2 ms
  expect(contraction).toMatchObject({ path: 'way 0', milliseconds: 2, gigaflops: 48 / 2 / 1e6, ofPeak: null });
});

test('speed is compared with the peak where that is given', async () => {
  const { kernels } = await profile(work, { peakGigaflops: 1 });
  for (const { gigaflops, ofPeak } of kernels) expect(ofPeak).toBe(gigaflops);
});

test('the table has a line for each kernel, and the total', async () => {
  const report = await profile(work);
  const lines = `${report}`.split('\n');
  expect(lines).toHaveLength(report.kernels.length + 2);
  expect(lines[0]).toMatch(/^ *ms +share +calls +GFLOP\/s +of peak +path +kernel/u);
  expect(lines.at(-1)).toBe(`total ${report.milliseconds.toFixed(3)} ms`);
});

test("the trace is Chrome's: one event a step, one after the other, in microseconds", async () => {
  const { traceEvents } = JSON.parse((await profile(work)).toChromeTrace()) as {
    traceEvents: { ph: string; ts: number; dur: number; args: { path: string } }[];
  };
  expect(traceEvents.map(({ ph, dur, args }) => [ph, dur, args.path])).toEqual(
    traceEvents.map((_, k) => ['X', 1000 * (k + 1), `way ${k}`]),
  );
  for (const [k, { ts, dur }] of traceEvents.slice(0, -1).entries()) {
    expect(traceEvents[k + 1]?.ts).toBeCloseTo(ts + dur);
  }
});

test('the results are those of an unmeasured run, and afterwards nothing is measured', async () => {
  const measured: unknown[] = [];
  await profile(async () => {
    measured.push(await work());
  });
  expect(measured).toEqual([await work()]);
  await expect(profile(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect((await profile(() => undefined)).kernels).toEqual([]);
});

test('profiles inside one another and beside one another all see what runs, and none stays', async () => {
  let inside = 0;
  const outside = await profile(async () => {
    await work();
    inside = (await profile(work)).kernels[0]?.calls ?? 0;
  });
  expect([inside, outside.kernels[0]?.calls]).toEqual([1, 2]);
  let start = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const long = profile(() => started.then(work));
  expect((await profile(work)).kernels[0]?.calls).toBe(1);
  start();
  expect((await long).kernels[0]?.calls).toBe(2);
  expect(profiles.size).toBe(0);
});
