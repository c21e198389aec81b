import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { expect, it } from 'vitest';

const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '-o', 'search.wasm'];

/** The text of src/module.ts. @throws {Error} what the compiler says of the source */
async function compile(): Promise<string> {
  const baseDir = fileURLToPath(new URL('..', import.meta.url));
  const written = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(['assembly/search.ts', '--baseDir', baseDir, ...options], {
    writeFile: (name, contents) => void written.set(name, contents),
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const text = Buffer.from(written.get('search.wasm')!).toString('base64');
  const lines = text.match(/.{1,110}/g)!.map((line) => `  '${line}'`);
  const comment = '/** assembly/search.ts compiled, in base64; test/module.test.ts writes it (REWRITE=1). */';
  return `${comment}\nexport const module: string =\n${lines.join(' +\n')};\n`;
}

it('the module is what the compiler makes of the source', async () => {
  const file = new URL('../src/module.ts', import.meta.url);
  const text = await compile();
  if (process.env.REWRITE === '1') writeFileSync(file, text);
  else expect(readFileSync(file, 'utf8')).toBe(text);
});
