import { Mode } from '@quorate/dlm';

/** Words of the form `name=value`, and what they mean. */
export function optionsOf(words: readonly string[]): {
  word(name: string): string | undefined;
  number(name: string, otherwise: number): number;
  mode(name: string, otherwise: number): number;
} {
  const word = (name: string): string | undefined =>
    words.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    word,
    number: (name, otherwise) => Number(word(name) ?? otherwise),
    mode: (name, otherwise) => modeOf(word(name) ?? '') ?? otherwise,
  };
}

/** The mode of that name. */
export function modeOf(name: string): number | undefined {
  return (Mode as Readonly<Record<string, number>>)[name];
}
