import type { Os, Task } from '@quorate/kernel';

/** What commands of LVM ask of clvmd. Answered with undefined, or with why not. */
export type ClvmdCall =
  /** Held until it is given back, or until the process that asks for it has ended. */
  | { readonly kind: 'lock-group'; readonly group: string; readonly mode: 'read' | 'write'; readonly process: number }
  | { readonly kind: 'unlock-group'; readonly group: string; readonly process: number }
  /** Identifiers with dashes. `claim`: whether the volume is active nowhere. */
  | { readonly kind: 'activate' | 'deactivate' | 'claim'; readonly groupId: string; readonly volumeId: string };

export function* askClvmd(os: Os, call: ClvmdCall): Task<string | undefined> {
  return (yield* os.call('clvmd', call)) as string | undefined;
}
