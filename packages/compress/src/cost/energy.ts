/**
 * The energy of work: measured where the machine says, else by a model that is stated. Owns the model and the meter; `power.ts` asks
 * the machine.
 */
import { checkOptions, ValueError } from '@nn/core';
import { coreCount, type EnergyCounters, processorSeconds, raplCounters } from './power.ts';
import type { Work } from './work.ts';

export interface EnergyOptions {
  /** Watts that the processor is designed for, for the model. Default 85 in Node, as codecarbon takes, 15 in a page. */
  readonly thermalDesignPower?: number;
  /** Grams of CO2 for a kilowatt hour of your grid: 56 in France, 381 in Germany in 2023. Without it grams are null. */
  readonly gridFactor?: number;
  /** Counters to read; null for the model whatever the machine says. Default: RAPL where it may be read. */
  readonly counters?: EnergyCounters | null;
  /** Seconds of processor time of this process; null where nobody knows. Default: Node's. */
  readonly processorSeconds?: () => number | null;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
  /** Cores that the load is a part of. Default: those that this process may use. */
  readonly cores?: number;
}

/** What work took. */
export interface Energy {
  readonly joules: number;
  readonly wattHours: number;
  readonly seconds: number;
  /** On average. */
  readonly watts: number;
  /** Null without a grid factor. */
  readonly gramsCO2: number | null;
  /** Whether a counter was read; else it is a model's estimate. */
  readonly isMeasured: boolean;
  /** How it was found, in words: print it beside every figure. */
  readonly method: string;
}

/**
 * Measures energy from `start` on, as often as it is asked. With RAPL it is what the packages and the memory took, all processes
 * together; without, the model: watts = thermalDesignPower (0.1 + 0.9 load^3), where load is this process' part of the processor
 * time of all cores (codecarbon), and half of thermalDesignPower where the load is not known, as in a page.
 *
 * @example
 * import { EnergyMeter } from '@nn/compress';
 * let [clock, processor] = [0, 0];
 * const meter = new EnergyMeter({
 *   thermalDesignPower: 100, gridFactor: 400, counters: null, cores: 2,
 *   now: () => clock, processorSeconds: () => processor,
 * });
 * [clock, processor] = [36_000, 72]; // 36 seconds on both cores
 * const { joules, gramsCO2, method } = meter.read();
 * console.log(joules, gramsCO2, method); // => 3600 0.4 model: 100 W x (0.1 + 0.9 x 1.00^3), load of this process on 2 cores
 */
export class EnergyMeter {
  readonly #options: EnergyOptions;
  readonly #now: () => number;
  readonly #counters: EnergyCounters | null;
  readonly #processor: () => number | null;
  readonly #watts: number;
  #since = 0;
  #processorSince: number | null = null;
  #measured = 0;

  constructor(options: EnergyOptions = {}) {
    checkOptions('EnergyMeter', options, [
      'thermalDesignPower',
      'gridFactor',
      'counters',
      'processorSeconds',
      'now',
      'cores',
    ]);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#processor = options.processorSeconds ?? processorSeconds;
    this.#counters = options.counters === undefined ? raplCounters() : options.counters;
    this.#watts = options.thermalDesignPower ?? (this.#processor() === null ? 15 : 85);
    if (!(this.#watts > 0)) {
      throw new ValueError('EnergyMeter', `thermalDesignPower is ${this.#watts}: it must be watts above 0.`);
    }
    this.start();
  }

  /** Begins anew. */
  start(): void {
    this.#since = this.#now();
    this.#processorSince = this.#processor();
    this.#counters?.joules();
    this.#measured = 0;
  }

  /** What was taken since the start. */
  read(): Energy {
    const seconds = (this.#now() - this.#since) / 1000;
    const { joules, method } = this.#counters === null ? this.#model(seconds) : this.#read(this.#counters);
    const { gridFactor } = this.#options;
    return {
      joules,
      wattHours: joules / 3600,
      seconds,
      watts: seconds === 0 ? 0 : joules / seconds,
      gramsCO2: gridFactor === undefined ? null : (joules / 3.6e6) * gridFactor,
      isMeasured: this.#counters !== null,
      method,
    };
  }

  #read(counters: EnergyCounters): { joules: number; method: string } {
    this.#measured += counters.joules();
    return { joules: this.#measured, method: `measured by RAPL: ${counters.names}, all processes` };
  }

  #model(seconds: number): { joules: number; method: string } {
    const now = this.#processor();
    if (now === null || this.#processorSince === null) {
      return {
        joules: 0.5 * this.#watts * seconds,
        method: `model: ${this.#watts} W x 0.5, the load is not known here`,
      };
    }
    const cores = this.#options.cores ?? coreCount();
    const load = seconds === 0 ? 0 : Math.min((now - this.#processorSince) / (seconds * cores), 1);
    return {
      joules: this.#watts * (0.1 + 0.9 * load ** 3) * seconds,
      method: `model: ${this.#watts} W x (0.1 + 0.9 x ${load.toFixed(2)}^3), load of this process on ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    };
  }
}

/**
 * Runs `work` and gives what it returned, with the energy that it took.
 *
 * @example
 * import { energy } from '@nn/compress';
 * const { result, isMeasured, joules } = await energy(() => 6 * 7);
 * console.log(result, typeof isMeasured, joules >= 0); // => 42 boolean true
 */
export async function energy<T>(
  work: () => T | Promise<T>,
  options: EnergyOptions = {},
): Promise<Energy & { readonly result: T }> {
  const meter = new EnergyMeter(options);
  const result = await work();
  return { result, ...meter.read() };
}

/** Joules of one operation, and of one byte to or from memory. */
export interface EnergyPrices {
  readonly multiplyAdd: number;
  readonly integerMultiplyAdd: number;
  readonly otherOperation: number;
  readonly byte: number;
}

/**
 * Silicon of 45 nm (Horowitz, ISSCC 2014): float32 3.7 pJ a product and 0.9 a sum, int8 0.2 and int32 0.1, memory 640 pJ for 4
 * bytes. Today's chips take a few times less, and general processors many times more for what surrounds an operation.
 */
export const horowitzPrices: EnergyPrices = {
  multiplyAdd: 4.6e-12,
  integerMultiplyAdd: 0.3e-12,
  otherOperation: 0.9e-12,
  byte: 160e-12,
};

/**
 * Joules of the arithmetic and the traffic alone, from what `cost` counted: a lower bound that knows no machine, for comparing
 * networks with each other.
 *
 * @example
 * import { arithmeticJoules } from '@nn/compress';
 * const work = { multiplyAdds: 1e9, flops: 2e9, integerMultiplyAdds: 0, otherOperations: 0, bytesMoved: 1e6 };
 * console.log(arithmeticJoules(work).toFixed(5)); // => 0.00476
 */
export function arithmeticJoules(work: Work, prices: EnergyPrices = horowitzPrices): number {
  return (
    (work.multiplyAdds - work.integerMultiplyAdds) * prices.multiplyAdd +
    work.integerMultiplyAdds * prices.integerMultiplyAdd +
    work.otherOperations * prices.otherOperation +
    work.bytesMoved * prices.byte
  );
}
