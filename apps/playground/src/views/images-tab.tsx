/** For digits: the filters that the network has learned, and what each makes of the image that is shown. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { built, frame } from '../state/store.ts';
import { MapCanvas } from './canvas.tsx';
import { magnitude } from './colors.ts';
import { layerName } from './distributions-tab.tsx';

export function Images(): JSX.Element {
  const blocks = frame.value?.blocks ?? [];
  return (
    <div class="images">
      {blocks.map((block, position) => {
        const name = layerName(position);
        const [units = 0, channels = 1, height = 0, width = 0] = block.shape;
        const side = built.value?.inputShape[1] ?? 0;
        const isFirstDense = block.shape.length === 2 && position === 0 && channels === side * side;
        const shown = Math.min(units, 32);
        const hasMaps = block.kind === 'conv';
        return (
          <section key={name} hidden={!hasMaps && !isFirstDense}>
            {hasMaps && <h3 data-name="filters">{t('filtersOf', { layer: name })}</h3>}
            {hasMaps && (
              <div class="image-row">
                {Array.from({ length: shown }, (_, unit) => (
                  <MapCanvas
                    key={unit}
                    size={44}
                    smooth={false}
                    label={`${t('filtersOf', { layer: name })}: ${unit + 1}`}
                    read={() => filterOf(position, unit, channels, height, width)}
                  />
                ))}
              </div>
            )}
            <h3 data-name={hasMaps ? 'maps' : 'filters'}>
              {hasMaps ? t('mapsOf', { layer: name }) : t('filtersOf', { layer: name })}
            </h3>
            <div class="image-row">
              {Array.from({ length: shown }, (_, unit) => (
                <MapCanvas
                  key={unit}
                  size={hasMaps ? 72 : 56}
                  label={`${t('mapsOf', { layer: name })}: ${unit + 1}`}
                  read={() => (hasMaps ? featureMap(position, unit) : filterOf(position, unit, 1, side, side))}
                />
              ))}
            </div>
          </section>
        );
      })}
    </div>
  );
}

type Picture = { values: Float32Array; width: number; height: number; scale: number } | null;

/** The kernel of a filter; over several channels their mean. */
function filterOf(position: number, unit: number, channels: number, height: number, width: number): Picture {
  const weights = frame.value?.blocks[position]?.weights;
  const size = height * width;
  const start = unit * channels * size;
  if (weights === undefined || weights.length < start + channels * size) return null;
  const values = new Float32Array(size);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < size; i++)
      values[i] = (values[i] as number) + (weights[start + channel * size + i] as number) / channels;
  }
  return { values, width, height, scale: magnitude(values) };
}

function featureMap(position: number, unit: number): Picture {
  const block = frame.value?.blocks[position];
  if (block === undefined) return null;
  const [height, width] = block.mapShape;
  const values = block.maps.subarray(unit * height * width, (unit + 1) * height * width);
  return values.length === 0 ? null : { values, width, height, scale: magnitude(block.maps) };
}
