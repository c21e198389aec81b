import { isErrno, type Os, type Task, utf8Text } from '@quorate/kernel';

/** The two kinds of accounts that files belong to. */
export type AccountKind = 'user' | 'group';

/** Names of users or groups and their ids. */
export class AccountNames {
  readonly kind: AccountKind;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #names: ReadonlyMap<number, string>;

  constructor(kind: AccountKind, ids: ReadonlyMap<string, number>) {
    this.kind = kind;
    this.#ids = ids;
    this.#names = new Map([...ids].map(([name, id]) => [id, name]));
  }

  /** An id for a name, or for digits; undefined when there is no such user. */
  idOf(text: string): number | undefined {
    return this.#ids.get(text) ?? (/^\d+$/.test(text) ? Number(text) : undefined);
  }

  /** The name; `otherwise` when nobody has that id. */
  nameOf(id: number, otherwise = `#${id}`): string {
    return this.#names.get(id) ?? otherwise;
  }

  /** Ids in the order of the file. */
  get ids(): readonly number[] {
    return [...this.#names.keys()];
  }
}

/** What /etc/passwd or /etc/group says; root without them. */
export function* readAccounts(os: Os, type: AccountKind): Task<AccountNames> {
  const bytes = yield* os.readFile(type === 'user' ? '/etc/passwd' : '/etc/group');
  const lines = isErrno(bytes) ? [] : utf8Text(bytes).split('\n');
  const entries = lines.map((line) => line.split(':')).filter(({ length }) => length > 2);
  return new AccountNames(
    type,
    new Map([['root', 0], ...entries.map(([name, , id]): [string, number] => [name!, Number(id)])]),
  );
}
