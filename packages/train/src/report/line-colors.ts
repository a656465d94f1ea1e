/** The colours of curves, in the report and on a page, and the rows in which their names stand. */

/**
 * On light paper: the palette that colour-blind people tell apart (Okabe and Ito 2008), its two palest darkened so that each
 * line has 3 : 1 with white.
 */
export const lineColors: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b37b00', '#444a52'];

/** The same hues on dark paper. */
export const darkLineColors: readonly string[] = ['#4ea8de', '#ff8a3d', '#2cc295', '#e39ac4', '#f2b93b', '#c9ced6'];

/** The colour's place among the six: a seventh line begins again. */
export const colorAt = (line: number): number => line % lineColors.length;

/** One name with its last value, and where it stands: pixels from the left, and the row. */
export interface LegendEntry {
  readonly text: string;
  readonly x: number;
  readonly row: number;
}

/** Pixels of the short line in front of a name. */
export const markWidth = 16;

/** Names one after the other, in as many rows as the width asks for. No font is measured: a character is 6.2 pixels of 11. */
export function legendOf(texts: readonly string[], width: number): LegendEntry[] {
  let [x, row] = [0, 0];
  return texts.map((text) => {
    const needed = markWidth + 6.2 * text.length;
    if (x > 0 && x + needed > width) [x, row] = [0, row + 1];
    const entry = { text, x, row };
    x += needed + 12;
    return entry;
  });
}
