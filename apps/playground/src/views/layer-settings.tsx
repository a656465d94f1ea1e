/** The settings of one layer, above its column: units, activation, and behind "more" the rest. */
import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { activations, clamp, type LayerSpec, norms } from '../model/spec.ts';
import { change } from '../state/actions.ts';
import { isFixed } from '../state/classroom.ts';
import { built, frame, spec } from '../state/store.ts';
import { Choice } from './fields.tsx';
import { Icon } from './icon.tsx';

const rates = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const kernels = ['3', '5', '7'] as const;

export function LayerSettings({ index }: { readonly index: number }): JSX.Element | null {
  const { layers } = spec.value;
  // the store may be ahead of what the worker has built
  const layer = layers[index] ?? built.value?.spec.layers[index];
  if (layer === undefined) return null;
  const number = index + 1;
  const put = (next: LayerSpec): void => change({ layers: layers.map((old, k) => (k === index ? next : old)) });
  const size = layer.kind === 'dense' ? layer.units : layer.filters;
  const resize = (to: number): void => {
    if (layer.kind === 'dense') put({ ...layer, units: clamp('units', to) });
    else put({ ...layer, filters: clamp('filters', to) });
  };
  const by = size >= 32 ? 8 : size >= 16 ? 4 : 1;
  return (
    <fieldset class="layer" disabled={isFixed('layers')}>
      <legend class="column-title">{t('layer', { layer: number })}</legend>
      <div class="stepper" data-name="neurons">
        <button
          type="button"
          class="icon"
          aria-label={t('fewer', { layer: number })}
          disabled={size <= 1}
          onClick={() => resize(size - (size > 32 ? 8 : size > 16 ? 4 : 1))}
        >
          <Icon name="minus" />
        </button>
        <span title={t(layer.kind === 'dense' ? 'units' : 'filters')}>
          {size}
          {layer.kind === 'conv' && (
            <small>
              {' '}
              {layer.kernel}×{layer.kernel}
            </small>
          )}
        </span>
        <button type="button" class="icon" aria-label={t('more', { layer: number })} onClick={() => resize(size + by)}>
          <Icon name="plus" />
        </button>
      </div>
      <Choice
        name="activation"
        label={t('activation')}
        hidden
        value={layer.activation}
        options={activations}
        text={(name) => t(`activation.${name}`)}
        onChange={(activation) => put({ ...layer, activation })}
      />
      <details class="more">
        <summary>
          {t('moreSettings')}
          {layer.norm !== 'none' && <em> {t(`norm.${layer.norm}`)}</em>}
          {layer.dropout > 0 && <em> {Math.round(100 * layer.dropout)} %</em>}
        </summary>
        <Choice
          name="norm"
          label={t('norm')}
          value={layer.norm}
          options={norms}
          text={(name) => t(`norm.${name}`)}
          onChange={(norm) => put({ ...layer, norm })}
        />
        <Choice
          name="dropout"
          label={t('dropout')}
          value={String(layer.dropout)}
          options={rates.map(String)}
          text={(rate) => `${Math.round(100 * Number(rate))} %`}
          onChange={(rate) => put({ ...layer, dropout: Number(rate) })}
        />
        {layer.kind === 'conv' && (
          <>
            <Choice
              name="kernel"
              label={t('kernel')}
              value={String(layer.kernel)}
              options={kernels}
              text={(side) => `${side} × ${side}`}
              onChange={(side) => put({ ...layer, kernel: Number(side) })}
            />
            <label class="check" data-name="pad">
              <input type="checkbox" checked={layer.pad} onChange={() => put({ ...layer, pad: !layer.pad })} />
              {t('pad')}
            </label>
            <label class="check" data-name="pool">
              <input type="checkbox" checked={layer.pool} onChange={() => put({ ...layer, pool: !layer.pool })} />
              {t('pool')}
            </label>
          </>
        )}
        <button
          type="button"
          class="quiet"
          data-name="removeLayer"
          onClick={() => change({ layers: layers.filter((_, k) => k !== index) })}
        >
          {t('removeLayer', { layer: number })}
        </button>
      </details>
      <Health index={index} />
    </fieldset>
  );
}

/** How many units of the layer are dead or saturated. */
function Health({ index }: { readonly index: number }): JSX.Element | null {
  const count = (wanted: string): number =>
    frame.value?.blocks[index]?.units.filter((state) => state === wanted).length ?? 0;
  const dead = useComputed(() => count('dead')).value;
  const saturated = useComputed(() => count('saturated')).value;
  const shown = [
    ...(dead > 0 ? [t('deadCount', { count: dead })] : []),
    ...(saturated > 0 ? [t('saturatedCount', { count: saturated })] : []),
  ];
  return <p class="small warn">{shown.join(', ')}</p>; // an empty one keeps the place
}
