/** A link for a class: what is fixed in it, and what of the page it hides. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Key } from '../i18n/english.ts';
import { t } from '../i18n/language.ts';
import type { Setting } from '../model/spec.ts';
import { encodeSpec } from '../model/url.ts';
import { classAddress, type Part, parts } from '../state/classroom.ts';
import { spec } from '../state/store.ts';
import { Address } from './copy.tsx';
import type { BoardControl } from './names.ts';

const fixable: readonly (readonly [Setting, Key])[] = [
  ['task', 'task'],
  ['seed', 'seed'],
  ['layers', 'network'],
  ['learningRate', 'learningRate'],
  ['optimizer', 'optimizer'],
  ['loss', 'loss'],
  ['initializer', 'initializer'],
];

export function ClassLink(): JSX.Element {
  const fixed = useSignal<readonly Setting[]>([]);
  const hidden = useSignal<readonly Part[]>([]);
  const isFrame = useSignal(false);
  const address = classAddress(encodeSpec(spec.value), fixed.value, hidden.value, isFrame.value);
  return (
    <section>
      <h3>{t('classLink')}</h3>
      <p class="small">{t('classLinkHelp')}</p>
      <Checks
        name="classFix"
        legend={t('classFix')}
        names={fixable.map(([name]) => name)}
        text={(name) => t(fixable.find(([known]) => known === name)?.[1] ?? 'task')}
        chosen={fixed.value}
        onChange={(next) => {
          fixed.value = next;
        }}
      />
      <Checks
        name="classHide"
        legend={t('classHide')}
        names={parts}
        text={(name) => t(`part.${name}`)}
        chosen={hidden.value}
        onChange={(next) => {
          hidden.value = next;
        }}
      />
      <label class="check" data-name="classEmbed">
        <input
          type="checkbox"
          checked={isFrame.value}
          onChange={() => {
            isFrame.value = !isFrame.value;
          }}
        />
        {t('classEmbed')}
      </label>
      <Address name="classLink" label={t('classLink')} address={address} />
    </section>
  );
}

interface ChecksProps<Name extends string> {
  readonly name: BoardControl;
  readonly legend: string;
  readonly names: readonly Name[];
  readonly text: (name: Name) => string;
  readonly chosen: readonly Name[];
  readonly onChange: (chosen: readonly Name[]) => void;
}

function Checks<Name extends string>({
  name: about,
  legend,
  names,
  text,
  chosen,
  onChange,
}: ChecksProps<Name>): JSX.Element {
  return (
    <fieldset class="checks across">
      <legend class="field-label">{legend}</legend>
      {names.map((name) => (
        <label key={name} data-name={about}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={() => onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name])}
          />
          {text(name)}
        </label>
      ))}
    </fieldset>
  );
}
