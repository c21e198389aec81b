import { InformationalExceptions } from './informational-exceptions.js';
import { ProvisioningThresholds } from './provisioning-thresholds.js';
import type { SenseFormat } from './sense.js';
import type { UnitSettings } from './unit-config.js';

/** What the mode pages say of a logical unit, and MODE SELECT may change for all its nexuses. */
export class ModeParameters {
  /** D_SENSE of the control mode page. */
  senseFormat: SenseFormat;
  /** SWP: software write protection. */
  isSoftwareWriteProtected = false;
  /** TAS: a task that another nexus aborts ends with TASK ABORTED. */
  hasTaskAbortedStatus: boolean;
  readonly exceptions: InformationalExceptions = new InformationalExceptions();
  /** Undefined for a unit that has none: a thick one, or one whose store does not tell how much of it is used. */
  readonly thresholds: ProvisioningThresholds | undefined;
  readonly #defaults: UnitSettings;

  constructor(defaults: UnitSettings) {
    const { thresholdExponent } = defaults;
    this.#defaults = defaults;
    this.senseFormat = defaults.senseFormat;
    this.hasTaskAbortedStatus = defaults.hasTaskAbortedStatus;
    this.thresholds = thresholdExponent === 0 ? undefined : new ProvisioningThresholds(thresholdExponent);
  }

  /** WCE of the caching mode page, which nobody changes. */
  get hasWriteCache(): boolean {
    return this.#defaults.hasWriteCache;
  }

  /** Those after a reset and after power on: the configured ones. */
  reset(): void {
    this.senseFormat = this.#defaults.senseFormat;
    this.isSoftwareWriteProtected = false;
    this.hasTaskAbortedStatus = this.#defaults.hasTaskAbortedStatus;
    this.exceptions.reset();
    this.thresholds?.reset();
  }

  /** Default values, as MODE SENSE reports them. */
  defaults(): ModeParameters {
    return new ModeParameters(this.#defaults);
  }
}
