import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '@quorate/wasm';

const PACKAGES = fileURLToPath(new URL('../../../packages/', import.meta.url));

/** Those above the floors: one is the whole of `simulator.test.ts`, the other needs threads. */
const DRIVERS = ['simulator', 'workers'];

/** Every package of floors 0 to 4. */
export const corePackages: readonly string[] = readdirSync(PACKAGES).filter(
  (name) => !DRIVERS.includes(name) && existsSync(`${PACKAGES}${name}/package.json`),
);

export function readmeOf(name: string): string {
  return readFileSync(`${PACKAGES}${name}/README.md`, 'utf8');
}

interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** What a package alone says: the names of its exports, and the lines that its README's example prints. */
export interface PackageReply {
  /** By subpath. */
  readonly exports: Readonly<Record<string, readonly string[]>>;
  readonly lines: readonly string[];
}

/**
 * A program of one package with all that it exports, and of its README's example; the reply is JSON.
 *
 * Examples come in two shapes: a function that gives its lines, or a module that has filled `log`.
 */
export function packageProgram(name: string): Promise<string> {
  const directory = `${PACKAGES}${name}`;
  const json = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as PackageJson;
  const subpaths = Object.keys(json.exports).filter((path) => !/^\.\/(package\.json|node|browser)$/.test(path));
  const imports = subpaths.map((path, i) => `import * as m${i} from '${json.name}${path.slice(1)}';`);
  const names = subpaths.map((path, i) => `'${path}': Object.keys(m${i}).sort()`);
  return buildProgram(
    `import { utf8Bytes } from '@quorate/kernel';
${imports.join('\n')}
import * as readme from './test/example.js';
export function main() {
  const lines = 'example' in readme ? readme.example() : readme.log;
  return utf8Bytes(JSON.stringify({ exports: { ${names.join(', ')} }, lines }));
}`,
    directory,
  );
}
