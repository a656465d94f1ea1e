/**
 * How long a step of data-parallel training takes on W ranks. One process computes for t seconds; the host copies P parameters
 * out and in (h seconds a number); then the ranks add up n = 4 P bytes, by the better of two ways that MPI libraries have
 * (Thakur, Rabenseifner and Gropp, 2005):
 *
 *   recursive doubling   log2(W) (a + n b + n g)
 *   halving and doubling 2 log2(W) a + 2 (W - 1) / W n b + (W - 1) / W n g
 *
 * a: seconds of a message, b: seconds a byte, g: seconds to add a byte; c: what a call costs in JavaScript beside C.
 */

/** @typedef {{ latency: number, perByte: number, perSum: number, perCall: number }} Link seconds */

/** @param {Link} link @param {number} ranks @param {number} bytes */
export function allReduceTime({ latency, perByte, perSum, perCall }, ranks, bytes) {
  if (ranks === 1) return 0;
  const hops = Math.ceil(Math.log2(ranks));
  const share = (ranks - 1) / ranks;
  const doubling = hops * (latency + bytes * (perByte + perSum));
  const halving = 2 * hops * latency + share * bytes * (2 * perByte + perSum);
  return perCall + Math.min(doubling, halving);
}

/**
 * Seconds of a step: nothing travels while gradients are computed, and all ranks are equally fast. Besides the buckets two small
 * messages travel in a step: who has which gradient, and the loss.
 * @param {{ compute: number, host: number, parameters: number }} network @param {Link} link @param {number} ranks
 * @param {number} [bucketBytes]
 */
export function stepTime({ compute, host, parameters }, link, ranks, bucketBytes = 4 << 20) {
  const bytes = 4 * parameters;
  const buckets = Math.ceil(bytes / bucketBytes);
  const small = 2 * allReduceTime(link, ranks, 64);
  return compute + host + small + buckets * allReduceTime(link, ranks, bytes / buckets);
}
