/**
 * What `GradScaler` and `readLoss` know of each other: which optimizers make scaled steps, and what changes in a step that is left out
 * all the same. Owns neither the scale nor the flag.
 */
import type { Parameter } from '@nn/core';

/** An optimizer whose steps a scaler makes. */
export interface ScaledSteps {
  readonly scale: Parameter;
  /** Whether the step that is being made is one of the scaler's. */
  isStepping: boolean;
}

export const scaledSteps: WeakMap<object, ScaledSteps> = /* @__PURE__ */ new WeakMap();

/** What keeps its new value where a step is left out. */
export const changesAlways: WeakSet<Parameter> = /* @__PURE__ */ new WeakSet();
