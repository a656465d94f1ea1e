/** The public names, one by one. */
export {
  addNoise,
  inSequence,
  type NoiseOptions,
  type Range,
  type ReverberationOptions,
  randomCut,
  randomGain,
  randomNoise,
  randomPitch,
  randomReverberation,
  randomShift,
  randomStretch,
  reverberate,
  type ShiftOptions,
  type SoundAugmentation,
  sometimes,
} from './augment/augment.ts';
export {
  type MaskDrawOptions,
  type SpecAugment,
  type SpecAugmentOptions,
  type SpectrogramSize,
  specAugment,
} from './augment/spec-augment.ts';
export { type StretchOptions, shiftPitch, stretch } from './augment/stretch.ts';
export { type AudioDecoder, type AudioSource, type DecodeAudioOptions, decodeAudio } from './codecs/decode.ts';
export {
  type AudioBufferLike,
  fromAudioBuffer,
  platformDecoder,
  type WasmDecoded,
  type WasmDecoderLike,
  wasmDecoder,
} from './codecs/platform.ts';
export { type WavInfo, wavInfo } from './codecs/wav.ts';
export { type EncodeWavOptions, encodeWav } from './codecs/wav-write.ts';
export { type ActivityOptions, type EnergyOptions, energy, type Segment, voiceActivity } from './features/activity.ts';
export {
  type Convention,
  type DecibelOptions,
  decibels,
  deltas,
  logMelSpectrogram,
  type MelOptions,
  type MfccOptions,
  melSpectrogram,
  mfcc,
} from './features/features.ts';
export { type GriffinLimOptions, griffinLim, melToSpectrogram } from './features/inverse.ts';
export { hertzToMel, type MelBankOptions, type MelScale, melFilterBank, melToHertz } from './features/mel.ts';
export { type PitchOptions, pitch } from './features/pitch.ts';
export { type FrameOptions, type SpectrogramOptions, spectrogram } from './features/spectrogram.ts';
export { type Microphone, type MicrophoneOptions, microphoneWorklet, openMicrophone } from './live/microphone.ts';
export {
  Conformer,
  type ConformerOptions,
  ConformerRecognizer,
  type ConformerRecognizerOptions,
  conformerSmall,
} from './models/conformer.ts';
export { DsCnn, type DsCnnOptions, M5, type M5Options } from './models/keywords.ts';
export {
  FeatureStream,
  StreamingRecognizer,
  type StreamingRecognizerOptions,
  type StreamingState,
} from './models/streaming.ts';
export {
  type CtcBeamOptions,
  type CtcDecodeOptions,
  type CtcGreedyResult,
  type CtcResult,
  CtcStream,
  ctcBeamDecode,
  ctcGreedyDecode,
} from './recognition/ctc-decode.ts';
export { type LabelModel, NGramModel } from './recognition/language-model.ts';
export { type RnntOptions, rnnt } from './recognition/rnnt.ts';
export { type ResampleOptions, resample, resampleSignal } from './sounds/resample.ts';
export { ResampleStream } from './sounds/resample-stream.ts';
export { normalizeVolume, type TrimOptions, trimSilence, type VolumeOptions } from './sounds/volume.ts';
export {
  type CutOptions,
  channelOf,
  cut,
  joined,
  mono,
  signal,
  type Waveform,
  waveformOf,
  waveformsOf,
  waveformTensor,
  withLength,
} from './sounds/waveform.ts';
export {
  type AudioFolder,
  type AudioShardsOptions,
  audioFolder,
  audioList,
  audioShards,
  type LabelledSound,
  type ListedSound,
} from './sources/audio-sources.ts';
export { type SpokenDigitOptions, spokenDigit } from './sources/spoken-digit.ts';
