import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CorpusCase, replayCase } from './corpus.js';

// test/data/corpus: every fourth case of each theme of a corpus recorded for this project on the DLM of Linux 6.1 (two or
// three emulated machines, libdlm's device interface), without its human-readable dumps. The whole corpus is replayed
// where it lies beside the repository.
const TRIMMED = new URL('data/corpus/', import.meta.url);
const WHOLE = new URL('../../../../shared/vectors/dlm/', import.meta.url);

function casesIn(directory: URL): CorpusCase[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.jsonl'));
  return files.sort().flatMap((file) => {
    const lines = readFileSync(new URL(file, directory), 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as CorpusCase);
  });
}

/** Why a case cannot be replayed; undefined if it can. */
function unsupportedReason({ steps }: CorpusCase): string | undefined {
  if (steps.some((step) => step.do === 'exit' || step.do === 'purge')) return 'processes: exit, orphans, purge';
  return undefined;
}

/** Where we do otherwise than Linux unless told to be strict: which of those choices a difference comes from. */
function choiceOf(differences: readonly string[], { name }: CorpusCase): string {
  if (/^killflight\/(cancel-cvt|convert-up).*force/.test(name))
    return 'an unlock that overtakes a cancel survives its master';
  const ours = differences.map((difference) => difference.slice(difference.indexOf('\n  ours ')));
  if (name.startsWith('alt/')) return 'the granted alternate mode is told to the owner';
  if (name.includes('convert-middle')) return 'a conversion between PR and CW survives its master';
  if (ours.some((text) => /VALNOTVALID|rsb \d 0 [4]?[2]/.test(text))) return 'a value lost with its master is invalid';
  return 'RECOVER_GRANT does not outlive a recovery';
}

/** Replays cases as we do it, and those that differ once more as Linux does it. */
function report(cases: readonly CorpusCase[]): { counts: Record<string, number>; failed: string[] } {
  const counts: Record<string, number> = {};
  const failed: string[] = [];
  for (const corpusCase of cases) {
    const reason = unsupportedReason(corpusCase) ?? verdict(corpusCase, failed);
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return { counts, failed };
}

function verdict(corpusCase: CorpusCase, failed: string[]): string {
  const differences = replayCase(corpusCase, false);
  if (differences.length === 0) return 'as recorded';
  const strict = replayCase(corpusCase, true);
  if (strict.length === 0) return `as recorded with strictReference: ${choiceOf(differences, corpusCase)}`;
  failed.push(`${corpusCase.name}: ${strict.join('\n')}`);
  return 'failed';
}

describe('what owners saw on Linux, they see here', () => {
  it('every fourth recorded case', { timeout: 60_000 }, () => {
    const { counts, failed } = report(casesIn(TRIMMED));
    expect(failed).toEqual([]);
    expect(counts).toEqual({
      'as recorded': 629,
      'as recorded with strictReference: an unlock that overtakes a cancel survives its master': 1,
      'as recorded with strictReference: a value lost with its master is invalid': 18,
      'as recorded with strictReference: a conversion between PR and CW survives its master': 5,
      'as recorded with strictReference: the granted alternate mode is told to the owner': 9,
      'as recorded with strictReference: RECOVER_GRANT does not outlive a recovery': 7,
      'processes: exit, orphans, purge': 6,
    });
  });

  it.skipIf(!existsSync(WHOLE))(
    'all recorded cases (skipped when the corpus is not beside the repository)',
    () => {
      const { counts, failed } = report(casesIn(WHOLE));
      expect(failed).toEqual([]);
      expect(counts).toEqual({
        'as recorded': 2521,
        'as recorded with strictReference: an unlock that overtakes a cancel survives its master': 6,
        'as recorded with strictReference: a value lost with its master is invalid': 76,
        'as recorded with strictReference: a conversion between PR and CW survives its master': 16,
        'as recorded with strictReference: the granted alternate mode is told to the owner': 16,
        'as recorded with strictReference: RECOVER_GRANT does not outlive a recovery': 16,
        'processes: exit, orphans, purge': 23,
      });
    },
    120_000,
  );
});
