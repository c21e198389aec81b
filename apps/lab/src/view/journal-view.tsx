import { commonPrefix, completionOf, History } from '@quorate/shell';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JournalEntry, JournalFilter } from '../model/journal.js';
import type { LabRun } from '../model/lab-run.js';
import { clockText } from './texts.js';

/** Lines that are drawn; more are kept. */
const SHOWN = 200;
/** At least the height of a line. */
const LINE_PIXELS = 20;
const SUGGESTIONS = [
  'clustat',
  'cman_tool status',
  'cman_tool nodes',
  'sg_persist -i -k /dev/sdb',
  'sg_persist -i -r /dev/sdb',
  'mkqdisk -L',
  'fence_tool ls',
  'ps aux',
  'ls -l /mydata/html',
  'curl http://10.156.76.58/',
  'clusvcadm -r my_service_group -m my-vm2',
  'ifconfig eth0 down',
  'shutdown -h now',
];

interface JournalViewProps {
  readonly run: LabRun;
  readonly filter: JournalFilter;
  readonly onFilter: (filter: JournalFilter) => void;
}

/** What machines log and what happens, filtered; and a prompt on the machine that is chosen. */
export function JournalView({ run, filter, onFilter }: JournalViewProps): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const isFollowing = useRef(true);
  const scrolledTo = useRef(0);
  const entries = run.picture.journal.last(filter, SHOWN);
  const newest = entries.at(-1)?.number ?? 0;
  useEffect(() => {
    const element = list.current;
    if (element !== null && isFollowing.current) element.scrollTop = element.scrollHeight;
  }, [newest, filter]);
  const onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = list.current!;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < LINE_PIXELS;
    // Lines that came meanwhile are below the end, too: only who scrolls back wants to stay.
    if (isAtEnd || scrollTop < scrolledTo.current) isFollowing.current = isAtEnd;
    scrolledTo.current = scrollTop;
  };
  const filters: readonly (readonly [JournalFilter, string])[] = [
    ['events', 'events'],
    ['all', 'all'],
    ...run.names.map((name) => [name, name] as const),
  ];
  return (
    <section class="panel journal" aria-labelledby="journal-title">
      <div class="panel-head">
        <h2 id="journal-title">Log</h2>
        <fieldset class="filters">
          <legend class="unseen">lines shown</legend>
          {filters.map(([value, label]) => (
            <button
              key={value}
              type="button"
              class="chip"
              aria-pressed={filter === value}
              onClick={() => {
                isFollowing.current = true;
                onFilter(value);
              }}
            >
              {label}
            </button>
          ))}
        </fieldset>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <ol class="lines" ref={list} onScroll={onScroll} tabIndex={0} aria-label={`log, ${filter}`}>
        {entries.map((entry) => (
          <Line key={entry.number} entry={entry} hasMachine={filter === 'all'} />
        ))}
      </ol>
      <Prompt run={run} machine={run.names.includes(filter) ? filter : undefined} onMachine={onFilter} />
    </section>
  );
}

function Line({ entry, hasMachine }: { readonly entry: JournalEntry; readonly hasMachine: boolean }): JSX.Element {
  const { at, kind, machine, text, tone } = entry;
  const isFromMachine = hasMachine && kind !== 'event' && kind !== 'typed';
  return (
    <li class={`line line-${kind} line-${tone}`}>
      <span class="line-at">{kind === 'printed' ? '' : clockText(at)}</span>
      <span class="line-text">
        {kind === 'typed' ? <b>[root@{machine} ~]# </b> : null}
        {isFromMachine ? <span class="line-machine">{machine} </span> : null}
        {text}
      </span>
    </li>
  );
}

interface PromptProps {
  readonly run: LabRun;
  /** Undefined while no machine is chosen. */
  readonly machine: string | undefined;
  readonly onMachine: (machine: string) => void;
}

/** An administrator's prompt, with the history and the completion of a shell. */
function Prompt({ run, machine, onMachine }: PromptProps): JSX.Element {
  const [text, setText] = useState('');
  const history = useRef(new History());
  const target = machine ?? run.names[0]!;
  const submit = (event: Event): void => {
    event.preventDefault();
    const command = text.trim();
    if (command === '') return;
    if (machine === undefined) onMachine(target);
    history.current.add(command);
    setText('');
    void run.type(target, command);
  };
  const complete = async (line: string): Promise<void> => {
    const { start, command, candidates } = completionOf(line);
    const output = command === undefined ? '' : await run.ask(target, command);
    const found = candidates(output);
    if (found.length === 0) return;
    const isWhole = found.length === 1 && !found[0]!.endsWith('/');
    const completed = line.slice(0, start) + commonPrefix(found) + (isWhole ? ' ' : '');
    // Somebody may have typed on while the machine was asked.
    setText((now) => (now === line ? completed : now));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Tab' && !event.shiftKey && text.trim() !== '') {
      event.preventDefault();
      void complete(text);
      return;
    }
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    const line = event.key === 'ArrowUp' ? history.current.previous(text) : history.current.next();
    if (line !== undefined) setText(line);
  };
  return (
    <form class="prompt" onSubmit={submit}>
      <label for="prompt">[root@{target} ~]#</label>
      <input
        id="prompt"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        disabled={!run.isRunning}
        list="commands"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={run.isRunning ? 'clustat' : ''}
      />
      <datalist id="commands">
        {SUGGESTIONS.map((command) => (
          <option key={command} value={command} />
        ))}
      </datalist>
      <button type="submit" class="key-button" disabled={!run.isRunning || text.trim() === ''}>
        Enter
      </button>
    </form>
  );
}
