/** What the page sees or hears now, and what the network thinks of it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { percent } from '../../views/format.ts';
import { say } from '../words.ts';
import { Spectrogram } from './spectrogram.tsx';
import {
  classes,
  closeDevice,
  follow,
  heard,
  kind,
  nameOf,
  openDevice,
  opinion,
  playing,
  recording,
  senses,
  stream,
  trouble,
} from './state.ts';

export function Live(): JSX.Element {
  const isOpen = stream.value !== null;
  const isPictures = kind.value === 'pictures';
  const device = isPictures ? 'camera' : 'microphone';
  return (
    <section class="panel" aria-labelledby="live-title">
      <div class="panel-head">
        <h2 id="live-title">{say(isPictures ? 'senses.seen' : 'senses.heard')}</h2>
        <button
          type="button"
          class={isOpen ? 'quiet' : ''}
          data-name="senses.device"
          onClick={() => (isOpen ? closeDevice() : void openDevice())}
        >
          {say(`senses.${device}.${isOpen ? 'close' : 'open'}`)}
        </button>
      </div>
      {trouble.value !== null && (
        <p class="sense-trouble" role="alert">
          {say(`senses.trouble.${trouble.value}`, { device: say(`senses.${device}`) })}{' '}
          {say(`senses.without.${kind.value}`)}
        </p>
      )}
      <div class={isPictures ? 'live seeing' : 'live'}>
        {isPictures ? <Preview /> : <Spectrogram />}
        <Opinion />
      </div>
      {kind.value === 'digits' && (
        <p class="heard" role="status" aria-label={say('senses.words')}>
          <span class="small">{say('senses.words')}</span>{' '}
          <span data-fact="heard">{[...heard.value].reverse().join(' ') || '–'}</span>
        </p>
      )}
      <p class="small" role="status">
        {recording.value !== null
          ? say('senses.recording', { name: nameOf(recording.value) })
          : playing.value !== null
            ? say('senses.playing', { name: nameOf(playing.value) })
            : ''}
      </p>
    </section>
  );
}

/** As in a mirror, so that a hand moves to where it goes. */
function Preview(): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const now = stream.value;
  useEffect(() => {
    const element = video.current;
    if (element === null || now === null) return;
    element.srcObject = now;
    element.play().catch(() => {
      // it was closed before it began
    });
    const stop = follow(element);
    return () => {
      stop();
      element.srcObject = null;
    };
  }, [now]);
  return now === null ? (
    <p class="no-picture small">{say('senses.noPicture')}</p>
  ) : (
    <video ref={video} class="preview" muted playsInline aria-label={say('senses.preview')} />
  );
}

/** A bar for each class. Before the first step it says nothing. */
function Opinion(): JSX.Element {
  const shares = opinion.value;
  const isTrained = (senses.frame.value?.step ?? 0) > 0;
  const best = shares === null || !isTrained ? -1 : shares.indexOf(Math.max(...shares));
  return (
    <div>
      <dl class="bars opinion" data-best={best < 0 ? '' : nameOf(best)}>
        {classes.value.map(({ id }, k) => {
          const share = isTrained ? (shares?.[k] ?? null) : null;
          return (
            <div key={id} class={k === best ? 'best' : ''}>
              <dt>{nameOf(k)}</dt>
              <dd>
                <span class="bar" style={{ width: `${100 * (share ?? 0)}%` }} />
                <span>{share === null ? '–' : percent(share)}</span>
              </dd>
            </div>
          );
        })}
      </dl>
      {!isTrained && <p class="small gap">{say('senses.untrained')}</p>}
    </div>
  );
}
