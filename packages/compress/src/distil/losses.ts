/**
 * What a student learns from a teacher, as losses: softened answers, features, where attention lies. Owns the formulas; they
 * are arithmetic on tensors, and the teacher's side has no gradient.
 */
import { checkOptions, ShapeError, showShape, stopGradient, type Tensor, ValueError } from '@nn/core';
import { crossEntropy, type Layer } from '@nn/layers';

export interface DistillationOptions {
  /** Both answers are softmax(logits / temperature): above 1 the small probabilities of wrong classes count more. Default 2. */
  readonly temperature?: number;
  /** The true classes, indices [N, ...] or probabilities; without them the teacher alone is learned from. */
  readonly targets?: Tensor;
  /** The part of the loss that the true classes have, from 0 to 1. Default 0.5 with `targets`, else 0. */
  readonly alpha?: number;
}

/**
 * alpha crossEntropy(student, targets) + (1 - alpha) T^2 KL(softmax(teacher / T) || softmax(student / T)), the mean over samples:
 * logits [N, classes, ...] of both. T^2 keeps the slopes of both parts alike whatever the temperature. (Hinton, Vinyals and Dean
 * 2015.)
 *
 * Throws ShapeError for logits of two shapes, ValueError for a temperature that is not above 0 and an alpha without targets.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { distillationLoss } from '@nn/compress';
 * const loss = distillationLoss(tensor([[1, 2, 0]]), tensor([[2, 4, 0]]), { temperature: 2, targets: tensor([1]), alpha: 0.3 });
 * console.log((await loss.item()).toFixed(4)); // => 0.2910
 */
export function distillationLoss(student: Tensor, teacher: Tensor, options: DistillationOptions = {}): Tensor {
  const name = 'distillationLoss';
  checkOptions(name, options, ['temperature', 'targets', 'alpha']);
  const { temperature = 2, targets, alpha = targets === undefined ? 0 : 0.5 } = options;
  requireSame(name, student, teacher, 2);
  if (!(temperature > 0)) throw new ValueError(name, `temperature is ${temperature}: it must be above 0.`);
  if (!(alpha >= 0 && alpha <= 1)) throw new ValueError(name, `alpha is ${alpha}: it must be from 0 to 1.`);
  if (targets === undefined && alpha > 0) {
    throw new ValueError(name, `alpha is ${alpha}, and there are no targets: give { targets }, or leave alpha out.`);
  }
  const soft = divergence(student.div(temperature), stopGradient(teacher).div(temperature), 1);
  const learned = soft.mean().mul(temperature * temperature);
  if (targets === undefined) return learned;
  return crossEntropy(student, targets)
    .mul(alpha)
    .add(learned.mul(1 - alpha));
}

export interface FeatureOptions {
  /** Brings the student's features to the teacher's shape, and learns with the student: new Linear(8, 32), new Conv2d(8, 32, 1). */
  readonly projector?: Layer;
  /** Whether each sample's features are divided by their length first, so that only directions are learned. Default false. */
  readonly normalize?: boolean;
}

/**
 * The mean square between the features of a student and a teacher, of one shape [N, ...], or of one shape after `projector`.
 * (Romero et al. 2015, FitNets.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { featureLoss } from '@nn/compress';
 * console.log(await featureLoss(tensor([[1, 2]]), tensor([[1, 4]])).item()); // => 2
 */
export function featureLoss(student: Tensor, teacher: Tensor, options: FeatureOptions = {}): Tensor {
  checkOptions('featureLoss', options, ['projector', 'normalize']);
  const { projector, normalize = false } = options;
  const seen = projector === undefined ? student : projector.forward(student);
  requireSame('featureLoss', seen, teacher, 1, projector === undefined ? ': a projector brings it there' : '');
  const form = (x: Tensor): Tensor => (normalize ? unitRows(x) : x);
  return form(seen)
    .sub(form(stopGradient(teacher)))
    .square()
    .mean();
}

/**
 * The mean square between maps of where features are large: the mean over channels of |x|^power, each sample's map divided by its
 * length. Features are [N, channels, ...space]; numbers of channels may differ, space may not. (Zagoruyko and Komodakis 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { attentionTransferLoss } from '@nn/compress';
 * const left = tensor([[[3, 0]]]);
 * const right = tensor([[[0, 1], [0, 2]]]);
 * console.log(await attentionTransferLoss(left, right).item()); // => 1
 */
export function attentionTransferLoss(
  student: Tensor,
  teacher: Tensor,
  options: { readonly power?: number } = {},
): Tensor {
  const name = 'attentionTransferLoss';
  checkOptions(name, options, ['power']);
  const { power = 2 } = options;
  if (!(power >= 1)) throw new ValueError(name, `power is ${power}: it must be at least 1.`);
  const [mine, wanted] = [student, teacher].map((x) => {
    if (x.rank < 3) {
      throw new ShapeError(
        name,
        `takes features [N, channels, ...space], got ${showShape(x.shape)} of rank ${x.rank}.`,
        {
          shape: x.shape,
        },
      );
    }
    return [x.shape[0] ?? 0, ...x.shape.slice(2)];
  });
  if (showShape(mine ?? []) !== showShape(wanted ?? [])) {
    throw new ShapeError(
      name,
      `the student's features ${showShape(student.shape)} and the teacher's ${showShape(teacher.shape)} differ beside their channels: choose layers whose maps have one size.`,
      { student: student.shape, teacher: teacher.shape },
    );
  }
  const map = (x: Tensor): Tensor => unitRows(x.abs().pow(power).mean(1));
  return map(student)
    .sub(map(stopGradient(teacher)))
    .square()
    .mean();
}

/**
 * KL(teacher || student) of attention weights [..., queries, keys], whose rows sum to 1; the mean over rows. Heads of both must be
 * as many. (Wang et al. 2020, MiniLM.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { attentionWeightLoss } from '@nn/compress';
 * const loss = attentionWeightLoss(tensor([[0.5, 0.5]]), tensor([[1, 0]]));
 * console.log((await loss.item()).toFixed(4)); // => 0.6931
 */
export function attentionWeightLoss(student: Tensor, teacher: Tensor): Tensor {
  requireSame('attentionWeightLoss', student, teacher, 2);
  // x log x is 0 at 0: the floor keeps both logarithms finite, and a weight of 0 takes nothing
  const log = (x: Tensor): Tensor => x.maximum(1e-30).log();
  const given = stopGradient(teacher);
  return given
    .mul(log(given).sub(log(student)))
    .sum(-1)
    .mean();
}

/**
 * The mean square between how alike the samples of a batch are to each other, for student and teacher: G = rows of x x^T of length
 * 1, from features [N, ...] of any two sizes; the sum of squares over N^2. (Tung and Mori 2019.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { similarityLoss } from '@nn/compress';
 * console.log(await similarityLoss(tensor([[1, 0], [0, 1]]), tensor([[2], [2]])).item() > 0.1); // => true
 */
export function similarityLoss(student: Tensor, teacher: Tensor): Tensor {
  const [mine, wanted] = [student.shape[0], teacher.shape[0]];
  if (mine !== wanted) {
    throw new ShapeError('similarityLoss', `the student has ${mine} samples, the teacher ${wanted}: give one batch.`, {
      student: student.shape,
      teacher: teacher.shape,
    });
  }
  const likeness = (x: Tensor): Tensor => {
    const rows = x.reshape([x.shape[0] ?? 0, -1]);
    return unitRows(rows.matmul(rows.transpose()));
  };
  return likeness(student)
    .sub(likeness(stopGradient(teacher)))
    .square()
    .mean();
}

/** KL(softmax(teacher) || softmax(student)) along an axis. */
function divergence(student: Tensor, teacher: Tensor, axis: number): Tensor {
  const given = teacher.logSoftmax(axis);
  return given
    .exp()
    .mul(given.sub(student.logSoftmax(axis)))
    .sum(axis);
}

/** [N, ...] to rows [N, size] of length 1; a row of zeros stays. */
function unitRows(x: Tensor): Tensor {
  const rows = x.reshape([x.shape[0] ?? 0, -1]);
  return rows.div(rows.square().sum(1, { keepAxes: true }).maximum(1e-24).sqrt());
}

function requireSame(name: string, student: Tensor, teacher: Tensor, rank: number, fix = ''): void {
  if (showShape(student.shape) !== showShape(teacher.shape)) {
    throw new ShapeError(
      name,
      `the student's ${showShape(student.shape)} and the teacher's ${showShape(teacher.shape)} have different shapes${fix}.`,
      { student: student.shape, teacher: teacher.shape },
    );
  }
  if (student.rank < rank) {
    throw new ShapeError(name, `takes tensors of at least ${rank} axes, got ${showShape(student.shape)}.`, {
      shape: student.shape,
    });
  }
}
