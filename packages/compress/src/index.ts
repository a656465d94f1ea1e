/** The public names of @nn/compress, one by one. */

export {
  attentionTransferLoss,
  attentionWeightLoss,
  type DistillationOptions,
  distillationLoss,
  type FeatureOptions,
  featureLoss,
  similarityLoss,
} from './distil/losses.ts';
