/** Data: the task, how many samples, how noisy, how they are parted; and files of one's own. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { featureFacts, features } from '../model/features.ts';
import { coverages, hasFeatures, isBinaryTask, isGenerated, isImageTask, limits } from '../model/spec.ts';
import { change, takeFiles } from '../state/actions.ts';
import { isFixed } from '../state/classroom.ts';
import { spec, wish } from '../state/store.ts';
import { Choice, NumberField, Slider } from './fields.tsx';
import { Icon } from './icon.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { TableFields } from './table-fields.tsx';
import { TaskPicker } from './task-picker.tsx';

export function DataPanel(): JSX.Element {
  const { task, samples, noise, testFraction, seed, balance, coverage } = spec.value;
  const hasCount = isGenerated(task) || task === 'idx';
  return (
    <SettingsPanel
      class="data"
      id="data-title"
      title={t('data')}
      isNeeded={waitsForFile()}
      unfolds={isOfFile()}
      first={
        <>
          <span class="chosen-task" aria-hidden="true">
            {t(`task.${task}`)}
          </span>
          <TaskPicker />
        </>
      }
    >
      {task === 'table' && <TableFields />}
      {hasFeatures(task) && <FeatureFields />}
      <div class="fields">
        {hasCount && (
          <Slider
            name="samples"
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
            name={isImageTask(task) ? 'distortion' : 'noise'}
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
          name="testFraction"
          label={t('testShare')}
          value={testFraction}
          low={0.1}
          high={0.9}
          step={0.05}
          show={(value) => `${Math.round(100 * value)} %`}
          onChange={(value) => change({ testFraction: value }, { soon: true })}
        />
        {isBinaryTask(task) && (
          <>
            <Slider
              name="balance"
              label={t('balance')}
              value={balance}
              low={limits.balance[0]}
              high={limits.balance[1]}
              step={0.01}
              show={(value) => `${Math.round(100 * value)} %`}
              onChange={(value) => change({ balance: value }, { soon: true })}
            />
            <Choice
              name="coverage"
              label={t('coverage')}
              value={coverage}
              options={coverages}
              text={(name) => t(`coverage.${name}`)}
              onChange={(name) => change({ coverage: name })}
            />
          </>
        )}
        <div class="with-button">
          <NumberField
            name="seed"
            label={t('seed')}
            value={seed}
            low={0}
            high={limits.seed[1]}
            onChange={(value) => change({ seed: Math.round(value) })}
          />
          <button
            type="button"
            class="icon"
            data-name="newSeed"
            aria-label={t('newSeed')}
            disabled={isFixed('seed')}
            onClick={() => change({ seed: (seed + 1) % 1000 })}
          >
            <Icon name="plus" />
          </button>
        </div>
      </div>
      <FileField />
    </SettingsPanel>
  );
}

/** What the network is given of a point. One of them at least. */
function FeatureFields(): JSX.Element {
  const chosen = spec.value.features;
  return (
    <fieldset class="chips" data-name="features" disabled={isFixed('features')}>
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

/** A file of one's own: what was read of it, and its columns, are looked at first. */
const isOfFile = (): boolean =>
  spec.value.task === 'idx' || (spec.value.task === 'table' && spec.value.table.example === undefined);

const waitsForFile = (): boolean => wish.value === 'noTable' || wish.value === 'noImages';

function FileField(): JSX.Element {
  const waits = waitsForFile() ? wish.value : null;
  return (
    <p class={waits ? 'small drop wished' : 'small drop'} role={waits ? 'status' : undefined}>
      {waits && <strong>{t(waits)}</strong>} {t('drop')}{' '}
      <label class="link" data-name="files">
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
