/**
 * The library module: functions that do not depend on a program (packing, multiplying panels, sorting ...), compiled
 * once for an engine. Programs import them, so they stay optimised while programs come and go.
 */
import { addAddPatches, addPackPixels, addPackTaps } from '../kernels/conv/im2col.ts';
import { addDots } from '../kernels/dots.ts';
import { addMultiply, addPack } from '../kernels/gemm.ts';

import { addRankRow } from '../kernels/rank.ts';
import { addWinogradPanels } from '../kernels/winograd/panels.ts';
import { addWinogradResults } from '../kernels/winograd/results.ts';
import { ModuleBuilder } from './assembler.ts';
import type { Target } from './module-context.ts';

export function libraryBytes(target: Target): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(target.memory);
  addPack(module, target.tileRows);
  addMultiply(module, 'multiply', target.fused, target.tileRows);
  addMultiply(module, 'multiplyFours', target.fused, 4);
  addPackPixels(module);
  addPackTaps(module);
  addAddPatches(module);
  addWinogradPanels(module, target.fused);
  addWinogradResults(module, target.fused);
  addDots(module, target.fused);
  addRankRow(module);
  return module.bytes();
}
