/** What can be taken along: the link, the model and the checkpoint as files, and the program. */
import { version } from '@nn/core/package.json';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { factsOf, programName, programOf } from '../model/program.ts';
import { mostMeasured } from '../model/samples.ts';
import { encodeSpec } from '../model/url.ts';
import { ask, complain, takeFiles } from '../state/actions.ts';
import { download } from '../state/files.ts';
import { built, frame, isStraight, spec } from '../state/store.ts';
import { ClassLink } from './class-link.tsx';
import { Address, Copy } from './copy.tsx';

export function TakeAlong(): JSX.Element {
  return (
    <div class="take">
      <section>
        <h3>{t('takeLink')}</h3>
        <p class="small">{t('linkHelp')}</p>
        <Address
          name="experimentLink"
          label={t('takeLink')}
          address={`${location.href.split('#')[0]}#${encodeSpec(spec.value)}`}
        />
      </section>
      <section>
        <h3>{t('takeModel')}</h3>
        <p class="small">{t('modelHelp')}</p>
        <div class="row">
          <button type="button" data-name="saveModel" onClick={() => void save('model')}>
            {t('saveModel')}
          </button>
          <button type="button" data-name="saveCheckpoint" onClick={() => void save('checkpoint')}>
            {t('saveCheckpoint')}
          </button>
          <label class="button" data-name="openModel">
            <input
              type="file"
              accept=".safetensors"
              class="for-readers"
              aria-label={t('openModel')}
              onChange={(event) => {
                const files = [...(event.currentTarget.files ?? [])];
                event.currentTarget.value = '';
                void takeFiles(files);
              }}
            />
            <span>{t('openModel')}</span>
          </label>
        </div>
      </section>
      <Files />
      <ClassLink />
      <Program />
    </div>
  );
}

async function save(as: 'model' | 'checkpoint'): Promise<void> {
  try {
    const bytes = await ask({ kind: 'save', as });
    const name = `${spec.value.task}-${as}-${frame.value?.step ?? 0}.safetensors`;
    download(name, new Uint8Array(bytes), 'application/octet-stream');
  } catch (error) {
    complain(error);
  }
}

const exports = {
  zip: { name: 'zip', type: 'application/zip', help: 'exportZip' },
  page: { name: 'html', type: 'text/html', help: 'exportPage' },
  onnx: { name: 'onnx', type: 'application/octet-stream', help: 'exportOnnx' },
} as const;

/** The experiment as files that run without this page. */
function Files(): JSX.Element {
  const take = async (as: keyof typeof exports): Promise<void> => {
    try {
      const bytes = await ask({ kind: 'export', as, version });
      download(`nn-${spec.value.task}.${exports[as].name}`, new Uint8Array(bytes), exports[as].type);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <section>
      <h3>{t('takeFiles')}</h3>
      <p class="small">{t('takeFilesHelp')}</p>
      {built.value?.spec.layers.some(({ dropout }) => dropout > 0) && <p class="small">{t('torchDropout')}</p>}
      <div class="row">
        {(['zip', 'page', 'onnx'] as const).map((as) => (
          <button
            key={as}
            type="button"
            data-name={exports[as].help}
            disabled={built.value === null}
            onClick={() => void take(as)}
          >
            {t(`take.${as}`)}
          </button>
        ))}
      </div>
    </section>
  );
}

function Program(): JSX.Element | null {
  const now = built.value;
  if (now === null) return null;
  const most = mostMeasured(now.inputShape.length > 1);
  const steps = frame.value?.step || 1000;
  const described = now.spec.task === spec.value.task ? { ...spec.value, layers: now.spec.layers } : now.spec;
  const code = programOf(described, factsOf(now, spec.value), steps);
  return (
    <section>
      <h3>{t('takeProgram')}</h3>
      <p class="small">
        {t('programHelp')} {Math.max(now.trainSize, now.testSize) > most && t('measured', { count: most })}
      </p>
      {/* goes, with the line in the README, when the packages are in a registry */}
      <p class="small">{t('notPublished', { name: programName })}</p>
      {!isStraight.value && <p class="small warn-line">{t('notStraight')}</p>}
      <div class="row" data-name="program">
        <Copy text={code} />
        <button type="button" onClick={() => download(programName, code, 'text/typescript')}>
          {t('saveProgram')}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre class="code" lang="en" tabIndex={0}>
        <code id="program">{code}</code>
      </pre>
    </section>
  );
}
