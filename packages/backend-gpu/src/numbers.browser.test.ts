import { testNumbers } from './numbers-tests.ts';

testNumbers('webgl2');
testNumbers('webgpu');
