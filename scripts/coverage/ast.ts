import solc from 'solc'

/** A node of solc's tree, of Solidity or of Yul; what a kind has besides is read with the functions below. */
export interface Node {
  readonly nodeType: string
  /** `start:length:file`, in bytes of UTF-8. */
  readonly src: string
  readonly [field: string]: unknown
}

/** Bytes from `start` up to, not with, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly sources?: Readonly<Record<string, { readonly ast: Node }>>
}

/** The tree of a source as it stands: solc stops after parsing, so that imports need not be there. @throws Error with solc's own words */
export function parse(name: string, source: string): Node {
  const settings = { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } }
  const input = { language: 'Solidity', sources: { [name]: { content: source } }, settings }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  const ast = output.sources?.[name]?.ast
  if (errors.length > 0 || ast === undefined) throw new Error(`${name} cannot be read: ${errors.map((error) => error.formattedMessage).join('\n')}`)
  return ast
}

export function spanOf(node: Node): Span {
  const [start = 0, length = 0] = node.src.split(':').map(Number)
  return { start, end: start + length }
}

export const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).nodeType === 'string'

/** A field that holds a node, when it does. */
export const nodeAt = (node: Node, field: string): Node | undefined => (isNode(node[field]) ? node[field] : undefined)

/** A field that holds nodes. */
export const nodesAt = (node: Node, field: string): readonly Node[] => (Array.isArray(node[field]) ? node[field].filter(isNode) : [])

/** All nodes right below one. */
export const childrenOf = (node: Node): Node[] => Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode))

/** The node and all below it, each before those below it. */
export function* walk(node: Node): Generator<Node> {
  yield node
  for (const child of childrenOf(node)) yield* walk(child)
}
