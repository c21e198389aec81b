import { type Errno, fork, isErrno, join, MILLISECOND, type Nanos, type Program, SECOND } from '@quorate/kernel';
import { resolveHost } from './hosts.js';
import { parseOptions } from './options.js';

/** How long ping waits for answers after its last request when none has come. */
const LINGER: Nanos = 10 * SECOND;

/** Why a request does not even leave the machine. A host that nobody answers for is just silent. */
const REASONS: Partial<Record<Errno, string>> = {
  ENETUNREACH: 'Network is unreachable',
  ENETDOWN: 'Network is down',
};

function milliseconds(nanos: Nanos): string {
  return (nanos / MILLISECOND).toFixed(3);
}

/**
 * `ping [-q] [-n] [-c count] [-t ttl] [-W timeout] [-w deadline] host`: ICMP echo once a second.
 *
 * Exit 0 if anything was answered, 1 if nothing was, 2 for other errors, as iputils does. `-t` is the time to live,
 * not a timeout: with no answer at all `ping -c3 -t2` lasts 3 requests and 10 s of waiting, about 12 s.
 */
export const ping: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: 'qnbf', values: 'ctWwIi' });
  const host = options.operands[0];
  if (options.error !== undefined || host === undefined) {
    os.printError(`ping: ${options.error ?? 'usage error: destination address required'}\n`);
    return 2;
  }
  const address = yield* resolveHost(os, host);
  if (address === undefined) {
    os.printError(`ping: unknown host ${host}\n`);
    return 2;
  }
  const isQuiet = options.flags.has('q');
  const deadline = options.values.has('w') ? os.now() + options.number('w', 0) * SECOND : Infinity;
  const count = options.number('c', deadline === Infinity ? 4 : Number.MAX_SAFE_INTEGER);
  const ttl = options.number('t', 64);
  const linger = options.values.has('W') ? options.number('W', 10) * SECOND : LINGER;
  const startedAt = os.now();
  const times: Nanos[] = [];
  const failures: Errno[] = [];
  os.print(`PING ${host} (${address}) 56(84) bytes of data.\n`);

  function* request(seq: number, isLast: boolean): Generator<unknown, void, unknown> {
    const timeout = Math.min(isLast ? linger : SECOND + linger, deadline - os.now());
    const result = yield* os.echo(address!, { ttl, timeout, seq });
    if (isErrno(result)) {
      failures.push(result);
      return;
    }
    times.push(result);
    if (!isQuiet) os.print(`64 bytes from ${address}: icmp_seq=${seq} ttl=64 time=${milliseconds(result)} ms\n`);
  }

  const pending = [];
  let sent = 0;
  while (sent < count && os.now() < deadline) {
    sent += 1;
    pending.push(yield* fork(request(sent, sent === count)));
    // Lets the first request go out, so that a missing route ends the program at once.
    if (sent === 1) yield* os.sleep(0);
    if (sent < count && failures.length === 0) yield* os.sleep(Math.min(SECOND, deadline - os.now()));
    const refused = failures.find((errno) => REASONS[errno] !== undefined);
    if (refused !== undefined && times.length === 0) {
      os.printError(`connect: ${REASONS[refused]}\n`);
      return 2;
    }
    if (deadline !== Infinity && times.length >= count) break;
  }
  // Whoever got an answer to every request ends at once; otherwise the last ones are waited for.
  const joined = times.length > 0 && times.length + failures.length === sent ? [] : pending;
  for (const task of joined) yield* join(task);

  const lost = Math.floor(((sent - times.length) * 100) / sent);
  const elapsed = Math.floor((os.now() - startedAt) / MILLISECOND);
  os.print(`\n--- ${host} ping statistics ---\n`);
  os.print(`${sent} packets transmitted, ${times.length} received, ${lost}% packet loss, time ${elapsed}ms\n`);
  if (times.length > 0) os.print(summary(times));
  if (deadline !== Infinity && options.values.has('c') && times.length < count) return 1;
  return times.length > 0 ? 0 : 1;
};

function summary(times: readonly Nanos[]): string {
  let least = Infinity;
  let most = 0;
  let sum = 0;
  let squares = 0;
  for (const time of times) {
    least = Math.min(least, time);
    most = Math.max(most, time);
    sum += time;
    squares += time * time;
  }
  const mean = sum / times.length;
  const deviation = Math.sqrt(Math.max(0, squares / times.length - mean * mean));
  const figures = [least, mean, most, deviation].map(milliseconds).join('/');
  return `rtt min/avg/max/mdev = ${figures} ms\n`;
}
