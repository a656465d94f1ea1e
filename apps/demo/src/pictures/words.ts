/** Words with what each adds to a decision: green for it, red against it; without colours the strong ones bear signs. */
import type { Terminal } from '@nn/train';

/** `shares`: one for each word; those within a third of the strongest are shown. */
export function drawShares(words: readonly string[], shares: readonly number[], terminal: Terminal): string {
  const strongest = Math.max(...shares.map(Math.abs), 1e-9);
  return words
    .map((word, i) => {
      const share = (shares[i] ?? 0) / strongest;
      if (Math.abs(share) < 1 / 3) return word;
      if (terminal.colorDepth === 1) return `${share > 0 ? '+' : '-'}${word}`;
      const isStrong = Math.abs(share) > 2 / 3;
      return terminal.paint(word, ...(isStrong ? (['bold'] as const) : []), share > 0 ? 'green' : 'red');
    })
    .join(' ');
}
