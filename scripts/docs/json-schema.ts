import { z } from 'zod'

/** The part of JSON Schema that our zod schemas give. */
export interface Shape {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Shape[]
  readonly default?: unknown
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: boolean | Shape
  readonly prefixItems?: readonly Shape[]
  readonly items?: boolean | Shape
  readonly required?: readonly string[]
}

/** What may be written, as against what comes out after defaults. */
export const shapeOf = (schema: z.ZodType): Shape => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape

export interface Key {
  readonly path: string
  readonly shape: Shape
  readonly required: boolean
  /** The nearest section above it that may be left out; then `required` holds only inside it. */
  readonly optionalParent: string | null
}

/** All keys, depth first; `[]` stands for the items of a list, `*` for any name. */
export function keysOf(shape: Shape, prefix = '', optionalParent: string | null = null): readonly Key[] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, child]) => {
    const path = `${prefix}${name}`
    const required = shape.required?.includes(name) ?? false
    return [{ path, shape: child, required, optionalParent }, ...keysBelow(child, path, required ? optionalParent : path)]
  })
}

function keysBelow(shape: Shape, path: string, optional: string | null): readonly Key[] {
  const parts = [shape, ...(shape.anyOf ?? [])]
  return parts.flatMap((part) => [
    ...keysOf(part, `${path}.`, optional),
    ...(typeof part.items === 'object' ? keysOf(part.items, `${path}[].`, optional) : []),
    ...(typeof part.additionalProperties === 'object' ? keysOf(part.additionalProperties, `${path}.*.`, optional) : []),
  ])
}

/** In words for a table. */
export function kindOf(shape: Shape): string {
  if (shape.const !== undefined) return shape.const === '' ? 'empty' : `\`${String(shape.const)}\``
  if (shape.enum !== undefined) return shape.enum.map((word) => `\`${String(word)}\``).join(' or ')
  if (shape.anyOf !== undefined)
    return shape.anyOf
      .filter((part) => part.type !== 'null')
      .map(kindOf)
      .join(' or ')
  if (shape.prefixItems !== undefined) return '[low, high]'
  if (shape.type === 'integer' || shape.type === 'number') return `${shape.type === 'integer' ? 'whole number' : 'number'}${limitsOf(shape)}`
  if (shape.type === 'array') return typeof shape.items === 'object' && shape.items.properties === undefined ? 'list of texts' : 'list'
  if (shape.type === 'object') return fieldsOf(shape)
  if (shape.type === 'boolean') return '`true` or `false`'
  if (shape.maxLength === 1) return 'one letter'
  return shape.maxLength === undefined ? 'text' : `text, up to ${shape.maxLength} letters`
}

const fieldsOf = ({ properties = {} }: Shape): string => (Object.keys(properties).length === 0 ? 'section' : `{${Object.keys(properties).join(', ')}}`)

const limitsOf = ({ minimum, exclusiveMinimum, maximum }: Shape): string => {
  const low = minimum ?? exclusiveMinimum
  if (low === undefined && maximum === undefined) return ''
  return maximum === undefined ? `, from ${low}` : `, ${exclusiveMinimum === undefined ? '' : 'above '}${low} to ${maximum}`
}
