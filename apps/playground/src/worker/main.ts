/**
 * The worker: takes one command at a time, and trains in between. A slice of training is short, so a command waits for
 * one step at most; a frame is computed only when the page has drawn the last one.
 */
import { ValueError } from '@nn/core';
import { describeError } from '../model/describe-error.ts';
import type { Dropped } from '../model/samples.ts';

import { defaults } from '../model/spec.ts';
import { availability, factsOf } from './devices.ts';
import { exported } from './export.ts';
import { look, showSample, turnPlane } from './look.ts';
import { metrics } from './metrics.ts';
import { mistakes, samplesOf } from './mistakes.ts';
import { Pace } from './pace.ts';
import { predict } from './predict.ts';
import type { Answers, Command, FromWorker, Request } from './protocol.ts';
import { divergence, Session } from './session.ts';
import { recognise, updateOf, walk } from './walk.ts';

const sliceMilliseconds = 12;
const shortestFrameGap = 50;

const queue: Request[] = [];
let session: Session | null = null;
let dropped: Dropped = {};
let running = false;
/** Steps until training rests by itself. */
let stepsLeft = Number.POSITIVE_INFINITY;
let busy = false;
/** Whether the page waits for a frame. */
let isSeen = true;
let nextFrame = 0;
const pace = new Pace();

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  if (data.kind === 'seen') {
    isSeen = true;
    return;
  }
  // opening a GPU takes seconds on some machines, and needs no experiment: nothing waits for it
  if (data.kind === 'availability') {
    void answer(data);
    return;
  }
  if (data.kind === 'pause') running = false;
  queue.push(data);
  void pump();
});

async function pump(): Promise<void> {
  if (busy) return;
  busy = true;
  for (;;) {
    const request = queue.shift();
    if (request !== undefined) await answer(request);
    else if (running && session !== null) await trainSlice(session);
    else break;
  }
  busy = false;
}

async function answer(request: Request): Promise<void> {
  const { id } = request;
  try {
    post({ kind: 'reply', id, value: await perform(request) });
    // while training runs, the next frame comes by itself
    if (showsItself.has(request.kind) && !(running && request.kind === 'recognise')) await sendFrame();
  } catch (error) {
    post({ kind: 'refused', id, why: describeError(error) });
  }
}

/** Commands after which the page gets a frame at once. */
const showsItself: ReadonlySet<Command['kind']> = new Set([
  'build',
  'retune',
  'step',
  'pause',
  'backend',
  'load',
  'recognise',
  'axes',
  'points',
  'edit',
  'rewind',
]);

async function perform(command: Command): Promise<Answers[Command['kind']]> {
  switch (command.kind) {
    case 'drop':
      dropped = command.dropped;
      return null;
    case 'build':
      return build(command.spec);
    case 'retune':
      await current().retune(command.spec);
      return null;
    case 'pace':
      pace.stepsPerSecond = command.stepsPerSecond;
      pace.stepsPerFrame = command.stepsPerFrame;
      return null;
    case 'run':
    case 'epoch': {
      const made = current();
      stepsLeft = command.kind === 'epoch' ? made.stepsOfEpoch : Number.POSITIVE_INFINITY;
      pace.start();
      running = true;
      return null;
    }
    case 'rewind': {
      running = false;
      const made = current();
      await made.rewind(command.step);
      return made.spec;
    }
    case 'step':
      running = false;
      await current().trainStep();
      return null;
    case 'backend': {
      const made = current();
      await made.swap({ ...made.spec, backend: command.name });
      return factsOf(made.device);
    }
    case 'availability':
      return availability();
    case 'save':
      return current().save(command.as);
    case 'export':
      return exported(current(), command.as, command.version);
    case 'load': {
      const loaded = await (session ?? (await Session.make(defaults, dropped))).load(command.bytes);
      running = false;
      session = loaded;
      return loaded.describe();
    }
    case 'recognise': {
      const made = current();
      showSample(made, command.pixels);
      return recognise(made, command.pixels);
    }
    case 'axes':
      turnPlane(current(), command.axes);
      return null;
    case 'points': {
      const made = current();
      await made.takePoints(command.spec);
      return made.describe();
    }
    case 'edit':
      await current().edit(command.block, command.unit, command.input, command.value);
      return null;
    case 'walk':
      return walk(current(), command.sample);
    case 'update':
      return updateOf(current(), command.sample);
    case 'mistakes':
      return mistakes(current());
    case 'metrics':
      return metrics(current(), command.threshold);
    case 'predict':
      return predict(current(), command.row);
    case 'cell':
      return samplesOf(current(), command.truth, command.guess, command.threshold);
    case 'explain': {
      const { explain } = await import('./explain.ts');
      return explain(current(), command.pixels, command.target);
    }
    default:
      return null;
  }
}

/** The old experiment stays where the new one cannot be made. */
async function build(spec: Parameters<typeof Session.make>[0]): Promise<Answers['build']> {
  const made = await Session.make(spec, dropped);
  running = false;
  session = made;
  return made.describe();
}

function current(): Session {
  if (session === null) throw new ValueError('/no-experiment', 'There is no experiment yet.');
  return session;
}

async function trainSlice(made: Session): Promise<void> {
  let due = true;
  try {
    const end = performance.now() + sliceMilliseconds;
    do {
      due = pace.isDue();
      if (due) {
        await made.trainStep();
        stepsLeft--;
      }
    } while (due && stepsLeft > 0 && running && queue.length === 0 && performance.now() < end);
    if (stepsLeft <= 0) {
      running = false;
      post({ kind: 'rested' });
    }
    if (!running || (isSeen && performance.now() >= nextFrame)) {
      const loss = await sendFrame();
      if (!Number.isFinite(loss)) {
        running = false;
        post({ kind: 'stopped', why: describeError(divergence(loss, made.step)) });
      }
    }
  } catch (error) {
    running = false;
    post({ kind: 'stopped', why: describeError(error) });
  }
  await (due ? macrotask() : new Promise((resolve) => setTimeout(resolve, 5)));
}

/** A frame; the next one waits so long that training keeps two thirds of the time. */
async function sendFrame(): Promise<number> {
  if (session === null) return 0;
  const started = performance.now();
  await session.keep();
  const frame = await look(session, running);
  const now = performance.now();
  nextFrame = now + Math.max(shortestFrameGap, 2 * (now - started));
  isSeen = false;
  pace.show();
  post({ kind: 'frame', frame });
  return frame.trainLoss;
}

function post(message: FromWorker): void {
  const buffers = new Set<ArrayBuffer>();
  collect(message, buffers);
  postMessage(message, { transfer: [...buffers] });
}

/** The memory of all typed arrays below a value that own theirs. */
function collect(value: unknown, found: Set<ArrayBuffer>): void {
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
    return;
  }
  for (const child of Object.values(value)) collect(child, found);
}

/** Lets messages in: a task of its own, without the 4 ms of nested timers. */
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
