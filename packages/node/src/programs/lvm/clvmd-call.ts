import type { Os, Task } from '@quorate/kernel';

/** What commands of LVM ask of clvmd. Answered with undefined, or with why not. */
export type ClvmdCall =
  /** Held until it is given back, or until the process that asks for it has ended. */
  | { readonly kind: 'lock-group'; readonly group: string; readonly mode: 'read' | 'write'; readonly process: number }
  | { readonly kind: 'unlock-group'; readonly group: string; readonly process: number }
  /**
   * On all nodes, or on this one only. Identifiers with dashes. Why not is in whole lines: each node has its own reason.
   * `resume`: wherever the volume is active it is now as the metadata says.
   */
  | {
      readonly kind: 'activate' | 'activate-exclusive' | 'deactivate' | 'resume';
      readonly groupId: string;
      readonly volumeId: string;
      readonly isLocal: boolean;
    };

export function* askClvmd(os: Os, call: ClvmdCall): Task<string | undefined> {
  return (yield* os.call('clvmd', call)) as string | undefined;
}
