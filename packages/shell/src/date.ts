import { calendarTime, formatCtime, formatDateTime, type Program } from '@quorate/kernel';

/** `date [-u] [-d @SECONDS] [+FORMAT]`, in UTC. */
export const date: Program = function* (argv, os) {
  let seconds = os.wall().sec;
  let format: string | undefined;
  const words = argv.slice(1);
  while (words.length > 0) {
    const word = words.shift()!;
    const given = word === '-d' || word === '--date' ? (words.shift() ?? '') : /^(?:-d|--date=)(.+)$/.exec(word)?.[1];
    if (given !== undefined) {
      const told = timeOf(given, seconds);
      if (told === undefined) {
        os.printError(`date: invalid date \`${given}'\n`);
        return 1;
      }
      seconds = told;
    } else if (word.startsWith('+')) format = word.slice(1);
    else if (word === '-u' || word === '--utc') continue;
    else {
      const reason = word.startsWith('-') ? `invalid option -- '${word[1]}'` : `invalid date \`${word}'`;
      os.printError(`date: ${reason}\n${word.startsWith('-') ? "Try `date --help' for more information.\n" : ''}`);
      return 1;
    }
  }
  const text = formatCtime(seconds);
  os.print(`${format === undefined ? `${text.slice(0, 19)} UTC ${text.slice(20)}` : dateText(format, seconds)}\n`);
  return 0;
};

/** `@SECONDS`, `now`, `2015-10-29 21:30`, and `1 hour ago` and its like. */
function timeOf(given: string, now: number): number | undefined {
  if (given === 'now' || given === 'today') return now;
  if (/^@\d+$/.test(given)) return Number(given.slice(1));
  const [, sign, count, unit, ago] = /^([-+]?)(\d+) ?(second|sec|minute|min|hour|day|week)s?( ago)?$/.exec(given) ?? [];
  if (unit !== undefined) return now + (sign === '-' || ago !== undefined ? -1 : 1) * Number(count) * UNITS[unit]!;
  if (given === 'yesterday' || given === 'tomorrow') return now + (given === 'tomorrow' ? 86_400 : -86_400);
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(given);
  if (found === null) return undefined;
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return daysTo(year!, month!, day!) * 86_400 + hour * 3600 + minute * 60 + second;
}

const UNITS: Readonly<Record<string, number>> = {
  sec: 1,
  second: 1,
  min: 60,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
};

/** Days from 1970-01-01 to a date. */
function daysTo(year: number, month: number, day: number): number {
  const isEarly = month <= 2;
  const y = year - Number(isEarly);
  const dayOfYear = Math.floor((153 * (month + (isEarly ? 9 : -3)) + 2) / 5) + day - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const two = (number: number): string => String(number).padStart(2, '0');

/** A time as a format of strftime(3) shows it. */
function dateText(format: string, seconds: number): string {
  const { year, month, day, hour, minute, second, weekday } = calendarTime(seconds);
  const [weekdayName, monthName] = formatCtime(seconds).split(' ') as [string, string];
  const yearDay = daysTo(year, month, day) - daysTo(year, 1, 1) + 1;
  const fields: Readonly<Record<string, string>> = {
    '%': '%',
    a: weekdayName,
    A: LONG_WEEKDAYS[weekdayName]!,
    b: monthName,
    B: LONG_MONTHS[month - 1]!,
    c: formatCtime(seconds),
    d: two(day),
    D: `${two(month)}/${two(day)}/${two(year % 100)}`,
    e: String(day).padStart(2),
    F: formatDateTime(seconds).slice(0, 10),
    h: monthName,
    H: two(hour),
    I: two(hour % 12 || 12),
    j: String(yearDay).padStart(3, '0'),
    m: two(month),
    M: two(minute),
    n: '\n',
    N: '000000000',
    p: hour < 12 ? 'AM' : 'PM',
    R: `${two(hour)}:${two(minute)}`,
    s: String(seconds),
    S: two(second),
    t: '\t',
    T: formatDateTime(seconds).slice(11),
    u: String(weekday === 0 ? 7 : weekday),
    w: String(weekday),
    y: two(year % 100),
    Y: String(year),
    z: '+0000',
    Z: 'UTC',
  };
  return format.replace(/%-?(.)/g, (whole, letter: string) => {
    const text = fields[letter] ?? whole;
    return whole[1] === '-' && fields[letter] !== undefined ? text.replace(/^[0 ]+(?=.)/, '') : text;
  });
}

const LONG_WEEKDAYS: Readonly<Record<string, string>> = {
  Mon: 'Monday',
  Tue: 'Tuesday',
  Wed: 'Wednesday',
  Thu: 'Thursday',
  Fri: 'Friday',
  Sat: 'Saturday',
  Sun: 'Sunday',
};
const LONG_MONTHS: readonly string[] =
  'January February March April May June July August September October November December'.split(' ');
