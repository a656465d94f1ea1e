/** Threads in pages: those that are isolated from other origins have them, others are told what to do. */
import { expect, test } from 'vitest';
import { cpu } from '../index.ts';

test('an isolated page has as many threads as it asks for', () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
  const { engine, details } = cpu({ threads: 2 }).info();
  expect({ engine, details }).toMatchObject({ engine: 'wasm', details: { threads: 2 } });
  expect(details).not.toHaveProperty('singleThread');
});

test('a page that is not isolated has one thread, knows why, and computes', async () => {
  const frame = document.createElement('iframe');
  frame.allow = "cross-origin-isolated 'none'";
  document.body.append(frame);
  const inside = frame.contentWindow as Window & typeof globalThis;
  const script = inside.document.createElement('script');
  script.type = 'module';
  script.textContent = `
    import { cpu } from '${new URL('../index.ts', import.meta.url).href}';
    const backend = cpu({ threads: 2 });
    const type = { dtype: 'float32', shape: [2] };
    const data = await backend.download(backend.upload(Float32Array.of(1, 2), type));
    parent.postMessage({ isolated: crossOriginIsolated, info: backend.info(), data: [...data] });
  `;
  const answer = new Promise<MessageEvent>((resolve) => {
    addEventListener('message', resolve, { once: true });
  });
  inside.document.body.append(script);
  const { data } = await answer;
  frame.remove();
  expect(data).toMatchObject({
    isolated: false,
    info: {
      engine: 'wasm',
      details: {
        threads: 1,
        singleThread: expect.stringContaining('cross-origin isolated (COOP same-origin, COEP require-corp)'),
      },
    },
    data: [1, 2],
  });
});
