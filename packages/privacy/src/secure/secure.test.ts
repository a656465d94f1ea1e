import { describe, expect, it, test } from 'vitest';
import { SecureClient, secureSum, simulateSecureSum } from './aggregation.ts';
import { dequantizeSum, quantizeVector } from './quantize.ts';
import { joinSecret, splitSecret } from './shamir.ts';

const vectorOf = (client: number, length = 6): Uint32Array =>
  Uint32Array.from({ length }, (_, i) => Math.imul(client + 1, 0x9e3779b1 + i * 77_777));
const sumOf = (clients: readonly number[]): Uint32Array =>
  clients.map((client) => vectorOf(client)).reduce((a, b) => a.map((value, i) => value + b[i]!));

describe('shares of a secret', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 37);

  it('any of so many give it back, one fewer something else', () => {
    const shares = splitSecret(secret, 6, 4);
    for (let chosen = 0; chosen < 64; chosen++) {
      const some = shares.filter((_, k) => (chosen >> k) & 1);
      if (some.length >= 4) expect(joinSecret(some)).toEqual(secret);
      if (some.length === 3) expect(joinSecret(some)).not.toEqual(secret);
    }
  });

  it('are spread evenly, whatever the secret is', () => {
    const counts = new Float64Array(256);
    for (let turn = 0; turn < 40; turn++)
      for (const byte of splitSecret(new Uint8Array(256), 3, 2)[0]!.bytes) counts[byte]!++;
    // 10,240 bytes in 256 bins: chi-square with 255 degrees of freedom, 5 deviations wide
    const chi = counts.reduce((sum, count) => sum + (count - 40) ** 2 / 40, 0);
    expect(Math.abs(chi - 255)).toBeLessThan(5 * Math.sqrt(2 * 255));
  });

  it('names thresholds that cannot be', () => {
    expect(() => splitSecret(secret, 3, 4)).toThrow(
      'splitSecret: a threshold of 4 among 3 shares: it must be from 1 to the shares, of which there are 255 at most.',
    );
    expect(() => joinSecret([])).toThrow('joinSecret: there are no shares.');
  });
});

describe('the sum of masked vectors', () => {
  it('is that of the integers, bit for bit, for every set of clients that drop out above the threshold', async () => {
    const all = [0, 1, 2, 3, 4];
    for (let gone = 0; gone < 32; gone++) {
      const dropAfterShares = all.filter((client) => (gone >> client) & 1);
      const survivors = all.filter((client) => !dropAfterShares.includes(client));
      const sum = simulateSecureSum(
        all.map((client) => vectorOf(client)),
        { threshold: 3, dropAfterShares },
      );
      if (survivors.length >= 3) expect(await sum).toEqual(sumOf(survivors));
      else await expect(sum).rejects.toThrow('are needed');
    }
  });

  it('holds where clients go after their vectors came', async () => {
    const vectors = [0, 1, 2, 3, 4].map((client) => vectorOf(client));
    expect(await simulateSecureSum(vectors, { threshold: 3, dropAfterShares: [4], dropAfterVector: [0] })).toEqual(
      sumOf([0, 1, 2, 3]),
    );
    await expect(simulateSecureSum(vectors, { threshold: 3, dropAfterVector: [0, 1, 2] })).rejects.toThrow(
      'secureSum: 5 vectors and 2 answers came, 3 of each are needed.',
    );
  });

  it('shows nothing of a vector of zeros', async () => {
    const clients = [0, 1, 2].map((client) => new SecureClient(client, 2));
    const told = await Promise.all(clients.map((client) => client.advertise()));
    const sealed = (await Promise.all(clients.map((client) => client.share(told)))).flat();
    const masked = await clients[0]!.mask(
      new Uint32Array(4096),
      sealed.filter(({ to }) => to === 0),
    );
    const counts = new Float64Array(256);
    for (const byte of new Uint8Array(masked.buffer)) counts[byte]!++;
    const chi = counts.reduce((sum, count) => sum + (count - 64) ** 2 / 64, 0);
    expect(Math.abs(chi - 255)).toBeLessThan(5 * Math.sqrt(2 * 255));
  });
});

describe('a client refuses', () => {
  async function ready(threshold = 2) {
    const clients = [0, 1, 2].map((client) => new SecureClient(client, threshold));
    const told = await Promise.all(clients.map((client) => client.advertise()));
    const sealed = (await Promise.all(clients.map((client) => client.share(told)))).flat();
    return { clients, told, sealed };
  }

  test('a second vector, and a second answer', async () => {
    const { clients, sealed } = await ready();
    const mine = sealed.filter(({ to }) => to === 0);
    await clients[0]!.mask(vectorOf(0), mine);
    await expect(clients[0]!.mask(vectorOf(1), mine)).rejects.toThrow(
      'mask: a vector was masked before: every round needs a new SecureClient.',
    );
    clients[0]!.unmask([0, 1]);
    expect(() => clients[0]!.unmask([0, 2])).toThrow(
      'unmask: shares were revealed before: a second answer could unmask a single vector.',
    );
  });

  test('too few survivors, and thresholds of half', async () => {
    const { clients } = await ready();
    expect(() => clients[1]!.unmask([1])).toThrow(
      'unmask: 1 clients survived, 2 are needed: the sum would tell too much.',
    );
    await expect(ready(1)).rejects.toThrow(
      'share: a threshold of 1 among 3 clients: it must be more than half of them',
    );
    await expect(new SecureClient(0, 2).share([])).rejects.toThrow(
      'share: there are no keys yet: call advertise() first.',
    );
  });

  test('shares that were changed on the way, and those of others', async () => {
    const { clients, sealed } = await ready();
    const mine = sealed.filter(({ to }) => to === 0);
    const broken = mine.map((each) => ({ ...each, bytes: each.bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }));
    await expect(clients[0]!.mask(vectorOf(0), broken)).rejects.toThrow();
    await expect(clients[1]!.mask(vectorOf(1), mine)).rejects.toThrow(
      'mask: shares from client 1 to client 0 came to client 1.',
    );
  });

  test('the server too few answers', async () => {
    await expect(secureSum(new Map(), [], [], [], 2)).rejects.toThrow(
      'secureSum: 0 vectors and 0 answers came, 2 of each are needed.',
    );
  });
});

test('numbers survive as integers, to half a step', () => {
  const vectors = [Float32Array.of(0.25, -3, 9), Float32Array.of(1.5, 2, -9)];
  const sum = vectors.map(quantizeVector).reduce((a, b) => a.map((value, i) => value + b[i]!));
  const found = dequantizeSum(sum, 2);
  for (const [i, value] of [1.75, -1, 0].entries()) expect(found[i]).toBeCloseTo(value, 5);
  expect(() => quantizeVector(Float32Array.of(Number.NaN))).toThrow('quantizeVector: the vector holds NaN.');
});
