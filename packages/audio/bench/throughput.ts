/**
 * Seconds of sound a second of processor time, beside torchaudio with one thread, in turns: reading WAV, another rate, and features of 16 sounds of 4 seconds. Times are those of the processor, so that what else runs
 * on the machine counts for little; medians of 9.
 *
 *   npx tsx --conditions=@nn/source packages/audio/bench/throughput.ts [python3 with torchaudio]
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import {
  decodeAudio,
  encodeWav,
  logMelSpectrogram,
  mfcc,
  resample,
  spectrogram,
  stretch,
  waveformOf,
} from '../src/index.ts';

setDefaultBackend(cpu({ threads: 1 }));
const [count, rate, seconds] = [16, 16000, 4];
const samples = Float32Array.from({ length: rate * seconds }, (_, i) => 0.4 * Math.sin(i / 7 + 1e-6 * i * i));
const sound = waveformOf(samples, rate);
const music = waveformOf(samples, 44100);
const file = encodeWav(sound);
const batch = tensor(
  Float32Array.from({ length: count * samples.length }, (_, i) => samples[i % samples.length]!),
  {
    shape: [count, samples.length],
  },
);
const compiled = (feature: (x: Tensor) => Tensor): (() => Promise<unknown>) => {
  const step = compile((x: Tensor) => feature(x).sum());
  return async () => (await step(batch)).item();
};
const times = async (times: number, work: () => unknown): Promise<void> => {
  for (let i = 0; i < times; i++) await work();
};

/** What is measured, and how many seconds of sound it is. */
const cases: Readonly<Record<string, readonly [sound: number, work: () => Promise<unknown>]>> = {
  'read WAV': [8 * seconds, () => times(8, () => decodeAudio(file))],
  '44.1 to 16 kHz': [(8 * samples.length) / 44100, () => times(8, () => resample(music, 16000))],
  spectrogram: [count * seconds, compiled((x) => spectrogram(x))],
  'spectrogram, fft': [count * seconds, async () => spectrogram(batch, { transform: 'fft' }).sum().item()],
  'log mel': [count * seconds, compiled((x) => logMelSpectrogram(x, { convention: 'torchaudio', mels: 80 }))],
  mfcc: [count * seconds, compiled((x) => mfcc(x, { convention: 'torchaudio', mels: 80 }))],
  stretch: [2 * seconds, () => times(2, () => stretch(sound, 1.1))],
};

const program = `
import io, math, sys, time, torch, torchaudio, torchaudio.functional as F, torchaudio.transforms as T
torch.set_num_threads(1)
n = torch.arange(64000.)
x = 0.4 * torch.sin(n / 7 + 1e-6 * n * n)
batch = x.repeat(16, 1)
torchaudio.save('/tmp/nn-throughput.wav', x[None], 16000, encoding='PCM_S', bits_per_sample=16)
again = T.Resample(44100, 16000)
spectrogram, mel, mfcc, level = T.Spectrogram(), T.MelSpectrogram(n_mels=80), T.MFCC(melkwargs=dict(n_mels=80)), T.AmplitudeToDB()
window, advance = torch.hann_window(512), torch.linspace(0, math.pi * 128, 257)[:, None]
def stretch():
    y = F.phase_vocoder(torch.stft(x, 512, 128, window=window, return_complex=True), 1.1, advance)
    torch.istft(y, 512, 128, window=window)
def times(count, work):
    for _ in range(count):
        work()
cases = {'read WAV': lambda: times(8, lambda: torchaudio.load('/tmp/nn-throughput.wav')), '44.1 to 16 kHz': lambda: times(8, lambda: again(x)),
         'spectrogram': lambda: spectrogram(batch).sum().item(), 'spectrogram, fft': lambda: spectrogram(batch).sum().item(),
         'log mel': lambda: level(mel(batch)).sum().item(), 'mfcc': lambda: mfcc(batch).sum().item(),
         'stretch': lambda: times(2, stretch)}
for line in sys.stdin:
    start = time.process_time()
    cases[line.strip()]()
    print(time.process_time() - start, flush=True)
`;
const python = spawn(process.argv[2] ?? 'python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

for (const [name, [length, work]] of Object.entries(cases)) {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 11; turn++) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    python.stdin.write(`${name}\n`);
    const other = Number((await answers.next()).value);
    if (turn < 2) continue;
    ours.push((user + system) / 1e6);
    theirs.push(other);
  }
  const speeds = [ours, theirs].map((list) => length / median(list));
  const [nn = 0, torchaudio = 0] = speeds;
  process.stdout.write(
    `${name.padEnd(18)} nn ${nn.toFixed(0).padStart(7)}  torchaudio ${torchaudio.toFixed(0).padStart(7)}  ratio ${(torchaudio / nn).toFixed(2)}\n`,
  );
}
python.stdin.end();
