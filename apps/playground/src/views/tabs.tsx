/** The closer look: one of several views at a time, as tabs that arrow keys walk through. */
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import type { Tab } from '../lessons/values.ts';
import { goal, isImages, tab as open } from '../state/store.ts';
import { Distributions } from './distributions-tab.tsx';
import { fetched } from './fetched.tsx';
import { Images } from './images-tab.tsx';
import { MetricsView } from './metrics-tab.tsx';
import { Mistakes } from './mistakes-tab.tsx';
import { PredictForm } from './predict-tab.tsx';
import { TakeAlong } from './take-tab.tsx';
import { WalkThrough } from './walk-tab.tsx';

const views: Readonly<Record<Tab, () => JSX.Element | null>> = {
  walk: WalkThrough,
  distributions: Distributions,
  metrics: MetricsView,
  mistakes: Mistakes,
  predict: PredictForm,
  images: Images,
  explain: fetched(async () => (await import('./explain-tab.tsx')).Explain),
  take: TakeAlong,
};

export function Tabs(): JSX.Element {
  const hasClasses = goal.value !== 'quantity';
  const shown: Tab[] = [
    ...(isImages.value ? (['images', 'explain'] as const) : []),
    'walk',
    'distributions',
    'metrics',
    ...(hasClasses ? (['mistakes'] as const) : []),
    ...(isImages.value ? [] : (['predict'] as const)),
    'take',
  ];
  const now = shown.includes(open.value) ? open.value : (shown[0] as Tab);
  const View = views[now];
  const press = (event: KeyboardEvent): void => {
    const at = shown.indexOf(now);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = shown[(to + shown.length) % shown.length] as Tab;
    open.value = next;
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="panel" aria-label={t('tabs')} data-name="tabs">
      <div class="tabs" role="tablist" aria-label={t('tabs')}>
        {shown.map((tab) => (
          <button
            key={tab}
            id={`tab-${tab}`}
            type="button"
            role="tab"
            aria-selected={tab === now}
            aria-controls="tab-view"
            tabIndex={tab === now ? 0 : -1}
            onClick={() => {
              open.value = tab;
            }}
            onKeyDown={press}
          >
            {t(`tab.${tab}`)}
          </button>
        ))}
      </div>
      <div id="tab-view" role="tabpanel" aria-labelledby={`tab-${now}`} class="tab-view">
        <View />
      </div>
    </section>
  );
}
