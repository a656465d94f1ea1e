import { testNumbers } from '../testing/numbers-tests.ts';

testNumbers('webgl2');
testNumbers('webgpu');
