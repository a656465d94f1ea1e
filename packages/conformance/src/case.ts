/**
 * What a conformance case is: data with a `run`. Owns capabilities and what it means to lack one; the cases themselves
 * stand in `cases/`, the list of all of them in `conformance.ts`.
 */
import type { Backend } from '@nn/core';
import { ConformanceError } from './compare.ts';
import { IsolatedBackend } from './isolate.ts';

/**
 * What a device may lack and still be useful. `reason` in `lacks` says why.
 * - `nan`, `infinity`: they come out of arithmetic and functions as IEEE 754 says.
 * - `negativeZero`: the sign of zero is kept. `subnormal`: numbers below 1.2e-38 are not made zero.
 * - `exactInt32`: integers wrap over 32 bits (elsewhere they are exact to 2^24). `inPlace`: as in the limits.
 * - `float16`, `bfloat16`, `int8`, `uint8`: may be stored. `profile`: executables can be timed.
 *
 * `nan/max` is the capability `nan` in the operation max alone.
 */
export type Capability =
  | 'nan'
  | 'infinity'
  | 'negativeZero'
  | 'subnormal'
  | 'exactInt32'
  | 'inPlace'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'profile';

/** A capability, in all operations or in one. */
export type Need = Capability | `${Capability}/${string}`;

/** The groups of cases, in the order in which a new backend meets them. */
export const conformanceGroups = [
  'contract',
  'values',
  'gradients',
  'fusion',
  'special numbers',
  'loops',
  'programs',
  'random graphs',
  'reads',
  'functions of tensors',
  'training',
] as const;

export type ConformanceGroup = (typeof conformanceGroups)[number];

export interface ConformanceOptions {
  /**
   * What the device lacks, each with the reason. Cases that need it are expected to fail: one that passes is reported,
   * so that the list cannot grow stale. What the backend's `limits` exclude need not be repeated here. Without a list
   * counts what the backend says of itself (`capabilities`, see `Capabilities`).
   */
  readonly lacks?: Readonly<Partial<Record<Need, string>>>;
  /** The relative error of exp, log, tanh, erf and the like on this device; 1e-5 by default. */
  readonly functionError?: number;
  /** The first seed of the random graphs and programs; 1 by default. */
  readonly seed?: number;
  /** How many random graphs and random programs; 40 of each by default. */
  readonly randomCases?: number;
  /** Only these groups of cases; all by default. */
  readonly groups?: readonly ConformanceGroup[];
  /**
   * Of a group only every n-th case, for a device that compiles slowly and a second one that runs them all through the
   * same code: `{ gradients: 3 }`. All of them by default.
   */
  readonly every?: Readonly<Partial<Record<ConformanceGroup, number>>>;
}

/**
 * What a backend may say of itself in a property `capabilities`, for users on any machine: what was found out when it
 * started. Cases that need what is lacking may then fail, and may pass, because nobody listed them one by one.
 */
export interface Capabilities {
  readonly lacks?: Readonly<Partial<Record<Need, string>>>;
  readonly functionError?: number;
}

function capabilitiesOf(backend: Backend): Capabilities {
  const found = 'capabilities' in backend ? backend.capabilities : undefined;
  return typeof found === 'object' && found !== null ? found : {};
}

/** What a running case works with. */
export interface Context {
  readonly backend: Backend;
  readonly options: ConformanceOptions;
}

export interface ConformanceCase {
  /** `contract`, `values`, `gradients`, ... */
  readonly group: ConformanceGroup;
  /** Tells the behaviour: `softmax: along the last axis of [3, 4]`. */
  readonly name: string;
  readonly needs: readonly Need[];
  /** Resolves where the backend does what the contract says, else rejects with the reason. */
  run(context: Context): Promise<void>;
}

/** Why the backend need not pass a case, or null; `declared` where the options say so, not the limits. */
export function lackOf(
  { needs }: ConformanceCase,
  { backend, options }: Context,
): { readonly reason: string; readonly declared: boolean } | null {
  const own = options.lacks === undefined ? (capabilitiesOf(backend).lacks ?? {}) : {};
  for (const need of needs) {
    const whole = need.split('/')[0] as Capability;
    const declared = options.lacks?.[need] ?? options.lacks?.[whole];
    const reason = declared ?? own[need] ?? own[whole] ?? lackOfLimits(whole, backend);
    if (reason !== undefined) return { reason: `${need}: ${reason}`, declared: declared !== undefined };
  }
  return null;
}

/** Why a case asks for nothing that this backend can be asked, or null: core writes no boxes where `inPlace` is false. */
export function skipOf({ needs }: ConformanceCase, { backend }: Context): string | null {
  return needs.includes('inPlace') && !backend.limits.inPlace ? 'limits.inPlace is false' : null;
}

/** What the limits of a backend say about a capability. */
function lackOfLimits(capability: Capability, { limits }: Backend): string | undefined {
  switch (capability) {
    case 'exactInt32':
      return limits.exactInt32 ? undefined : 'limits.exactInt32 is false';
    case 'float16':
    case 'bfloat16':
    case 'int8':
    case 'uint8':
      return limits.dtypes.includes(capability) ? undefined : 'not among limits.dtypes';
    default:
      return undefined;
  }
}

/**
 * Runs one case. Where the options say that the backend lacks what it needs, the case must fail: one that passes is an
 * error too, because the capability is there after all. Where the limits say so it may pass: small integers, for one, are
 * right without exact ones.
 */
export async function runConformanceCase(conformanceCase: ConformanceCase, context: Context): Promise<void> {
  const lack = lackOf(conformanceCase, context);
  const run = async (): Promise<void> => {
    const backend = new IsolatedBackend(context.backend);
    try {
      const { functionError } = capabilitiesOf(context.backend);
      const options = { ...(functionError !== undefined && { functionError }), ...context.options };
      await conformanceCase.run({ backend, options });
    } finally {
      await backend.close();
    }
  };
  if (lack === null) return run();
  const passed = await run().then(
    () => true,
    () => false,
  );
  if (passed && lack.declared) {
    throw new ConformanceError(
      `${conformanceCase.group}, ${conformanceCase.name}: passes, although the backend says that it lacks ${lack.reason}. Take that from the list.`,
    );
  }
}
