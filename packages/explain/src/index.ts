/** The public names of @nn/explain, one by one. */
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
