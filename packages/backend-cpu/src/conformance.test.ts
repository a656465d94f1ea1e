/** Every engine of the cpu backend against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { cpu } from './backend.ts';

testConformance('cpu with generated JavaScript', () => cpu({ engine: 'javascript' }));
testConformance('cpu with the interpreter', () => cpu({ engine: 'interpreter' }));
