/** Pictures of attributions: what is where, in which colour. How they look was looked at. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor, zeros } from '@nn/core';
import { decodeImage, encodePng } from '@nn/vision';
import { beforeAll, describe, expect, it } from 'vitest';
import { barsSvg, beeswarmSvg, explainedHtml, explainedText, heatMap } from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('heat maps', () => {
  it('are orange for, blue against, and go through a PNG', async () => {
    const picture = await heatMap(tensor([[[1, 0]], [[1, -2]]]), { outliers: 0, scale: 2 }); // [2, 1, 2]: channels add up
    expect([picture.width, picture.height]).toEqual([4, 2]);
    expect([...picture.data.subarray(0, 3)]).toEqual([200, 70, 0]);
    expect([...picture.data.subarray(9, 12)]).toEqual([0, 86, 160]);
    const again = await decodeImage(await encodePng(picture));
    expect([...again.data]).toEqual([...picture.data]);
  });

  it('lie over the picture in grey, brought to its size', async () => {
    const image = tensor([[0, 0, 1, 1], [0, 0, 1, 1]]); // biome-ignore format: rows
    const { width, height, data } = await heatMap(zeros([1, 2]), { image });
    expect([width, height]).toEqual([4, 2]);
    expect([data[0], data[9]]).toEqual([70, 200]);
    const { data: over } = await heatMap(tensor([[1, 1]]), { image, strength: 0.5 });
    expect([...over.subarray(0, 3)]).toEqual([135, 70, 35]); // half of orange, half of 70
  });

  it('one outlier does not make all others white', async () => {
    const values = Array.from({ length: 100 }, (_, i) => (i === 0 ? 3 : 1));
    const { data } = await heatMap(tensor(values).reshape([10, 10]), { outliers: 4 });
    expect([...data.subarray(3, 6)]).toEqual([200, 70, 0]);
    await expect(heatMap(zeros([1, 2, 3, 4]))).rejects.toThrow(
      'heatMap: [1, 2, 3, 4] is no picture: give one, [channels, height, width] or [height, width], of a batch x.at(0).',
    );
    await expect(heatMap(tensor([[NaN]]))).rejects.toThrow(
      'heatMap: the attributions have values that are not finite.',
    );
  });
});

it('text keeps its tokens, and its colours tell sign and size', () => {
  const text = explainedText(['a', 'b', 'c'], [2, -1, 0]);
  expect(text.split(' ')).toHaveLength(3);
  expect(text).toContain('\u001b[48;2;200;70;0m');
  expect(text).toContain('\u001b[48;2;255;255;255m');
  const html = explainedHtml(['<b>', '&'], [1, -1], { separator: '' });
  expect(html).toContain('>&lt;b&gt;</mark><mark');
  expect(html).toContain('background:#0056a0');
  expect(() => explainedHtml(['a'], [1, 2])).toThrow('explainedHtml: 1 tokens and 2 attributions: give one for each.');
});

describe('tables', () => {
  it('bars: the largest first, the others together, negative ones to the left', () => {
    const svg = barsSvg(['a', 'b & c', 'd', 'e'], [1, -4, 0.5, 0.25], { most: 2, values: [7, 8, 9, 10] });
    const names = [...svg.matchAll(/text-anchor="end" fill="#222">([^<]+)</g)].map(([, name]) => name);
    expect(names).toEqual(['b &amp; c = 8', 'a = 7', '2 others']);
    const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, x, w]) => [
      Number(x),
      Number(w),
    ]);
    const [minus, plus] = bars as [number[], number[], number[]];
    expect((minus?.[0] as number) + (minus?.[1] as number)).toBeCloseTo(plus?.[0] as number, 1);
    expect(minus?.[1]).toBeCloseTo(4 * (plus?.[1] as number), 1);
    expect(svg).toContain('>0.75</text>');
    expect(() => barsSvg(['a'], [1, 2])).toThrow('barsSvg: 1 names for 2 attributions: give one for each feature.');
  });

  it('a swarm has a point for each sample and feature, coloured by the value', () => {
    const attributions = Array.from({ length: 30 }, (_, n) => [n - 15, 0.1]);
    const values = attributions.map(([a]) => [a as number, 1]);
    const svg = beeswarmSvg(['up', 'flat'], attributions, values);
    const points = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="2.5" fill="(#[0-9a-f]+)"/g)];
    expect(points).toHaveLength(60);
    expect([points[0]?.[3], points[29]?.[3]]).toEqual(['#0072b2', '#d55e00']);
    expect(new Set(points.slice(30).map(([, , y]) => y)).size).toBeGreaterThan(3); // equal ones lie beside each other
    expect(() => beeswarmSvg(['up'], [[1]], [])).toThrow(
      'beeswarmSvg: 1 rows of attributions and 0 of values: give one of each for each sample.',
    );
  });
});
