/** The public names of @nn/explain, one by one. */

export { type AttackOptions, fgsm, type PgdOptions, pgd } from './examine/attacks.ts';
export { attentionRollout, attentionsOf, type RolloutOptions } from './examine/attention.ts';
export {
  type ConceptOptions,
  type ConceptVector,
  conceptVector,
  type Tcav,
  type TcavOptions,
  tcav,
} from './examine/concepts.ts';
export { type Counterfactual, type CounterfactualOptions, counterfactual } from './examine/counterfactual.ts';
export { type TracInOptions, tracIn, type WeightsAt } from './examine/influence.ts';
export { type InfidelityOptions, infidelity, type SensitivityOptions, sensitivity } from './examine/quality.ts';
export {
  type ConductanceOptions,
  layerConductance,
  type NeuronConductanceOptions,
  neuronConductance,
} from './gradient/conductance.ts';
export { deepLift } from './gradient/deep-lift.ts';
export {
  deconvolution,
  type GradCamOptions,
  gradCam,
  guidedBackpropagation,
  guidedGradCam,
} from './gradient/grad-cam.ts';
export {
  type Attribution,
  integratedGradients,
  type LayerPathOptions,
  layerIntegratedGradients,
  type PathOptions,
} from './gradient/integrated.ts';
export { type GradientShapOptions, gradientShap, type SmoothGradOptions, smoothGrad } from './gradient/noise.ts';
export type { Quadrature } from './gradient/quadrature.ts';
export { inputTimesGradient, type SaliencyOptions, saliency } from './gradient/saliency.ts';
export type { LayerChoice } from './layer.ts';
export type { Baseline, BaselineOptions, Explained, Inputs, Like, Target, TargetOptions } from './model.ts';
export {
  type AblationOptions,
  featureAblation,
  featurePermutation,
  type OcclusionOptions,
  occlusion,
  type PermutationImportance,
  permutationImportance,
} from './perturbation/ablation.ts';
export { type LimeOptions, type LimeResult, lime } from './perturbation/lime.ts';
export type { AbsenceOptions, GroupOptions } from './perturbation/players.ts';
export {
  exactShapley,
  type KernelShapOptions,
  kernelShap,
  type Shapley,
  type ShapleyInteractions,
  type ShapleyOptions,
} from './perturbation/shapley.ts';
export { type BarsOptions, type BeeswarmOptions, barsSvg, beeswarmSvg } from './pictures/bars.ts';
export { type HeatMapOptions, heatMap, type Picture } from './pictures/heat-map.ts';
export { explainedHtml, explainedText, type TextOptions } from './pictures/text.ts';
