/**
 * Spoken digits for the task: recordings of `--data`, voices of espeak-ng where it is installed, or those of our own synthesiser, so that nothing has to be downloaded. Every recording knows who speaks.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAudio, normalizeVolume, spokenDigit, trimSilence, type Waveform, withLength } from '@nn/audio';
import { byteRange, gunzip, tarSamples } from '@nn/data';
import { Failure } from './failure.ts';

export const speechRate = 8000;

/** Samples of a recording: 0.8 seconds, which hold nearly all digits; the others lose their end. */
export const speechLength = 6400;

export interface Recording {
  readonly waveform: Waveform;
  readonly digit: number;
  readonly speaker: string;
  /** The number of the recording among those of its digit and speaker. */
  readonly take: number;
}

export interface Speech {
  readonly name: string;
  readonly recordings: readonly Recording[];
  readonly speakers: readonly string[];
}

/** Without the silence around it, at one loudness. */
const cleaned = (waveform: Waveform): Waveform =>
  normalizeVolume(trimSilence(waveform, { below: 40, frameLength: 256, hopLength: 64 }).waveform, { rms: -20 });

function speechOf(name: string, recordings: readonly Recording[]): Speech {
  return { name, recordings, speakers: [...new Set(recordings.map(({ speaker }) => speaker))].sort() };
}

/** Recordings named digit_speaker_take.wav, in a folder or in its spoken-digits.tar.gz. */
async function speechOfFolder(folder: string): Promise<Speech> {
  if (!existsSync(folder)) throw new Failure(`--data ${folder}: there is no such folder.`);
  const shard = join(folder, 'spoken-digits.tar.gz');
  const files: { readonly key: string; readonly bytes: Uint8Array }[] = [];
  if (existsSync(shard)) {
    const samples = await tarSamples([byteRange(await gunzip(await readFile(shard)))], { names: [shard] });
    for (let i = 0; i < samples.length; i++) {
      const { key, files: all } = await samples.get(i);
      if (all.wav) files.push({ key: key.split('/').at(-1)!, bytes: all.wav });
    }
  } else {
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.wav'))) {
      files.push({ key: name.slice(0, -4), bytes: await readFile(join(folder, name)) });
    }
  }
  const recordings: Recording[] = [];
  for (const { key, bytes } of files) {
    const [, digit, speaker, take] = /^(\d)_(\w+)_(\d+)$/.exec(key) ?? [];
    if (digit === undefined || speaker === undefined) continue;
    const waveform = await decodeAudio(bytes, { sampleRate: speechRate, channels: 1, name: `${key}.wav` });
    recordings.push({ waveform: cleaned(waveform), digit: Number(digit), speaker, take: Number(take) });
  }
  if (recordings.length === 0) {
    throw new Failure(
      `--data ${folder}: it has neither spoken-digits.tar.gz nor files like 3_jackson_12.wav (digit, speaker, number).`,
    );
  }
  return speechOf('recorded digits', recordings);
}

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const voices = ['en-us+m1', 'en-gb+f2', 'en-us+m3', 'en-gb+m7', 'en-us+f4'];

/** Voices of espeak-ng at several heights and speeds, or null where it is not installed. */
async function speechOfEspeak(takes: number): Promise<Speech | null> {
  const recordings: Recording[] = [];
  for (const voice of voices) {
    for (const [digit, word] of words.entries()) {
      for (let take = 0; take < takes; take++) {
        const pitch = 30 + ((take * 7) % 40);
        const speed = 130 + ((take * 23) % 60);
        const options = ['-v', voice, '-p', String(pitch), '-s', String(speed), '--stdout', word];
        const { stdout, status } = spawnSync('espeak-ng', options, { maxBuffer: 2 ** 24 });
        if (status !== 0) return null;
        const waveform = await decodeAudio(new Uint8Array(stdout), { channels: 1, sampleRate: speechRate });
        recordings.push({ waveform: cleaned(waveform), digit, speaker: voice, take });
      }
    }
  }
  return speechOf('voices of espeak-ng', recordings);
}

function speechOfFormants(takes: number, seed: number): Speech {
  const recordings: Recording[] = [];
  for (let speaker = 0; speaker < 5; speaker++) {
    for (let digit = 0; digit < 10; digit++) {
      for (let take = 0; take < takes; take++) {
        const waveform = cleaned(spokenDigit(digit, { speaker, take, sampleRate: speechRate, seed }));
        recordings.push({ waveform, digit, speaker: `speaker ${speaker + 1}`, take });
      }
    }
  }
  return speechOf('synthesised digits', recordings);
}

export async function spokenDigits(folder: string | undefined, seed: number): Promise<Speech> {
  if (folder !== undefined) return speechOfFolder(folder);
  return (await speechOfEspeak(14)) ?? speechOfFormants(20, seed);
}

/** A recording as the network takes it: its beginning, or silence behind it. */
export const samplesOf = ({ waveform }: Recording): Float32Array => withLength(waveform, speechLength).samples;
