/** What our packages weigh in a page. The bundles, ceilings and forbidden names stand in scripts/sizes.mjs. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bundles, measure, table, written } from '../scripts/sizes.mjs';

const sizes = await Promise.all(bundles.map(measure));

test.each(bundles.map((bundle, at) => ({ ...bundle, size: sizes[at] })))(
  '$name stays below its ceiling and free of what it does not use',
  ({ ceiling, without, size }) => {
    expect(size?.compressed).toBeLessThan(ceiling);
    expect(size?.compressed).toBeGreaterThan(ceiling / 2); // or the ceiling holds nothing back
    expect(without.filter((name) => size?.names.has(name))).toEqual([]);
  },
);

/** All packages of a page, and the entries that the bundle of everything leaves out. */
const packages = readdirSync(new URL('../packages', import.meta.url)).filter(
  (name) => !/^(backend-|conformance)/.test(name),
);
// what starts projects is for Node alone
const inPages = packages.filter((name) => name !== 'create');
const besideEverything = ['text/hugging-face', ...inPages].map((name) => `export * from '@nn/${name}';`).join('\n');

test('the names that bundles are searched for are those of the packages', async () => {
  const { allNames: besides } = await measure({ code: besideEverything, splitting: true });
  const everything = new Set([...(sizes.at(-1)?.allNames ?? []), ...besides]);
  const foreign = ['GPU', 'createKernelMap', 'conformance'];
  const searched = [...new Set(bundles.flatMap(({ without }) => without))].filter((name) => !foreign.includes(name));
  expect(searched.filter((name) => !everything.has(name))).toEqual([]);
});

test('README.md gives the sizes to 3 percent: npm run sizes', () => {
  const numbers = (text = ''): number[] => [...text.matchAll(/([\d.]+) kB/g)].map(([, number]) => Number(number));
  const [said, measured] = [numbers(written()), numbers(table(sizes))];
  expect(said).toHaveLength(measured.length);
  said.forEach((number, at) => {
    const now = measured[at] ?? 0;
    expect(Math.abs(number - now) / now, `README.md says ${number} kB, measured ${now} kB`).toBeLessThan(0.03);
  });
});
