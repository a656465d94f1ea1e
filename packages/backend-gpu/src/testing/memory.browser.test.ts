import { testMemory } from './memory-tests.ts';

testMemory('webgl2');
testMemory('webgpu');
