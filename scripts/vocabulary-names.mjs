/**
 * PyTorch's and Keras' names, and what they are called here: the data of scripts/vocabulary.mjs. A line is
 * `Their name = ours, ours - note`. Ours are public names, `x.name` is a method of tensors, `"..."` code that does it. Without
 * `=` the name is looked for as it stands, and in camelCase; what follows the dash is then why it is missing, where it is.
 */

/** @typedef {{ title: string, about: string, home?: string, lines: string }} Section home: the package whose name it is, where two have it */

/** @type {readonly Section[]} */
export const sections = [
  {
    title: 'Making tensors',
    about: 'torch',
    lines: `
tensor, as_tensor, from_numpy = tensor
zeros
ones
full
empty = zeros - memory is never handed out uninitialised
zeros_like
ones_like
full_like, empty_like = full
arange, range = arange
linspace
logspace = exp2, linspace
eye
rand, rand_like = uniform
randn, randn_like = normal
randint = randomInteger
randperm = categorical - as an order on the host: shuffledOrder of @nn/data
bernoulli
multinomial = categorical
normal
manual_seed = setSeed
get_rng_state, set_rng_state = randomState, setRandomState
complex, polar - complex numbers are pairs of real ones, on a last axis of 2
sparse_coo_tensor - sparse tensors are not written: gather and scatterAdd take their place
quantize_per_tensor - belongs to @nn/compress, which is not written yet`,
  },
  {
    title: 'Element by element',
    about: 'torch, and methods of tensors',
    lines: `
abs, absolute = x.abs
add = x.add
addcdiv, addcmul = "x.add(a.mul(b).mul(value))"
angle, conj, real, imag - complex numbers are pairs of real ones
acos, arccos = acos
acosh, arccosh = acosh
asin, arcsin = asin
asinh, arcsinh = asinh
atan, arctan = atan
atan2, arctan2 = atan2
atanh, arctanh = atanh
bitwise_and = x.bitwiseAnd
bitwise_or = x.bitwiseOr
bitwise_xor = x.bitwiseXor
bitwise_not = bitwiseNot
bitwise_left_shift = x.shiftLeft
bitwise_right_shift = x.shiftRight
ceil = x.ceil
clamp, clip = x.clamp
copysign = copySign
cos = x.cos
cosh
deg2rad, rad2deg = "x.mul(Math.PI / 180)"
digamma
div, divide, true_divide = x.div
floor_divide = x.floorDiv
eq = x.equal
ne = x.notEqual
lt = x.less
le = x.lessEqual
gt = x.greater
ge = x.greaterEqual
isclose, allclose = "a.sub(b).abs().lessEqual(...)"
erf = x.erf
erfc
erfinv
exp = x.exp
exp2
expm1 = x.expm1
float_power, pow = x.pow
floor = x.floor
fmod = x.mod
remainder = x.floorMod
fmax, fmin = "where(isNaN(a), b, a.maximum(b))"
frac = "x.sub(x.trunc())"
frexp, ldexp - the bits of floats are not exposed
hypot
i0 - no layer or loss uses Bessel functions
igamma, igammac - distribution functions of Gamma are not offered, its samples and densities are
isfinite = isFinite
isinf = isInfinite
isnan = isNaN
lerp
lgamma
log = x.log
log10
log1p = x.log1p
log2
logaddexp = logAddExp
logaddexp2 = logAddExp, exp2, log2
logical_and = x.logicalAnd
logical_or = x.logicalOr
logical_not = x.logicalNot
logical_xor = x.notEqual - of two bool tensors
logit
maximum = x.maximum
minimum = x.minimum
mul, multiply = x.mul
nan_to_num = nanToNum
neg, negative = x.neg
nextafter - the bits of floats are not exposed
polygamma
reciprocal = x.reciprocal
round = x.round
rsqrt = x.rsqrt
sigmoid = x.sigmoid
sign, sgn = x.sign
signbit = copySign - "copySign(1, x).less(0)"
sin = x.sin
sinc
sinh
sqrt = x.sqrt
square = x.square
sub, subtract = x.sub
tan = x.tan
tanh = x.tanh
trunc, fix = x.trunc
where
xlogy`,
  },
  {
    title: 'Reductions and statistics',
    about: 'torch, and methods of tensors',
    lines: `
all = x.all
any = x.any
amax, max = x.max - with places: x.argMax, or x.topK of one
amin, min = x.min
aminmax = x.min, x.max
argmax = x.argMax
argmin = x.argMin
bincount
bucketize
count_nonzero = countNonzero
corrcoef, cov - not written: of centred rows matmul and a division
cummax
cummin
cumprod
cumsum = x.cumsum
cumulative_trapezoid, trapezoid - not written: a sum of products with diff
diff
histc, histogram = histogram
histogramdd - of more than one axis: bincount of joined indices
kthvalue = kthValue
logcumsumexp = logCumSumExp
logsumexp = x.logSumExp
mean = x.mean
median
mode
nanmean = nanMean
nanmedian = nanMedian
nanquantile = nanQuantile
nansum = nanSum
norm = x.norm, vectorNorm
prod = x.prod
quantile
searchsorted = searchSorted
std = x.standardDeviation
std_mean = x.standardDeviation, x.mean
sum = x.sum
unique
unique_consecutive = uniqueConsecutive
var = x.variance
var_mean = x.variance, x.mean`,
  },
  {
    title: 'Order',
    about: 'torch, and methods of tensors; gradients go through all of them',
    lines: `
argsort = x.argSort
msort, sort = x.sort
topk = x.topK
isin - not written: equality with each element, and any`,
  },
  {
    title: 'Shapes',
    about: 'torch, and methods of tensors',
    lines: `
atleast_1d, atleast_2d, atleast_3d = x.reshape
block_diag = blockDiagonal
broadcast_tensors, broadcast_to, expand = x.expand
cartesian_prod = meshgrid
cat, concat, concatenate = concat
chunk
combinations - not written: a table of indices, and gather
column_stack, dstack, hstack, vstack, row_stack = stack, concat
diag, diagonal = diagonal
diag_embed = diagEmbed
diagflat = diagEmbed
flatten = x.flatten
flip, fliplr, flipud = x.flip
meshgrid
moveaxis, movedim = x.permute
narrow = x.at, x.slice
permute = x.permute
ravel = x.flatten
repeat_interleave = repeatInterleave
reshape, view = x.reshape
resolve_conj, view_as_real - complex numbers are pairs of real ones
roll
rot90
split, tensor_split = x.split
squeeze = x.squeeze
stack
swapaxes, swapdims, t, transpose = x.transpose
tile
Tensor.repeat = repeat
Tensor.unfold = unfold - over axes of space
tril, triu
tril_indices, triu_indices - not written: nonzero of a comparison of two aranges
unbind = x.split
unflatten = x.reshape
unsqueeze = x.unsqueeze
vander - not written: x.pow of an arange`,
  },
  {
    title: 'Indexing',
    about: 'torch, and methods of tensors',
    lines: `
x[...] = x.at
x[...] = v = indexPut
argwhere = argWhere
gather = x.takeAlong
index_add = indexAdd
index_copy = indexCopy
index_fill = indexPut
index_put = indexPut
index_reduce = indexReduce
index_select = x.gather
masked_fill = maskedFill
masked_scatter = maskedScatter
masked_select = maskedSelect
nonzero
put = indexPut - of x.flatten()
scatter
scatter_add, scatter_reduce = scatterReduce
segment_reduce = segmentReduce
select = x.at
select_scatter, slice_scatter, diagonal_scatter = indexPut, x.update
take = x.gather - of x.flatten()
take_along_dim = x.takeAlong`,
  },
  {
    title: 'Products and linear algebra',
    about: 'torch and torch.linalg',
    lines: `
addbmm, addmm, addmv, addr, baddbmm = x.matmul, x.add
bmm, matmul, mm, mv, dot, inner, vdot = x.matmul
chain_matmul, multi_dot = x.matmul
einsum, tensordot = einsum
cdist
cross
ger, outer = outer
kron
trace
matrix_norm = matrixNorm
vector_norm = vectorNorm
cholesky
cholesky_solve = choleskySolve
cond = svd - the largest singular value over the smallest
det
eig, eigvals - eigenvalues of matrices that are not symmetric are complex
eigh
eigvalsh = eigh
householder_product - a step of qr on the inside
inv = inverse
lstsq
lu, lu_factor - not public: solve and det do what it is for
matrix_exp = matrixExp
matrix_power = matrixPower
matrix_rank = matrixRank
pinv
qr
slogdet
solve
solve_triangular = triangularSolve
svd
svdvals = svd
tensorinv, tensorsolve - reshape and solve`,
  },
  {
    title: 'Fourier',
    about: 'torch.fft and torch, on pairs of real numbers',
    lines: `
fft
ifft
rfft
irfft
fft2
ifft2
rfft2
irfft2
fftn, ifftn, rfftn, irfftn - over one and two axes only
hfft, ihfft - irfft of the conjugate times its length, and the other way
fftfreq = fftFrequencies
rfftfreq = rfftFrequencies
fftshift = fftShift
ifftshift = ifftShift
stft
istft
hann_window = hannWindow
hamming_window = hammingWindow
blackman_window = blackmanWindow
bartlett_window, kaiser_window - a line of arange and abs; Kaiser's needs Bessel functions
complex, view_as_complex = complex
real = realPart
imag = imaginaryPart
conj = conjugate
angle
polar = complex - of x.cos and x.sin times the magnitudes`,
  },
  {
    title: 'Distributions',
    about: 'torch.distributions',
    lines: `
Bernoulli
Beta
Categorical
Dirichlet
Exponential
Gamma
kl_divergence = klDivergence
Laplace
Multinomial
MultivariateNormal
Normal
Poisson
Uniform
Binomial, Cauchy, Chi2, Geometric, Gumbel, HalfNormal, InverseGamma, LogNormal, NegativeBinomial, Pareto, StudentT, VonMises, Weibull, Wishart - not written: twelve distributions are
TransformedDistribution - transforms of distributions are functions of samples`,
  },
  {
    title: 'Gradients and transformations',
    about: 'torch.autograd, torch.func',
    lines: `
backward, autograd.grad = gradients
grad
grad_and_value = valueAndGrad
hessian
jacfwd, jacrev = jacobian
jvp
linearize
vjp
vmap
func.functional_call = grad - parameters are leaves of a record
no_grad, inference_mode = noGradient
detach = x.stopGradient
autograd.Function = customGradient
gradcheck, gradgradcheck = gradcheck
utils.checkpoint = checkpoint
compile`,
  },
  {
    title: 'Layers',
    home: 'layers',
    about: 'torch.nn',
    lines: `
Identity
Linear
Bilinear
LazyLinear
LazyConv1d
LazyConv2d
LazyConv3d
LazyConvTranspose1d
LazyConvTranspose2d
LazyConvTranspose3d
LazyBatchNorm1d
LazyBatchNorm2d
LazyBatchNorm3d
LazyInstanceNorm1d
LazyInstanceNorm2d
LazyInstanceNorm3d
Conv1d
Conv2d
Conv3d
ConvTranspose1d
ConvTranspose2d
ConvTranspose3d
Fold
Unfold
MaxPool1d
MaxPool2d
MaxPool3d
AvgPool1d
AvgPool2d
AvgPool3d
AdaptiveMaxPool1d
AdaptiveMaxPool2d
AdaptiveMaxPool3d
AdaptiveAvgPool1d
AdaptiveAvgPool2d
AdaptiveAvgPool3d
LPPool1d
LPPool2d
LPPool3d
MaxUnpool1d
MaxUnpool2d
MaxUnpool3d
FractionalMaxPool2d
FractionalMaxPool3d
ReflectionPad1d
ReflectionPad2d
ReflectionPad3d
ReplicationPad1d
ReplicationPad2d
ReplicationPad3d
ZeroPad1d
ZeroPad2d
ZeroPad3d
ConstantPad1d
ConstantPad2d
ConstantPad3d
CircularPad1d
CircularPad2d
CircularPad3d
BatchNorm1d
BatchNorm2d
BatchNorm3d
SyncBatchNorm - one process owns a batch; belongs to @nn/distributed
LayerNorm
GroupNorm
InstanceNorm1d
InstanceNorm2d
InstanceNorm3d
LocalResponseNorm
RMSNorm
utils.weight_norm = weightNorm
utils.spectral_norm = spectralNorm
RNN
LSTM
GRU
RNNCell
LSTMCell
GRUCell
Transformer
TransformerEncoder
TransformerDecoder
TransformerEncoderLayer
TransformerDecoderLayer
MultiheadAttention
Dropout
Dropout1d
Dropout2d
Dropout3d
AlphaDropout
FeatureAlphaDropout
Embedding
EmbeddingBag
PixelShuffle
PixelUnshuffle
ChannelShuffle
Upsample, UpsamplingNearest2d, UpsamplingBilinear2d = Upsample
CosineSimilarity
PairwiseDistance
Sequential
ModuleList, ModuleDict, ParameterList, ParameterDict = "an array or a record" - models are plain objects: namedParameters walks them
Flatten
Unflatten`,
  },
  {
    title: 'Layers of Keras',
    home: 'layers',
    about: 'Keras 3, where PyTorch has none of the name',
    lines: `
EinsumDense
ReversibleEmbedding
SeparableConv1D, SeparableConv2D = SeparableConv1d, SeparableConv2d
DepthwiseConv1D, DepthwiseConv2D = DepthwiseConv1d, DepthwiseConv2d
GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D = GlobalAveragePool - any number of axes
GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = GlobalMaxPool - any number of axes
ConvLSTM1D, ConvLSTM2D, ConvLSTM3D = ConvLSTM1d, ConvLSTM2d, ConvLSTM3d
Bidirectional = LSTM - option bidirectional
TimeDistributed
StackedRNNCells = LSTM - option layers
Attention = attention
AdditiveAttention
GroupQueryAttention = GroupedQueryAttention
UnitNormalization
SpectralNormalization = spectralNorm
RMSNormalization = RMSNorm
GaussianNoise
GaussianDropout
SpatialDropout1D, SpatialDropout2D, SpatialDropout3D = Dropout1d, Dropout2d, Dropout3d
ActivityRegularization = l2Penalty, l1Penalty - of what a layer gives, added to the loss
Masking
RepeatVector
Permute - with the axis of the batch
Cropping1D, Cropping2D, Cropping3D = ZeroPad1d, ZeroPad2d, ZeroPad3d - negative amounts
ZeroPadding1D, ZeroPadding2D, ZeroPadding3D = ZeroPad1d, ZeroPad2d, ZeroPad3d
UpSampling1D, UpSampling2D, UpSampling3D = Upsample
Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot = x.add, x.sub, x.mul, x.maximum, x.minimum, concat, x.matmul
TernaryDense - weights of three values belong to @nn/compress
Normalization = fitNormalization
Discretization = bucketize
CategoryEncoding = oneHot
Hashing, HashedCrossing - a hash of text is not written: fitTable knows the categories
IntegerLookup, StringLookup = fitTable
TextVectorization - see the tokenizers of @nn/text
Rescaling = x.mul, x.add
Resizing = interpolate
CenterCrop = x.at
MelSpectrogram, STFTSpectrogram - see melSpectrogram, spectrogram of @nn/audio
RandomFlip, RandomCrop, RandomRotation, RandomZoom, RandomTranslation, RandomShear, RandomPerspective, RandomElasticTransform, RandomErasing, RandomBrightness, RandomContrast, RandomSaturation, RandomHue, RandomSharpness, RandomGaussianBlur - see randomFlip, randomCrop, randomRotation, randomAffine, randomPerspective, randomErasing, colorJitter, randomBlur of @nn/vision
MixUp, CutMix, AugMix, RandAugment, AutoContrast, Equalization, Solarization - see mixUp, cutMix, augMix, randAugment, randomAutocontrast, randomEqualize, randomSolarize of @nn/vision`,
  },
  {
    title: 'Activations',
    home: 'layers',
    about: 'Keras 3 and torch.nn',
    lines: `
celu, CELU = celu, CELU
elu, ELU = elu, ELU
exponential
gelu, GELU = gelu, GELU
glu, GLU = glu, GLU
hard_shrink, Hardshrink = hardShrink, HardShrink
hard_sigmoid, Hardsigmoid = hardSigmoid, HardSigmoid
hard_silu, Hardswish = hardSwish, HardSwish
hard_tanh, Hardtanh = hardTanh, HardTanh
leaky_relu, LeakyReLU = leakyRelu, LeakyReLU
linear = Identity
log_sigmoid, LogSigmoid = logSigmoid, LogSigmoid
log_softmax, LogSoftmax = logSoftmax, LogSoftmax
mish, Mish = mish, Mish
relu, ReLU = relu, ReLU
relu6, ReLU6 = relu6, ReLU6
selu, SELU = selu, SELU
sigmoid, Sigmoid = sigmoid, Sigmoid
silu, swish, SiLU = silu, SiLU
soft_shrink, Softshrink = softShrink, SoftShrink
softmax, Softmax = softmax, Softmax
softplus, Softplus = softplus, Softplus
softsign, Softsign = softsign, Softsign
sparse_plus = sparsePlus
sparse_sigmoid = sparseSigmoid
sparsemax
squareplus
tanh, Tanh = tanh, Tanh
tanh_shrink, Tanhshrink = tanhShrink, TanhShrink
threshold, Threshold = threshold, Threshold
PReLU
RReLU
Softmin = softmin, Softmin
Softmax2d
AdaptiveLogSoftmaxWithLoss`,
  },
  {
    title: 'Losses',
    home: 'layers',
    about: 'torch.nn, then Keras 3',
    lines: `
L1Loss = l1
MSELoss = meanSquaredError
CrossEntropyLoss = crossEntropy
CTCLoss = ctc
NLLLoss = nll
PoissonNLLLoss = poissonNll
GaussianNLLLoss = gaussianNll
KLDivLoss = klDivergence
BCELoss = binaryCrossEntropy
BCEWithLogitsLoss = bceWithLogits
MarginRankingLoss = marginRanking
HingeEmbeddingLoss = hingeEmbedding
MultiLabelMarginLoss = multiLabelMargin
HuberLoss = huber
SmoothL1Loss = smoothL1
SoftMarginLoss = softMargin
MultiLabelSoftMarginLoss = multiLabelSoftMargin
CosineEmbeddingLoss = cosineEmbedding
MultiMarginLoss = multiMargin
TripletMarginLoss = tripletMargin
TripletMarginWithDistanceLoss = tripletMarginWithDistance
BinaryCrossentropy = bceWithLogits, binaryCrossEntropy
CategoricalCrossentropy, SparseCategoricalCrossentropy = crossEntropy
BinaryFocalCrossentropy = binaryFocal
CategoricalFocalCrossentropy = focal
CategoricalGeneralizedCrossEntropy = generalizedCrossEntropy
CategoricalHinge = categoricalHinge
Hinge = hinge
SquaredHinge = squaredHinge
CTC = ctc
Circle = circle
CosineSimilarity = negativeCosineSimilarity
Dice = dice
Tversky = tversky
Huber = huber
KLDivergence = klDivergence
LogCosh = logCosh
MeanAbsoluteError = l1
MeanAbsolutePercentageError = meanAbsolutePercentageError
MeanSquaredError = meanSquaredError
MeanSquaredLogarithmicError = meanSquaredLogarithmicError
Poisson = poissonNll`,
  },
  {
    title: 'Metrics',
    home: 'metrics',
    about: 'Keras 3',
    lines: `
AUC = AUROC
Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy = Accuracy
TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy = TopKAccuracy
BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU = Jaccard
F1Score
FBetaScore
Precision
Recall
TruePositives, TrueNegatives, FalsePositives, FalseNegatives = OutcomeCounts
PrecisionAtRecall
RecallAtPrecision
SensitivityAtSpecificity
SpecificityAtSensitivity
BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy = LogLoss
CategoricalHinge, Hinge, SquaredHinge = HingeLoss
CosineSimilarity
KLDivergence = MeanMetric - of klDivergence
LogCoshError
MeanAbsoluteError
MeanAbsolutePercentageError
MeanSquaredError
MeanSquaredLogarithmicError
Poisson = TweedieDeviance
RootMeanSquaredError
R2Score
PearsonCorrelation
ConcordanceCorrelation
Mean
MeanMetricWrapper = MeanMetric
Sum`,
  },
  {
    title: 'Optimizers',
    home: 'optim',
    about: 'torch.optim, Keras 3, burn',
    lines: `
SGD
Adam
AdamW
NAdam, Nadam = NAdam
RAdam
Adamax
Adadelta
Adagrad
ASGD
Rprop
RMSprop
SparseAdam - gradients are dense
Adafactor
LBFGS
Muon
Ftrl = FTRL
Lamb = LAMB
Lion
ScheduleFreeAdamW
LossScaleOptimizer - arithmetic is in float32, which needs no scale
MultiOptimizer = OptimizerGroup
Adan
SAM
Lookahead
swa_utils.AveragedModel = WeightAverage
utils.clip_grad_norm_ = clipByGlobalNorm
utils.clip_grad_value_ = clipByValue`,
  },
  {
    title: 'Schedules',
    home: 'optim',
    about: 'torch.optim.lr_scheduler, Keras 3, burn',
    lines: `
LambdaLR = "learningRate: (step) => ..."
MultiplicativeLR = multiplicativeDecay
StepLR = stepDecay
MultiStepLR = multiStepDecay
ConstantLR = constantFactor
LinearLR = linearRamp
ExponentialLR = exponentialDecay
PolynomialLR = polynomialDecay
CosineAnnealingLR = cosineAnnealing
CosineAnnealingWarmRestarts = cosineWarmRestarts
CyclicLR = cyclic
OneCycleLR = oneCycle
ReduceLROnPlateau
SequentialLR = sequence
ChainedScheduler = product
CosineDecay = cosineDecay
CosineDecayRestarts = cosineWarmRestarts
ExponentialDecay = exponentialDecay
InverseTimeDecay = inverseTimeDecay
PiecewiseConstantDecay = piecewiseConstant
PolynomialDecay = polynomialDecay
NoamLrScheduler = noam
ComposedLrScheduler = product`,
  },
  {
    title: 'Callbacks',
    home: 'train',
    about: 'Keras 3',
    lines: `
BackupAndRestore = checkpoint, resume - a run that was killed goes on, bit for bit
CSVLogger = csv
EarlyStopping = EarlyStopping, earlyStopping
History = Training - every epoch's row is in its history
LambdaCallback = Training - any object with the hooks is a callback
LearningRateScheduler = "learningRate: (step) => ..."
ModelCheckpoint = BestWeights, saveCheckpoint
ProgbarLogger = progress
ReduceLROnPlateau = reduceOnPlateau
RemoteMonitor - nothing is sent over the network by itself: a callback of your own may
SwapEMAWeights = weightAverage
TensorBoard = tensorBoard
TerminateOnNaN = checkStart, RollBack`,
  },
  {
    title: 'Initializers, regularizers, constraints',
    about: 'Keras 3 and torch.nn.init',
    lines: `
Constant, constant_ = full
Zeros, zeros_ = zeros
Ones, ones_ = ones
Identity, eye_ = eye
Orthogonal, orthogonal_ = orthogonal
RandomNormal, normal_ = normal
RandomUniform, uniform_ = uniform
TruncatedNormal, trunc_normal_ = truncatedNormal
VarianceScaling = varianceScaling
GlorotNormal, xavier_normal_ = xavierNormal
GlorotUniform, xavier_uniform_ = xavierUniform
HeNormal, kaiming_normal_ = kaimingNormal
HeUniform, kaiming_uniform_ = kaimingUniform
LecunNormal = lecunNormal
LecunUniform = lecunUniform
calculate_gain = gainOf
dirac_ = dirac
sparse_ = sparse
L1 = l1Penalty
L2 = l2Penalty
L1L2 = l1Penalty, l2Penalty
OrthogonalRegularizer = orthogonalPenalty
MaxNorm = maxNorm
MinMaxNorm = minMaxNorm
NonNeg = nonNegative
UnitNorm = unitNorm`,
  },
];
