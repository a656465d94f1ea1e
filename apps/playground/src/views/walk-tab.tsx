/**
 * The walk-through: one sample goes forward layer by layer, and the gradient of its loss comes back, with every number
 * of the chosen unit. What the numbers are is worker/walk.ts.
 */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { t } from '../i18n/language.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, running, wish } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import type { Built, Walk, WalkLayer } from '../worker/protocol.ts';
import { targetIn } from './answer.ts';
import { MapCanvas } from './canvas.tsx';
import { divergingColor } from './colors.ts';
import { layerName } from './distributions-tab.tsx';
import { short } from './format.ts';
import { Icon } from './icon.tsx';
import { type BlockStage, Formula, Kernels, Maps, rowOf } from './walk-formula.tsx';

type Stage =
  | { readonly kind: 'input' }
  | { readonly kind: BlockStage; readonly block: number }
  | { readonly kind: 'loss' };

/** Forward through every layer, the loss, and back. */
function stagesOf(layers: readonly WalkLayer[]): Stage[] {
  const forward = layers.flatMap(({ kind }, block): Stage[] =>
    kind === 'output'
      ? [{ kind: 'sum', block }]
      : [
          { kind: 'sum', block },
          { kind: 'activation', block },
        ],
  );
  const back = layers.flatMap(({ kind }, block): Stage[][] =>
    kind === 'output'
      ? [
          [
            { kind: 'backSum', block },
            { kind: 'backWeight', block },
          ],
        ]
      : [
          [
            { kind: 'backOutput', block },
            { kind: 'backSum', block },
            { kind: 'backWeight', block },
          ],
        ],
  );
  return [{ kind: 'input' }, ...forward, { kind: 'loss' }, ...back.reverse().flat()];
}

export function WalkThrough(): JSX.Element | null {
  const sample = useSignal(0);
  const position = useSignal(0);
  const unit = useSignal(0);
  const walk = useSignal<Walk | null>(null);
  const stages = useComputed(() => (walk.value === null ? [] : stagesOf(walk.value.layers)));
  useSignalEffect(() => {
    // a new frame, sample or network asks anew; while training runs, every frame would be too often
    const step = frame.value?.step;
    if (built.value === null || step === undefined || running.value) return;
    ask({ kind: 'walk', sample: sample.value }).then((answer) => {
      walk.value = answer;
    }, complain);
  });
  const now = walk.value;
  const all = built.value;
  if (now === null || all === null || now.layers.length !== all.spec.layers.length + 1) {
    return <p class="small">{running.value || wish.value !== null ? t('walkHint') : t('loading')}</p>;
  }
  const at = Math.min(position.value, stages.value.length - 1);
  const stage = stages.value[at] as Stage;
  const move = (by: number): void => {
    position.value = Math.max(0, Math.min(stages.value.length - 1, at + by));
  };
  const count = all.trainSize + all.testSize;
  const turn = (by: number): void => {
    sample.value = (sample.value + by + count) % count;
  };
  const target =
    all.goal === 'quantity' ? quantity(all, now.target) : (all.classNames[now.target] ?? String(now.target));
  return (
    <div class="walk">
      <p class="small">{t('walkHint')}</p>
      <div class="row">
        <span class="row sample">
          <button type="button" class="icon" aria-label={t('previous')} onClick={() => turn(-1)}>
            <Icon name="minus" />
          </button>
          <span>
            {t('sample')} {sample.value + 1} · {t('target')} {target}
          </span>
          <button type="button" class="icon" aria-label={t('next')} onClick={() => turn(1)}>
            <Icon name="plus" />
          </button>
        </span>
        <button type="button" onClick={() => move(-1)} disabled={at === 0}>
          {t('back')}
        </button>
        <button type="button" class="primary" onClick={() => move(1)} disabled={at === stages.value.length - 1}>
          {isBackward(stage) || stage.kind === 'loss' ? t('backward') : t('forward')}
        </button>
        <span class="small">{t('stepOf', { step: at + 1, all: stages.value.length })}</span>
      </div>
      <Chain walk={now} stage={stage} />
      <div class="stage" aria-live="polite">
        <StageView walk={now} stage={stage} unit={unit.value} choose={(next) => (unit.value = next)} />
      </div>
    </div>
  );
}

/** In the units of the data, and behind it as the network is taught it, where that is another number. */
function quantity(all: Built, target: number): string {
  const real = short(targetIn(all)(target));
  return all.targetScale === null ? real : `${real} (${short(target)})`;
}

const isBackward = ({ kind }: Stage): boolean => kind.startsWith('back');

/** The layers in a row; the one where we are is marked, blue on the way forward and orange on the way back. */
function Chain({ walk, stage }: { readonly walk: Walk; readonly stage: Stage }): JSX.Element {
  const here = stage.kind === 'input' ? -1 : stage.kind === 'loss' ? walk.layers.length : stage.block;
  const names = [t('inputs'), ...walk.layers.map((_, block) => layerName(block)), t('loss')];
  return (
    <ol class={isBackward(stage) ? 'chain backward' : 'chain'}>
      {names.map((name, k) => (
        <li key={name} aria-current={k - 1 === here ? 'step' : undefined}>
          {name}
        </li>
      ))}
    </ol>
  );
}

interface StageProps {
  readonly walk: Walk;
  readonly stage: Stage;
  readonly unit: number;
  readonly choose: (unit: number) => void;
}

function StageView({ walk, stage, unit, choose }: StageProps): JSX.Element {
  if (stage.kind === 'input') return <Input walk={walk} />;
  if (stage.kind === 'loss') return <Loss walk={walk} />;
  const layer = walk.layers[stage.block] as WalkLayer;
  const words: Readonly<Record<typeof stage.kind, Key>> = {
    sum: 'walkSum',
    activation: 'walkActivation',
    backOutput: 'walkBackOutput',
    backSum: 'walkBackSum',
    backWeight: 'walkBackWeight',
  };
  const units = layer.biases.length;
  const k = Math.min(unit, units - 1);
  const values = {
    sum: layer.sums,
    activation: layer.outputs,
    backOutput: layer.outputGradients,
    backSum: layer.sumGradients,
    backWeight: layer.weightGradients.subarray(k * rowOf(layer), (k + 1) * rowOf(layer)),
  }[stage.kind];
  return (
    <>
      <p>{t(words[stage.kind])}</p>
      {layer.kind === 'conv' ? (
        stage.kind === 'backWeight' ? (
          <Kernels layer={layer} />
        ) : (
          <Maps values={values} units={units} />
        )
      ) : (
        <>
          {stage.kind !== 'backWeight' && <Units values={values} chosen={k} choose={choose} />}
          <Formula layer={layer} next={walk.layers[stage.block + 1]} stage={stage.kind} unit={k} />
        </>
      )}
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

function Loss({ walk }: { readonly walk: Walk }): JSX.Element {
  const { goal, classNames } = built.value ?? {};
  const shown = [...walk.output];
  return (
    <>
      <p>{t('walkLoss')}</p>
      <p class="formula">
        {shown.slice(0, 12).map((value, k) => (
          <span key={classNames?.[k] ?? 'y'} class="term">
            {goal === 'classes' ? `z(${classNames?.[k]})` : 'z'} = <b>{short(value)}</b>
          </span>
        ))}
        {goal === 'binary' && (
          <span class="term">
            σ(z) = <b>{short(1 / (1 + Math.exp(-(shown[0] ?? 0))))}</b>
          </span>
        )}
        <span class="term">
          L = <b>{short(walk.loss, 4)}</b>
        </span>
      </p>
    </>
  );
}

/** The numbers of all units of a layer; the formula below is about the chosen one. */
function Units({
  values,
  chosen,
  choose,
}: {
  readonly values: Float32Array;
  readonly chosen: number;
  readonly choose: (unit: number) => void;
}): JSX.Element {
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-9);
  const dark = isDark.value;
  return (
    <fieldset class="unit-values" aria-label={t('chosenUnit')}>
      {[...values].slice(0, 32).map((value, k) => (
        <button
          key={k}
          type="button"
          aria-pressed={k === chosen}
          aria-label={`${t('chosenUnit')} ${k + 1}: ${short(value)}`}
          style={{ borderBottomColor: divergingColor(value / most, dark) }}
          onClick={() => choose(k)}
        >
          {short(value)}
        </button>
      ))}
    </fieldset>
  );
}
