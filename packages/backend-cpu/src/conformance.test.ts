/** The engines of the cpu backend that need no WebAssembly, against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { cpu } from './cpu.ts';
import { cpu as smallCpu } from './javascript/index.ts';

/**
 * All values, programs and graphs run in generated JavaScript, and of gradients and neighbours, which are more of the same loops, a
 * part; in WebAssembly all of them do. The entry has the same generator behind another door, and the interpreter the same loops step by step: of what is many of a
 * kind they run a part, and all by `NN_KIT=whole`.
 */
const isWhole = process.env.NN_KIT === 'whole';
const part = isWhole
  ? {}
  : { values: 4, gradients: 8, fusion: 8, programs: 3, 'random graphs': 2, 'functions of tensors': 4 };

testConformance('cpu with generated JavaScript', () => cpu({ engine: 'javascript' }), {
  every: isWhole ? {} : { gradients: 3, fusion: 4 },
});
testConformance('cpu of the entry javascript', () => smallCpu(), { every: part });
testConformance('cpu with the interpreter', () => cpu({ engine: 'interpreter' }), { every: part });
