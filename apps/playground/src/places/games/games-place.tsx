/** Games to play against a network that learns them by playing against itself. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/language.ts';
import { Choice } from '../../views/fields.tsx';
import { percent } from '../../views/format.ts';
import { NumberTable } from '../../views/number-table.tsx';
import { SettingsPanel } from '../../views/settings-panel.tsx';
import '../board.css';
import { number } from '../format.ts';
import { LineChart } from '../line-chart.tsx';
import { settingOf } from '../place.ts';
import { PlaceBar, type PlaceFact } from '../place-bar.tsx';
import { say } from '../words.ts';
import { Board, signed, worthOf } from './board.tsx';
import './games.css';
import { games as gameNames } from './protocol.ts';
import {
  beginLearning,
  chooseGame,
  chooseSide,
  depth,
  depths,
  isPersons,
  learner,
  moves,
  name,
  newGame,
  score,
  showsThoughts,
  side,
  sides,
  takeBack,
  think,
  thinkAgain,
  thoughts,
} from './state.ts';

export function GamesPlace(): JSX.Element {
  useEffect(() => {
    const follow = (): void => {
      const wanted = settingOf('game', gameNames);
      if (wanted !== name.peek()) chooseGame(wanted);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const now = learner.frame.value;
  useEffect(() => {
    if (now !== null && now.games > 0) thinkAgain();
  }, [now?.games]);
  const strengths = now?.strengths ?? [];
  const strongest = strengths.at(-1)?.[1];
  const strength = strongest === undefined ? '–' : percent(strongest);
  const facts: readonly PlaceFact[] = [
    { id: 'self-games', about: 'games.played', name: say('games.played'), value: String(now?.games ?? '–') },
    {
      id: 'strength',
      about: 'games.strength',
      name: say(`games.strength.${name.value}`),
      value: strength,
      strong: true,
    },
    { id: 'policy-loss', about: 'games.policyLoss', name: say('games.policyLoss'), value: number(now?.policyLoss) },
    { id: 'value-loss', about: 'games.valueLoss', name: say('games.valueLoss'), value: number(now?.valueLoss) },
  ];
  return (
    <>
      <PlaceBar worker={learner} restart={beginLearning} facts={facts} />
      <main class="place-board games">
        <Settings />
        <section class="panel" aria-labelledby="game-title">
          <div class="panel-head">
            <h2 id="game-title">{say(`games.game.${name.value}`)}</h2>
            <p class="small" data-fact="score">
              {say('games.score', { wins: score.value[0], draws: score.value[1], losses: score.value[2] })}
            </p>
          </div>
          <Board />
          <p class="verdict" role="status" data-fact="game-status">
            {statusOf()}
          </p>
          <div class="game-buttons">
            <button type="button" data-name="games.new" onClick={newGame}>
              {say('games.new')}
            </button>
            <button
              type="button"
              data-name="games.back"
              onClick={takeBack}
              disabled={moves.value.length < 2 || side.value === 'none'}
            >
              {say('games.back')}
            </button>
          </div>
        </section>
        <div class="place-side">
          <Moves />
          <section class="panel" aria-labelledby="strength-title">
            <h2 id="strength-title">{say('games.strengthTitle')}</h2>
            <p class="small">{say(`games.strengthHelp.${name.value}`)}</p>
            <LineChart
              label={`${say('games.strengthTitle')}: ${strength}`}
              steps={strengths.map(([games]) => games)}
              lines={[
                {
                  name: say(`games.strength.${name.value}`),
                  color: '--curve-test',
                  values: strengths.map(([, value]) => value),
                },
              ]}
            />
          </section>
        </div>
      </main>
    </>
  );
}

function statusOf(): string {
  const known = thoughts.value;
  if (known === null) return t('loading');
  const { winner } = known;
  if (winner === 0) return say('games.draw');
  if (winner !== null) {
    if (side.value === 'both' || side.value === 'none')
      return say(winner === 1 ? 'games.firstWins' : 'games.secondWins');
    return say((winner === 1) === (side.value === 'first') ? 'games.youWin' : 'games.networkWins');
  }
  return say(isPersons.value ? 'games.yourMove' : 'games.thinking');
}

/** What the network thinks of each move, in numbers. */
function Moves(): JSX.Element {
  const known = thoughts.value;
  const hasTruth = known?.moves.some(({ truth }) => truth !== null) ?? false;
  const ordered = [...(known?.moves ?? [])].sort((a, b) => (b.visits ?? b.prior) - (a.visits ?? a.prior));
  return (
    <section class="panel" aria-labelledby="moves-title">
      <h2 id="moves-title">{say('games.thoughts')}</h2>
      <p class="small">{say('games.thoughtsHelp')}</p>
      {showsThoughts.value && (
        <div class="move-table">
          <NumberTable
            class="moves"
            columns={[
              { text: say('games.move') },
              { text: say('games.prior'), name: 'games.prior' },
              { text: say('games.visits'), name: 'games.visits' },
              { text: say('games.value'), name: 'games.value' },
              ...(hasTruth ? [{ text: say('games.truth'), name: 'games.truth' } as const] : []),
            ]}
            rows={ordered.map((thought) => ({
              key: thought.move,
              text: thought.move + 1,
              isBest: thought.move === known?.best,
              numbers: [
                percent(thought.prior),
                thought.visits === null ? '–' : percent(thought.visits),
                signed(worthOf(thought)),
                ...(hasTruth ? [thought.truth === null ? '' : say(truths[thought.truth + 1] ?? 'games.draws')] : []),
              ],
            }))}
          />
        </div>
      )}
      <p class="small" data-fact="position-value">
        {known === null ? '' : say('games.position', { value: signed(known.value) })}
      </p>
    </section>
  );
}

const truths = ['games.loses', 'games.draws', 'games.wins'] as const;

function Settings(): JSX.Element {
  return (
    <SettingsPanel
      id="game-settings"
      title={say('games.title')}
      first={
        <>
          <Choice
            name="games.game"
            label={say('games.game')}
            value={name.value}
            options={gameNames}
            text={(one) => say(`games.game.${one}`)}
            onChange={chooseGame}
          />
          <p class="small">{say('games.about')}</p>
        </>
      }
    >
      <div class="fields">
        <Choice
          name="games.side"
          label={say('games.side')}
          value={side.value}
          options={sides}
          text={(one) => say(`games.side.${one}`)}
          onChange={chooseSide}
        />
        <Choice
          name="games.depth"
          label={say('games.depth')}
          value={depth.value}
          options={depths}
          text={(one) => (one === '0' ? say('games.depth.none') : say('games.depth.some', { count: one }))}
          onChange={(one) => {
            depth.value = one;
            think();
          }}
        />
        <label class="check" data-name="games.show">
          <input
            type="checkbox"
            checked={showsThoughts.value}
            onChange={(event) => {
              showsThoughts.value = event.currentTarget.checked;
            }}
          />
          {say('games.show')}
        </label>
      </div>
      <p class="small after">{say('games.method')}</p>
    </SettingsPanel>
  );
}
