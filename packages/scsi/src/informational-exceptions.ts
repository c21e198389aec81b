import { FAILURE_PREDICTION_FALSE, type Sense, SenseKey } from './sense.js';

/** MRIE: how an exception is reported. */
export const ReportingMethod = { none: 0, unitAttention: 2, onRequest: 6 } as const;

export type ReportingMethod = (typeof ReportingMethod)[keyof typeof ReportingMethod];

/**
 * What the informational exceptions control mode page says.
 *
 * Nothing here predicts that it will fail, so there is no exception but the one that TEST asks for: FAILURE PREDICTION
 * THRESHOLD EXCEEDED (FALSE). Source: SPC-4, "Informational Exceptions Control mode page".
 */
export class InformationalExceptions {
  /** DEXCPT. */
  isDisabled = true;
  isTest = false;
  method: ReportingMethod = ReportingMethod.none;

  reset(): void {
    this.isDisabled = true;
    this.isTest = false;
    this.method = ReportingMethod.none;
  }

  /** The unit attention that every nexus gets when the page is set so. */
  get attention(): Sense | undefined {
    return this.#reports(ReportingMethod.unitAttention) ? FAILURE_PREDICTION_FALSE : undefined;
  }

  /** What REQUEST SENSE finds, over and over. */
  get requested(): Sense | undefined {
    return this.#reports(ReportingMethod.onRequest)
      ? { ...FAILURE_PREDICTION_FALSE, key: SenseKey.noSense }
      : undefined;
  }

  #reports(method: ReportingMethod): boolean {
    return !this.isDisabled && this.isTest && this.method === method;
  }
}

export function isReportingMethod(value: number): value is ReportingMethod {
  return (Object.values(ReportingMethod) as readonly number[]).includes(value);
}
