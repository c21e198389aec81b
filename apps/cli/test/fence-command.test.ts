import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-fence-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

// An agent whose switch is a file beside it.
writeFileSync(
  at('fence_file'),
  `#!/bin/sh
cat > "$0.told"
action=$(sed -n 's/^action=//p' "$0.told" | tail -n 1)
case "\${action:-off}" in
off|on) echo "$action" > "$0.state"; echo done ;;
status) grep -q on "$0.state" || exit 2 ;;
slow) exec sleep 1000 ;;
*) echo "no action $action" >&2; exit 7 ;;
esac
`,
);
chmodSync(at('fence_file'), 0o755);

writeFileSync(
  at('cluster.conf'),
  `<cluster name="c" config_version="1">
  <clusternodes>
    <clusternode name="my-vm1" nodeid="1">
      <fence><method name="1"><device name="file" port="my-vm1"/></method></fence>
      <unfence><device name="file" action="on"/></unfence>
    </clusternode>
    <clusternode name="my-vm2" nodeid="2"/>
  </clusternodes>
  <fencedevices><fencedevice name="file" agent="${at('fence_file')}"/></fencedevices>
</cluster>
`,
);

async function quorate(...words: readonly string[]) {
  const io = capturedIo({ PATH: `${folder}:${process.env.PATH}` });
  const code = await runCommand(words, io);
  return { code, out: io.stdout.text, errors: io.stderr.text };
}

beforeEach(() => writeFileSync(at('fence_file.state'), 'on'));

describe('quorate fence agent', () => {
  it('tells an agent what it is told, and ends as it does', async () => {
    expect(await quorate('fence', 'agent', 'fence_file', 'port=my-vm5', 'a=b=c', '-o', 'off')).toEqual({
      code: 0,
      out: 'done\n',
      errors: '',
    });
    expect(readFileSync(at('fence_file.told'), 'utf8')).toBe('port=my-vm5\na=b=c\naction=off\n');
    expect((await quorate('fence', 'agent', at('fence_file'), '-o', 'status')).code).toBe(2);
    expect(await quorate('fence', 'agent', 'fence_file', 'action=x')).toEqual({
      code: 7,
      out: '',
      errors: 'no action x\n',
    });
  });

  it.each([
    [['fence_file', 'port'], 4, 'quorate: found "port", expected key=value\n'],
    [['fence_file', '=x'], 4, 'quorate: found "=x", expected key=value\n'],
    [['fence_none'], 1, 'fence_none: ENOENT\n'],
    [['fence_file', '--timeout', 'x'], 4, expect.stringContaining('--timeout: found "x"')],
    [['fence_file', '-o', 'slow', '--timeout', '1'], 137, 'fence_file: took longer than 1 s and was killed\n'],
  ])('%j: exit status %i', async (words, code, errors) => {
    expect(await quorate('fence', 'agent', ...words)).toEqual({ code, out: '', errors });
  });
});

describe('quorate fence node', () => {
  const fence = (...words: readonly string[]) => quorate('fence', 'node', '--conf', at('cluster.conf'), ...words);

  it('does what cluster.conf says', async () => {
    expect(await fence('my-vm1', '-S')).toEqual({ code: 0, out: '', errors: 'status my-vm1 success on\n' });
    expect(await fence('my-vm1', '-vv')).toEqual({
      code: 0,
      out: '',
      errors:
        `fence my-vm1 dev 0.0 agent ${at('fence_file')} result: success\n` +
        `agent args: port=my-vm1 nodename=my-vm1 agent=${at('fence_file')} \n` +
        'fence my-vm1 success\n',
    });
    expect((await fence('my-vm1', '--status')).errors).toBe('status my-vm1 success off\n');
    expect((await fence('my-vm1', '--unfence')).errors).toBe('unfence my-vm1 success\n');
    expect((await fence('my-vm1', '--status')).errors).toBe('status my-vm1 success on\n');
  });

  it.each([
    [['my-vm2'], 2, 'fence my-vm2 undefined\n'],
    [['my-vm2', '-U'], 2, 'unfence my-vm2 undefined\n'],
    [['my-vm1', '-S', '-m', '2'], 2, 'status my-vm1 undefined\n'],
    [['my-vm1', '-S', '-U'], 4, expect.stringContaining("cannot be used with option '-U, --unfence'")],
    [['my-vm1', '--conf', '/nowhere'], 4, 'quorate: cannot read /nowhere: ENOENT\n'],
  ])('%j: exit status %i', async (words, code, errors) => {
    expect(await fence(...words)).toEqual({ code, out: '', errors });
  });
});
