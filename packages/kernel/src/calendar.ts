const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A second of wall time taken apart, UTC, Gregorian calendar. */
export interface CalendarTime {
  readonly year: number;
  /** 1..12. */
  readonly month: number;
  /** 1..31. */
  readonly day: number;
  /** 0 Sunday .. 6 Saturday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Takes seconds since 1970-01-01 00:00 UTC apart; years 1970 to 9999. */
export function calendarTime(seconds: number): CalendarTime {
  const days = Math.floor(seconds / 86_400);
  const rest = Math.floor(seconds) - days * 86_400;
  // Days are counted in eras of 400 years that begin on 1 March, so that the leap day comes last.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function clock(time: CalendarTime): string {
  return `${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

/** As `ctime(3)` prints it, without the line end: `Thu Oct 29 21:59:40 2015`. */
export function formatCtime(seconds: number): string {
  const time = calendarTime(seconds);
  const day = String(time.day).padStart(2, ' ');
  return `${WEEKDAYS[time.weekday]} ${MONTHS[time.month - 1]} ${day} ${clock(time)} ${time.year}`;
}

/** As `%F %T` prints it: `2015-10-29 21:59:40`. */
export function formatDateTime(seconds: number): string {
  const time = calendarTime(seconds);
  return `${time.year}-${two(time.month)}-${two(time.day)} ${clock(time)}`;
}

/** The stamp of a syslog line: `Oct 29 21:59:40`. */
export function formatSyslogTime(seconds: number): string {
  const time = calendarTime(seconds);
  return `${MONTHS[time.month - 1]} ${String(time.day).padStart(2, ' ')} ${clock(time)}`;
}
