export { Storm, type StormOptions, type StormResult } from './storm.js';
