/** The cman release whose tools these are. What `-V` prints has no date and no copyright line. */
export const RELEASE_VERSION = '3.0.12.1';
