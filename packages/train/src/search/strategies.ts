/**
 * Which trial goes on with a larger budget: halving in rounds, and the same without rounds. Owns the budgets and the choice; how
 * trials run is candidates.ts.
 */
import { ValueError } from '@nn/core';
import type { Candidate, Work } from './candidates.ts';
import type { Budget } from './search.ts';

/** least, least * factor, ... up to most, which is the last. */
export function budgetsOf({ least, most, factor = 3 }: Budget): number[] {
  if (!(least > 0 && most >= least && factor > 1)) {
    throw new ValueError(
      'search',
      `budget is from ${least} to ${most} by ${factor}: least is above 0, most is at least as much, factor above 1.`,
      { least, most, factor },
    );
  }
  // whole epochs or steps stay whole; shares of the data are what they are
  const isWhole = Number.isInteger(least) && Number.isInteger(most);
  const budgets: number[] = [];
  for (let rung = 0; least * factor ** rung < most * (1 - 1e-9); rung++) {
    const budget = least * factor ** rung;
    budgets.push(isWhole ? Math.round(budget) : budget);
  }
  return [...new Set([...budgets, most])];
}

type Strategy = <Settings>(
  work: Work<Settings>,
  candidates: readonly Candidate<Settings>[],
  budgets: readonly number[],
  factor: number,
  sign: 1 | -1,
) => Promise<void>;

/** The best of those that did not fail. Of equal ones those with the lower number. */
function best<Settings>(
  candidates: readonly Candidate<Settings>[],
  rung: number,
  count: number,
  sign: 1 | -1,
): Candidate<Settings>[] {
  return candidates
    .filter(({ error, scores }) => error === null && scores.length > rung)
    .sort((a, b) => sign * (a.scores[rung]! - b.scores[rung]!) || a.trial - b.trial)
    .slice(0, count);
}

/** Round by round: all with a budget, and then the best of them with the next. */
export const halving: Strategy = async (work, candidates, budgets, factor, sign) => {
  let left = candidates;
  for (const [rung, budget] of budgets.entries()) {
    await work.round(left, budget);
    left = best(left, rung, Math.max(1, Math.floor(left.length / factor)), sign);
  }
};

/**
 * Whoever is among the best third of a rung so far goes on, the highest rung first; else the next one begins, and in
 * the end the best one gets all.
 */
export const asha: Strategy = async (work, candidates, budgets, factor, sign) => {
  const waiting = [...candidates];
  const promoted = budgets.map(() => new Set<unknown>());
  const busy = new Set<unknown>();
  const next = (): [(typeof waiting)[number], number] | null => {
    for (let rung = budgets.length - 2; rung >= 0; rung--) {
      const there = candidates.filter(({ scores }) => scores.length > rung).length;
      const found = best(candidates, rung, Math.floor(there / factor), sign).find(
        (candidate) => !promoted[rung]!.has(candidate) && !busy.has(candidate),
      );
      if (found === undefined) continue;
      promoted[rung]!.add(found);
      return [found, rung + 1];
    }
    const fresh = waiting.shift();
    if (fresh !== undefined) return [fresh, 0];
    // too few are left for a third of them: as in halving, the best one goes on to the end
    const top = Math.max(...candidates.map(({ scores }) => scores.length)) - 1;
    const [first] = busy.size === 0 && top >= 0 && top < budgets.length - 1 ? best(candidates, top, 1, sign) : [];
    return first === undefined ? null : [first, top + 1];
  };
  const lane = async (): Promise<void> => {
    for (let job = next(); job !== null; job = next()) {
      const [candidate, rung] = job;
      busy.add(candidate);
      await work.one(candidate, budgets[rung]!);
      busy.delete(candidate);
    }
  };
  await Promise.all(Array.from({ length: work.size }, lane));
};
