/** What the network's answer about the drawn digit rests on: pixels, and places of its feature maps. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { say } from '../places/words.ts';
import { ask, complain } from '../state/actions.ts';
import { built, frame, sample } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import type { Explanation } from '../worker/protocol.ts';
import { prepare, stretch } from './canvas.tsx';
import { magnitude, mapImage } from './colors.ts';
import { layerName } from './distributions-tab.tsx';
import { Choice } from './fields.tsx';
import { short } from './format.ts';
import { inkImage } from './ink.ts';

const size = 150;
const answered = 'best';

export function Explain(): JSX.Element {
  const found = useSignal<Explanation | null>(null);
  const target = useSignal(answered);
  const busy = useRef(false);
  const pixels = sample.value;
  const step = frame.value?.step;
  const names = built.value?.classNames ?? [];
  useEffect(() => {
    const look = (): void => {
      const image = sample.peek();
      if (image === null) found.value = null;
      if (image === null || busy.current) return;
      busy.current = true;
      const wanted = target.peek();
      ask({ kind: 'explain', pixels: image.slice(), target: wanted === answered ? null : Number(wanted) })
        .then((answer) => {
          found.value = answer;
        }, complain)
        .finally(() => {
          busy.current = false;
          // a stroke that came meanwhile
          if (sample.peek() !== image || target.peek() !== wanted) look();
        });
    };
    look();
  }, [pixels, step, target.value]);
  if (pixels === null || found.value === null) return <p class="small">{say('explain.draw')}</p>;
  const { attributions, cams, score, baselineScore, best } = found.value;
  const name = names[found.value.target] ?? String(found.value.target);
  const side = Math.round(Math.sqrt(pixels.length));
  return (
    <div class="explain">
      <Choice
        name="explain.target"
        label={say('explain.target')}
        value={target.value}
        options={[answered, ...names.map((_, k) => String(k))]}
        text={(one) =>
          one === answered ? say('explain.best', { digit: names[best] ?? best }) : (names[Number(one)] ?? one)
        }
        onChange={(one) => {
          target.value = one;
        }}
      />
      <div class="explain-row">
        <figure>
          <Overlay
            pixels={pixels}
            side={side}
            map={{ values: attributions, width: side, height: side }}
            label={say('explain.integratedOf', { digit: name })}
          />
          <figcaption class="small" data-name="explain.integrated">
            {say('explain.integrated')}
          </figcaption>
        </figure>
        {cams.map(({ block, values, width, height }) => (
          <figure key={block}>
            <Overlay
              pixels={pixels}
              side={side}
              map={{ values, width, height }}
              label={say('explain.camOf', { layer: layerName(block), digit: name })}
            />
            <figcaption class="small" data-name="explain.cam">
              {say('explain.cam', { layer: layerName(block) })}
            </figcaption>
          </figure>
        ))}
      </div>
      <p class="small" data-fact="attribution-sum" data-sum={attributions.reduce((sum, value) => sum + value, 0)}>
        {say('explain.sum', {
          digit: name,
          score: short(score, 2),
          baseline: short(baselineScore, 2),
          sum: short(
            attributions.reduce((sum, value) => sum + value, 0),
            2,
          ),
        })}
      </p>
      <p class="small">{say('explain.help')}</p>
      {cams.length === 0 && <p class="small">{say('explain.noFilters')}</p>}
    </div>
  );
}

interface OverlayProps {
  readonly pixels: Float32Array;
  readonly side: number;
  readonly map: { readonly values: Float32Array; readonly width: number; readonly height: number };
  readonly label: string;
}

/** The map in colour, and the digit over it as a shade. */
function Overlay({ pixels, side, map, label }: OverlayProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const context = prepare(canvas.current, size, size);
    if (context === null) return;
    const image = mapImage(map.values, map.width, map.height, magnitude(map.values), dark);
    stretch(context, image, [0, 0, size, size], map.width !== side);
    context.globalAlpha = 0.28;
    stretch(context, inkImage(pixels, side), [0, 0, size, size]);
    context.globalAlpha = 1;
  });
  return (
    <canvas
      ref={canvas}
      class="map"
      style={{ width: `${size}px`, height: `${size}px` }}
      role="img"
      aria-label={label}
    />
  );
}
