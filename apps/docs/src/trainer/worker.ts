/** Trains beside the page, and sends a picture when the page has drawn the last one. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { type Command, lastStep, type Message } from './protocol.ts';
import { Session } from './session.ts';

/** Between two pictures; the page draws about thirty in a second. */
const milliseconds = 30;

setDefaultBackend(cpu());
let session: Session | undefined;
let runs = false;
let drawn: (() => void) | undefined;

const send = (message: Message): void => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<Command>) => {
  if (data.kind === 'drawn') drawn?.();
  else if (data.kind === 'begin') begin(data.problem);
  else {
    const starts = data.kind === 'run' && !runs;
    runs = data.kind === 'run';
    if (starts && session !== undefined) follow(session);
  }
});

function begin(problem: Extract<Command, { kind: 'begin' }>['problem']): void {
  setSeed(7);
  const next = new Session(problem);
  session = next;
  runs = false;
  send({ kind: 'points', places: next.places, classes: next.classes });
  show(next).catch(fail);
}

function follow(current: Session): void {
  train(current).catch(fail);
}

function fail(error: unknown): void {
  runs = false;
  send({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
}

async function train(current: Session): Promise<void> {
  const goesOn = (): boolean => runs && session === current && current.step < lastStep;
  while (goesOn()) {
    const until = performance.now() + milliseconds;
    do await current.train();
    while (goesOn() && performance.now() < until);
    if (session === current) await show(current);
  }
  if (session === current && current.step >= lastStep) runs = false;
}

async function show(current: Session): Promise<void> {
  const found = await current.look();
  if (session !== current) return;
  const done = new Promise<void>((resolve) => {
    drawn = resolve;
  });
  send({ kind: 'frame', step: current.step, isOver: current.step >= lastStep, ...found });
  await done;
}
