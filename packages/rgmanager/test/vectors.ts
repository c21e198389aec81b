import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RecordedFiles } from '../src/conformance/index.js';
import { parseConf } from './parse-conf.js';

const own = fileURLToPath(new URL('./data/vectors', import.meta.url));

/**
 * The conformance vectors. Those in `data/vectors` were made for this project; with QUORATE_VECTORS naming a directory
 * that holds the whole set, cases that are other projects' test data run as well.
 */
const directory = process.env.QUORATE_VECTORS === undefined ? own : join(process.env.QUORATE_VECTORS, 'rgmanager');

export const vectors: RecordedFiles = {
  names: (folder) => (existsSync(join(directory, folder)) ? readdirSync(join(directory, folder)) : []),
  text: (path) => readFileSync(join(directory, path), 'utf8'),
  element: (path) => parseConf(vectors.text(path)),
};
