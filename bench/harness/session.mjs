/**
 * What one process (or page) does for one library: prepares a workload, gives its result for the check, repeats it.
 * Knows no library and no transport: `worker.mjs` and `browser/page.mjs` bring both.
 */
/**
 * @typedef {import('../workloads/list.mjs').Workload} Workload
 * @typedef {import('../workloads/check.mjs').Result} Result
 * @typedef {{ run(count: number): Promise<void> | void, release?(): void, step?(): Promise<number>, result?(): Promise<Result> }} Prepared
 *   `run` ends when all is computed; training has `step`, which answers the loss; the rest has `result`
 * @typedef {{ start(options: Record<string, unknown>): Promise<{ version: string, detail: string }>,
 *   prepare(workload: Workload, options: Record<string, unknown>): Promise<Prepared> }} Library
 */

/** @param {Library} library @param {Record<string, unknown>} options */
export function session(library, options) {
  /** @type {Prepared | null} */
  let current = null;
  const release = () => {
    current?.release?.();
    current = null;
    return {};
  };
  return {
    start: () => library.start(options),
    /** The result to check, and how long the first step took, its loss read. @param {{ workload: Workload, steps: number }} message */
    async prepare({ workload, steps }) {
      release();
      current = await library.prepare(workload, options);
      const begin = performance.now();
      if (current.step === undefined) {
        const result = await current.result?.();
        return { first: performance.now() - begin, result };
      }
      const losses = [await current.step()];
      const first = performance.now() - begin;
      while (losses.length < steps) losses.push(await current.step());
      return { first, result: { losses } };
    },
    /** @param {{ count: number }} message */
    async measure({ count }) {
      if (current === null) throw new Error('Nothing is prepared.');
      const begin = performance.now();
      await current.run(count);
      return { milliseconds: performance.now() - begin };
    },
    release,
  };
}
