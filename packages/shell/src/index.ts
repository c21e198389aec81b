export { type Completion, commonPrefix, completionOf } from './completion.js';
export { EventNotFound, History } from './history.js';
export { administratorsPrograms } from './programs.js';
