/**
 * The cman release whose programs these are. What `-V` prints has no date and no copyright line, for those would be of
 * another program.
 */
export const RELEASE_VERSION = '3.0.12.1';
