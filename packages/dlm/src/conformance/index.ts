export { parseRecordedCases, type RecordedCase, type RecordedEvent, type RecordedStep } from './recorded-case.js';
export { differencesOf } from './replay.js';
export { type Verdict, verdictOn } from './verdict.js';
