/** Energy by counters that are files, by the model, and by arithmetic alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arithmeticJoules, EnergyMeter, energy, raplCounters } from '../index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nn-powercap-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function zone(path: string, name: string, microjoules: number, range = 1e9): void {
  mkdirSync(join(folder, path), { recursive: true });
  for (const [file, text] of Object.entries({ name, energy_uj: microjoules, max_energy_range_uj: range })) {
    writeFileSync(join(folder, path, file), `${text}\n`);
  }
}

describe('RAPL', () => {
  it('adds packages and memory, not their parts, and goes round with the counters', () => {
    zone('intel-rapl:0', 'package-0', 100e6);
    zone('intel-rapl:0:0', 'core', 50e6);
    zone('intel-rapl:0:1', 'dram', 1e6);
    zone('intel-rapl:1', 'psys', 500e6);
    zone('intel-rapl-mmio:0', 'package-0', 7);
    let clock = 0;
    const meter = new EnergyMeter({ counters: raplCounters(folder), gridFactor: 360, now: () => clock });
    zone('intel-rapl:0', 'package-0', 103e6);
    zone('intel-rapl:0:0', 'core', 999e6);
    zone('intel-rapl:0:1', 'dram', 2e6);
    clock = 2000;
    expect(meter.read()).toEqual({
      joules: 4,
      wattHours: 4 / 3600,
      seconds: 2,
      watts: 2,
      gramsCO2: expect.closeTo(4 / 1e4, 12),
      isMeasured: true,
      method: 'measured by RAPL: package-0, dram, all processes',
    });
    zone('intel-rapl:0', 'package-0', 3e6); // beyond 1,000 J it began anew
    expect(meter.read().joules).toBe(4 + 900);
    meter.start();
    expect(meter.read().joules).toBe(0);
  });

  it('is not there where the folder is not, or may not be read', () => {
    expect(raplCounters(join(folder, 'nowhere'))).toBeNull();
    expect(raplCounters(folder)).toBeNull();
    zone('intel-rapl:0', 'package-0', 1);
    rmSync(join(folder, 'intel-rapl:0', 'energy_uj'));
    expect(raplCounters(folder)).toBeNull();
  });
});

describe('the model', () => {
  it("follows the load of this process, and takes half the design's power where that is not known", () => {
    let [clock, processor] = [0, 0];
    const options = { counters: null, thermalDesignPower: 80, now: () => clock };
    const meter = new EnergyMeter({ ...options, cores: 4, processorSeconds: () => processor });
    [clock, processor] = [10_000, 20];
    const half = meter.read();
    expect(half.joules).toBeCloseTo(80 * (0.1 + 0.9 / 8) * 10, 9);
    expect(half).toMatchObject({
      gramsCO2: null,
      isMeasured: false,
      method: 'model: 80 W x (0.1 + 0.9 x 0.50^3), load of this process on 4 cores',
    });
    const inPage = new EnergyMeter({ ...options, processorSeconds: () => null });
    clock += 1000;
    expect(inPage.read()).toMatchObject({ joules: 40, method: 'model: 80 W x 0.5, the load is not known here' });
    expect(() => new EnergyMeter({ thermalDesignPower: 0 })).toThrow(
      'EnergyMeter: thermalDesignPower is 0: it must be watts above 0.',
    );
  });

  it('runs work, and says what that gave', async () => {
    const { result, joules, method } = await energy(async () => 'done', { counters: null });
    expect(result).toBe('done');
    expect(joules).toBeGreaterThanOrEqual(0);
    expect(method).toMatch(/^model: 85 W x \(0\.1 \+ 0\.9 x [01]\.\d\d\^3\), load of this process on \d+ cores?$/);
    await expect(energy(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  });
});

it('arithmetic alone costs less in whole numbers', () => {
  const work = { multiplyAdds: 10, flops: 20, integerMultiplyAdds: 0, otherOperations: 3, bytesMoved: 7 };
  const prices = { multiplyAdd: 4, integerMultiplyAdd: 1, otherOperation: 2, byte: 5 };
  expect(arithmeticJoules(work, prices)).toBe(40 + 6 + 35);
  expect(arithmeticJoules({ ...work, integerMultiplyAdds: 10 }, prices)).toBe(10 + 6 + 35);
});
