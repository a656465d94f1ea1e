/** Where the time goes: kernel by kernel, as a table and as a trace file for chrome://tracing or Perfetto. */
import { type ProfiledRun, profiles } from './compile/profiler.ts';
import { renderKernel, workOf } from './compile/render.ts';

export interface KernelTime {
  /** What the kernel computes, as text. */
  readonly kernel: string;
  /** How the backend runs it, where it says so. */
  readonly path: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** The part of all time that was measured, from 0 to 1. */
  readonly share: number;
  /** 10^9 floating-point operations a second. */
  readonly gigaflops: number;
  /** gigaflops as a part of the device's peak, where that was given; else null. */
  readonly ofPeak: number | null;
}

export interface Profile {
  /** By time, the longest first. */
  readonly kernels: readonly KernelTime[];
  readonly milliseconds: number;
  /** The table as text, which is also what Node's console shows. */
  toString(): string;
  /** The events in Chrome's trace format (JSON). */
  toChromeTrace(): string;
}

/**
 * Runs `work` and measures each kernel of the programs that run until its promise resolves. Programs run one by one and are
 * timed step by step, so the whole takes longer than without. Steps that a backend runs as one have their time at the first.
 * With `peakGigaflops`, the device's 10^9 operations a second at best, each kernel has its share of that.
 *
 * @example
 * import { profile, uniform } from '@nn/core';
 * const report = await profile(() => uniform([64, 64]).matmul(uniform([64, 64])).data());
 * console.log(report.kernels.length > 0); // => true
 */
export async function profile(
  work: () => unknown,
  options: { readonly peakGigaflops?: number } = {},
): Promise<Profile> {
  const runs: ProfiledRun[] = [];
  profiles.add(runs);
  try {
    await work();
  } finally {
    profiles.delete(runs);
  }
  const kernels = summarize(runs, options.peakGigaflops ?? null);
  const milliseconds = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  const asText = (): string => table(kernels, milliseconds);
  return {
    kernels,
    milliseconds,
    toString: asText,
    [Symbol.for('nodejs.util.inspect.custom')]: asText,
    toChromeTrace: () => chromeTrace(runs),
  };
}

function summarize(runs: readonly ProfiledRun[], peak: number | null): KernelTime[] {
  const found = new Map<string, { kernel: string; path: string; calls: number; milliseconds: number; work: number }>();
  let total = 0;
  for (const { program, paths, milliseconds } of runs) {
    program.steps.forEach((step, k) => {
      const path = paths?.[k] ?? '';
      const key = `${step.kernel.key} ${path}`;
      const entry = found.get(key) ?? { kernel: describe(step.kernel), path, calls: 0, milliseconds: 0, work: 0 };
      found.set(key, entry);
      entry.calls++;
      entry.milliseconds += milliseconds[k] ?? 0;
      entry.work += workOf(step);
      total += milliseconds[k] ?? 0;
    });
  }
  return [...found.values()]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map(({ kernel, path, calls, milliseconds, work }) => {
      const gigaflops = milliseconds === 0 ? 0 : work / milliseconds / 1e6;
      const share = total === 0 ? 0 : milliseconds / total;
      return { kernel, path, calls, milliseconds, share, gigaflops, ofPeak: peak === null ? null : gigaflops / peak };
    });
}

function describe(kernel: Parameters<typeof renderKernel>[0]): string {
  return `[${kernel.domain.join(',')}] ${renderKernel(kernel)}`;
}

function table(kernels: readonly KernelTime[], total: number): string {
  const rows = kernels.map((k) => [
    k.milliseconds.toFixed(3),
    `${(k.share * 100).toFixed(1)} %`,
    String(k.calls),
    k.gigaflops.toFixed(2),
    k.ofPeak === null ? '' : `${(k.ofPeak * 100).toFixed(0)} %`,
    k.path,
    k.kernel.length > 80 ? `${k.kernel.slice(0, 77)}...` : k.kernel,
  ]);
  const all = [['ms', 'share', 'calls', 'GFLOP/s', 'of peak', 'path', 'kernel'], ...rows];
  const widths = all[0]?.map((_, c) => Math.max(...all.map((row) => row[c]?.length ?? 0))) ?? [];
  const lines = all.map((row) =>
    row
      .map((cell, c) => (c < 5 ? cell.padStart(widths[c] ?? 0) : cell.padEnd(c === 6 ? 0 : (widths[c] ?? 0))))
      .join('  '),
  );
  return `${lines.join('\n')}\ntotal ${total.toFixed(3)} ms`;
}

function chromeTrace(runs: readonly ProfiledRun[]): string {
  const events = runs.flatMap(({ program, paths, start, milliseconds }) => {
    let at = start;
    return program.steps.map((step, k) => {
      const duration = milliseconds[k] ?? 0;
      const event = {
        name: describe(step.kernel),
        cat: step.kernel.hint?.kind ?? 'loop',
        ph: 'X',
        ts: at * 1000,
        dur: duration * 1000,
        pid: 1,
        tid: 1,
        args: { path: paths?.[k] ?? '', gigaflops: duration === 0 ? 0 : workOf(step) / duration / 1e6 },
      };
      at += duration;
      return event;
    });
  });
  return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' });
}
