import type { LabPage } from './lab-page.js';

/** What a user does to one machine after the other: each takes something away and gives it back. */
const PLAYS = [
  ['power', 30],
  ['run', 30],
  ['network cable', 30],
  ['power', 60],
  ['disk cable', 5],
] as const;

/** Cluster seconds in which a machine boots and joins. */
const REJOIN = 120;

/** Operates the switches of one machine after the other, in cluster time, until `isOver`. Gives how often. */
export async function playFreely(lab: LabPage, isOver: () => boolean): Promise<number> {
  let plays = 0;
  while (!isOver()) {
    const machine = `my-vm${(plays % 5) + 1}`;
    const [which, seconds] = PLAYS[plays % PLAYS.length]!;
    await switchTo(lab, machine, which, false);
    await waitFor(lab, seconds, isOver);
    await switchTo(lab, machine, which, true);
    await waitFor(lab, REJOIN, isOver);
    // Whatever came of it, and whoever is off, has power again.
    for (const name of ['my-vm1', 'my-vm2', 'my-vm3', 'my-vm4', 'my-vm5']) await switchTo(lab, name, 'power', true);
    plays += 1;
  }
  return plays;
}

async function switchTo(
  lab: LabPage,
  machine: string,
  which: Parameters<LabPage['toggle']>[1],
  isOn: boolean,
): Promise<void> {
  const toggle = lab.toggle(machine, which);
  if ((await toggle.isDisabled()) || (await toggle.getAttribute('aria-checked')) === String(isOn)) return;
  await toggle.click();
}

/** Waits for so many seconds of cluster time. */
async function waitFor(lab: LabPage, seconds: number, isOver: () => boolean): Promise<void> {
  const until = (await lab.clock()) + seconds;
  while (!isOver() && (await lab.clock()) < until) await lab.page.waitForTimeout(200);
}
