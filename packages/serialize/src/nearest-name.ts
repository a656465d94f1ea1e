/** Where a name fits nowhere: the name that was probably meant. */

/** The name among `names` that takes the fewest edits (Levenshtein, 1966), undefined where more than half of the longer would have to change. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.slice(0, 200);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const other = candidate.slice(0, 200);
    const most = Math.min(least - 1, Math.floor(Math.max(wanted.length, other.length) / 2));
    if (Math.abs(other.length - wanted.length) > most) continue;
    const edits = editDistance(wanted, other);
    if (edits <= most) [best, least] = [candidate, edits];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const replaced = row[k - 1]! + (a[i - 1] === b[k - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[k]! + 1, next[k - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
