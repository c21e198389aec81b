import type { AgentAction, AgentChild, AgentMetadata, AgentParameter } from '../conf/agent-metadata.js';

/** What an agent prints for `meta-data`; `readAgentMetadata` reads the same metadata from it. */
export function metadataText(metadata: AgentMetadata): string {
  const { name, version = 'rgmanager 2.0', parameters, actions, children = [] } = metadata;
  return [
    '<?xml version="1.0"?>',
    element('resource-agent', { version, name }, [
      element('parameters', {}, parameters.map(parameterText)),
      element('actions', {}, actions.map(actionText)),
      element('special', { tag: 'rgmanager' }, [...attributesText(metadata), ...children.map(childText)]),
    ]),
    '',
  ].join('\n');
}

function parameterText(parameter: AgentParameter): string {
  const { name, isPrimary, isUnique, isRequired, isReconfig, inherit } = parameter;
  const attributes = {
    name,
    unique: flag(isUnique),
    primary: flag(isPrimary),
    required: flag(isRequired),
    reconfig: flag(isReconfig),
    inherit,
  };
  return element('parameter', attributes, [element('content', { type: 'string', default: parameter.default })]);
}

function actionText({ name, depth = 0, timeout, interval }: AgentAction): string {
  return element('action', { name, depth: depth > 0 ? String(depth) : undefined, timeout, interval });
}

function attributesText({ maxInstances = 0, initOnAdd = true, destroyOnDelete = true }: AgentMetadata): string[] {
  if (maxInstances === 0 && initOnAdd && destroyOnDelete) return [];
  return [
    element('attributes', {
      maxinstances: maxInstances > 0 ? String(maxInstances) : undefined,
      init_on_add: initOnAdd ? undefined : '0',
      destroy_on_delete: destroyOnDelete ? undefined : '0',
    }),
  ];
}

function childText({ type, start = 0, stop = 0, isForbidden }: AgentChild): string {
  const level = (value: number): string | undefined => (value > 0 ? String(value) : undefined);
  return element('child', { type, start: level(start), stop: level(stop), forbid: flag(isForbidden) });
}

function flag(isSet: boolean | undefined): string | undefined {
  return isSet === true ? '1' : undefined;
}

/** One element with the attributes that have a value; its content is indented. */
function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  content: readonly string[] = [],
): string {
  const pairs = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const head = [name, ...pairs.map(([key, value]) => `${key}="${escaped(value!)}"`)].join(' ');
  if (content.length === 0) return `<${head}/>`;
  const lines = content.flatMap((text) => text.split('\n')).map((line) => `  ${line}`);
  return [`<${head}>`, ...lines, `</${name}>`].join('\n');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
