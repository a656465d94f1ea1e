/** Back through the training: a slider over the moments that are kept. Whoever trains on from one goes another way. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { keepRun, rewind } from '../state/actions.ts';
import { cameFrom, frame, history } from '../state/store.ts';

export function TimeTravel(): JSX.Element | null {
  const now = frame.value;
  const moments = now?.kept ?? [];
  const step = now?.step ?? 0;
  // the newest moment may be younger than the last that is kept
  const last = moments.length - 1;
  const found = moments.findLastIndex((moment) => moment <= step);
  return (
    <div class="time">
      <label class="field slider" data-name="timeTravel">
        <span class="field-label">
          {t('timeTravel')} <b data-fact="moment">{t('atStep', { step })}</b>
        </span>
        <input
          type="range"
          min={0}
          max={Math.max(0, last)}
          step={1}
          value={Math.max(0, found)}
          disabled={last < 1}
          aria-valuetext={t('atStep', { step })}
          onInput={(event) => rewind(moments[Number(event.currentTarget.value)] ?? 0)}
        />
      </label>
      <div class="row">
        <button type="button" data-name="keepRun" disabled={history.value.length < 2} onClick={keepRun}>
          {t('keepRun')}
        </button>
        {cameFrom.value !== null && (
          <span class="small" role="status">
            {t('isBack')}
          </span>
        )}
      </div>
    </div>
  );
}
