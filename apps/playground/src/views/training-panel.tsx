/** How the network is trained. Everything here may be changed while it trains. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { initializers, limits, optimizers, penalties, schedules } from '../model/spec.ts';
import { lossesOf, lossNameOf } from '../model/training.ts';
import { change } from '../state/actions.ts';
import { frame, goal, spec } from '../state/store.ts';
import { Choice, NumberField, Slider } from './fields.tsx';

const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export function TrainingPanel(): JSX.Element {
  const now = spec.value;
  const power = Math.max(
    0,
    batchSizes.findIndex((size) => size >= now.batchSize),
  );
  return (
    <section class="panel training" aria-labelledby="training-title">
      <h2 id="training-title">{t('training')}</h2>
      <div class="fields">
        <Choice
          name="loss"
          label={t('loss')}
          value={lossNameOf(goal.value, now.loss)}
          options={lossesOf(goal.value)}
          text={(name) => t(`loss.${name}`)}
          onChange={(loss) => change({ loss })}
        />
        <Choice
          name="optimizer"
          label={t('optimizer')}
          value={now.optimizer}
          options={optimizers}
          text={(name) => t(`optimizer.${name}`)}
          onChange={(optimizer) => change({ optimizer })}
        />
        <NumberField
          name="learningRate"
          label={t('learningRate')}
          value={now.learningRate}
          low={limits.learningRate[0]}
          high={limits.learningRate[1]}
          onChange={(learningRate) => change({ learningRate })}
          {...(now.schedule !== 'constant' &&
            frame.value && { hint: t('rateNow', { rate: frame.value.learningRate.toPrecision(2) }) })}
        />
        <Choice
          name="schedule"
          label={t('schedule')}
          value={now.schedule}
          options={schedules}
          text={(name) => t(`schedule.${name}`)}
          onChange={(schedule) => change({ schedule })}
        />
        {now.schedule !== 'constant' && (
          <NumberField
            name="scheduleSteps"
            label={t('scheduleSteps')}
            value={now.scheduleSteps}
            low={limits.scheduleSteps[0]}
            high={limits.scheduleSteps[1]}
            onChange={(value) => change({ scheduleSteps: Math.round(value) })}
          />
        )}
        <Slider
          name="batchSize"
          label={t('batchSize')}
          value={power}
          low={0}
          high={batchSizes.length - 1}
          step={1}
          show={(value) => String(value === power ? now.batchSize : (batchSizes[value] ?? 32))}
          onChange={(value) => change({ batchSize: batchSizes[value] ?? 32 })}
        />
        <Choice
          name="penalty"
          label={t('penalty')}
          value={now.penalty}
          options={penalties}
          text={(name) => t(`penalty.${name}`)}
          onChange={(penalty) => change({ penalty })}
        />
        {now.penalty !== 'none' && (
          <NumberField
            name="penaltyRate"
            label={t('penaltyRate')}
            value={now.penaltyRate}
            low={limits.penaltyRate[0]}
            high={limits.penaltyRate[1]}
            onChange={(penaltyRate) => change({ penaltyRate })}
          />
        )}
        <Choice
          name="initializer"
          label={t('initializer')}
          value={now.initializer}
          options={initializers}
          text={(name) => t(`initializer.${name}`)}
          onChange={(initializer) => change({ initializer })}
        />
      </div>
    </section>
  );
}
