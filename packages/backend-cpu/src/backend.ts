/**
 * What every `cpu()` returns: it chooses the engine out of those of its entry (index.ts, javascript/index.ts,
 * wasm/index.ts), says which and why, and checks uploads. Memory, kernels and programs are the engine's.
 */
import { type Backend, BackendError, type BufferType, type Executable, type Program, type TensorData } from '@nn/core';
import { checkUpload } from './checks.ts';
import type { CpuOptions, Engine, EngineFactory, EngineInfo, EngineName } from './engine.ts';

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

/** The engines of an entry, the fastest first. */
type Engines = Readonly<Partial<Record<EngineName, EngineFactory>>>;

/** The backend over the wanted engine, or over the first that works here. */
export function makeCpu(options: CpuOptions, engines: Engines): CpuBackend {
  const { engine: wanted = 'auto', threads = 1 } = options;
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads > 0 && threads <= 64)) {
    throw new BackendError('cpu', `threads is ${threads}: use 'auto' or a whole number from 1 to 64.`, { threads });
  }
  const names = Object.keys(engines) as EngineName[];
  const reasons: string[] = [];
  for (const name of names) {
    if (wanted !== 'auto' && wanted !== name) continue;
    const made = engines[name]!(options);
    if (!('unavailable' in made)) {
      const reason =
        wanted === name
          ? 'asked for'
          : names.length === 1
            ? 'the only one of this entry'
            : 'the fastest that works here';
      if (threads !== 1 && name !== 'wasm') reasons.push('one thread, because only wasm has more');
      if (options.wide === true && name !== 'wasm') reasons.push('not wide, because only wasm can be');
      return new Cpu(made, [reason, ...reasons].join('; '));
    }
    reasons.push(`no ${name}, because ${made.unavailable}`);
  }
  const fix = names.length === 1 ? "Import from '@nn/backend-cpu'" : "Use { engine: 'auto' }";
  throw new BackendError(
    'cpu',
    reasons.length > 0
      ? `${reasons.join('; ')}. ${fix} to take what works here.`
      : `there is no engine '${wanted}' in this entry: use 'auto' or one of ${names.map((name) => `'${name}'`).join(', ')}.`,
    { engine: wanted },
  );
}

class Cpu implements CpuBackend {
  readonly name = 'cpu';
  readonly isSynchronous = true;
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

  download(buffer: object): TensorData | Promise<TensorData> {
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
