import type { MachineSpec } from '@quorate/lab';
import { ServiceState, stateText } from '@quorate/rgmanager';
import type { JSX } from 'preact';
import type { DaemonState, Daemons } from '../model/daemons.js';
import type { LabRun } from '../model/lab-run.js';
import { Lamp } from './lamp.js';
import { Toggle } from './toggle.js';

interface MachineUnitProps {
  readonly run: LabRun;
  readonly spec: MachineSpec;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

/** One machine in the rack: its plate, what it does, its lamps and its switches. */
export function MachineUnit({ run, spec, isSelected, onSelect }: MachineUnitProps): JSX.Element {
  const { id, name, address } = spec;
  const { cluster, daemons } = run.picture;
  const machine = cluster.machines.get(id)!;
  const { power, votes, isMounted } = machine;
  const mine = daemons.of(id);
  const isOff = !run.isRunning;
  const { text, tone } = displayOf(run, id);
  return (
    <section class={`unit unit-${power}`} data-machine={name} aria-label={name}>
      <button
        type="button"
        class="plate"
        aria-pressed={isSelected}
        onClick={onSelect}
        title={`log and prompt of ${name}`}
      >
        <span class="plate-name">{name}</span>
        <span class="plate-address">{address.split('/')[0]}</span>
      </button>
      <div class="unit-middle">
        <output class={`display display-${tone}`} aria-label={`${name} display`}>
          {text}
        </output>
        <ul class="lamps" aria-label={`${name} lamps`}>
          <Lamp label="RING" {...ringLamp(mine)} />
          <Lamp
            label="QUORUM"
            state={votes === undefined ? 'off' : votes.isQuorate ? 'on' : 'bad'}
            text={votes === undefined ? 'not in a cluster' : votes.isQuorate ? 'quorate' : 'inquorate'}
          />
          <Lamp label="QDISK" {...qdiskLamp(mine, power)} />
          <Lamp label="FENCE" state={mine.fenced} text={DAEMON_TEXTS[mine.fenced]} />
          <Lamp label="DLM" state={mine.dlm} text={DAEMON_TEXTS[mine.dlm]} />
          <Lamp label="GFS2" state={isMounted ? 'on' : 'off'} text={isMounted ? 'mounted' : 'not mounted'} />
          <Lamp label="RGMGR" state={mine.rgmanager} text={DAEMON_TEXTS[mine.rgmanager]} />
        </ul>
      </div>
      <div class="switches">
        <Toggle
          label="power"
          name={`${name} power`}
          isOn={run.hasPower(name)}
          isDisabled={isOff}
          onChange={(isOn) => run.setPower(name, isOn)}
        />
        <Toggle
          label="run"
          name={`${name} run, off is paused`}
          isOn={power !== 'paused'}
          isDisabled={isOff || (power !== 'up' && power !== 'paused')}
          onChange={(isOn) => run.setPaused(name, !isOn)}
        />
        <Toggle
          label="net"
          name={`${name} network cable`}
          isOn={!run.isPulled('network', name)}
          isDisabled={isOff}
          onChange={(isUp) => run.setCable('network', name, isUp)}
        />
        <Toggle
          label="disk"
          name={`${name} disk cable`}
          isOn={!run.isPulled('disks', name)}
          isDisabled={isOff}
          onChange={(isUp) => run.setCable('disks', name, isUp)}
        />
      </div>
    </section>
  );
}

const DAEMON_TEXTS: Readonly<Record<DaemonState, string>> = {
  off: 'does not run',
  on: 'in order',
  waits: 'waits',
  bad: 'has failed',
};

interface LampState {
  readonly state: DaemonState;
  readonly text: string;
}

function ringLamp({ ringState }: Daemons): LampState {
  if (ringState === '') return { state: 'off', text: 'no ring' };
  return { state: ringState === 'operational' ? 'on' : 'waits', text: ringState };
}

/** What is in the status block of a machine without power is none of its own doing. */
function qdiskLamp({ qdisk, heuristic }: Daemons, power: string): LampState {
  if (qdisk === '' || power === 'off') return { state: 'off', text: 'qdiskd does not run' };
  if (qdisk === 'evict') return { state: 'bad', text: 'evicted' };
  if (heuristic === 'bad') return { state: 'bad', text: `${qdisk}, the heuristic has failed` };
  if (heuristic === 'waits') return { state: 'waits', text: `${qdisk}, the heuristic fails` };
  return { state: qdisk === 'run' || qdisk === 'master' ? 'on' : 'waits', text: qdisk };
}

interface Display {
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'warning' | 'bad';
}

/** What a machine does, in one line. */
function displayOf({ picture }: LabRun, id: number): Display {
  const { cluster, daemons } = picture;
  const { power, votes } = cluster.machines.get(id)!;
  const { agent, ringState } = daemons.of(id);
  const { service } = cluster;
  if (daemons.isVictim(id)) return { text: `${power}, being fenced`, tone: 'bad' };
  if (power === 'off') return { text: 'off', tone: 'plain' };
  if (power === 'paused') return { text: 'paused', tone: 'warning' };
  if (power === 'booting') return { text: 'booting', tone: 'warning' };
  if (agent !== '') return { text: `${agent}`, tone: 'warning' };
  if (votes !== undefined && !votes.isQuorate) return { text: 'inquorate: everything waits', tone: 'bad' };
  if (service?.owner === id && service.state !== ServiceState.STOPPED) {
    const isStarted = service.state === ServiceState.STARTED;
    return { text: `${service.name} ${stateText(service.state)}`, tone: isStarted ? 'good' : 'warning' };
  }
  if (ringState === '') return { text: 'init scripts run', tone: 'warning' };
  return { text: 'up, stands by', tone: 'plain' };
}
