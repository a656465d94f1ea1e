/** Asking many clients at once: who answers in time and rightly, and why the others are left out. Owns no protocol. */
import { ValueError } from '@nn/core';

/** Why those who were asked are not used, by position. */
export type LeftOut = Map<number, string>;

/**
 * The answers of those that give one within `timeout` milliseconds with which nothing is wrong, in the order of `positions`;
 * the others come into `left` with the reason.
 */
export async function answersOf<T>(
  positions: readonly number[],
  ask: (position: number) => Promise<T>,
  whatIsWrong: (answer: T, position: number) => string | null,
  { timeout, left }: { readonly timeout: number | undefined; readonly left: LeftOut },
): Promise<Map<number, T>> {
  const answers = new Map<number, T>();
  await Promise.all(
    positions.map(async (position) => {
      try {
        const answer = await within(ask(position), timeout);
        const wrong = whatIsWrong(answer, position);
        if (wrong === null) answers.set(position, answer);
        else left.set(position, wrong);
      } catch (error) {
        left.set(position, error instanceof Error ? error.message : String(error));
      }
    }),
  );
  // in the order of the clients, whoever answered first
  return new Map(positions.flatMap((position) => (answers.has(position) ? [[position, answers.get(position)!]] : [])));
}

/** Throws ValueError, with the first reasons, where fewer than `needed` of `asked` clients are still there. */
export function requireEnough(found: number, asked: number, needed: number, left: LeftOut): void {
  if (found >= needed) return;
  const reasons = [...left].slice(0, 3).map(([position, why]) => `client ${position}: ${why}`);
  throw new ValueError(
    'round',
    `${found} of ${asked} clients answered, ${needed} are needed (${reasons.join('; ')}).`,
    { used: found, minimum: needed },
  );
}

/** The answer, unless it is late. */
function within<T>(answer: Promise<T>, timeout: number | undefined): Promise<T> {
  if (timeout === undefined) return answer;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`late: no answer within ${timeout} ms`)), timeout);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
