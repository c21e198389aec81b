export { type BitmapSearch, type Engine, newBitmapSearch } from './bitmap-search.js';
export { findRun } from './find-run.js';
