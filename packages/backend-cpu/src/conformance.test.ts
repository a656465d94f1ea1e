/** Every engine of the cpu backend against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { cpu } from './cpu.ts';
import { cpu as smallCpu } from './javascript/index.ts';

testConformance('cpu with generated JavaScript', () => cpu({ engine: 'javascript' }));
testConformance('cpu of the entry javascript', () => smallCpu());
testConformance('cpu with the interpreter', () => cpu({ engine: 'interpreter' }));
