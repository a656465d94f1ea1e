/**
 * The library module: functions that do not depend on a program (packing, multiplying panels, sorting ...), compiled
 * once for an engine. Programs import them, so they stay optimised while programs come and go.
 */
import { ModuleBuilder } from '../code/assembler.ts';
import type { Target } from '../code/module-context.ts';
import { addAddPatches, addPackPixels, addPackTaps } from './conv/im2col.ts';
import { addDots } from './dots.ts';
import { addMultiply, addPack } from './gemm.ts';
import { addRankRow } from './rank.ts';
import { addWeighedRows } from './weighed-rows.ts';
import { addWinogradPanels } from './winograd/panels.ts';
import { addWinogradResults } from './winograd/results.ts';

export function libraryBytes(target: Target): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(target.memory);
  addPack(module, target.tileRows);
  addMultiply(module, 'multiply', target);
  addMultiply(module, 'multiplyFours', { ...target, tileRows: 4 });
  addPackPixels(module);
  addPackTaps(module);
  addAddPatches(module);
  addWinogradPanels(module, target.fused);
  addWinogradResults(module, target.fused);
  addDots(module, target.fused);
  addWeighedRows(module, target.fused);
  addRankRow(module);
  return module.bytes();
}
