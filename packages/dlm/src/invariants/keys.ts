import type { Stamped } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';

export type StampedDlm = Stamped<DlmFact>;
export type FactOf<K extends DlmFact['kind']> = Stamped<Extract<DlmFact, { kind: K }>>;

export function resourceKey(lockspace: string, resource: string): string {
  return `${lockspace}\0${resource}`;
}

export function isIn(key: string, lockspace: string): boolean {
  return key.startsWith(`${lockspace}\0`);
}
