import { childrenOf, type Node, nodeAt, nodesAt, spanOf } from './ast.ts'
import { markAssembly } from './mark-assembly.ts'
import type { Marking } from './marking.ts'

/** Kinds of nodes that decide with their `condition`. */
const DECIDING: Readonly<Record<string, string>> = {
  IfStatement: 'if',
  Conditional: '?:',
  ForStatement: 'for',
  WhileStatement: 'while',
  DoWhileStatement: 'do while',
}
/** Functions that go on only when their first argument holds. */
const ASKING = ['require', 'assert']

/**
 * Marks all that decides in a source: both outcomes of each condition, and of each operand of `&&` and `||` by itself; each clause of a
 * `try`; what decides in assembly.
 */
export function markSolidity(marking: Marking, node: Node, pure = false): void {
  if (node.nodeType === 'VariableDeclaration' && node.mutability === 'constant') leaveOutConstant(marking, node)
  else if (node.nodeType === 'InlineAssembly') markAssembly(marking, node, pure)
  else markHere(marking, node, pure)
}

function markHere(marking: Marking, node: Node, pure: boolean): void {
  const inside = node.nodeType === 'FunctionDefinition' ? node.stateMutability === 'pure' : pure || node.nodeType === 'ModifierDefinition'
  markDecision(marking, node)
  for (const child of childrenOf(node)) markSolidity(marking, child, inside)
}

function markDecision(marking: Marking, node: Node): void {
  const kind = DECIDING[node.nodeType]
  if (kind !== undefined) markCondition(marking, nodeAt(node, 'condition'), kind)
  if (isLogic(node)) for (const side of ['leftExpression', 'rightExpression']) markOperand(marking, nodeAt(node, side), String(node.operator))
  if (node.nodeType === 'FunctionCall') markAsking(marking, node)
  if (node.nodeType === 'TryStatement') for (const clause of nodesAt(node, 'clauses')) markClause(marking, clause)
}

/** A literal decides nothing: `while (true)` has one outcome. */
function markCondition(marking: Marking, condition: Node | undefined, kind: string): void {
  if (condition === undefined || bare(condition).nodeType === 'Literal') return
  marking.around(spanOf(condition), 'seen__(', `, ${marking.branch(condition, kind, 'true', 'false')})`)
}

/** Of `a && b && c` the operands are the three, not `a && b`. */
function markOperand(marking: Marking, operand: Node | undefined, kind: string): void {
  if (operand !== undefined && !isLogic(bare(operand))) markCondition(marking, operand, kind)
}

function markAsking(marking: Marking, call: Node): void {
  const name = nodeAt(call, 'expression')?.name
  if (ASKING.includes(String(name))) markCondition(marking, nodesAt(call, 'arguments')[0], String(name))
}

function markClause(marking: Marking, clause: Node): void {
  const block = nodeAt(clause, 'block')
  if (block !== undefined) marking.intoBlock(block, ` taken__(${marking.branch(clause, 'try', 'taken')});`)
}

const isLogic = (node: Node): boolean => node.nodeType === 'BinaryOperation' && ['&&', '||'].includes(String(node.operator))

/** Without its brackets. */
function bare(node: Node): Node {
  const [only] = nodesAt(node, 'components')
  return node.nodeType === 'TupleExpression' && only !== undefined && (node.components as unknown[]).length === 1 ? bare(only) : node
}

function leaveOutConstant(marking: Marking, node: Node): void {
  const decides = (below: Node): boolean => DECIDING[below.nodeType] !== undefined || isLogic(below) || childrenOf(below).some(decides)
  if (decides(node)) marking.leaveOut(node, 'a constant is worked out by the compiler')
}
