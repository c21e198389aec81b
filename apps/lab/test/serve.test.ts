import { describe, expect, it } from 'vitest';
import { serve } from '../src/server/serve.js';

async function said(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (piece: string) => {
      text[name] += piece;
    },
  });
  const code = await serve(argv, { stdout: stream('stdout'), stderr: stream('stderr') });
  return { code, ...text };
}

describe('the command that serves the page', () => {
  it.each([
    [['--port', 'x'], '--port: found "x", expected a number up to 65535'],
    [['--port', '65536'], '--port: found "65536", expected a number up to 65535'],
    [['--prot', '80'], "unknown option '--prot'"],
    [['page'], 'too many arguments'],
  ])('refuses %j in one line, with exit code 4', async (argv, message) => {
    const { code, stdout, stderr } = await said(...argv);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('tells its options', async () => {
    const { code, stdout, stderr } = await said('--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('--port <n>');
  });
});
