/**
 * The lessons that come with the page, driven to their goals without a page: by the same sessions, values and solutions.
 * Half a minute, and tests/playground drives them in the page itself: so it runs for writers of lessons, with NN_LESSONS=1.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { decodeSpec, withChanges } from '../model/url.ts';
import { look } from '../worker/look.ts';
import { Session } from '../worker/session.ts';
import { recognise } from '../worker/walk.ts';
import { parseLesson, parseLessonList, type Solution } from './format.ts';
import { type Board, holds, values } from './values.ts';

setDefaultBackend(cpu());

const folder = new URL('../../public/lessons/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const names = parseLessonList(read('index.json'), 'index.json');
/** Those of other places than the board, which have workers of their own, are driven in the page. */
const onBoard = names.filter((name) => !parseLesson(read(name), name).start.includes('place='));

/** What the page would know. */
class Rehearsal {
  session: Session;
  board: Board;

  private constructor(session: Session, board: Board) {
    this.session = session;
    this.board = board;
  }

  static async begin(start: string): Promise<Rehearsal> {
    const session = await Session.make(decodeSpec(start), {});
    const frame = await look(session, false);
    const page = {
      threshold: 0.5,
      tab: 'walk',
      lines: 'weights',
      neuron: null,
      recognised: null,
      stopped: null,
      begun: 0,
    } as const;
    return new Rehearsal(session, { ...page, spec: session.spec, built: session.describe(), frame });
  }

  async put(changes: Partial<Board>): Promise<void> {
    this.board = { ...this.board, ...changes, spec: this.session.spec, frame: await look(this.session, false) };
  }

  async build(spec: Board['spec']): Promise<void> {
    this.session = await Session.make(spec, {});
    await this.put({ built: this.session.describe(), stopped: null, begun: 0, neuron: null, recognised: null });
  }

  async solve(
    { set, restart, open, lines, neuron, threshold, digit, train }: Solution,
    done: () => boolean,
  ): Promise<void> {
    if (set !== null) {
      const wanted = withChanges(this.session.spec, set);
      const isStructural = (['samples', 'layers', 'coverage', 'balance'] as const).some(
        (name) => JSON.stringify(wanted[name]) !== JSON.stringify(this.session.spec[name]),
      );
      if (isStructural) await this.build(wanted);
      else await this.session.retune(wanted);
    }
    if (restart) await this.build(this.session.spec);
    await this.put({
      ...(open && { tab: open }),
      ...(lines && { lines }),
      ...(threshold !== null && { threshold }),
      ...(neuron && { neuron: { block: neuron[0] - 1, unit: neuron[1] - 1 } }),
    });
    if (digit !== null) {
      const { pixels = new Float32Array(), labels = [], side = 0 } = this.session.describe().gallery ?? {};
      const at = labels.indexOf(digit) * side * side;
      const { best } = await recognise(this.session, pixels.slice(at, at + side * side));
      await this.put({ recognised: best });
    }
    for (let k = 0; train && !done() && k < 120; k++) {
      try {
        for (let step = 0; step < 25; step++) await this.session.trainStep();
        await this.put({});
      } catch {
        await this.put({ stopped: 'value/diverged' });
      }
    }
  }
}

describe('the lessons of the page', () => {
  it('are all in the list', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'index.json');
    expect([...names].sort()).toEqual(files.sort());
  });

  it.runIf(process.env.NN_LESSONS).each(onBoard)(
    '%s has three to five steps, each of which its solution reaches and none is reached before',
    async (name) => {
      const lesson = parseLesson(read(name), name);
      expect(lesson.steps.length).toBeGreaterThanOrEqual(3);
      expect(lesson.steps.length).toBeLessThanOrEqual(5);
      let page = await Rehearsal.begin(lesson.start);
      for (const [k, step] of lesson.steps.entries()) {
        if (step.start !== null) page = await Rehearsal.begin(step.start);
        else await page.put({ begun: page.board.frame.step });
        const done = (): boolean => step.goals.every((goal) => holds(goal, { board: page.board, facts: {} }));
        const state = (): string =>
          `${name}, step ${k + 1}: ${step.goals.map(({ value }) => `${value} ${values[value].read({ board: page.board, facts: {} })}`).join(', ')}`;
        expect(done(), `before: ${state()}`).toBe(false);
        expect(step.solution, `${name}, step ${k + 1}`).not.toBeNull();
        await page.solve(step.solution as Solution, done);
        expect(done(), `after: ${state()}`).toBe(true);
      }
    },
  );
});
