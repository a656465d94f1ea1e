/**
 * The worker's end of a place: commands are carried out one at a time with a turn of training in between, questions are answered
 * whenever they come, and a frame is made when the page has drawn the last one. The page's end is connect.ts.
 */
import { describeError } from '../model/describe-error.ts';
import { breathe } from './breathe.ts';
import type { Calls, FromPlace, ToPlace } from './protocol.ts';

interface Work<Frame> {
  /** What changes something: waits for the end of a turn, and a frame follows it. */
  readonly commands: Calls;
  /** What only looks. */
  readonly questions: Calls;
  /** A piece of training. It may take longer than a frame if it lets messages in (`breathe`). */
  readonly turn: () => Promise<void>;
  readonly look: () => Promise<Frame> | Frame;
}

const sliceMilliseconds = 12;
const shortestFrameGap = 50;

export function serve<Frame>({ commands, questions, turn, look }: Work<Frame>): void {
  const queue: Extract<ToPlace, { kind: 'call' }>[] = [];
  let isRunning = false;
  let isBusy = false;
  let isSeen = true;
  let nextFrame = 0;

  addEventListener('message', ({ data }: MessageEvent<ToPlace>) => {
    if (data.kind === 'seen') isSeen = true;
    else if (data.kind === 'run' || data.kind === 'pause') {
      isRunning = data.kind === 'run';
      void pump();
    } else if (Object.hasOwn(questions, data.name)) void answer(questions, data);
    else {
      queue.push(data);
      void pump();
    }
  });

  async function pump(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    for (;;) {
      const request = queue.shift();
      if (request !== undefined) {
        await answer(commands, request);
        await show();
      } else if (isRunning) await slice();
      else break;
    }
    isBusy = false;
    await show();
  }

  async function answer(calls: Calls, { id, name, values }: Extract<ToPlace, { kind: 'call' }>): Promise<void> {
    try {
      post({ kind: 'reply', id, value: await calls[name]?.(...values) });
    } catch (error) {
      post({ kind: 'refused', id, why: describeError(error) });
    }
  }

  async function slice(): Promise<void> {
    try {
      const end = performance.now() + sliceMilliseconds;
      do await turn();
      while (isRunning && queue.length === 0 && performance.now() < end);
      if (isSeen && performance.now() >= nextFrame) await show();
    } catch (error) {
      stop(error);
    }
    await breathe();
  }

  /** The next frame waits so long that training keeps two thirds of the time. */
  async function show(): Promise<void> {
    try {
      const started = performance.now();
      const frame = await look();
      const now = performance.now();
      nextFrame = now + Math.max(shortestFrameGap, 2 * (now - started));
      isSeen = false;
      post({ kind: 'frame', frame });
    } catch (error) {
      stop(error);
    }
  }

  function stop(error: unknown): void {
    isRunning = false;
    post({ kind: 'stopped', why: describeError(error) });
  }
}

function post(message: FromPlace): void {
  postMessage(message);
}
