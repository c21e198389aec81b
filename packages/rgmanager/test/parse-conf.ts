import { parseXml } from '@quorate/cluster-conf';
import type { ConfElement } from '../src/index.js';

/** The XML of test data as elements. */
export function parseConf(text: string): ConfElement {
  return parseXml(text, 'test').root;
}
