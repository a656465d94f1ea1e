/** The classes and their samples: a button to hold for each, and what it was given so far. */
import type { JSX } from 'preact';
import { Icon } from '../../views/icon.tsx';
import { say } from '../words.ts';
import { fewestClasses, mostClasses, noDigit } from './protocol.ts';
import {
  addClass,
  addFiles,
  type ClassCard,
  classes,
  clearClass,
  hold,
  kind,
  letGo,
  nameOf,
  playing,
  recording,
  removeClass,
  renameClass,
  senses,
  speak,
} from './state.ts';

export function ClassCards(): JSX.Element {
  const isDigits = kind.value === 'digits';
  return (
    <section class="panel" aria-labelledby="classes-title">
      <h2 id="classes-title">{say(isDigits ? 'senses.digits' : 'senses.classes')}</h2>
      <p class="small">{say(isDigits ? 'senses.digitsHelp' : 'senses.classesHelp')}</p>
      <ul class={isDigits ? 'class-cards digits' : 'class-cards'}>
        {classes.value.map((card, label) => (
          <li key={card.id}>{isDigits ? <DigitCard label={label} /> : <Card card={card} label={label} />}</li>
        ))}
      </ul>
      {!isDigits && classes.value.length < mostClasses && (
        <button type="button" data-name="senses.addClass" onClick={addClass}>
          <Icon name="plus" /> {say('senses.addClass')}
        </button>
      )}
    </section>
  );
}

const countOf = (label: number): number => {
  const { train, test } = senses.frame.value?.counts[label] ?? { train: 0, test: 0 };
  return train + test;
};

function DigitCard({ label }: { readonly label: number }): JSX.Element {
  const name = nameOf(label);
  return (
    <div class="digit-card">
      <strong>{name}</strong>
      <span class="small" data-count={countOf(label)}>
        {countOf(label) > 0 && say('senses.recorded', { count: countOf(label) })}
      </span>
      {label !== noDigit && (
        <button
          type="button"
          class="icon"
          disabled={playing.value !== null}
          aria-label={say('senses.play', { name })}
          data-name="senses.play"
          onClick={() => void speak(label)}
        >
          <Icon name="play" />
        </button>
      )}
      <Hold label={label} text={say('senses.record')} />
    </div>
  );
}

function Card({ card, label }: { readonly card: ClassCard; readonly label: number }): JSX.Element {
  const isPictures = kind.value === 'pictures';
  const name = nameOf(label);
  const count = countOf(label);
  return (
    <div class="class-card">
      <div class="class-head">
        <input
          type="text"
          data-name="senses.name"
          aria-label={say('senses.className', { number: label + 1 })}
          maxLength={40}
          value={card.name ?? ''}
          placeholder={say('senses.class', { number: label + 1 })}
          onInput={(event) => renameClass(label, event.currentTarget.value)}
        />
        <span class="small" data-count={count}>
          {say('senses.count', { count })}
        </span>
        <button
          type="button"
          class="icon"
          disabled={classes.value.length <= fewestClasses}
          data-name="senses.remove"
          aria-label={say('senses.remove', { name })}
          onClick={() => removeClass(label)}
        >
          <Icon name="close" />
        </button>
      </div>
      <div class="class-samples">
        {card.shown.map((address, k) => (
          <img key={k} src={address} alt="" width={36} height={36} />
        ))}
      </div>
      <div class="sense-buttons">
        <Hold label={label} text={say(isPictures ? 'senses.hold.pictures' : 'senses.hold.sounds')} />
        <label class="button" data-name="senses.files">
          <input
            type="file"
            multiple
            accept={isPictures ? 'image/*' : 'audio/*'}
            class="for-readers"
            aria-label={say('senses.filesOf', { name })}
            onChange={(event) => {
              const files = [...(event.currentTarget.files ?? [])];
              event.currentTarget.value = '';
              void addFiles(label, files);
            }}
          />
          <span>{say('senses.files')}</span>
        </label>
        <button
          type="button"
          class="quiet"
          data-name="senses.clear"
          disabled={count === 0}
          onClick={() => clearClass(label)}
        >
          {say('senses.clear')}
        </button>
      </div>
    </div>
  );
}

/** Takes samples as long as it is held, by pointer or by key. */
function Hold({ label, text }: { readonly label: number; readonly text: string }): JSX.Element {
  const isHeld = recording.value === label;
  const isKey = (event: KeyboardEvent): boolean => event.key === ' ' || event.key === 'Enter';
  return (
    <button
      type="button"
      class={isHeld ? 'hold held' : 'hold'}
      data-name="senses.hold"
      aria-pressed={isHeld}
      aria-label={`${text}: ${nameOf(label)}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        void hold(label);
      }}
      onPointerUp={letGo}
      onPointerCancel={letGo}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        if (!event.repeat) void hold(label);
      }}
      onKeyUp={(event) => {
        if (isKey(event)) letGo();
      }}
      onBlur={() => {
        if (recording.peek() === label) letGo();
      }}
    >
      {text}
    </button>
  );
}
