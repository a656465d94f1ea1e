/** Hearing and seeing without a page: words from opinions, what is cut from recordings, learning from few samples, files. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { drawnPicture, shapes } from './drawn-pictures-tests.ts';
import { Hearing } from './hearing.ts';
import { SenseLearner } from './learner.ts';
import { frames, type Heard, mels, soundLength } from './protocol.ts';
import { loudestSecond, secondsOf } from './recording.ts';
import { moved, noisy, reversed } from './sounds.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('from opinions to words', () => {
  const sure = (k: number): Float32Array => Float32Array.from([0, 1, 2], (i) => (i === k ? 0.98 : 0.01));

  it('a word is told once, when it has stayed sure; what is no word never; the same again after something else', () => {
    const hearing = new Hearing([2]);
    const told = [2, 2, 2, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1].map((k) => hearing.push(sure(k)));
    expect(told.filter((word) => word !== null)).toEqual([1, 1]);
    expect(told.slice(0, 4)).toEqual([null, null, null, null]);
  });

  it('a glimpse is no word', () => {
    const hearing = new Hearing([2]);
    const told = [2, 2, 0, 2, 2, 1, 2].map((k) => hearing.push(sure(k)));
    expect(told.every((word) => word === null)).toBe(true);
  });
});

describe('recordings', () => {
  it('are cut into seconds that begin half a second apart; a short one has silence behind it', () => {
    const ramp = Float32Array.from({ length: 2 * soundLength + 100 }, (_, i) => i);
    expect(secondsOf(ramp).map(([first]) => first)).toEqual([0, soundLength / 2, soundLength]);
    const [short] = secondsOf(Float32Array.of(1, 2));
    expect([short?.length, short?.[1], short?.[2]]).toEqual([soundLength, 2, 0]);
  });

  it('of a digit give the second around the word', () => {
    const long = new Float32Array(3 * soundLength);
    long.fill(0.5, 15_000, 17_000);
    const second = loudestSecond(long);
    expect(second.filter((sample) => sample > 0)).toHaveLength(2000);
    expect(second.findIndex((sample) => sample > 0)).toBeCloseTo(3000, -1);
    expect(loudestSecond(Float32Array.of(1)).length).toBe(soundLength);
  });
});

describe('spectrograms', () => {
  const power = Float32Array.from({ length: mels * frames }, (_, i) => i % frames);
  it('move in time and turn round', () => {
    expect([...moved(power, 2, true).subarray(0, 3)]).toEqual([frames - 2, frames - 1, 0]);
    expect([...moved(power, -2, false).subarray(frames - 3, frames)]).toEqual([frames - 1, 0, 0]);
    expect([...reversed(power).subarray(0, 2)]).toEqual([frames - 1, frames - 2]);
  });

  it('are in noise as loud as asked: 10 decibels softer is a tenth of the power', () => {
    const [signal, noise] = [new Float32Array(4).fill(2), new Float32Array(4).fill(7)];
    expect(noisy(signal, noise, 10)[0]).toBeCloseTo(2.2, 5);
  });
});

describe('learning', () => {
  it('spoken digits of voices that it has not heard, and that noise is none', async () => {
    const learner = await SenseLearner.begin({ kind: 'digits', classes: 11, seed: 1 });
    for (let step = 0; step < 60; step++) await learner.turn();
    const { testAccuracy, testCount } = await learner.look();
    expect(testCount).toBe(80);
    expect(testAccuracy).toBeGreaterThan(0.6);
    const random = new RandomSequence(5);
    const shares = await learner.judge(Float32Array.from({ length: soundLength }, () => 0.1 * random.normal()));
    expect(shares.indexOf(Math.max(...shares))).toBe(10);
    // the second that is heard piece by piece is the second that is judged at once
    let heard: Heard = { columns: new Float32Array(), shares: new Float32Array() };
    const sound = Float32Array.from({ length: soundLength }, (_, i) => Math.sin(i * (0.2 + i / 20_000)));
    for (let at = 0; at < soundLength; at += 800) heard = await learner.hear(sound.slice(at, at + 800));
    const whole = await learner.judge(sound);
    whole.forEach((share, k) => {
      expect(heard.shares[k]).toBeCloseTo(share, 5);
    });
    expect(heard.columns).toHaveLength(5 * mels);
    // chunks that come together are heard as they are one by one
    const later = sound.map((sample, i) => sample * Math.cos(i / 300)).slice(0, 2400);
    const alone: Heard[] = [];
    for (let at = 0; at < 2400; at += 800) alone.push(await learner.hear(later.slice(at, at + 800)));
    for (let at = 0; at < soundLength; at += 4000) await learner.hear(sound.slice(at, at + 4000));
    const together = await learner.hear(later);
    expect([...together.shares]).toEqual(alone.flatMap(({ shares: one }) => [...one]));
    expect([...together.columns]).toEqual(alone.flatMap(({ columns }) => [...columns]));
  });

  it('classes of pictures come and go with their samples; each fifth is kept for the test', async () => {
    const random = new RandomSequence(1);
    const learner = await SenseLearner.begin({ kind: 'pictures', classes: 2, seed: 1 });
    await expect(learner.turn()).rejects.toThrow('Each class needs samples.');
    for (let i = 0; i < 12; i++) await learner.add(i % 2, [drawnPicture(i % 2, random)]);
    learner.addClass();
    await learner.add(2, [drawnPicture(3, random)]);
    const countsOf = async (): Promise<unknown> => (await learner.look()).counts;
    expect(await countsOf()).toEqual([
      { train: 5, test: 1 },
      { train: 5, test: 1 },
      { train: 1, test: 0 },
    ]);
    learner.removeClass(0);
    expect(await countsOf()).toEqual([
      { train: 5, test: 1 },
      { train: 1, test: 0 },
    ]);
    await learner.turn();
    expect(await learner.judge(drawnPicture(1, random))).toHaveLength(2);
    learner.clear(1);
    expect(await countsOf()).toEqual([
      { train: 5, test: 1 },
      { train: 0, test: 0 },
    ]);
  });

  it.runIf(process.env.NN_PLAYGROUND)(
    'four classes of drawn pictures, thirty each, are told apart in new ones',
    async () => {
      const random = new RandomSequence(7);
      const learner = await SenseLearner.begin({ kind: 'pictures', classes: shapes.length, seed: 1 });
      for (let i = 0; i < 120; i++) await learner.add(i % 4, [drawnPicture(i % 4, random)]);
      for (let step = 0; step < 300; step++) await learner.turn();
      let right = 0;
      for (let i = 0; i < 100; i++) {
        const shares = await learner.judge(drawnPicture(i % 4, random));
        if (shares.indexOf(Math.max(...shares)) === i % 4) right++;
      }
      expect(right).toBeGreaterThan(75);
    },
    300_000,
  );
});
