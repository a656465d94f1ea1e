/**
 * 256 bits at a time, on request. V8 has a pass that joins two neighbouring operations on 128 bits into one on 256 (AVX2):
 * in Node from 23.5 on, on x64, behind a flag, because V8 calls it an experiment. The flag is one of the process, and holds for
 * what is compiled from then on, by whomever. Results stay the same, bit for bit: no operation is done differently.
 *
 * V8 tells nobody whether it joined anything, and a tile of 16 columns without that is several times slower than one of 8. So
 * both are measured, and the wide one is taken only where it is not slower.
 */
import { ModuleBuilder } from '../code/assembler.ts';
import { features } from '../code/features.ts';
import type { Target } from '../code/module-context.ts';
import { addMultiply, edgeBytes } from './gemm.ts';

interface V8 {
  setFlagsFromString(flags: string): void;
}
interface Process {
  readonly arch?: string;
  readonly versions?: { readonly node?: string };
  readonly execArgv?: readonly string[];
  getBuiltinModule?(name: 'node:v8'): V8;
}

const flag = '--experimental-wasm-revectorize';
/** Without its quick first compiler V8 compiles a function for good when it is first called: what is measured is final. */
const finalOnly = '--no-liftoff';

/** Null where vectors are joined from now on, else why they are not, in words that follow "because". */
export function widen(target: Pick<Target, 'fused' | 'tileRows'>): string | null {
  const { process } = globalThis as { process?: Process };
  const v8 = process?.getBuiltinModule?.('node:v8');
  const [major = 0, minor = 0] = (process?.versions?.node ?? '').split('.').map(Number);
  if (!process || !v8 || process.arch !== 'x64' || major < 23 || (major === 23 && minor < 5)) {
    return 'only Node from 23.5 on, on x64, can be asked for it';
  }
  if (!features().recent) return 'this compiler is too old';
  v8.setFlagsFromString(flag);
  const given = process.execArgv ?? [];
  if (!given.includes(finalOnly)) v8.setFlagsFromString(finalOnly);
  try {
    const ratio = wideToNarrow(target);
    return ratio < slowest ? null : `a product of 16 columns takes ${ratio.toFixed(1)} times as long as one of 8`;
  } finally {
    if (!given.includes(finalOnly)) v8.setFlagsFromString('--liftoff');
  }
}

/** Joined, the wide product takes 0.75 to 0.95 of the time of the narrow one; not joined, 1.5 to 8 times. */
const slowest = 1.15;

/** The time of a product in tiles of 16 columns, times that in tiles of 8: best of many short runs, in turn. */
function wideToNarrow(target: Pick<Target, 'fused' | 'tileRows'>): number {
  const [rows, columns, inner] = [48, 64, 256];
  const places = [rows * inner, columns * inner, rows * columns, edgeBytes / 4].map((length) => 4 * length);
  const [a, b, c, edge] = places.map((_, at) => places.slice(0, at).reduce((sum, bytes) => sum + bytes, 0)) as [
    number,
    number,
    number,
    number,
  ];
  const pages = 1 + Math.ceil((edge + edgeBytes) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const times = [false, true].map((wide) => {
    const module = new ModuleBuilder({ minimum: pages, maximum: pages, shared: false });
    addMultiply(module, 'multiply', { ...target, wide });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { memory: { memory } });
    const multiply = exports.multiply as (...words: number[]) => void;
    return { run: () => multiply(a, b, c, rows, columns, inner, 4 * columns, 0, edge), best: Infinity };
  });
  for (let turn = 0; turn < 12; turn++) {
    for (const time of times) {
      const start = performance.now();
      for (let call = 0; call < 4; call++) time.run();
      time.best = Math.min(time.best, performance.now() - start);
    }
  }
  return times[1]!.best / times[0]!.best;
}
