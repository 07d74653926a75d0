import { type Node, nodeAt, nodesAt, spanOf, walk } from './ast.ts'
import type { Marking } from './marking.ts'
import { MOST_NOTES, YUL_NOTES, YUL_TELLS } from './probes.ts'

/** After one of these nothing is told any more. */
const ENDING = ['revert', 'return', 'stop', 'invalid', 'selfdestruct']
/** What a call in between would change. */
const RETURNED = ['returndatasize', 'returndatacopy']

/**
 * Marks what decides in a block of assembly: conditions of `if` and `for`, and the cases of `switch`.
 * A block that may make calls tells at once. One of a pure function may not, and one that reads what a call returned must not:
 * there branches are noted in memory and told behind the block, which cannot be when the block may end the whole call.
 */
export function markAssembly(marking: Marking, node: Node, pure: boolean): void {
  const block = nodeAt(node, 'AST')
  const deciding = block === undefined ? [] : [...walk(block)].filter(decides)
  if (block === undefined || deciding.length === 0) return
  const called = new Set([...walk(block)].map((call) => String(nodeAt(call, 'functionName')?.name)))
  const noting = pure || RETURNED.some((name) => called.has(name))
  const reason = noting ? whyNot(block, called) : undefined
  if (reason !== undefined) for (const one of deciding) marking.leaveOut(one, reason)
  else write(marking, node, block, deciding, noting)
}

const decides = ({ nodeType, condition }: Node): boolean =>
  nodeType === 'YulSwitch' || (['YulIf', 'YulForLoop'].includes(nodeType) && (condition as Node).nodeType !== 'YulLiteral')

/** Why a block cannot note its branches. */
function whyNot(block: Node, called: ReadonlySet<string>): string | undefined {
  const movesMemory = [...walk(block)].some((call) => nodeAt(call, 'functionName')?.name === 'mstore' && nodesAt(call, 'arguments')[0]?.value === '0x40')
  if (movesMemory) return 'assembly that moves the free memory pointer, where no call may be put in'
  return ENDING.some((name) => called.has(name)) ? 'assembly that may end the call, where no call may be put in' : undefined
}

function write(marking: Marking, node: Node, block: Node, deciding: readonly Node[], noting: boolean): void {
  const first = marking.next
  // A pure function's notes are bits, counted from the block's first branch.
  const seen = (branch: number): string => `seen__y(${noting ? branch - first : branch}, `
  for (const one of deciding) {
    if (one.nodeType === 'YulSwitch') markCases(marking, one, seen)
    else markYulCondition(marking, one, seen)
  }
  if (noting && marking.next - first > MOST_NOTES) throw new RangeError(`${marking.file}: more than ${MOST_NOTES} branches in one block of assembly`)
  marking.intoBlock(block, noting ? YUL_NOTES : YUL_TELLS)
  if (noting) marking.around(spanOf(node), '{ ', ` told__(${first}); }`)
}

function markYulCondition(marking: Marking, node: Node, seen: (branch: number) => string): void {
  const condition = nodeAt(node, 'condition')
  if (condition === undefined) return
  const kind = node.nodeType === 'YulIf' ? 'assembly if' : 'assembly for'
  marking.around(spanOf(condition), seen(marking.branch(condition, kind, 'true', 'false')), ')')
}

/** Each case is a branch, and so is none of them where there is no default. */
function markCases(marking: Marking, node: Node, seen: (branch: number) => string): void {
  const cases = nodesAt(node, 'cases')
  for (const one of cases) {
    const body = nodeAt(one, 'body')
    const outcome = one.value === 'default' ? 'default' : `case ${nodeAt(one, 'value')?.value}`
    if (body !== undefined) marking.intoBlock(body, ` pop(${seen(marking.branch(node, 'switch', outcome))}1))`)
  }
  if (!cases.some(({ value }) => value === 'default'))
    marking.around(spanOf(node), '', ` default { pop(${seen(marking.branch(node, 'switch', 'no case'))}1)) }`)
}
