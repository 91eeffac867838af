import type { Look } from '@millrace/client';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Performer } from '../studio/performer.js';
import type { Studio } from '../studio/studio.js';
import { icons } from './icons.js';
import { MixerRows } from './mixer-rows.js';
import { RouteRows } from './route-rows.js';
import { SmallButton } from './small-button.js';

interface StudioProps {
  readonly studio: Studio;
}

/** All that moves parameters while people watch. */
export function PerformDrawer({ studio }: StudioProps): JSX.Element {
  return (
    <>
      <section class="part" aria-label="Prompts">
        <h3>Prompts</h3>
        <MixerRows studio={studio} />
      </section>
      <section class="part" aria-label="Transitions">
        <h3>Transitions take</h3>
        <TransitionRow performer={studio.performer} />
      </section>
      <section class="part" aria-label="From look to look">
        <h3>From look to look</h3>
        <MorphRow studio={studio} />
      </section>
      <section class="part" aria-label="Seed and history">
        <h3>Seed and history</h3>
        <SeedRow studio={studio} />
      </section>
      <section class="part" aria-label="Knobs and sound">
        <h3>Knobs and sound</h3>
        <RouteRows studio={studio} />
      </section>
    </>
  );
}

function TransitionRow({ performer }: { readonly performer: Performer }): JSX.Element {
  const { length, unit, tempo } = performer;
  return (
    <div class="row">
      <input
        type="number"
        class="field short"
        min={0}
        max={600}
        step="any"
        aria-label="Length of transitions"
        value={length.value}
        data-testid="transition-length"
        onInput={({ currentTarget: { valueAsNumber } }) => {
          if (valueAsNumber >= 0) length.value = valueAsNumber;
        }}
      />
      {(['seconds', 'beats'] as const).map((each) => (
        <SmallButton
          key={each}
          pressed={unit.value === each}
          testId={`in-${each}`}
          onClick={() => (unit.value = each)}
        >
          {each}
        </SmallButton>
      ))}
      <SmallButton title="Tap the beat (T)" testId="tap" onClick={() => tempo.tap()}>
        Tap: {tempo.perMinute.value} a minute
      </SmallButton>
    </div>
  );
}

function MorphRow({ studio }: StudioProps): JSX.Element {
  const { archive, performer } = studio;
  const looks = archive.looks.all.value;
  const [places, setPlaces] = useState<readonly [number, number]>([0, 1]);
  const choice = (end: 0 | 1, label: string): JSX.Element => (
    <select
      class="field grow"
      aria-label={label}
      value={places[end]}
      data-testid={`morph-${end}`}
      onChange={({ currentTarget }) => {
        const chosen = Number(currentTarget.value);
        setPlaces(end === 0 ? [chosen, places[1]] : [places[0], chosen]);
      }}
    >
      {looks.map((look, i) => (
        <option key={look.name} value={i}>
          {look.name}
        </option>
      ))}
    </select>
  );
  if (looks.length < 2) return <p class="quiet">Save two looks, and this goes from one to the other.</p>;
  const both = (act: (looks: readonly [Look, Look]) => void): void => {
    const [from, to] = places.map((place) => looks[place]);
    if (from && to) act([from, to]);
  };
  return (
    <>
      <div class="row">
        {choice(0, 'First look')}
        {choice(1, 'Second look')}
      </div>
      <div class="row">
        <input
          type="range"
          class="slider grow"
          min={0}
          max={1}
          step={0.01}
          aria-label="From the first look to the second"
          value={performer.morphed.value}
          style={{ '--part': performer.morphed.value }}
          data-testid="morph"
          onInput={({ currentTarget }) => {
            performer.morphing.stop();
            both((looks) => performer.morph(looks, currentTarget.valueAsNumber));
          }}
        />
        <SmallButton testId="morph-go" onClick={() => both((looks) => performer.morphOver(looks))}>
          {performer.morphed.value < 0.5 ? 'To the second' : 'To the first'}
        </SmallButton>
      </div>
    </>
  );
}

function SeedRow({ studio }: StudioProps): JSX.Element {
  const { archive, history, performer } = studio;
  const { seed } = studio.desk.values.value;
  return (
    <div class="row">
      <SmallButton title="Another seed (X)" testId="shuffle" onClick={() => performer.shuffleSeed()}>
        {icons.dice} {typeof seed === 'number' ? seed : 'several'}
      </SmallButton>
      <SmallButton
        title="Looks leave the seed as it is (L)"
        pressed={archive.seedLocked.value}
        testId="lock-seed"
        onClick={() => archive.turnSeedLock()}
      >
        Lock
      </SmallButton>
      <SmallButton
        title="Undo (Z)"
        disabled={!history.canUndo.value}
        testId="undo"
        onClick={() => history.undo()}
      >
        Undo
      </SmallButton>
      <SmallButton
        title="Redo (Y)"
        disabled={!history.canRedo.value}
        testId="redo"
        onClick={() => history.redo()}
      >
        Redo
      </SmallButton>
    </div>
  );
}
