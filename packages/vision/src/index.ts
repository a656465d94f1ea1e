/** The public names, one by one. */
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
export {
  type ImageFolder,
  imageFolder,
  imageList,
  imageShards,
  type LabelledImage,
  type ListedImage,
  type ShardImage,
  type ShardOptions,
} from './sources/image-sources.ts';
