/** Data: the task, how many samples, how noisy, how they are parted; and files of one's own. */
import type { CsvReading } from '@nn/data';
import type { JSX } from 'preact';
import { t, told } from '../i18n/language.ts';
import { featureFacts, features } from '../model/features.ts';
import { hasFeatures, isGenerated, isImageTask, limits, type TableChoice } from '../model/spec.ts';
import { change, takeFiles } from '../state/actions.ts';
import { built, dropped, spec, wish } from '../state/store.ts';
import { Choice, NumberField, Slider } from './fields.tsx';
import { Icon } from './icon.tsx';
import { TaskPicker } from './task-picker.tsx';

export function DataPanel(): JSX.Element {
  const { task, samples, noise, testFraction, seed } = spec.value;
  const hasCount = isGenerated(task) || task === 'idx';
  return (
    <section class="panel" aria-labelledby="data-title">
      <h2 id="data-title">{t('data')}</h2>
      <TaskPicker />
      {task === 'table' && <TableFields />}
      {hasFeatures(task) && <FeatureFields />}
      <div class="fields">
        {hasCount && (
          <Slider
            label={t('samples')}
            value={samples}
            low={isImageTask(task) ? 100 : 20}
            high={isImageTask(task) ? 5000 : 1000}
            step={isImageTask(task) ? 100 : 10}
            onChange={(value) => change({ samples: value }, { soon: true })}
          />
        )}
        {isGenerated(task) && (
          <Slider
            label={isImageTask(task) ? t('distortion') : t('noise')}
            value={noise}
            low={0}
            high={isImageTask(task) ? 1 : 0.6}
            step={0.01}
            show={(value) => value.toFixed(2)}
            onChange={(value) => change({ noise: value }, { soon: true })}
          />
        )}
        <Slider
          label={t('testShare')}
          value={testFraction}
          low={0.1}
          high={0.9}
          step={0.05}
          show={(value) => `${Math.round(100 * value)} %`}
          onChange={(value) => change({ testFraction: value }, { soon: true })}
        />
        <div class="with-button">
          <NumberField
            label={t('seed')}
            value={seed}
            low={0}
            high={limits.seed[1]}
            onChange={(value) => change({ seed: Math.round(value) })}
          />
          <button
            type="button"
            class="icon"
            title={t('newSeed')}
            aria-label={t('newSeed')}
            onClick={() => change({ seed: (seed + 1) % 1000 })}
          >
            <Icon name="plus" />
          </button>
        </div>
      </div>
      <FileField />
    </section>
  );
}

/** What the network is given of a point. One of them at least. */
function FeatureFields(): JSX.Element {
  const chosen = spec.value.features;
  return (
    <fieldset class="chips">
      <legend class="field-label">{t('features')}</legend>
      {features.map((name) => {
        const isOn = chosen.includes(name);
        return (
          <label key={name}>
            <input
              type="checkbox"
              class="for-readers"
              checked={isOn}
              disabled={isOn && chosen.length === 1}
              onChange={() => {
                change({ features: features.filter((other) => (other === name ? !isOn : chosen.includes(other))) });
              }}
            />
            <span>{featureFacts[name].label}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

function FileField(): JSX.Element {
  const waits = wish.value === 'noTable' || wish.value === 'noImages' ? wish.value : null;
  return (
    <p class={waits ? 'small drop wished' : 'small drop'} role={waits ? 'status' : undefined}>
      {waits && <strong>{t(waits)}</strong>} {t('drop')}{' '}
      <label class="link">
        <input
          type="file"
          multiple
          class="for-readers"
          aria-label={t('choose')}
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            event.currentTarget.value = '';
            void takeFiles(files);
          }}
        />
        <span>{t('choose')}</span>
      </label>
    </p>
  );
}

/** Which column to predict, from which, and as what. */
function TableFields(): JSX.Element | null {
  const now = built.value;
  if (now === null || now.columns.length === 0) return null;
  const { table } = spec.value;
  const set = (changes: Partial<TableChoice>): void => change({ table: { ...table, ...changes } });
  const others = now.columns.filter((name) => name !== now.target);
  const isUsed = (name: string): boolean => table.inputs.length === 0 || table.inputs.includes(name);
  return (
    <div class="fields">
      <p class="small">
        {dropped.value.table?.name} · {now.trainSize + now.testSize}
      </p>
      <Reading reading={now.reading} encoding={dropped.value.table?.encoding ?? 'utf-8'} />
      <Choice
        label={t('predict')}
        value={now.target}
        options={now.columns}
        text={(name) => name}
        onChange={(target) => set({ target, inputs: [] })}
      />
      <Choice
        label={t('as')}
        value={table.as}
        options={['auto', 'classes', 'number'] as const}
        text={(name) => t(`as.${name}`)}
        onChange={(as) => set({ as })}
      />
      <fieldset class="checks">
        <legend class="field-label">{t('from')}</legend>
        {others.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={isUsed(name)}
              onChange={() => {
                const inputs = others.filter((other) => (other === name ? !isUsed(name) : isUsed(other)));
                if (inputs.length > 0) set({ inputs: inputs.length === others.length ? [] : inputs });
              }}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </div>
  );
}

/** How the file was read, where that is not the plainest way, and what is doubtful about it. */
function Reading({
  reading,
  encoding,
}: {
  readonly reading: CsvReading | null;
  readonly encoding: string;
}): JSX.Element | null {
  if (reading === null) return null;
  const { separator, header, warnings } = reading;
  const facts = [
    ...(separator === ',' ? [] : [t('readSeparator', { mark: separator === '\t' ? t('tabMark') : separator })]),
    ...(header ? [] : [t('readNoNames')]),
    ...(encoding === 'utf-8' ? [] : [encoding]),
  ];
  return (
    <>
      {facts.length > 0 && (
        <p class="small" data-fact="reading">
          {t('readAs')} {facts.join(t('listMark'))}
        </p>
      )}
      {warnings.length > 0 && (
        <details class="small warnings">
          <summary>{t('readDoubts', { count: warnings.length })}</summary>
          {warnings.map((warning) => (
            <p key={warning.message}>{told(warning)}</p>
          ))}
        </details>
      )}
    </>
  );
}
