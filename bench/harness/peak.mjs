/**
 * What 128-bit arithmetic can do here at most: a loop of independent multiply-adds in registers, in WebAssembly, in
 * GFLOP/s; with one rounding (relaxed SIMD) where the engine has it, and as a product and a sum. Prints JSON.
 */

const chains = 12;
/** @param {number} value @returns {number[]} */
const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
/** @param {number} id @param {number[]} content */
const section = (id, content) => [id, ...leb(content.length), ...content];

/** A function of the count of rounds, which are `chains` multiply-adds of 4 numbers each. @param {boolean} fused */
function moduleBytes(fused) {
  const v128 = 0x7b;
  const simd = (/** @type {number} */ code) => [0xfd, ...leb(code)];
  const [get, set, tee] = [0x20, 0x21, 0x22];
  // locals: 0 rounds, 1 factor, 2.. accumulators
  const step = (/** @type {number} */ k) =>
    fused
      ? [get, k, get, 1, get, 1, ...simd(0x105), set, k] // k = k * factor + factor
      : [get, k, get, 1, ...simd(0xe6), get, 1, ...simd(0xe4), set, k]; // f32x4.mul, f32x4.add
  const accumulators = Array.from({ length: chains }, (_, k) => k + 2);
  const body = [
    ...[1, ...leb(chains + 1), v128],
    ...[0x43, 0x00, 0x00, 0x00, 0x3f, ...simd(0x13), set, 1], // factor = splat(0.5)
    ...[0x03, 0x40, ...accumulators.flatMap(step)],
    ...[get, 0, 0x41, 1, 0x6b, tee, 0, 0x0d, 0, 0x0b], // while (--rounds)
    ...accumulators.slice(1).flatMap((k) => [get, 2, get, k, ...simd(0xe4), set, 2]),
    ...[get, 2, ...simd(0x1f), 0, 0x0b], // lane 0
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** @param {boolean} fused @returns {number | null} */
function peak(fused) {
  const bytes = moduleBytes(fused);
  if (!WebAssembly.validate(bytes)) return null;
  const { f } = /** @type {any} */ (new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports);
  const rounds = 2_000_000;
  let best = 0;
  for (let k = 0; k < 12; k++) {
    const begin = performance.now();
    f(rounds);
    best = Math.max(best, (rounds * chains * 8) / (performance.now() - begin) / 1e6);
  }
  return Math.round(best * 10) / 10;
}

process.stdout.write(JSON.stringify({ fused: peak(true), productAndSum: peak(false) }));
