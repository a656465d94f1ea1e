/** The engines of the cpu backend that need no WebAssembly, against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { cpu } from './cpu.ts';
import { cpu as smallCpu } from './javascript/index.ts';

/**
 * The entry has the same generator behind another door, and the interpreter the same loops step by step: of what is many of a
 * kind they run a part, and all by `NN_KIT=whole`.
 */
const isWhole = process.env.NN_KIT === 'whole';
const part = isWhole ? {} : { values: 4, gradients: 8, fusion: 8, 'functions of tensors': 2 };

testConformance('cpu with generated JavaScript', () => cpu({ engine: 'javascript' }));
testConformance('cpu of the entry javascript', () => smallCpu(), { every: part });
testConformance('cpu with the interpreter', () => cpu({ engine: 'interpreter' }), { every: part });
