import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarTime, formatCtime, formatDateTime, formatSyslogTime } from '../src/index.js';

describe('calendar time', () => {
  it('prints the forms that the original programs print', () => {
    expect(formatCtime(1446155980)).toBe('Thu Oct 29 21:59:40 2015');
    expect(formatCtime(0)).toBe('Thu Jan  1 00:00:00 1970');
    expect(formatDateTime(1446127862)).toBe('2015-10-29 14:11:02');
    expect(formatSyslogTime(1448150)).toBe('Jan 17 18:15:50');
  });

  it('agrees with the platform from 1970 to 9999', () => {
    fc.assert(
      fc.property(fc.nat(253_402_300_799), (seconds) => {
        const date = new Date(seconds * 1000);
        expect(calendarTime(seconds)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          weekday: date.getUTCDay(),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
          second: date.getUTCSeconds(),
        });
      }),
    );
  });
});
