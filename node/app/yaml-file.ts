import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import { readGiven } from './given-text.ts'

type Path = readonly PropertyKey[]

/** A YAML file written by a person, which can say on which line each value stands. */
export interface YamlFile {
  readonly file: string
  readonly value: unknown
  /** 1-based line of the value at `path`, of the key itself with `key`, or of the nearest parent that is there. */
  lineOf(path: Path, key?: string): number
}

/** @throws ROTA-3001 unreadable, 3041 not YAML */
export async function readYaml(file: string): Promise<YamlFile> {
  return parseYaml(await readGiven(file), file)
}

/** @throws ROTA-3041 */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const error = document.errors[0]
  if (error !== undefined) throw new RotaError('ROTA-3041', { file, line: lines.linePos(error.pos[0]).line, reason: error.message })
  return { file, value: plain(document, file), lineOf: (path, key) => lines.linePos(offsetOf(document, path, key)).line }
}

/** Aliases that unfold to something huge are refused. */
function plain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new RotaError('ROTA-3041', { file, line: 1, reason: error instanceof Error ? error.message : 'cannot be read' })
  }
}

/**
 * The value as the schema says, defaults filled in.
 * @throws ROTA-3042 a key that the schema does not know, with the nearest that it does; ROTA-3043 a value that is not as it should be
 */
export function checkYaml<T>(yaml: YamlFile, schema: z.ZodType<T>): T {
  const result = schema.safeParse(yaml.value)
  if (result.success) return result.data
  const { file } = yaml
  // An unknown key first: the missing key beside it is usually the one that was meant.
  const issue = result.error.issues.find((i) => i.code === 'unrecognized_keys') ?? result.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    throw new RotaError('ROTA-3042', { file, line: yaml.lineOf(issue.path, key), key, nearest: nearest(key, keysAt(schema, issue.path)) })
  }
  throw wrongValue(yaml, issue?.path ?? [], issue?.message ?? 'not as expected')
}

export const wrongValue = (yaml: YamlFile, path: Path, reason: string): RotaError =>
  new RotaError('ROTA-3043', { file: yaml.file, line: yaml.lineOf(path), path: path.length === 0 ? 'the file' : path.join('.'), reason })

function offsetOf(document: Document, path: Path, key: string | undefined): number {
  for (let length = path.length; length >= 0; length--) {
    const at = path.slice(0, length)
    const node = at.length === 0 ? document.contents : document.getIn(at, true)
    const wanted = length === path.length ? key : undefined
    const pair = wanted !== undefined && isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === wanted) : undefined
    if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

/** Keys that the schema knows at a place: for the nearest right one. */
function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const [head, ...rest] = path
  const inner = unwrap(schema)
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysAt(option as z.core.$ZodType, path))
  if (inner instanceof z.ZodArray) return keysAt(inner.element, rest)
  if (inner instanceof z.ZodRecord) return keysAt(inner.valueType, rest)
  if (!(inner instanceof z.ZodObject)) return []
  if (head === undefined) return Object.keys(inner.shape)
  const next = (inner.shape as Record<string, z.core.$ZodType>)[String(head)]
  return next === undefined ? [] : keysAt(next, rest)
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable || inner instanceof z.ZodPrefault)
    inner = inner.unwrap()
  return inner
}
