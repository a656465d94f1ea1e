/** What is said of one stage of the walk: a sentence, the numbers of the layer, and how one of them comes about. */
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { t } from '../i18n/language.ts';
import { built } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { type BlockStage, type Stage, unit, unitIn, update } from '../state/walk.ts';
import type { Walk, WalkLayer } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { divergingColor } from './colors.ts';
import { short } from './format.ts';
import { Formula, Kernels, Maps, rowOf } from './walk-formula.tsx';
import { SlidingKernel } from './walk-kernel.tsx';
import { Loss, LossSlope } from './walk-loss.tsx';
import { UpdateFormula } from './walk-update.tsx';

const words: Readonly<Record<BlockStage, Key>> = {
  sum: 'walkSum',
  activation: 'walkActivation',
  backOutput: 'walkBackOutput',
  backSum: 'walkBackSum',
  backWeight: 'walkBackWeight',
  update: 'walkUpdate',
};

export function StageView({ walk, stage }: { readonly walk: Walk; readonly stage: Stage }): JSX.Element {
  if (stage.kind === 'input') return <Input walk={walk} />;
  if (stage.kind === 'loss') return <Loss walk={walk} />;
  const layer = walk.layers[stage.block] as WalkLayer;
  return (
    <>
      <p>{t(words[stage.kind])}</p>
      {stage.kind === 'update' ? (
        <UpdateFormula walk={walk} block={stage.block} update={update.value} unit={unitIn(layer)} />
      ) : layer.kind === 'conv' ? (
        <Convolution layer={layer} stage={stage.kind} />
      ) : (
        <Dense walk={walk} layer={layer} next={walk.layers[stage.block + 1]} stage={stage.kind} />
      )}
    </>
  );
}

function Convolution({ layer, stage }: { readonly layer: WalkLayer; readonly stage: BlockStage }): JSX.Element {
  const units = layer.biases.length;
  if (stage === 'sum') return <SlidingKernel layer={layer} filter={unitIn(layer)} />;
  if (stage === 'backWeight') return <Kernels layer={layer} />;
  const values = {
    activation: layer.outputs,
    backOutput: layer.outputGradients,
    backSum: layer.sumGradients,
    update: layer.outputs,
  }[stage];
  return <Maps values={values} units={units} />;
}

interface DenseProps {
  readonly walk: Walk;
  readonly layer: WalkLayer;
  readonly next: WalkLayer | undefined;
  readonly stage: Exclude<BlockStage, 'update'>;
}

function Dense({ walk, layer, next, stage }: DenseProps): JSX.Element {
  const k = unitIn(layer);
  const values = {
    sum: layer.sums,
    activation: layer.outputs,
    backOutput: layer.outputGradients,
    backSum: layer.sumGradients,
    backWeight: layer.weightGradients.subarray(k * rowOf(layer), (k + 1) * rowOf(layer)),
  }[stage];
  const isSlope = layer.kind === 'output' && stage === 'backSum';
  return (
    <>
      {stage !== 'backWeight' && <Units values={values} chosen={k} />}
      {isSlope ? <LossSlope walk={walk} unit={k} /> : <Formula layer={layer} next={next} stage={stage} unit={k} />}
    </>
  );
}

function Input({ walk }: { readonly walk: Walk }): JSX.Element {
  const [, side = 0] = walk.inputShape;
  return (
    <>
      <p>{t('walkInput')}</p>
      {walk.inputShape.length > 1 ? (
        <MapCanvas
          size={120}
          smooth={false}
          read={() => ({ values: walk.inputs, width: side, height: side, scale: 1 })}
        />
      ) : (
        <p class="formula">
          {[...walk.inputs].slice(0, 12).map((value, k) => (
            <span key={built.value?.inputNames[k]} class="term">
              {built.value?.inputNames[k]} = <b>{short(value)}</b>
            </span>
          ))}
        </p>
      )}
    </>
  );
}

/** The numbers of all units of a layer; the formula below is about the chosen one. */
function Units({ values, chosen }: { readonly values: Float32Array; readonly chosen: number }): JSX.Element {
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-9);
  const dark = isDark.value;
  return (
    <fieldset class="unit-values" data-name="walkNeuron" aria-label={t('chosenUnit')}>
      {[...values].slice(0, 32).map((value, k) => (
        <button
          key={k}
          type="button"
          aria-pressed={k === chosen}
          aria-label={`${t('chosenUnit')} ${k + 1}: ${short(value)}`}
          style={{ borderBottomColor: divergingColor(value / most, dark) }}
          onClick={() => {
            unit.value = k;
          }}
        >
          {short(value)}
        </button>
      ))}
    </fieldset>
  );
}
