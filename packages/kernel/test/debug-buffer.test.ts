import { describe, expect, it } from 'vitest';
import { DebugBuffer } from '../src/debug-buffer.js';

describe('the debug buffer', () => {
  it('has every line with its second', () => {
    const buffer = new DebugBuffer();
    expect(buffer.text()).toBe('');
    buffer.add(1_446_130_000, 'cpg_join fenced:daemon ...');
    buffer.add(1_446_130_001, 'fencing node my-vm5');
    expect(buffer.text()).toBe('1446130000 cpg_join fenced:daemon ...\n1446130001 fencing node my-vm5\n');
  });

  it('cuts a line at 254 characters, its end of line with it', () => {
    const buffer = new DebugBuffer();
    buffer.add(1, 'x'.repeat(300));
    buffer.add(2, 'y');
    expect(buffer.text()).toBe(`1 ${'x'.repeat(252)}2 y\n`);
  });

  it('keeps the newest characters, also of a line that began before', () => {
    const buffer = new DebugBuffer(10);
    for (const [i, word] of ['aaaa', 'bbbb', 'cccc'].entries()) buffer.add(i, word);
    expect(buffer.text()).toBe('bb\n2 cccc\n');
    buffer.add(3, 'longer than all of it');
    expect(buffer.text()).toBe('all of it\n');
  });

  it('of the usual size keeps a mebibyte', () => {
    const buffer = new DebugBuffer();
    for (let i = 0; i < 12_000; i++) buffer.add(100_000 + i, 'x'.repeat(92));
    const text = buffer.text();
    expect(text).toHaveLength(1024 * 1024);
    expect(text.endsWith(`111999 ${'x'.repeat(92)}\n`)).toBe(true);
  });
});
