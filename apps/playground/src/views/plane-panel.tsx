/** The plane: what the network, or one unit of it, answers everywhere, with the samples on top; and the pad for own points. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, isDiscrete, pen, type Selection, selection, showTest, spec } from '../state/store.ts';
import { shownUnits } from '../worker/protocol.ts';
import { answerOf, isOwn, legendOf } from './answer.ts';
import { classColor } from './colors.ts';
import { DrawingPad } from './drawing-pad.tsx';
import { Choice } from './fields.tsx';
import { percent, short } from './format.ts';
import { Icon } from './icon.tsx';
import { Plane } from './plane-canvas.tsx';
import { hovered, unitName } from './unit-node.tsx';

export function PlanePanel(): JSX.Element {
  const chosen = hovered.value ?? selection.value;
  const isUnit = built.value !== null && isOwn(built.value, chosen);
  const isDrawn = spec.value.task === 'drawn';
  const names = built.value?.shownNames ?? [];
  return (
    <section class="panel" aria-labelledby="output-title">
      <div class="panel-head">
        <h2 id="output-title">{isUnit && chosen ? t('pinned', { name: unitName(chosen) }) : t('output')}</h2>
        {selection.value !== null && (
          <button
            type="button"
            class="quiet back"
            title={t('backToOutput')}
            aria-label={t('backToOutput')}
            onClick={() => {
              selection.value = null;
            }}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      <div class="plane" data-name="output">
        <Plane />
        {isDrawn && <DrawingPad />}
      </div>
      <div class="plane-foot">
        <Legend />
        {isDrawn && <PenChoice />}
        <label class="check" data-name="showTest">
          <input
            type="checkbox"
            checked={showTest.value}
            onChange={() => {
              showTest.value = !showTest.value;
            }}
          />
          {t('showTest')}
        </label>
        <label class="check" data-name="discrete">
          <input
            type="checkbox"
            checked={isDiscrete.value}
            onChange={() => {
              isDiscrete.value = !isDiscrete.value;
            }}
          />
          {t('discrete')}
        </label>
        <p class="small legend">
          <span class="disc" aria-hidden="true" /> {t('trainPart')} <span class="ring" aria-hidden="true" />{' '}
          {t('testPart')}
        </p>
      </div>
      {names.length === 1 && <p class="small">{t('curveOf', { input: names[0] ?? '' })}</p>}
      {names.length > 2 && <Axes names={names} />}
      <p class="small of-unit">{isUnit && chosen ? <Numbers of={chosen} /> : t('pointAtUnit')}</p>
    </section>
  );
}

/** The weights and the bias of a unit, the first eight of them. */
function Numbers({ of: { block, unit } }: { readonly of: Selection }): JSX.Element | null {
  const found = frame.value?.blocks[block];
  if (found === undefined) return null;
  const row = found.weights.length / Math.min(found.biases.length, shownUnits);
  const weights = [...found.weights.subarray(unit * row, (unit + 1) * row)];
  const rest = weights.length > 8 ? ' …' : '';
  return (
    <>
      {t('weights')}:{' '}
      {weights
        .slice(0, 8)
        .map((weight) => short(weight, 2))
        .join('  ')}
      {rest} · {t('bias')}: {short(found.biases[unit] ?? 0, 2)}
    </>
  );
}

/** What the colours mean, for what is shown. */
function Legend(): JSX.Element {
  const [known, now] = [built.value, frame.value];
  if (known === null) return <p class="small legend" />;
  const answer = now === null ? null : answerOf(known, now, hovered.value ?? selection.value);
  const ends = answer === null ? null : legendOf(known, answer);
  const isCurve = known.shownNames.length === 1;
  // a curve has its numbers at its axis
  if (isCurve && (answer?.kind === 'unit' || answer?.kind === 'quantity'))
    return <p class="small legend" data-fact="legend" />;
  if (answer !== null && ends !== null) {
    return (
      <p class="small scale" data-fact="legend">
        {ends[0]} <span class="bar" style={{ opacity: answer.strength }} aria-hidden="true" /> {ends[1]}
      </p>
    );
  }
  return (
    <p class="small legend" data-fact="legend">
      {known.classNames.map((name, k) => (
        <span key={name}>
          <span class="dot" style={{ background: classColor(k) }} /> {name}
        </span>
      ))}
    </p>
  );
}

/** Which two inputs span the plane, or the principal components. A name that the other axis has changes places with it. */
function Axes({ names }: { readonly names: readonly string[] }): JSX.Element {
  const view = (frame.value ?? built.value)?.view;
  const [across, up] = view?.axes ?? [0, 1];
  const turn = (axes: readonly [number, number] | null): void => {
    ask({ kind: 'axes', axes }).catch(complain);
  };
  const isTurned = view?.components != null;
  const explained = view?.components?.explained.map(percent) ?? [];
  return (
    <div class="axes of-plane">
      <Choice
        name="planeOf"
        label={t('planeOf')}
        value={isTurned ? 'components' : 'columns'}
        options={['columns', 'components'] as const}
        text={(name) => t(`planeOf.${name}`)}
        onChange={(name) => turn(name === 'components' ? null : [across, up])}
      />
      {isTurned ? (
        <p class="small" data-fact="explained">
          {t('explained', { across: explained[0] ?? '', up: explained[1] ?? '' })}
        </p>
      ) : (
        <AxisChoices names={names} axes={[across, up]} turn={turn} />
      )}
      <p class="small">{t(isTurned ? 'componentSlice' : 'slice')}</p>
    </div>
  );
}

interface AxisChoicesProps {
  readonly names: readonly string[];
  readonly axes: readonly [number, number];
  readonly turn: (axes: readonly [number, number]) => void;
}

function AxisChoices({ names, axes: [across, up], turn }: AxisChoicesProps): JSX.Element {
  return (
    <>
      <Choice
        name="axis"
        label={t('across')}
        value={String(across)}
        options={names.map((_, at) => String(at))}
        text={(at) => names[Number(at)] ?? ''}
        onChange={(at) => turn([Number(at), Number(at) === up ? across : up])}
      />
      <Choice
        name="axis"
        label={t('up')}
        value={String(up)}
        options={names.map((_, at) => String(at))}
        text={(at) => names[Number(at)] ?? ''}
        onChange={(at) => turn([Number(at) === across ? up : across, Number(at)])}
      />
    </>
  );
}

function PenChoice(): JSX.Element {
  return (
    <fieldset class="pen" data-name="pen">
      <legend class="for-readers">{t('penClass')}</legend>
      {([0, 1] as const).map((target) => (
        <label key={target}>
          <input
            type="radio"
            name="pen"
            checked={pen.value === target}
            onChange={() => {
              pen.value = target;
            }}
          />
          <span class="dot" style={{ background: classColor(target) }} /> {target}
        </label>
      ))}
    </fieldset>
  );
}
