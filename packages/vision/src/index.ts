/** The public names, one by one. */
export {
  elasticTransform,
  gridDistortion,
  type RandomAffineOptions,
  type ResizedCropOptions,
  randomAffine,
  randomCrop,
  randomFlip,
  randomPerspective,
  randomResizedCrop,
  randomRotation,
} from './augment/geometry.ts';
export { cutMix, mixUp } from './augment/mix.ts';
export {
  type AugMixOptions,
  augMix,
  type PolicyOperation,
  policyOperation,
  type RandAugmentOptions,
  randAugment,
  trivialAugment,
} from './augment/policies.ts';
export {
  type ColorJitterOptions,
  colorJitter,
  type ErasingOptions,
  randomAutocontrast,
  randomBlur,
  randomEqualize,
  randomErasing,
  randomGamma,
  randomGrayscale,
  randomInvert,
  randomPosterize,
  randomSharpness,
  randomSolarize,
} from './augment/random-colors.ts';
export {
  augment,
  type Boxes,
  compose,
  type DrawOptions,
  drawBatch,
  oneOf,
  type Pictured,
  type PicturedBatch,
  randomApply,
  type Transform,
} from './augment/transform.ts';
export type { Fill, Interpolation } from './augment/warp.ts';
export {
  type DecodeImageOptions,
  decodeImage,
  type ImageDecoder,
  type ImageSource,
  imageInfo,
} from './codecs/decode.ts';
export {
  bitmapDecoder,
  type ContextLike,
  type Drawable,
  fromCanvas,
  fromPixels,
  type PixelsLike,
  type SharpLike,
  sharpDecoder,
  toPixels,
} from './codecs/platform.ts';
export type { ImageInfo } from './codecs/png.ts';
export { encodePng } from './codecs/png-encode.ts';
export {
  type CodeWeights,
  type DefaultBoxOptions,
  decodeBoxes,
  defaultBoxes,
  encodeBoxes,
  type MatchedBoxes,
  matchBoxes,
} from './detection/anchors.ts';
export {
  type BoxForm,
  type BoxLossOptions,
  boxArea,
  boxConvert,
  boxIou,
  clipBoxesToImage,
  completeBoxIou,
  completeBoxIouLoss,
  distanceBoxIou,
  distanceBoxIouLoss,
  generalizedBoxIou,
  generalizedBoxIouLoss,
  masksToBoxes,
} from './detection/boxes.ts';
export {
  type Detections,
  type DetectOptions,
  type FeatureMaps,
  SsdLite,
  type SsdLite320Options,
  type SsdLiteOptions,
  type SsdOutput,
  ssdLite320MobileNetV3Large,
} from './detection/ssd.ts';
export { batchedNms, nms } from './detection/suppression.ts';
export {
  Autoencoder,
  type AutoencoderOptions,
  type EvidenceLoss,
  type GaussianCodes,
  gaussianDivergence,
  VariationalAutoencoder,
} from './generative/autoencoder.ts';
export { DenoisingUNet, type DenoisingUNetOptions, stepEmbedding } from './generative/denoising-unet.ts';
export {
  cosineSchedule,
  type Denoiser,
  Diffusion,
  type DiffusionOptions,
  linearSchedule,
  type SampleOptions,
} from './generative/diffusion.ts';
export {
  DcganDiscriminator,
  DcganGenerator,
  type DcganOptions,
  discriminatorLoss,
  generatorLoss,
} from './generative/gan.ts';
export {
  type Channels,
  contactSheet,
  type Image,
  imagenet,
  imageOf,
  imagesOf,
  imageTensor,
  pixelNormalization,
  planes,
  type Size,
  type TensorScale,
  withChannels,
} from './images/image.ts';
export { type Box, centerCrop, crop, type Resampling, type ResizeOptions, resize } from './images/resize.ts';
export { denseNet121, shuffleNetV2, shuffleNetV2Half } from './models/dense.ts';
export {
  type EfficientNetOptions,
  efficientNetB0,
  type MobileNetOptions,
  mobileNetV2,
  mobileNetV3Large,
  mobileNetV3Small,
} from './models/mobilenet.ts';
export {
  type ConvNeXtOptions,
  convNeXtTiny,
  VisionTransformer,
  type VisionTransformerOptions,
  vitB16,
  vitTiny16,
} from './models/modern.ts';
export type { ClassifierOptions } from './models/parts.ts';
export {
  alexNet,
  LeNet,
  type LeNetOptions,
  type PlainOptions,
  type SqueezeNetOptions,
  squeezeNet1_0,
  squeezeNet1_1,
  type VggOptions,
  vgg11,
  vgg13,
  vgg16,
  vgg19,
} from './models/plain.ts';
export { ResNet, resnet18, resnet34, resnet50, resnet101, resnet152 } from './models/resnet.ts';
export { UNet, type UNetOptions } from './models/unet.ts';
export {
  type ImageFolder,
  type ImageShardsOptions,
  imageFolder,
  imageList,
  imageShards,
  type LabelledImage,
  type ListedImage,
} from './sources/image-sources.ts';
