import type { JSX } from 'preact';

interface ToggleProps {
  /** Engraved above it. */
  readonly label: string;
  /** What it is of, for those who do not see where it is: `my-vm1 power`. */
  readonly name: string;
  readonly isOn: boolean;
  readonly isDisabled: boolean;
  readonly onChange: (isOn: boolean) => void;
}

/** A lever with two positions. */
export function Toggle({ label, name, isOn, isDisabled, onChange }: ToggleProps): JSX.Element {
  return (
    <button
      type="button"
      role="switch"
      class="toggle"
      aria-checked={isOn}
      aria-label={name}
      disabled={isDisabled}
      onClick={() => onChange(!isOn)}
    >
      <span class="toggle-label" aria-hidden="true">
        {label}
      </span>
      <span class="toggle-slot" aria-hidden="true">
        <span class="toggle-lever" />
      </span>
    </button>
  );
}
