import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseRecordedCases, type RecordedCase, verdictOn } from '@quorate/dlm/conformance';
import { describe, expect, it } from 'vitest';

// test/data/corpus: every fourth case of each theme of a corpus recorded for this project on the DLM of Linux 6.1 (two or
// three emulated machines, libdlm's device interface), without its human-readable dumps. The whole corpus is replayed
// where it lies beside the repository.
const TRIMMED = new URL('data/corpus/', import.meta.url);
// test/data/refused.jsonl, leaving.jsonl: recorded later in the same way, on Debian's 6.1.0-57, each case twice.
const REFUSED = new URL('data/refused.jsonl', import.meta.url);
const LEAVING = new URL('data/leaving.jsonl', import.meta.url);
const WHOLE = new URL('../../../../shared/vectors/dlm/', import.meta.url);

function casesIn(directory: URL): RecordedCase[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.jsonl'));
  return files.sort().flatMap((file) => parseRecordedCases(readFileSync(new URL(file, directory), 'utf8')));
}

/** Where we do otherwise than Linux unless told to be strict: which of those choices a difference comes from. */
function choiceOf(differences: readonly string[], { name }: RecordedCase): string {
  if (/^killflight\/(cancel-cvt|convert-up).*force/.test(name))
    return 'an unlock that overtakes a cancel survives its master';
  if (name.startsWith('refused/')) return 'a refused conversion leaves its functions and a buffer';
  const ours = differences.map((difference) => difference.slice(difference.indexOf('\n  ours ')));
  if (name.startsWith('deadlock/')) return 'a lock that a demotion let pass hears of what waits for it';
  if (name.startsWith('alt/')) return 'the granted alternate mode is told to the owner';
  if (name.includes('convert-middle')) return 'a conversion between PR and CW survives its master';
  if (ours.some((text) => /VALNOTVALID|rsb \d 0 [4]?[2]/.test(text))) return 'a value lost with its master is invalid';
  return 'RECOVER_GRANT does not outlive a recovery';
}

/** Replays cases as we do it, and those that differ once more as Linux does it. */
function report(cases: readonly RecordedCase[]): { counts: Record<string, number>; failed: string[] } {
  const counts: Record<string, number> = {};
  const failed: string[] = [];
  for (const recorded of cases) {
    const { kind, differences } = verdictOn(recorded);
    if (kind === 'different') failed.push(`${recorded.name}: ${differences.join('\n')}`);
    const what = kind === 'strictly' ? `as recorded with strictReference: ${choiceOf(differences, recorded)}` : kind;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return { counts, failed };
}

describe('what owners saw on Linux, they see here', () => {
  it('every fourth recorded case', () => {
    const { counts, failed } = report(casesIn(TRIMMED));
    expect(failed).toEqual([]);
    expect(counts).toEqual({
      'as-recorded': 634,
      'as recorded with strictReference: a lock that a demotion let pass hears of what waits for it': 1,
      'as recorded with strictReference: an unlock that overtakes a cancel survives its master': 1,
      'as recorded with strictReference: a value lost with its master is invalid': 18,
      'as recorded with strictReference: a conversion between PR and CW survives its master': 5,
      'as recorded with strictReference: the granted alternate mode is told to the owner': 9,
      'as recorded with strictReference: RECOVER_GRANT does not outlive a recovery': 7,
    });
  });

  it('what is left of a conversion that was refused: functions and value block', () => {
    const { counts, failed } = report(parseRecordedCases(readFileSync(REFUSED, 'utf8')));
    expect(failed).toEqual([]);
    expect(counts).toEqual({
      'as-recorded': 4,
      'as recorded with strictReference: a refused conversion leaves its functions and a buffer': 6,
    });
  });

  it('a process that goes hears of none of its locks, nor of one that is granted as another goes; a flag of 32 bits', () => {
    const { counts, failed } = report(parseRecordedCases(readFileSync(LEAVING, 'utf8')));
    expect(failed).toEqual([]);
    expect(counts).toEqual({ 'as-recorded': 5 });
  });

  it.skipIf(!existsSync(WHOLE))('all recorded cases (skipped when the corpus is not beside the repository)', () => {
    const { counts, failed } = report(casesIn(WHOLE));
    expect(failed).toEqual([]);
    expect(counts).toEqual({
      'as-recorded': 2543,
      'as recorded with strictReference: a lock that a demotion let pass hears of what waits for it': 1,
      'as recorded with strictReference: an unlock that overtakes a cancel survives its master': 6,
      'as recorded with strictReference: a value lost with its master is invalid': 76,
      'as recorded with strictReference: a conversion between PR and CW survives its master': 16,
      'as recorded with strictReference: the granted alternate mode is told to the owner': 16,
      'as recorded with strictReference: RECOVER_GRANT does not outlive a recovery': 16,
    });
  });
});
