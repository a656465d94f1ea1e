/** The network: a column for each layer with its settings, its units as pictures of their own answers, and the lines between. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { conv, dense, isImageTask, type LayerSpec, mostLayers } from '../model/spec.ts';
import { change } from '../state/actions.ts';
import { isFixed } from '../state/classroom.ts';
import { built, lines, sample, spec, view } from '../state/store.ts';
import { current, isWalking } from '../state/walk.ts';
import { grid } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { magnitude } from './colors.ts';
import { Choice } from './fields.tsx';
import { type Column, expectedUnits, hasNames, layOut, nodeSize, unitsOf } from './geometry.ts';
import { Icon } from './icon.tsx';
import { inputOver } from './input-over.ts';
import { LayerSettings } from './layer-settings.tsx';
import { Lines } from './lines.tsx';
import { UnitNode } from './unit-node.tsx';
import { WalkOverlay } from './walk-overlay.tsx';
import { WeightEditor } from './weight-editor.tsx';

export function NetworkPanel(): JSX.Element {
  const now = built.value;
  const room = useSignal(600);
  const frameElement = useRef<HTMLDivElement>(null);
  // before the page is painted: its columns must not move
  useLayoutEffect(() => {
    const element = frameElement.current;
    if (element === null) return;
    room.value = element.clientWidth;
    const observer = new ResizeObserver(() => {
      room.value = element.clientWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [room]);
  const layout =
    now === null ? layOut(expectedUnits(spec.value), room.value) : layOut(unitsOf(now), room.value, hasNames(now));
  const { layers } = now?.spec ?? spec.value;
  return (
    <section class="panel network" aria-labelledby="network-title">
      <div class="panel-head">
        <h2 id="network-title">{t('network')}</h2>
        <AddLayers />
        <Choice
          name="lines"
          label={t('lines')}
          value={lines.value}
          options={['weights', 'gradients'] as const}
          text={(name) => t(`lines.${name}`)}
          onChange={(name) => {
            lines.value = name;
          }}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" data-name="network" ref={frameElement} tabIndex={0} aria-label={t('network')}>
        <div style={{ width: `${layout.width}px` }}>
          <div
            class="columns"
            style={{ gridTemplateColumns: layout.columnWidths.map((width) => `${width}px`).join(' ') }}
          >
            <p class="column-title">{t('inputs')}</p>
            {layers.map((_, index) => (
              <LayerSettings key={index} index={index} />
            ))}
            <p class="column-title">{t('output')}</p>
          </div>
          <div class="graph" style={{ height: `${layout.height}px` }}>
            <Lines layout={layout} />
            {now !== null && layout.columns.map((column) => <Units key={column.block} column={column} />)}
            {now !== null && <WalkOverlay layout={layout} />}
          </div>
        </div>
      </section>
      <p class="small">{t('linesHelp')}</p>
      <WeightEditor />
    </section>
  );
}

function AddLayers(): JSX.Element {
  const { layers, task } = spec.value;
  const isFull = layers.length >= mostLayers || isFixed('layers');
  const add = (layer: LayerSpec): void => {
    const at = layer.kind === 'conv' ? layers.filter(({ kind }) => kind === 'conv').length : layers.length;
    change({ layers: [...layers.slice(0, at), layer, ...layers.slice(at)] });
  };
  return (
    <div class="adders">
      <button
        type="button"
        data-name="addLayer"
        onClick={() => add(dense(4, layers.at(-1)?.activation ?? 'tanh'))}
        disabled={isFull}
      >
        <Icon name="plus" /> {t('addLayer')}
      </button>
      {isImageTask(task) && (
        <button type="button" data-name="addConv" onClick={() => add(conv(6))} disabled={isFull}>
          <Icon name="plus" /> {t('addConv')}
        </button>
      )}
    </div>
  );
}

function Units({ column }: { readonly column: Column }): JSX.Element {
  const rest = column.units - column.shown;
  const bottom = (column.ys.at(-1) ?? 0) + nodeSize / 2 + 3;
  return (
    <>
      {column.ys.map((y, unit) =>
        column.block < 0 ? (
          <InputNode key={unit} unit={unit} x={column.x} y={y} nameWidth={column.nameWidth} />
        ) : (
          <UnitNode key={unit} block={column.block} unit={unit} x={column.x} y={y} nameWidth={column.nameWidth} />
        ),
      )}
      {rest > 0 && (
        <p class="small others" style={{ left: `${column.x}px`, top: `${bottom}px` }}>
          {t('others', { count: rest })}
        </p>
      )}
    </>
  );
}

interface InputNodeProps {
  readonly unit: number;
  readonly x: number;
  readonly y: number;
  readonly nameWidth: number;
}

/** A coordinate as a slope over the plane, a column of a table by its name, or the image. */
function InputNode({ unit, x, y, nameWidth }: InputNodeProps): JSX.Element {
  const now = built.value;
  const name = now?.inputNames[unit] ?? '';
  const isImage = (now?.inputShape.length ?? 1) > 1;
  const read = (): { values: Float32Array; width: number; height: number; scale: number } | null => {
    if (isImage) {
      const side = now?.inputShape[1] ?? 1;
      const walked = isWalking.value ? current.value?.inputs : undefined;
      const values = walked ?? sample.value ?? now?.gallery?.pixels.subarray(0, side * side) ?? new Float32Array(1);
      return { values, width: side, height: side, scale: 1 };
    }
    if (now === null || view.value === null) return null;
    const values = inputOver(now, view.value, unit);
    return { values, width: grid, height: grid, scale: magnitude(values) };
  };
  return (
    <div class="node input" style={{ left: `${x - nodeSize / 2}px`, top: `${y - nodeSize / 2}px` }} title={name}>
      <MapCanvas read={read} size={nodeSize - 4} />
      <span class="input-name" style={{ maxWidth: `${nameWidth}px` }}>
        {name}
      </span>
    </div>
  );
}
