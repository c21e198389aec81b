import type { Parameters } from '../session/parameters.js';
import { type KeyRule, OPERATIONAL_KEYS } from './keys.js';

/**
 * Answers an operational key that the other side offers, and puts what came out into `settled`. `ours` is what this side
 * would like. The answer is undefined for a declaration, which nobody answers but by one's own.
 *
 * Source: RFC 7143, 6.2 "Text mode negotiation".
 */
export function answerKey(
  key: string,
  offer: string,
  ours: Readonly<Parameters>,
  settled: Parameters,
  isDiscovery: boolean,
): string | undefined {
  const definition = OPERATIONAL_KEYS.get(key);
  if (definition === undefined) return 'NotUnderstood';
  if (isDiscovery && definition.isIrrelevantInDiscovery === true) return 'Irrelevant';
  const { rule } = definition;
  switch (rule.kind) {
    case 'declared': {
      const value = numberOf(offer, rule.least, rule.most);
      if (value === undefined) return 'Reject';
      settled.peerMaxRecvDataSegmentLength = value;
      return undefined;
    }
    case 'number': {
      const value = numberOf(offer, rule.least, rule.most);
      if (value === undefined) return 'Reject';
      settled[rule.parameter] = Math[rule.pick](value, ours[rule.parameter]);
      return `${settled[rule.parameter]}`;
    }
    case 'boolean': {
      if (offer !== 'Yes' && offer !== 'No') return 'Reject';
      const value = offer === 'Yes';
      settled[rule.parameter] = rule.pick === 'and' ? value && ours[rule.parameter] : value || ours[rule.parameter];
      return settled[rule.parameter] ? 'Yes' : 'No';
    }
    case 'digest': {
      const choice = offer.split(',').find((name) => name === 'None' || (name === 'CRC32C' && ours[rule.parameter]));
      if (choice === undefined) return 'Reject';
      settled[rule.parameter] = choice === 'CRC32C';
      return choice;
    }
    case 'fixed':
      return rule.answer;
  }
}

/** What this side offers for a key, as text; undefined for keys that it never offers. */
export function offerOf(rule: KeyRule, ours: Readonly<Parameters>): string | undefined {
  switch (rule.kind) {
    case 'declared':
      return `${ours.maxRecvDataSegmentLength}`;
    case 'number':
      return `${ours[rule.parameter]}`;
    case 'boolean':
      return ours[rule.parameter] ? 'Yes' : 'No';
    case 'digest':
      return ours[rule.parameter] ? 'CRC32C,None' : 'None';
    case 'fixed':
      return undefined;
  }
}

/**
 * Takes the answer to a key that this side offered; what is wrong with it, or undefined.
 *
 * An answer outside what the rule can make of the offer is wrong: min gives no more, `and` no Yes for a No, and so on.
 */
export function acceptAnswer(
  key: string,
  answer: string,
  ours: Readonly<Parameters>,
  settled: Parameters,
): string | undefined {
  // The other side may not know a key, or see no sense in it: then its default holds.
  if (answer === 'NotUnderstood' || answer === 'Irrelevant' || answer === 'Reject') return undefined;
  const rule = OPERATIONAL_KEYS.get(key)?.rule;
  if (rule === undefined || rule.kind === 'fixed') return `${key}=${answer} was not offered`;
  switch (rule.kind) {
    case 'declared': {
      const value = numberOf(answer, rule.least, rule.most);
      if (value === undefined) return `${key}=${answer}, expected ${rule.least} to ${rule.most}`;
      settled.peerMaxRecvDataSegmentLength = value;
      return undefined;
    }
    case 'number': {
      const offered = ours[rule.parameter];
      const least = rule.pick === 'max' ? offered : rule.least;
      const most = rule.pick === 'min' ? offered : rule.most;
      const value = numberOf(answer, least, most);
      if (value === undefined) return `${key}=${answer}, expected ${least} to ${most}`;
      settled[rule.parameter] = value;
      return undefined;
    }
    case 'boolean': {
      const isBound = ours[rule.parameter] === (rule.pick === 'or');
      if ((answer !== 'Yes' && answer !== 'No') || (isBound && (answer === 'Yes') !== ours[rule.parameter])) {
        return `${key}=${answer} to ${offerOf(rule, ours)}`;
      }
      settled[rule.parameter] = answer === 'Yes';
      return undefined;
    }
    case 'digest': {
      if (answer !== 'None' && !(answer === 'CRC32C' && ours[rule.parameter]))
        return `${key}=${answer} was not offered`;
      settled[rule.parameter] = answer === 'CRC32C';
      return undefined;
    }
  }
}

/** A decimal or 0x number within the bounds; undefined for anything else. Source: RFC 7143, 6.1 "numerical-value". */
function numberOf(text: string, least: number, most: number): number | undefined {
  if (!/^(?:[0-9]{1,10}|0[xX][0-9a-fA-F]{1,8})$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}
