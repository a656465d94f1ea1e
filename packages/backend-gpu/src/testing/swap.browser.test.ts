import { testSwap } from './swap-tests.ts';

testSwap('webgl2');
testSwap('webgpu');
