/**
 * `cpu()`: chooses the engine, says which and why, and checks uploads. Memory, kernels and programs are the engine's.
 */
import { type Backend, BackendError, type BufferType, type Executable, type Program, type TensorData } from '@nn/core';
import { checkUpload } from './checks.ts';
import type { CpuOptions, Engine, EngineFactory, EngineInfo, EngineName } from './engine.ts';
import { interpreterEngine } from './interpreter/engine.ts';
import { javascriptEngine } from './javascript/engine.ts';
import { wasmEngine } from './wasm/engine.ts';

/** What a `cpu()` backend is made of, for people. */
export interface CpuInfo extends EngineInfo {
  readonly engine: EngineName;
  /** Why this engine: it was asked for, or what is wrong with the faster ones. */
  readonly reason: string;
}

export interface CpuBackend extends Backend {
  readonly name: 'cpu';
  info(): CpuInfo;
}

/** The engines, fastest first. */
const factories: readonly (readonly [EngineName, EngineFactory])[] = [
  ['wasm', wasmEngine],
  ['javascript', javascriptEngine],
  ['interpreter', interpreterEngine],
];

/**
 * A backend that computes on the CPU with no native code, in Node and in browsers.
 * Throws a `BackendError` when the engine that `options` insists on cannot work here.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * console.log(cpu({ engine: 'interpreter' }).info().engine); // => interpreter
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  const { engine, reason } = choose(options);
  return new Cpu(engine, reason);
}

/** The wanted engine, or the first that works. */
function choose(options: CpuOptions): { engine: Engine; reason: string } {
  const wanted = options.engine ?? 'auto';
  const reasons: string[] = [];
  for (const [name, make] of factories) {
    if (wanted !== 'auto' && wanted !== name) continue;
    const made = make(options);
    if (!('unavailable' in made)) {
      const reason = wanted === name ? 'asked for' : ['the fastest that works here', ...reasons].join('; ');
      return { engine: made, reason };
    }
    reasons.push(`no ${name}, because ${made.unavailable}`);
  }
  const known = factories.map(([name]) => `'${name}'`).join(', ');
  throw new BackendError(
    reasons.length > 0
      ? `cpu: ${reasons.join('; ')}. Use { engine: 'auto' } to take what works here.`
      : `cpu: there is no engine '${wanted}': use 'auto' or one of ${known}.`,
    { engine: wanted },
  );
}

class Cpu implements CpuBackend {
  readonly name = 'cpu';
  readonly limits: Engine['limits'];
  readonly #engine: Engine;
  readonly #reason: string;

  constructor(engine: Engine, reason: string) {
    this.#engine = engine;
    this.#reason = reason;
    this.limits = engine.limits;
  }

  upload(data: TensorData, type: BufferType): object {
    checkUpload(data, type, this.limits);
    return this.#engine.upload(data, type);
  }

  download(buffer: object): Promise<TensorData> {
    return this.#engine.download(buffer);
  }

  release(buffer: object): void {
    this.#engine.release(buffer);
  }

  compile(program: Program): Executable | Promise<Executable> {
    return this.#engine.compile(program);
  }

  idle(): Promise<void> {
    return this.#engine.idle();
  }

  info(): CpuInfo {
    return { engine: this.#engine.name, reason: this.#reason, ...this.#engine.engineInfo() };
  }
}
