import type { JSX } from 'preact';
import type { DaemonState } from '../model/daemons.js';

interface LampProps {
  readonly label: string;
  readonly state: DaemonState;
  /** What the light stands for now. */
  readonly text: string;
}

/** A signal lamp with its label. */
export function Lamp({ label, state, text }: LampProps): JSX.Element {
  return (
    <li class={`lamp lamp-${state}`} title={`${label}: ${text}`}>
      <span class="lamp-light" aria-hidden="true" />
      <span class="lamp-label">{label}</span>
      <span class="unseen">: {text}</span>
    </li>
  );
}
