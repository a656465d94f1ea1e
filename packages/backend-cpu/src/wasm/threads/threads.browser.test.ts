/** Threads in pages: those that are isolated from other origins have them, others are told what to do. */
import { expect, test } from 'vitest';
import { cpu } from '../../index.ts';

test('an isolated page has as many threads as it asks for', () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
  const { engine, details } = cpu({ threads: 2 }).info();
  expect({ engine, details }).toMatchObject({ engine: 'wasm', details: { threads: 2 } });
  expect(details).not.toHaveProperty('singleThread');
});

interface Answer {
  readonly isolated: boolean;
  readonly info: ReturnType<ReturnType<typeof cpu>['info']>;
  readonly data: readonly number[];
}

/** What a page inside this one finds when it asks for two threads, computes, and waits a little. */
async function inFrame(prepare: (frame: HTMLIFrameElement) => void, policy = ''): Promise<Answer> {
  const frame = document.createElement('iframe');
  prepare(frame);
  document.body.append(frame);
  const inside = frame.contentWindow as Window & typeof globalThis;
  if (policy !== '') {
    const meta = inside.document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = policy;
    inside.document.head.append(meta);
  }
  const script = inside.document.createElement('script');
  script.type = 'module';
  script.textContent = `
    import { cpu } from '${new URL('../index.ts', import.meta.url).href}';
    const backend = cpu({ threads: 2 });
    const type = { dtype: 'float32', shape: [2] };
    const data = await backend.download(backend.upload(Float32Array.of(1, 2), type));
    for (let turn = 0; turn < 50 && !('singleThread' in backend.info().details); turn++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    parent.postMessage({ isolated: crossOriginIsolated, info: backend.info(), data: [...data] });
  `;
  const answer = new Promise<MessageEvent<Answer>>((resolve) => {
    addEventListener('message', resolve, { once: true });
  });
  inside.document.body.append(script);
  const { data } = await answer;
  frame.remove();
  return data;
}

test('a page that is not isolated has one thread, knows why, and computes', async () => {
  const answer = await inFrame((frame) => {
    frame.allow = "cross-origin-isolated 'none'";
  });
  expect(answer).toMatchObject({
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

test('a page whose policy forbids workers has one thread, and says what to allow', async () => {
  const answer = await inFrame(() => undefined, "worker-src 'none'");
  expect(answer).toMatchObject({
    isolated: true,
    info: { engine: 'wasm', details: { threads: 1, singleThread: expect.stringContaining("'worker-src blob:'") } },
    data: [1, 2],
  });
});
